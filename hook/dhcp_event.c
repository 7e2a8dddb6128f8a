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
#include "hook/proc.h"
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

static int open_all(struct event *event, struct error *err)
{
	int r;

	/* What is opened now must not take its place. */
	if (fcntl(DHCP_HOST_NETNS, F_GETFD) < 0)
		return error_set_errno(err, "cannot find the host's network namespace");
	event->container = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (event->container < 0)
		return error_set_errno(err, "cannot open the container's network namespace");
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

/* The value of an environment variable, as far as it fits into a line. */
static const char *message(char *const environment[])
{
	for (; *environment; environment++)
		if (!strncmp(*environment, "message=", 8))
			return *environment + 8;
	return "";
}

/* Why there is no lease. A client that gives up a round, or that the server sends away, says so
 * before it says that it has nothing.
 */
static void put_problem(const struct event *event, char *const environment[], struct lease *lease)
{
	struct error text;

	if (!strcmp(event->what, "nak"))
		error_set(&text, -EACCES, "the DHCP server refuses: NAK %.100s",
			message(environment));
	else if (!strcmp(event->what, "leasefail"))
		error_set(&text, -ETIMEDOUT, "no DHCP server has answered");
	else if (!lease->is_bound && *lease->problem)
		return;
	else
		error_set(&text, -ENODATA, "no DHCP server has answered yet");
	lease_set_problem(lease, text.text);
}

/* The lease after this event. Returns 1 where it stays what it was. */
static int make_lease(const struct event *event, char *const environment[], struct lease *lease)
{
	struct lease said;
	struct error err;

	if (!is_any(event->what, "bound", "renew")) {
		if (is_still_held(event, lease))
			return 1;
		put_problem(event, environment, lease);
		return 0;
	}
	if (dhcp_values_read(environment, &said, &err) == 0) {
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

static int note(const struct event *event, char *const environment[], struct error *err)
{
	struct lease lease = { 0 };
	char name[DHCP_NAME_MAX];

	dhcp_file_name(event->id, event->interface, DHCP_LEASE, name);
	if (lease_load(event->dir, name, &lease, NULL) < 0)
		lease = (struct lease){ 0 };
	if (make_lease(event, environment, &lease))
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

/* Is the endpoint made? While an attach waits for the word it is not. */
static bool is_final(const struct event *event)
{
	cleanup(record_free) struct record *record = NULL;

	return record_load(event->host.store.containers, event->id, &record, NULL) == 0 &&
	       find_endpoint(record, event->interface);
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
	r = netns_adopt(event->container, &netns, err);
	return r == 0 ? dhcp_update(&change, err) : r;
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
	if (r < 0)
		return r;
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
	bool final;
	pid_t pid;
	int r = open_all(event, err);

	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? 0 : r; /* the endpoint has gone */
	r = note(event, environ, err);
	if (r < 0)
		return r;
	final = is_final(event);
	pid = fork();
	if (pid < 0)
		return error_set_errno(err, "cannot start a process");
	if (pid > 0)
		return 0;
	setsid();
	deadline_start(DEADLINE_MS);
	return apply(event, final, err);
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
