// SPDX-License-Identifier: MIT
/*
 * many [-a FIRST] [-e ENDPOINTS] RUN PARENT PID KIND=COUNT...
 *
 * Fills RUN as COUNT attaches and crashes of each KIND leave it, in a moment: records, claims of an
 * IPv4 and an IPv6 address for each endpoint, the namespaces' links. PID is a process in a network
 * namespace that lives, and the init of all that live. FIRST: how many addresses an earlier run
 * has used. Run it in the host's namespace.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook/host.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "ipam/claims.h"
#include "ipam/hint.h"
#include "schema/error.h"
#include "schema/record.h"

/* The addresses are those of 10.99.0.0/16 and 2001:db8:99::/64, from the third on. */
#define FIRST_ADDRESS 3
#define SUBNET4 "10.99.0.0/16"
#define SUBNET6 "2001:db8:99::/64"
/* An id that no namespace has: ours are random, and above 2^20. */
#define NSID_GONE 1048575
/* Cookies that the kernel will not give out before its counter comes there. */
#define COOKIE_FIRST UINT64_C(1000000000000)

/* What a container left. */
struct kind {
	const char *name;
	bool is_alive;	/* its init lives; so does its namespace */
	bool is_kept;	/* its init is dead, but something holds its namespace */
	bool is_intent; /* the hook was killed between its claims and its final record */
	bool has_record;
	bool has_claims;
	bool has_dead_member; /* of a pod: one that joined and is dead */
	bool has_living_member;
	bool has_temporary; /* the hook was killed while it wrote the record */
};

static const struct kind kinds[] = {
	{ .name = "gone", .has_record = true, .has_claims = true },
	{ .name = "kept", .is_kept = true, .has_record = true, .has_claims = true },
	{ .name = "live", .is_alive = true, .has_record = true, .has_claims = true },
	{ .name = "intent-gone", .is_intent = true, .has_record = true, .has_claims = true },
	{ .name = "intent-kept",
		.is_intent = true,
		.is_kept = true,
		.has_record = true,
		.has_claims = true },
	{ .name = "intent-live",
		.is_intent = true,
		.is_alive = true,
		.has_record = true,
		.has_claims = true },
	{ .name = "pod-gone", .has_record = true, .has_claims = true, .has_dead_member = true },
	{ .name = "pod-live",
		.is_alive = true,
		.has_record = true,
		.has_claims = true,
		.has_dead_member = true,
		.has_living_member = true },
	{ .name = "temporary", .has_temporary = true },
	{ .name = "claim", .has_claims = true },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A process, as a record names it. */
struct process {
	pid_t pid;
	uint64_t start;
};

struct filling {
	struct host host;
	const char *parent;
	int pool;
	struct hint hints[2];
	struct cidr subnets[2];
	unsigned n_endpoints;
	struct process alive;
	struct process dead;
	int nsid;
	unsigned n_addresses; /* that were claimed */
	uint64_t cookie;
};

static void check(int r, const struct error *err)
{
	if (r == 0)
		return;
	fprintf(stderr, "many: %s\n", err->text);
	exit(1);
}

/* As long as an engine's, and readable. */
static void put_id(char ret[CONTAINER_ID_MAX + 1], const char *kind, const char *role, unsigned n)
{
	char start[48];

	snprintf(start, sizeof(start), "%s%s-%u-", kind, role, n);
	snprintf(ret, CONTAINER_ID_MAX + 1, "%s%.*s", start, (int)(64 - strlen(start)),
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void claim(struct filling *filling, unsigned family, const struct ip *ip, const char *owner)
{
	const struct hint *hint = &filling->hints[family];
	char holder[CLAIMS_OWNER_MAX + 1];
	char name[IP_TEXT];
	struct error err;

	check(claims_take(filling->pool, ip_format(ip, name), owner, holder, &err), &err);
	bitmap_set(hint_words(hint), (uint32_t)ip_to_value(ip) & (hint->bits - 1));
}

static void claim_addresses(
	struct filling *filling, const char *id, struct record_endpoint *endpoint)
{
	char owner[CLAIMS_OWNER_MAX + 1];

	snprintf(owner, sizeof(owner), "%s/%s", id, endpoint->interface);
	for (unsigned family = 0; family < 2; family++) {
		const struct cidr *subnet = &filling->subnets[family];
		struct ip first = cidr_first(subnet);
		struct ip ip = ip_from_value(
			first.family, ip_to_value(&first) + FIRST_ADDRESS + filling->n_addresses);

		claim(filling, family, &ip, owner);
		endpoint->addresses[endpoint->n_addresses++] = (struct cidr){ ip, subnet->len };
	}
	filling->n_addresses++;
}

static void fill_endpoint(struct filling *filling, const struct kind *kind, const char *id,
	unsigned n, struct record_endpoint *endpoint)
{
	unsigned mac = filling->n_addresses;

	snprintf(endpoint->network, sizeof(endpoint->network), "macvlan0");
	snprintf(endpoint->interface, sizeof(endpoint->interface), "eth%u", n);
	snprintf(endpoint->parent, sizeof(endpoint->parent), "%s", filling->parent);
	snprintf(endpoint->key, sizeof(endpoint->key), "%s", id);
	endpoint->parent_ifindex = 2;
	endpoint->mode = NETWORK_BRIDGE;
	endpoint->ifindex = kind->is_intent ? 0 : 1000000 + (int)n;
	memcpy(endpoint->mac, (const uint8_t[]){ 2, 0x42, 10, 99, 0, 0 }, MAC_SIZE);
	endpoint->mac[4] = (uint8_t)(mac >> 8);
	endpoint->mac[5] = (uint8_t)mac;
	if (kind->has_claims)
		claim_addresses(filling, id, endpoint);
}

static void add_member(struct record *record, const char *id, const struct process *init)
{
	struct record_member member = { .pid = init->pid, .start = init->start };
	struct error err;

	snprintf(member.id, sizeof(member.id), "%s", id);
	check(record_add_member(record, &member, &err), &err);
}

static void save(const struct filling *filling, const struct record *record)
{
	struct error err;

	check(record_save(filling->host.store.containers, record, &err), &err);
}

/* A container that shares the owner's namespace: a member there, and a record of its own. */
static void join(const struct filling *filling, struct record *owner, const char *role,
	const struct process *init, const char *kind, unsigned n)
{
	char id[CONTAINER_ID_MAX + 1];
	struct record *joined = NULL;
	struct error err;

	put_id(id, kind, role, n);
	add_member(owner, id, init);
	check(record_new(id, &joined, &err), &err);
	snprintf(joined->joined, sizeof(joined->joined), "%s", owner->id);
	save(filling, joined);
	record_free(&joined);
}

static void leave_temporary(const struct filling *filling, const char *id)
{
	char path[CONTAINER_ID_MAX + sizeof(".tmp")];
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s.tmp", id);
	fd = openat(filling->host.store.containers, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file || fprintf(file, "{\"id\":\"%s\",", id) < 0 || fclose(file) != 0) {
		perror("many: a temporary file");
		exit(1);
	}
}

static void save_owner(
	struct filling *filling, const struct kind *kind, struct record *record, unsigned n)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	char cookie[24];
	struct error err;

	record->netns_cookie = filling->cookie++;
	record->host_cookie = filling->host.cookie;
	record->nsid = kind->is_alive || kind->is_kept ? filling->nsid : NSID_GONE;
	add_member(record, record->id, kind->is_alive ? &filling->alive : &filling->dead);
	if (kind->has_dead_member)
		join(filling, record, "-dead", &filling->dead, kind->name, n);
	if (kind->has_living_member)
		join(filling, record, "-member", &filling->alive, kind->name, n);
	save(filling, record);
	snprintf(cookie, sizeof(cookie), "%" PRIu64, record->netns_cookie);
	check(claims_take(filling->host.store.netns, cookie, record->id, holder, &err), &err);
}

static void leave(struct filling *filling, const struct kind *kind, unsigned n)
{
	char id[CONTAINER_ID_MAX + 1];
	struct record *record = NULL;
	struct error err;

	put_id(id, kind->name, "", n);
	if (kind->has_temporary)
		leave_temporary(filling, id);
	check(record_new(id, &record, &err), &err);
	if (kind->has_claims || kind->has_record)
		for (unsigned i = 0; i < filling->n_endpoints; i++)
			fill_endpoint(filling, kind, id, i, record_add_endpoint(record));
	if (kind->has_record)
		save_owner(filling, kind, record, n);
	record_free(&record);
}

/* A process that has lived. */
static struct process dead_process(void)
{
	struct process process = { .pid = fork() };
	struct error err;

	if (process.pid == 0) {
		pause();
		_exit(0);
	}
	check(proc_start_time(process.pid, &process.start, &err), &err);
	kill(process.pid, SIGKILL);
	waitpid(process.pid, NULL, 0);
	return process;
}

static void open_filling(struct filling *filling, const char *run, const char *pid)
{
	static const char *const subnets[] = { SUBNET4, SUBNET6 };
	char path[64];
	bool shared;
	struct error err;
	int netns;

	check(host_open("", run, true, &filling->host, &err), &err);
	check(store_open_pool(&filling->host.store, filling->parent, true, &filling->pool, &err),
		&err);
	for (unsigned i = 0; i < 2; i++) {
		check(cidr_parse(subnets[i], &filling->subnets[i], &err), &err);
		check(hint_open(
			      filling->pool, &filling->subnets[i], true, &filling->hints[i], &err),
			&err);
	}
	filling->dead = dead_process();
	filling->alive.pid = (pid_t)strtol(pid, NULL, 10);
	check(proc_start_time(filling->alive.pid, &filling->alive.start, &err), &err);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)filling->alive.pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	check(rtnl_nsid_add(&filling->host.nl, netns, 1, &filling->nsid, &shared, &err), &err);
	close(netns);
}

/* KIND=COUNT */
static void fill(struct filling *filling, const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < N_KINDS; i++) {
		unsigned long count = word[length] ? strtoul(word + length + 1, NULL, 10) : 0;

		if (strlen(kinds[i].name) != length || strncmp(kinds[i].name, word, length) != 0)
			continue;
		for (unsigned n = 0; n < count; n++)
			leave(filling, &kinds[i], n);
		return;
	}
	fprintf(stderr, "many: there is no kind '%.*s'\n", (int)length, word);
	exit(2);
}

int main(int argc, char *argv[])
{
	struct filling filling = { .n_endpoints = 1, .cookie = COOKIE_FIRST };
	int option;

	while ((option = getopt(argc, argv, "+a:e:")) == 'e' || option == 'a')
		*(option == 'e' ? &filling.n_endpoints : &filling.n_addresses) =
			(unsigned)strtoul(optarg, NULL, 10);
	filling.cookie += filling.n_addresses;
	if (option != -1 || argc - optind < 4 || filling.n_endpoints > RECORD_ENDPOINTS_MAX) {
		fputs("usage: many [-a FIRST] [-e ENDPOINTS] RUN PARENT PID KIND=COUNT...\nkinds:",
			stderr);
		for (size_t i = 0; i < N_KINDS; i++)
			fprintf(stderr, " %s", kinds[i].name);
		fputc('\n', stderr);
		return 2;
	}
	filling.parent = argv[optind + 1];
	open_filling(&filling, argv[optind], argv[optind + 2]);
	for (int i = optind + 3; i < argc; i++)
		fill(&filling, argv[i]);
	return 0;
}
