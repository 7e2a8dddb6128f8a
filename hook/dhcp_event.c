// SPDX-License-Identifier: MIT
/*
 * The event script of a DHCP client, which is this very program, under a name that says of whom:
 * RUN/dhcp/ID:INTERFACE.event. The client waits for it, so it only leaves the server's word in
 * RUN/dhcp. An attach that waits for it reads it there. Where the record is final, a child of its
 * own takes the id's lock and applies it: if the script waited for that lock, a detach that holds
 * it and waits for the client's end would wait for ever.
 *
 * A word that comes while another is being applied is seen by its own child. Each applies the last
 * one, so their order does not matter.
 *
 * It is also the moment to look whether the container still lives.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/detach.h"
#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/judge.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/nl.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/record.h"
#include "schema/text.h"

#define DEADLINE_MS 30000
#define FOLDER "/" STORE_DHCP "/"

/* What the name that it is called by says, and what it has open. */
struct event {
	char run[PATH_MAX];
	char id[CONTAINER_ID_MAX + 1];
	char interface[INTERFACE_NAME_MAX + 1];
	const char *what; /* "bound", "renew", ... */
	int dir;	  /* RUN/dhcp */
	int container;	  /* the container's network namespace */
	uint64_t cookie;  /* its cookie */
	int ifindex;	  /* in it, of the link that the client names; 0: there is none */
	int settings6;	  /* the host's links' */
	struct dhcp_process client;
	struct host host;
};

/* Splits RUN/dhcp/ID:INTERFACE.event; false: it is not such a path. */
static bool read_name(const char *path, struct event *ret)
{
	const char *folder = NULL;
	const char *suffix;

	for (const char *at = strstr(path, FOLDER); at; at = strstr(at + 1, FOLDER))
		folder = at;
	if (*path != '/' || !folder || (size_t)(folder - path) >= sizeof(ret->run))
		return false;
	memcpy(ret->run, path, (size_t)(folder - path));
	ret->run[folder - path] = '\0';
	suffix = dhcp_file_parse(folder + strlen(FOLDER), ret->id, ret->interface);
	return suffix && !strcmp(suffix, DHCP_EVENT);
}

/**
 * dhcp_event_is() - is the program called as an event script
 * @argc: as main() has it
 * @argv: as main() has it
 *
 * Return: true when it is.
 */
bool dhcp_event_is(int argc, char *const argv[])
{
	struct event event;

	return argc == 2 && read_name(argv[0], &event);
}

/* Of an earlier client of the same endpoint nothing is heard any more. */
static int check_client(struct event *event, struct error *err)
{
	char name[DHCP_NAME_MAX];
	int r = dhcp_file_get_client(event->dir,
		dhcp_file_name(event->id, event->interface, DHCP_CLIENT, name), &event->client,
		err);

	if (r == 0 && event->client.pid != getppid())
		r = error_set(err, -ESRCH, "its client is another by now");
	return r;
}

/* The value of an environment variable; "": there is none. */
static const char *get_variable(const char *name)
{
	size_t length = strlen(name);

	for (char *const *variable = environ; *variable; variable++)
		if (!strncmp(*variable, name, length) && (*variable)[length] == '=')
			return *variable + length + 1;
	return "";
}

/* Which link the client speaks of. It goes by a name, which a container with CAP_NET_ADMIN may give
 * to another link of its own, and answer there as a server. The process is in the container's
 * namespace still.
 */
static int identify_link(struct event *event, struct error *err)
{
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	struct rtnl_link link = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = nl_netns_cookie(&nl, &event->cookie, err);
	if (r < 0)
		return r;
	if (name_check_interface(get_variable("interface"), NULL) == 0 &&
		rtnl_link_get(&nl, RTNL_HERE, get_variable("interface"), &link, NULL) == 0)
		event->ifindex = link.ifindex;
	return 0;
}

static int open_all(struct event *event, struct error *err)
{
	int r;

	/* What is opened now must not take its place. */
	if (fcntl(DHCP_HOST_NETNS, F_GETFD) < 0)
		return error_set_errno(err, "cannot find the host's network namespace");
	event->container = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (event->container < 0)
		return error_set_errno(err, "cannot open the container's network namespace");
	r = identify_link(event, err);
	if (r < 0)
		return r;
	if (setns(DHCP_HOST_NETNS, CLONE_NEWNET) < 0)
		return error_set_errno(err, "cannot enter the host's network namespace");
	r = host_open(NULL, event->run, false, &event->host, err);
	if (r == 0)
		r = dhcp_open_dir(&event->host.store, false, &event->dir, err);
	if (r == 0)
		r = host_access_open_settings6(&event->settings6, err);
	return r == 0 ? check_client(event, err) : r;
}

static bool is_any(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

/* A client that is started again has nothing, and says so at once, and again whenever nobody
 * answers. What the one before had still holds until its time is over.
 */
static bool is_still_held(const struct event *event, const struct lease *lease)
{
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

	return is_any(event->what, "deconfig", "leasefail") && lease->is_bound &&
	       lease_remaining(lease) > 0 &&
	       lease->obtained_ms < event->client.start * 1000 / ticks;
}

/* Why there is no lease. A client that gives up a round, or that the server sends away, says so
 * before it says that it has nothing.
 */
static void put_problem(const struct event *event, struct lease *lease)
{
	struct error text;

	if (!strcmp(event->what, "nak"))
		error_set(&text, -EACCES, "the DHCP server refuses: NAK %.100s",
			get_variable("message"));
	else if (!strcmp(event->what, "leasefail"))
		error_set(&text, -ETIMEDOUT, "no DHCP server has answered");
	else if (!lease->is_bound && *lease->problem)
		return;
	else
		error_set(&text, -ENODATA, "no DHCP server has answered yet");
	lease_set_problem(lease, text.text);
}

/* The lease after this event. Returns 1 where it stays what it was. */
static int make_lease(const struct event *event, struct lease *lease)
{
	struct lease said;
	struct error err;

	if (!is_any(event->what, "bound", "renew")) {
		if (is_still_held(event, lease))
			return 1;
		put_problem(event, lease);
		return 0;
	}
	if (dhcp_values_read(environ, &said, &err) == 0) {
		*lease = said;
		return 0;
	}
	log_notice("container '%s': '%s': %s", event->id, event->interface, err.text);
	/* Better what it has than nothing, as long as it has it. */
	if (lease->is_bound && lease_remaining(lease) > 0)
		return 1;
	lease->is_bound = false;
	lease_set_problem(lease, err.text);
	return 0;
}

static int note(const struct event *event, struct error *err)
{
	struct lease lease = { 0 };
	char name[DHCP_NAME_MAX];

	dhcp_file_name(event->id, event->interface, DHCP_LEASE, name);
	if (lease_load(event->dir, name, &lease, NULL) < 0)
		lease = (struct lease){ 0 };
	if (make_lease(event, &lease))
		return 0;
	return lease_save(event->dir, name, &lease, err);
}

static struct record_endpoint *find_endpoint(struct record *record, const char *interface)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].is_dhcp && record->endpoints[i].ifindex != 0 &&
			!strcmp(record->endpoints[i].interface, interface))
			return &record->endpoints[i];
	return NULL;
}

/* What the record says of the event. */
enum concern {
	CONCERNS_INTENT,  /* an attach waits for it, and sees to it */
	CONCERNS_LINK,	  /* of an endpoint that is made */
	CONCERNS_ANOTHER, /* it is about a link that is not the endpoint's */
};

static enum concern find_concern(const struct event *event)
{
	cleanup(record_free) struct record *record = NULL;
	const struct record_endpoint *endpoint;

	if (record_load(event->host.store.containers, event->id, &record, NULL) < 0)
		return CONCERNS_INTENT;
	endpoint = find_endpoint(record, event->interface);
	if (!endpoint)
		return CONCERNS_INTENT;
	return event->cookie == record->netns_cookie && event->ifindex == endpoint->ifindex
		       ? CONCERNS_LINK
		       : CONCERNS_ANOTHER;
}

/* In the container's namespace, where the process stays: for the host's there are sockets. */
static int update(struct event *event, struct record *record, struct error *err)
{
	struct netns netns cleanup(netns_close) = NETNS_CLOSED;
	const struct dhcp_change change = {
		.host = &event->host,
		.netns = &netns,
		.record = record,
		.endpoint = find_endpoint(record, event->interface),
		.dir = event->dir,
		.settings6 = event->settings6,
	};
	int r;

	if (!change.endpoint)
		return 0;
	dhcp_reclaim_names(&event->host, record->id, change.endpoint);
	r = netns_adopt(event->container, &netns, err);
	return r == 0 ? dhcp_update(&change, err) : r;
}

static int load(const struct event *event, const char *suffix, struct lease *ret)
{
	char name[DHCP_NAME_MAX];

	return lease_load(
		event->dir, dhcp_file_name(event->id, event->interface, suffix, name), ret, NULL);
}

/* Does the server go on giving the address that the container has? */
static bool is_renewed(const struct event *event, struct lease *ret)
{
	struct lease applied = { 0 };
	const struct cidr *one = &applied.config.addresses[0];
	const struct cidr *other = &ret->config.addresses[0];

	return load(event, DHCP_APPLIED, &applied) == 0 && load(event, DHCP_LEASE, ret) == 0 &&
	       applied.is_bound && ret->is_bound && ip_equal(&one->ip, &other->ip) &&
	       one->len == other->len;
}

/* A later version has written the record, and may be gone. Nothing can be changed then, but what
 * the kernel would take away with the lease is the container's as long as the server says so.
 */
static void keep_unread(const struct event *event)
{
	cleanup(record_free) struct record *record = NULL;
	struct netns netns cleanup(netns_close) = NETNS_CLOSED;
	struct dhcp_change change = { .netns = &netns };
	struct lease lease = { 0 };

	if (event->ifindex == 0 || !is_renewed(event, &lease) ||
		record_new(event->id, &record, NULL) < 0 ||
		netns_adopt(event->container, &netns, NULL) < 0)
		return;
	change.record = record;
	change.endpoint = record_add_endpoint(record);
	change.endpoint->ifindex = event->ifindex;
	text_join(change.endpoint->interface, sizeof(change.endpoint->interface), event->interface);
	dhcp_limit(&change, &lease);
}

/* No record leads to the client. */
static int end_orphan(const struct event *event, struct error *err)
{
	int r = dhcp_client_stop(event->dir, event->id, event->interface, err);

	return r == 0 ? dhcp_files_remove(event->dir, event->id, event->interface, err) : r;
}

/* Also ends the client, whose container has died without a word. */
static int apply_locked(struct event *event, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct verdict verdict;
	bool is_current = false;
	int r = proc_is_alive(event->client.pid, event->client.start, &is_current, err);

	if (r < 0 || !is_current)
		return r;
	r = record_load(event->host.store.containers, event->id, &record, err);
	if (r == -ENOENT)
		return end_orphan(event, err);
	if (r < 0) {
		keep_unread(event);
		return r;
	}
	r = detach_check_host(&event->host, record, err);
	if (r == 0)
		r = judge_owner(&event->host, record, &verdict, err);
	if (r < 0)
		return r;
	if (!verdict.is_dead)
		return update(event, record, err);
	log_notice("container '%s' has ended without a poststop: %s; its endpoints are freed",
		event->id, verdict.why);
	return detach_all(&event->host, record, err);
}

/* An attach that waits for its first lease has the lock and looks by itself. If it is free although
 * the record is no more than an intent, that attach was killed.
 */
static int apply(struct event *event, bool is_final, struct error *err)
{
	int r = is_final ? host_lock(&event->host, event->id, err)
			 : host_trylock(&event->host, event->id, err);

	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	r = apply_locked(event, err);
	host_unlock(&event->host, event->id);
	return r;
}

/* What the client waits for, and then what it does not wait for. */
static int run(struct event *event, struct error *err)
{
	enum concern concern;
	pid_t pid;
	int r = open_all(event, err);

	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? 0 : r; /* the endpoint has gone */
	concern = find_concern(event);
	/* The lease is not kept. A dead container is collected all the same. */
	if (concern == CONCERNS_ANOTHER)
		log_notice("container '%s': the DHCP client's '%s' is not about interface '%s' of "
			   "this container (index %d in its namespace): it is ignored",
			event->id, event->what, event->interface, event->ifindex);
	else
		r = note(event, err);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return error_set_errno(err, "cannot start a process");
	if (pid > 0)
		return 0;
	setsid();
	deadline_start(DEADLINE_MS);
	return apply(event, concern != CONCERNS_INTENT, err);
}

/**
 * dhcp_event() - what a DHCP client calls its event script for
 * @argv: its path, and what has happened: deconfig, bound, renew, nak or leasefail
 *
 * The rest is in the environment. What fails is kept in the log and in RUN/errors, as nobody looks
 * at what an event script prints.
 *
 * Return: the exit status.
 */
int dhcp_event(char *const argv[])
{
	struct event event = { .dir = -1,
		.container = -1,
		.settings6 = -1,
		.host = { .store = STORE_CLOSED, .nl = NL_CLOSED } };
	struct error err;

	signal(SIGPIPE, SIG_IGN);
	umask(077);
	dhcp_close_others(0, NULL);
	deadline_start(DEADLINE_MS);
	if (!read_name(argv[0], &event))
		return 1;
	event.what = argv[1];
	if (run(&event, &err) == 0)
		return 0;
	error_prefix(&err, "DHCP event '%s' of container '%s'", event.what, event.id);
	log_error(&event.host.store, err.text);
	return 1;
}
