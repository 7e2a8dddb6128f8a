// SPDX-License-Identifier: MIT
/*
 * IPv4 by DHCP, as an attach has it. When the link is up, a client is started in the container's
 * network namespace (dhcp_client.c), and the first lease is waited for. The client's event script,
 * which is this very hook (dhcp_event.c), only leaves the server's word in RUN/dhcp as long as the
 * record is an intent; the attach, which holds the id's lock, reads and applies it. When the final
 * record is written the attach looks once more: so whatever comes is seen, by the attach or by the
 * event that finds the record final, and neither waits for the other.
 *
 * From then on the client keeps the lease by itself, and each change is applied by its event.
 */
#include "hook/dhcp.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook/dhcp_parts.h"
#include "hook/dns.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "hook/routes.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/lease.h"
#include "schema/record.h"

/**
 * dhcp_prepare() - see that what DHCP needs is there, before anything is done
 * @plan: the plan
 * @err:  filled on failure
 *
 * Return: 0; -ENOENT: there is no client.
 */
int dhcp_prepare(const struct plan *plan, struct error *err)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->items[i].network->ipam == NETWORK_IPAM_DHCP)
			return dhcp_client_find(err);
	return 0;
}

/**
 * dhcp_start() - start the client of an endpoint, if it is to have one
 * @wiring: the endpoint, made and up; how long its lease is waited for is noted in it
 * @err:    filled on failure
 *
 * Return: 0, or what dhcp_client_start() gave.
 */
int dhcp_start(struct wiring *wiring, struct error *err)
{
	struct dhcp_client client = {
		.host = wiring->host,
		.id = wiring->id,
		.endpoint = wiring->endpoint,
		.interface = wiring->endpoint->interface,
		.ifindex = wiring->ifindex,
	};
	autoclose int dir = -1;
	int r;

	if (!client.endpoint->is_dhcp)
		return 0;
	r = dhcp_open_dir(&wiring->host->store, true, &dir, err);
	client.dir = dir;
	/* What is left of an earlier one would be taken for an answer. */
	if (r == 0)
		r = dhcp_files_remove(dir, client.id, client.endpoint->interface, err);
	if (r == 0)
		r = dhcp_client_start(&client, err);
	wiring->lease_until = deadline_clock_ms() + wiring->item->network->dhcp.timeout_ms;
	return r;
}

/* A wait for the first lease. */
struct wait {
	struct wiring *wiring;
	int dir;
	int changes; /* of RUN/dhcp */
	struct lease lease;
	char lease_name[DHCP_NAME_MAX];
};

static int open_changes(int dir, int *ret, struct error *err)
{
	char path[32];

	*ret = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (*ret < 0)
		return error_set_errno(err, "cannot watch files");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (inotify_add_watch(*ret, path, IN_MOVED_TO) < 0)
		return error_set_errno(err, "cannot watch 'dhcp' in the state folder");
	return 0;
}

static void drain(int changes)
{
	char events[4096];

	while (read(changes, events, sizeof(events)) > 0)
		;
}

/* Until a file changes, the client ends or the time is over. Returns whether the client lives. */
static bool wait_for_change(const struct wait *wait, int64_t rest)
{
	struct dhcp_process client;
	char name[DHCP_NAME_MAX];
	const struct record_endpoint *endpoint = wait->wiring->endpoint;

	if (dhcp_file_get_client(wait->dir,
		    dhcp_file_name(wait->wiring->id, endpoint->interface, DHCP_CLIENT, name),
		    &client, NULL) < 0)
		return false;
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, client.pid, 0);
	struct pollfd polled[] = { { .fd = wait->changes, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN } };

	if (pidfd < 0)
		return false;
	poll(polled, 2, (int)rest);
	drain(wait->changes);
	return !polled[1].revents;
}

/* One look. Returns 1 when there is a lease, 0 when there may be one. */
static int look(struct wait *wait, struct error *err)
{
	int r = lease_load(wait->dir, wait->lease_name, &wait->lease, err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : wait->lease.is_bound;
}

/* Returns 1 when there is a lease, 0 when the time is over. */
static int wait_for_lease(struct wait *wait, struct error *err)
{
	int r = 0;

	while (r == 0) {
		int64_t rest = wait->wiring->lease_until - deadline_clock_ms();
		bool alive;

		r = look(wait, err);
		if (r != 0 || rest <= 0)
			break;
		r = deadline_check("waiting for a DHCP server", err);
		if (r < 0)
			break;
		alive = wait_for_change(wait, rest);
		r = look(wait, err);
		if (r == 0 && !alive)
			r = error_set(err, -ECHILD,
				"the DHCP client ('%s') has ended: run it by hand to see why",
				dhcp_client_path());
	}
	return r;
}

/* In a pod, others may have given the name that the client goes by to another link. */
static int check_link(const struct wiring *wiring, struct error *err)
{
	const char *interface = wiring->endpoint->interface;
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(&wiring->netns->nl, RTNL_HERE, interface, &link, err);

	if (r == 0 && link.ifindex != wiring->ifindex)
		r = error_set(err, -ENODEV, "it is another link by now");
	return r < 0 ? error_prefix(err, "the DHCP client's interface '%s'", interface) : 0;
}

static int apply(struct wait *wait, struct error *err)
{
	const struct wiring *wiring = wait->wiring;
	const struct ip_config *config = &wait->lease.config;
	const struct dhcp_change change = {
		.host = wiring->host,
		.netns = wiring->netns,
		.record = wiring->record,
		.endpoint = wiring->endpoint,
		.dir = wait->dir,
	};
	char name[DHCP_NAME_MAX];
	int r = check_link(wiring, err);

	if (r < 0)
		return r;
	if (!dhcp_put_address(wiring->endpoint, &config->addresses[0]))
		return error_set(err, -E2BIG, "too many addresses");
	wiring->item->given = malloc(sizeof(*config));
	if (!wiring->item->given)
		return error_set(err, -ENOMEM, "out of memory");
	*wiring->item->given = *config;
	r = dhcp_take(&change, &config->addresses[0], err);
	if (r < 0)
		return r;
	dhcp_limit(&change, &wait->lease);
	dhcp_set_mtu(&change, NULL, &wait->lease);
	dhcp_add_listed(wiring->endpoint, &wait->lease);
	dhcp_file_name(wiring->id, wiring->endpoint->interface, DHCP_APPLIED, name);
	return lease_save(wait->dir, name, &wait->lease, err);
}

/* Where nothing can be heard, that comes first. */
static const char *why_none(const struct wait *wait)
{
	const struct parent *parent = &wait->wiring->item->parent;

	if (!parent->is_up)
		return "the parent is down";
	if (!parent->has_carrier)
		return "the parent has no carrier";
	return *wait->lease.problem ? wait->lease.problem : "no DHCP server has answered yet";
}

static int report_none(const struct wait *wait, struct error *err)
{
	const struct plan_item *item = wait->wiring->item;
	const char *why = why_none(wait);

	if (item->network->dhcp.required)
		return error_set(err, -ETIMEDOUT,
			"no lease by DHCP on parent '%s' within %u ms: %s", item->parent.name,
			item->network->dhcp.timeout_ms, why);
	log_notice("network '%s': container '%s' starts without an IPv4 address, which it gets "
		   "when there is a lease: %s",
		item->network->name, wait->wiring->id, why);
	return 0;
}

/**
 * dhcp_await() - wait for the first lease of an endpoint, and give it to it
 * @wiring: the endpoint; its address is added, and what else the server says given to its plan item
 * @err:    filled on failure; what was done is left for detach
 *
 * Return: 0, also without a lease where the network does not require one; -ETIMEDOUT;
 * -EADDRINUSE; -ETIME, -EINTR; what the kernel or the file system gave.
 */
int dhcp_await(struct wiring *wiring, struct error *err)
{
	struct wait wait = { .wiring = wiring };
	autoclose int dir = -1;
	autoclose int changes = -1;
	int r;

	if (!wiring->endpoint->is_dhcp)
		return 0;
	dhcp_file_name(wiring->id, wiring->endpoint->interface, DHCP_LEASE, wait.lease_name);
	r = dhcp_open_dir(&wiring->host->store, false, &dir, err);
	if (r == 0)
		r = open_changes(dir, &changes, err);
	if (r < 0)
		return r;
	wait.dir = dir;
	wait.changes = changes;
	r = wait_for_lease(&wait, err);
	if (r < 0)
		return r;
	return r == 0 ? report_none(&wait, err) : apply(&wait, err);
}

static int join_one(int dir, struct plan_item *item, const struct record *record, struct error *err)
{
	const struct record_endpoint *endpoint = &record->endpoints[item->endpoint];
	struct lease lease;
	char name[DHCP_NAME_MAX];
	int r = lease_load(dir, dhcp_file_name(record->id, endpoint->interface, DHCP_APPLIED, name),
		&lease, err);

	if (r < 0 || !lease.is_bound)
		return r == -ENOENT ? 0 : r;
	item->given = malloc(sizeof(*item->given));
	if (!item->given)
		return error_set(err, -ENOMEM, "out of memory");
	*item->given = lease.config;
	return 0;
}

/**
 * dhcp_join() - what the server has said of endpoints that another container of the pod has
 * @host:   the host
 * @plan:   the plan, joined (plan_join())
 * @record: the record of the namespace's owner, whose lock is held
 * @err:    filled on failure
 *
 * Return: 0, -ENOMEM, or what reading gave.
 */
int dhcp_join(
	const struct host *host, struct plan *plan, const struct record *record, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];
		autoclose int dir = -1;

		if (!item->joined || !record->endpoints[item->endpoint].is_dhcp)
			continue;
		r = dhcp_open_dir(&host->store, false, &dir, err);
		if (r == 0)
			r = join_one(dir, item, record, err);
	}
	return r;
}

/**
 * dhcp_settle() - note what the servers' word is taken for, now that all networks are known
 * @plan:   the plan
 * @record: the record with its endpoints
 */
void dhcp_settle(const struct plan *plan, struct record *record)
{
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		struct record_endpoint *endpoint = &record->endpoints[item->endpoint];

		if (item->joined || !endpoint->is_dhcp)
			continue;
		endpoint->dhcp.gives_default =
			routes_by_dhcp(plan, item, record, &endpoint->dhcp.gateway);
		endpoint->dhcp.gives_dns =
			dns_item(plan) == item && item->network->dns.mode == NETWORK_DNS_GIVEN;
	}
}

/**
 * dhcp_catch_up() - apply what servers have said since their first lease was applied
 * @host:   the host
 * @netns:  the container's namespace, in which the process is
 * @plan:   the plan
 * @record: the record, which is written and final; its lock is held
 *
 * The attach is done: what fails is a line in the log, and the next event tries again.
 */
void dhcp_catch_up(
	struct host *host, struct netns *netns, const struct plan *plan, struct record *record)
{
	for (unsigned i = 0; i < plan->n; i++) {
		struct record_endpoint *endpoint = &record->endpoints[plan->items[i].endpoint];
		autoclose int dir = -1;
		struct error err;
		int r;

		if (plan->items[i].joined || !endpoint->is_dhcp)
			continue;
		r = dhcp_open_dir(&host->store, false, &dir, &err);
		if (r == 0)
			r = dhcp_update(&(struct dhcp_change){ .host = host,
						.netns = netns,
						.record = record,
						.endpoint = endpoint,
						.dir = dir,
						.settings6 = plan->host_settings6 },
				&err);
		if (r < 0)
			log_notice("%s", err.text);
	}
}

/**
 * dhcp_load_lease() - the lease that an endpoint has
 * @store:    the store
 * @id:       the container whose record has the endpoint
 * @endpoint: the endpoint
 * @ret:      the lease
 * @err:      filled on failure
 *
 * Return: 0, -ENOENT, or what reading gave.
 */
int dhcp_load_lease(const struct store *store, const char *id,
	const struct record_endpoint *endpoint, struct lease *ret, struct error *err)
{
	autoclose int dir = -1;
	char name[DHCP_NAME_MAX];
	int r = dhcp_open_dir(store, false, &dir, err);

	if (r < 0)
		return r;
	return lease_load(
		dir, dhcp_file_name(id, endpoint->interface, DHCP_APPLIED, name), ret, err);
}
