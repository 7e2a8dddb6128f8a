// SPDX-License-Identifier: MIT
/*
 * The contestants, each doing the same: one macvlan in bridge mode with an IPv4 and an IPv6
 * address and a default route of each family. CNI alone has IPv4 only: with IPv6 it waits more than
 * a second for duplicate address detection, which would say nothing about its work.
 */
#include "tests/bench/contestants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOOK "@build@/oci-macvlan-hook --etc @dir@/etc --run @dir@/run "

#define STATE(bundle, annotations)                                                         \
	"{\"ociVersion\":\"1.0.2\",\"id\":\"@id@\",\"status\":\"creating\",\"pid\":@pid@," \
	"\"bundle\":\"" bundle                                                             \
	"\",\"annotations\":{\"io.oci-macvlan.networks\":\"bench\"" annotations "}}"

#define STATE_STOPPED                                                                 \
	"{\"ociVersion\":\"1.0.2\",\"id\":\"@id@\",\"status\":\"stopped\",\"pid\":0," \
	"\"bundle\":\"@dir@/bundle\",\"annotations\":{\"io.oci-macvlan.networks\":\"bench\"}}"

#define ENV "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define CNI_ENV(command)                                                                       \
	ENV " CNI_COMMAND=" command " CNI_CONTAINERID=@id@ CNI_NETNS=@netns@ CNI_IFNAME=eth0 " \
	    "CNI_PATH=/usr/lib/cni"

#define CNI_CONF(ranges, routes)                                                                 \
	"{\"cniVersion\":\"0.4.0\",\"name\":\"bench\",\"type\":\"macvlan\",\"master\":\"eth0\"," \
	"\"mode\":\"bridge\",\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"@dir@/cni\","       \
	"\"ranges\":[" ranges "],\"routes\":[" routes "]}}"

#define CNI_RANGE4                                                     \
	"[{\"subnet\":\"10.64.0.0/16\",\"rangeStart\":\"10.64.64.1\"," \
	"\"rangeEnd\":\"10.64.127.254\",\"gateway\":\"10.64.0.1\"}]"

#define CNI_RANGE6                                                         \
	"[{\"subnet\":\"2001:db8::/64\",\"rangeStart\":\"2001:db8::c:1\"," \
	"\"rangeEnd\":\"2001:db8::c:fffe\",\"gateway\":\"2001:db8::1\"}]"

#define CNI4 CNI_CONF(CNI_RANGE4, "{\"dst\":\"0.0.0.0/0\"}")
#define CNI_DUAL CNI_CONF(CNI_RANGE4 "," CNI_RANGE6, "{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}")

#define NETAVARK_NETWORK                                                                     \
	"{\"name\":\"bench\",\"id\":"                                                        \
	"\"53ce4390f2adb1681eb1a90ec8b48c49c015e0a8d336c197637e7f65e365fa9e\","              \
	"\"driver\":\"macvlan\",\"network_interface\":\"eth0\",\"subnets\":["                \
	"{\"subnet\":\"10.64.0.0/16\",\"gateway\":\"10.64.0.1\"},"                           \
	"{\"subnet\":\"2001:db8::/64\",\"gateway\":\"2001:db8::1\"}],\"ipv6_enabled\":true," \
	"\"internal\":false,\"dns_enabled\":false,\"ipam_options\":{\"driver\":\"host-local\"}}"

#define NETAVARK                                                                           \
	"{\"container_id\":\"@id@\",\"container_name\":\"@id@\",\"networks\":{\"bench\":{" \
	"\"interface_name\":\"eth0\",\"static_ips\":[\"@ip4@\",\"@ip6@\"]}},"              \
	"\"network_info\":{\"bench\":" NETAVARK_NETWORK "}}"

/* Of the allocation's question: a /16 without anything else. */
#define STATE_WIDE                                                                           \
	"{\"ociVersion\":\"1.0.2\",\"id\":\"@id@\",\"status\":\"creating\",\"pid\":@pid@,"   \
	"\"bundle\":\"@dir@/bundle\",\"annotations\":{\"io.oci-macvlan.networks\":\"wide\"," \
	"\"io.oci-macvlan.name\":\"@id@\"}}"

#define HOST_LOCAL_WIDE                                                               \
	"{\"cniVersion\":\"0.4.0\",\"name\":\"wide\",\"type\":\"macvlan\",\"ipam\":{" \
	"\"type\":\"host-local\",\"dataDir\":\"@dir@/cni\",\"ranges\":[[{"            \
	"\"subnet\":\"10.65.0.0/16\",\"gateway\":\"10.65.0.1\"}]]}}"

static const struct contestant contestants[] = {
	{ .name = "empty",
		.attach = "@bench@/empty",
		.detach = "@bench@/empty",
		.makes_nothing = true },
	{ .name = "floor",
		.attach = "@bench@/floor attach @netns@ @n@",
		.delete = "@bench@/floor detach @netns@",
		.has_ip6 = true },
	{ .name = "floor-announce",
		.attach = "@bench@/floor announce @netns@ @n@",
		.has_ip6 = true },
	{ .name = "ours",
		.attach = HOOK "createRuntime",
		.attach_input = STATE("@dir@/bundle", ",\"io.oci-macvlan.name\":\"@id@\""),
		.detach = HOOK "poststop",
		.detach_input = STATE_STOPPED,
		.has_ip6 = true },
	{ .name = "ours-config",
		.attach = HOOK "createRuntime",
		.attach_input = STATE("@dir@/bundle", ""),
		.detach = HOOK "poststop",
		.detach_input = STATE_STOPPED,
		.has_ip6 = true },
	{ .name = "netavark",
		.attach = "/usr/lib/podman/netavark setup @netns@",
		.attach_input = NETAVARK,
		.delete = "/usr/lib/podman/netavark teardown @netns@",
		.detach_input = NETAVARK,
		.has_ip6 = true },
	{ .name = "cni",
		.attach = "/usr/lib/cni/macvlan",
		.attach_input = CNI4,
		.attach_env = CNI_ENV("ADD"),
		.detach = "/usr/lib/cni/macvlan",
		.detach_input = CNI4,
		.detach_env = CNI_ENV("DEL") },
	{ .name = "cni-dual",
		.attach = "/usr/lib/cni/macvlan",
		.attach_input = CNI_DUAL,
		.attach_env = CNI_ENV("ADD"),
		.detach = "/usr/lib/cni/macvlan",
		.detach_input = CNI_DUAL,
		.detach_env = CNI_ENV("DEL"),
		.has_ip6 = true },
	{ .name = "ip-batch",
		.attach = "/bin/sh @scripts@/ip-batch.sh @netns@ @pid@ @mac@ @ip4@ @ip6@",
		.delete = "/bin/sh @scripts@/ip-delete.sh @netns@",
		.has_ip6 = true },
	{ .name = "ours-attach",
		.attach = HOOK "createRuntime",
		.attach_input = STATE_WIDE,
		.detach = HOOK "poststop",
		.detach_input = STATE_STOPPED },
	{ .name = "host-local",
		.attach = "/usr/lib/cni/host-local",
		.attach_input = HOST_LOCAL_WIDE,
		.attach_env = CNI_ENV("ADD"),
		.detach = "/usr/lib/cni/host-local",
		.detach_input = HOST_LOCAL_WIDE,
		.detach_env = CNI_ENV("DEL"),
		.makes_nothing = true },
	{ .name = "pipework",
		.attach = "/bin/sh @scripts@/pipework.sh @netns@ @pid@ @mac@ @ip4@ @ip6@",
		.has_ip6 = true },
};

/**
 * contestant_find() - look up a contestant
 * @name: its name
 *
 * Return: the contestant; the process ends where there is none.
 */
const struct contestant *contestant_find(const char *name)
{
	const struct contestant *engine = contestant_find_engine(name);

	for (unsigned i = 0; i < sizeof(contestants) / sizeof(contestants[0]); i++)
		if (!strcmp(contestants[i].name, name))
			return &contestants[i];
	if (engine)
		return engine;
	fprintf(stderr, "bench: there is no contestant '%s'\n", name);
	exit(EXIT_FAILURE);
}

/* What a word stands for. */
struct meaning {
	const char *word;
	char text[256];
};

#define MEANINGS_MAX 16

struct meanings {
	struct meaning list[MEANINGS_MAX];
	unsigned n;
};

static void mean(struct meanings *meanings, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void mean(struct meanings *meanings, const char *word, const char *format, ...)
{
	struct meaning *meaning = &meanings->list[meanings->n++];
	va_list arguments;

	meaning->word = word;
	va_start(arguments, format);
	vsnprintf(meaning->text, sizeof(meaning->text), format, arguments);
	va_end(arguments);
}

static void find_meanings(
	const struct place *place, const struct box *box, unsigned number, struct meanings *ret)
{
	const unsigned high = number >> 8;
	const unsigned low = number & 0xff;
	const char *cgroup = getenv("OCI_MACVLAN_CGROUP");

	ret->n = 0;
	mean(ret, "@build@", "%s", place->build);
	mean(ret, "@bench@", "%s", place->bench);
	mean(ret, "@scripts@", "%s", place->scripts);
	mean(ret, "@dir@", "%s", place->dir);
	mean(ret, "@case@", "%s", place->kase ? place->kase : "");
	mean(ret, "@cgroup@", "%s", cgroup ? cgroup : "");
	mean(ret, "@n@", "%u", number);
	mean(ret, "@mac@", "02:f2:00:00:%02x:%02x", high, low);
	mean(ret, "@ip4@", "10.64.%u.%u", 192 | high, low);
	mean(ret, "@ip6@", "2001:db8::f2:%02x%02x", high, low);
	if (!box)
		return;
	mean(ret, "@id@", "%s", box->id);
	mean(ret, "@pid@", "%d", (int)box->pid);
	/* Once init is dead, its namespace is only to be found where we hold it. */
	if (box->pid == 0)
		mean(ret, "@netns@", "/proc/%d/fd/%d", (int)getpid(), box->netns);
	else
		mean(ret, "@netns@", "/proc/%d/ns/net", (int)box->pid);
}

static const struct meaning *find_word(const struct meanings *meanings, const char *text)
{
	for (unsigned i = 0; i < meanings->n; i++)
		if (!strncmp(text, meanings->list[i].word, strlen(meanings->list[i].word)))
			return &meanings->list[i];
	return NULL;
}

/* Copies a text with what its words mean; returns the end of the copy. */
static char *expand(const struct meanings *meanings, const char *from, char *to, const char *end)
{
	while (*from) {
		const struct meaning *found = *from == '@' ? find_word(meanings, from) : NULL;
		size_t size = found ? strlen(found->text) : 1;

		if (size >= (size_t)(end - to)) {
			fprintf(stderr, "bench: a command is too long\n");
			exit(EXIT_FAILURE);
		}
		memcpy(to, found ? found->text : from, size);
		to += size;
		from += found ? strlen(found->word) : 1;
	}
	*to = '\0';
	return to;
}

/* Cuts a text at its spaces. */
static void split(char *text, char *ret[SPAWN_WORDS_MAX])
{
	unsigned n = 0;
	char *rest = text;
	char *word;

	while (n + 1 < SPAWN_WORDS_MAX && (word = strtok_r(rest, " ", &rest)))
		ret[n++] = word;
	ret[n] = NULL;
}

/**
 * contestant_order() - make a command ready for a container
 * @place:   where everything is
 * @box:     the container, or NULL where there is none
 * @number:  its number
 * @command: the command, beginning with a path
 * @env:     its environment, or NULL for PATH alone
 * @input:   what it reads on stdin, or NULL
 * @ret:     the order; the pointers in it point into it
 */
void contestant_order(const struct place *place, const struct box *box, unsigned number,
	const char *command, const char *env, const char *input, struct order *ret)
{
	const char *end = ret->words + sizeof(ret->words);
	char *commands = ret->words;
	char *environment;
	struct meanings meanings;

	find_meanings(place, box, number, &meanings);
	environment = expand(&meanings, command, commands, end) + 1;
	expand(&meanings, env ? env : ENV, environment, end);
	split(commands, ret->command.argv);
	split(environment, ret->command.envp);
	ret->command.input = input ? ret->input : NULL;
	if (input)
		expand(&meanings, input, ret->input, ret->input + sizeof(ret->input));
}
