// SPDX-License-Identifier: MIT
/*
 * Host access: the host and the containers of a network reach each other, in spite of macvlan.
 *
 * On each parent that has such containers the host has a macvlan of its own, the shim (shim.c).
 *
 *   in the host's namespace        CONTAINER/32 (or /128) dev SHIM src HOST
 *                                  CONTAINER lladdr MAC dev SHIM, for good
 *   in the container's namespace   HOST/128 via SHIM'S-LINK-LOCAL dev eth0 src CONTAINER
 *
 * HOST is an address that the parent has: so the host is itself towards its containers, and needs
 * no other. In the container IPv4 needs nothing where HOST is in the container's subnet: it asks
 * for HOST, and of the host's interfaces only the shim answers (arp_filter), which has the route
 * back. To ask for IPv6 so is no use: an interface answers for addresses of its own only.
 *
 * The neighbours are for the LAN's good. If the host asked for a container's MAC, the LAN would
 * hear that HOST has the shim's. So they are there before the route, and go after it.
 *
 * The shim has a pool, as parents have: RUN/pools/SHIM/CONTAINER's address -> CONTAINER/INTERFACE,
 * the marks. They say who needs the shim, and what it must have. The order
 *
 *   attach: record (intent) > marks > lock { shim, neighbour, route } > record
 *   detach: record > lock { route, neighbour, marks; the shim with the last mark } > no record
 *
 * is what makes them true: who finds no mark under the lock may delete the shim, for who marks
 * after that makes it again; and whoever is killed, a record leads to his marks, and detach, or gc,
 * goes on until there is no shim without one. Each attach looks whether all that is marked is
 * there, for a hand may have flushed it, and the kernel drops routes when the host loses HOST.
 *
 * Which addresses have it at all: host_reach.c. How it ends: host_access_end.c.
 */
#include "hook/host_access.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/host.h"
#include "hook/host_access_parts.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/parent.h"
#include "hook/plan.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "hook/shim.h"
#include "ipam/claims.h"
#include "ipam/lock.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

#define SETTINGS6 "/proc/sys/net/ipv6/conf"

/**
 * host_access_open_settings6() - open the settings that the host's links have for IPv6
 * @ret: the folder; the caller closes it. -1: the kernel has no IPv6
 * @err: filled on failure
 *
 * For who is in the host's namespace and is about to leave it.
 *
 * Return: 0, or what open(2) gave.
 */
int host_access_open_settings6(int *ret, struct error *err)
{
	*ret = open(SETTINGS6, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret >= 0 || errno == ENOENT ? 0
					    : error_set_errno(err, "cannot open '%s'", SETTINGS6);
}

/**
 * host_access_prepare() - open what an attach needs of the host's namespace, before it leaves it
 * @plan: the plan
 * @err:  filled on failure
 *
 * A folder below /proc/sys/net is that of the namespace in which it was opened, but the path leads
 * to that of the process.
 *
 * Return: 0, or what open(2) gave.
 */
int host_access_prepare(struct plan *plan, struct error *err)
{
	bool is_wanted = false;

	for (unsigned i = 0; i < plan->n; i++)
		is_wanted = is_wanted || plan->items[i].network->host_access;
	return is_wanted ? host_access_open_settings6(&plan->host_settings6, err) : 0;
}

/**
 * host_access_owner() - what a mark says
 * @ret:       CONTAINER/INTERFACE
 * @id:        the container whose record it is in
 * @interface: its name in the container
 */
void host_access_owner(char ret[CLAIMS_OWNER_MAX + 1], const char *id, const char *interface)
{
	text_join(ret, CLAIMS_OWNER_MAX + 1, id, "/", interface);
}

static int64_t lock_of(const struct host_access *access)
{
	char id[sizeof("/host-access/") + INTERFACE_NAME_MAX];

	return lock_offset(text_join(id, sizeof(id), "/host-access/", access->name));
}

/**
 * host_access_lock() - take the lock of a shim
 * @access: the shim
 * @parent: its parent, for messages
 * @err:    filled on failure
 *
 * Held for a millisecond, after those of containers' ids, and nothing is waited for with it.
 *
 * Return: 0, -ETIME, -EINTR.
 */
int host_access_lock(const struct host_access *access, const char *parent, struct error *err)
{
	char what[sizeof("waiting for host access on parent ''") + INTERFACE_NAME_MAX];

	text_join(what, sizeof(what), "waiting for host access on parent '", parent, "'");
	return lock_take(access->host->store.lock, lock_of(access), what, err);
}

/**
 * host_access_unlock() - give the lock of a shim back
 * @access: the shim
 */
void host_access_unlock(const struct host_access *access)
{
	lock_drop(access->host->store.lock, lock_of(access));
}

/* A mark that somebody else has is of a container that died: its address would not be ours. */
static int take_marks(const struct host_access *access, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	int r = 0;

	host_access_owner(owner, id, endpoint->interface);
	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++) {
		char holder[CLAIMS_OWNER_MAX + 1];
		char name[IP_TEXT];
		bool freed = false;

		ip_format(&endpoint->addresses[i].ip, name);
		r = claims_take(access->pool, name, owner, holder, err);
		if (r == -EEXIST && reconcile_holder(access->host, holder, &freed, NULL) == 0 &&
			freed)
			r = claims_take(access->pool, name, owner, holder, err);
	}
	return r;
}

/* What keeps the host and one endpoint apart is said, and the container starts all the same. */
static void complain_of_missing(const struct plan_item *item,
	const struct record_endpoint *endpoint, const struct host_reach *reach)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < 2; i++)
		if (record_has_family(endpoint, families[i]) && !host_reach_has(reach, families[i]))
			log_notice(
				"network '%s': the host has no %s address on parent '%s', so there is no host_access by it until an attach finds one",
				item->network->name, families[i] == AF_INET ? "IPv4" : "IPv6",
				item->parent.name);
}

/* Takes out of a copy of an endpoint what the host is to have no way to; that is said. */
static void drop_refused(struct host_reach *reach, const struct host_reach_rules *rules,
	const char *id, struct record_endpoint *endpoint)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		const struct cidr address = endpoint->addresses[i];
		char why[HOST_REACH_TEXT];
		char text[IP_TEXT];

		if (host_reach_refuses(reach, rules, &address, why))
			log_notice("network '%s': container '%s' has no host_access by '%s': %s",
				endpoint->network, id, ip_format(&address.ip, text), why);
		else
			endpoint->addresses[kept++] = address;
	}
	endpoint->n_addresses = kept;
}

/* Under the lock: the shim, all that is marked, and the host's side of the new endpoint. */
static int add_on_host(const struct host_access *access, int settings6,
	const struct plan_item *item, const struct record_endpoint *endpoint, const char *id,
	struct host_side *side, struct error *err)
{
	struct nl *nl = &access->host->nl;
	char own[CLAIMS_OWNER_MAX + 1] = "";
	int r = shim_make(nl, settings6, &item->parent, &side->shim, err);

	if (r < 0)
		return r;
	if (!item->joined)
		host_access_owner(own, id, endpoint->interface);
	r = host_side_mend(access->host, access->pool, side, own, err);
	if (r == 0 && !item->joined)
		r = host_side_add(nl, side, endpoint, err);
	return r;
}

/* The endpoint has only the addresses that the host is to have a way to. */
static int add_reached(struct host *host, int settings6, const struct plan_item *item,
	const char *id, const struct record_endpoint *endpoint, struct host_side *side,
	struct error *err)
{
	struct host_access access = { .host = host, .pool = -1 };
	autoclose int pool = -1;
	int r = store_open_pool(
		&host->store, shim_name(item->parent.name, access.name), true, &pool, err);

	access.pool = pool;
	if (r == 0 && !item->joined)
		r = take_marks(&access, id, endpoint, err);
	if (r == 0)
		r = host_access_lock(&access, item->parent.name, err);
	if (r < 0)
		return r;
	r = add_on_host(&access, settings6, item, endpoint, id, side, err);
	host_access_unlock(&access);
	return r;
}

static int add_item(struct host *host, struct netns *netns, int settings6,
	const struct plan_item *item, const struct record *record, struct error *err)
{
	struct record_endpoint endpoint = record->endpoints[item->endpoint];
	bool had_any = endpoint.n_addresses > 0;
	struct host_side side cleanup(host_side_free) = { 0 };
	struct host_reach_rules rules;
	int r = host_reach_load(&host->nl, item->parent.ifindex, &side.reach, err);

	if (r < 0)
		return r;
	host_reach_rules_of(item->network, &rules);
	if (!item->joined)
		drop_refused(&side.reach, &rules, record->id, &endpoint);
	/* There is nothing that could lead to a shim. */
	if (!item->joined && had_any && endpoint.n_addresses == 0)
		return 0;
	r = add_reached(host, settings6, item, record->id, &endpoint, &side, err);
	if (r < 0 || item->joined)
		return r;
	complain_of_missing(item, &endpoint, &side.reach);
	return container_side_add(&netns->nl, &side, &endpoint, err);
}

/**
 * host_access_add() - let the host and the new endpoints reach each other
 * @host:   the host
 * @netns:  the container's namespace
 * @plan:   the plan
 * @record: the record; its new endpoints have their addresses and are up
 * @err:    filled on failure; what was made is left for detach
 *
 * And what others had and have lost is given back to them.
 *
 * Return: 0, or why not.
 */
int host_access_add(struct host *host, struct netns *netns, const struct plan *plan,
	const struct record *record, struct error *err)
{
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		int r;

		if (!item->network->host_access)
			continue;
		r = add_item(host, netns, plan->host_settings6, item, record, err);
		if (r < 0)
			return error_prefix(err, "network '%s'", item->network->name);
	}
	return 0;
}

/* As add_on_host(), where there is no plan any more. */
static int add_late_on_host(const struct host_access *access, int settings6,
	const struct record_endpoint *endpoint, struct host_side *side, struct error *err)
{
	struct nl *nl = &access->host->nl;
	struct parent parent = { .ifindex = endpoint->parent_ifindex };
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get_index(nl, RTNL_HERE, parent.ifindex, &link, err);

	if (r < 0)
		return error_prefix(err, "cannot find parent '%s'", endpoint->parent);
	memcpy(parent.name, endpoint->parent, sizeof(parent.name));
	memcpy(parent.mac, link.mac, MAC_SIZE);
	r = shim_make(nl, settings6, &parent, &side->shim, err);
	return r == 0 ? host_side_add(nl, side, endpoint, err) : r;
}

static int add_late_reached(struct host *host, const struct host_access_late *late,
	const struct record_endpoint *endpoint, struct host_side *side, struct error *err)
{
	struct host_access access = { .host = host, .pool = -1 };
	autoclose int pool = -1;
	int r = store_open_pool(
		&host->store, shim_name(endpoint->parent, access.name), true, &pool, err);

	access.pool = pool;
	if (r == 0)
		r = take_marks(&access, late->id, endpoint, err);
	if (r == 0)
		r = host_access_lock(&access, endpoint->parent, err);
	if (r < 0)
		return r;
	r = add_late_on_host(&access, late->settings6, endpoint, side, err);
	host_access_unlock(&access);
	return r;
}

/**
 * host_access_add_late() - let the host and an endpoint's new address reach each other
 * @host: the host
 * @late: the endpoint, up; the link has the address
 * @err:  filled on failure; what was made is left for host_access_remove()
 *
 * Return: 0, also where the network has no host_access, or the address is none that the host gets a
 * way to, which the log says; or why not.
 */
int host_access_add_late(struct host *host, const struct host_access_late *late, struct error *err)
{
	struct record_endpoint endpoint = *late->endpoint;
	struct host_side side cleanup(host_side_free) = { 0 };
	struct host_reach_rules rules;
	int r;

	if (!endpoint.host_access)
		return 0;
	r = host_reach_load(&host->nl, endpoint.parent_ifindex, &side.reach, err);
	if (r < 0)
		return r;
	host_reach_rules_of_dhcp(&endpoint.dhcp, &rules);
	drop_refused(&side.reach, &rules, late->id, &endpoint);
	if (endpoint.n_addresses == 0)
		return 0;
	r = add_late_reached(host, late, &endpoint, &side, err);
	return r == 0 ? container_side_add(late->container, &side, &endpoint, err) : r;
}
