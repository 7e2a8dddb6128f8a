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

/* One shim at work, by whoever has its lock. */
struct access {
	struct host *host;
	char name[INTERFACE_NAME_MAX + 1]; /* the shim's, and its pool's */
	int pool;			   /* -1: there is none */
};

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

static void put_owner(char ret[CLAIMS_OWNER_MAX + 1], const char *id, const char *interface)
{
	text_join(ret, CLAIMS_OWNER_MAX + 1, id, "/", interface);
}

static int64_t lock_of(const struct access *access)
{
	char id[sizeof("/host-access/") + INTERFACE_NAME_MAX];

	return lock_offset(text_join(id, sizeof(id), "/host-access/", access->name));
}

/* Held for a millisecond, after those of containers' ids, and nothing is waited for with it. */
static int lock(const struct access *access, const char *parent, struct error *err)
{
	char what[sizeof("waiting for host access on parent ''") + INTERFACE_NAME_MAX];

	text_join(what, sizeof(what), "waiting for host access on parent '", parent, "'");
	return lock_take(access->host->store.lock, lock_of(access), what, err);
}

static void unlock(const struct access *access)
{
	lock_drop(access->host->store.lock, lock_of(access));
}

/* A mark that somebody else has is of a container that died: its address would not be ours. */
static int take_marks(const struct access *access, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	int r = 0;

	put_owner(owner, id, endpoint->interface);
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
	const struct record_endpoint *endpoint, const struct host_ips *ips)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < 2; i++)
		if (record_has_family(endpoint, families[i]) && !host_ips_have(ips, families[i]))
			log_notice(
				"network '%s': the host has no %s address on parent '%s', so there is no host_access by it until an attach finds one",
				item->network->name, families[i] == AF_INET ? "IPv4" : "IPv6",
				item->parent.name);
}

/* Under the lock: the shim, all that is marked, and the host's side of the new endpoint. */
static int add_on_host(const struct access *access, int settings6, const struct plan_item *item,
	const struct record_endpoint *endpoint, const char *id, struct host_side *side,
	struct error *err)
{
	struct nl *nl = &access->host->nl;
	char own[CLAIMS_OWNER_MAX + 1] = "";
	int r = shim_make(nl, settings6, &item->parent, &side->shim, err);

	if (r == 0)
		r = host_ips_load(nl, item->parent.ifindex, &side->ips, err);
	if (r < 0)
		return r;
	if (!item->joined)
		put_owner(own, id, endpoint->interface);
	r = host_side_mend(access->host, access->pool, side, own, err);
	if (r == 0 && !item->joined)
		r = host_side_add(nl, side, endpoint, err);
	return r;
}

static int add_item(struct host *host, struct netns *netns, int settings6,
	const struct plan_item *item, const struct record *record, struct error *err)
{
	const struct record_endpoint *endpoint = &record->endpoints[item->endpoint];
	struct access access = { .host = host, .pool = -1 };
	struct host_side side = { 0 };
	autoclose int pool = -1;
	int r = store_open_pool(
		&host->store, shim_name(item->parent.name, access.name), true, &pool, err);

	access.pool = pool;
	if (r == 0 && !item->joined)
		r = take_marks(&access, record->id, endpoint, err);
	if (r == 0)
		r = lock(&access, item->parent.name, err);
	if (r < 0)
		return r;
	r = add_on_host(&access, settings6, item, endpoint, record->id, &side, err);
	unlock(&access);
	if (r < 0 || item->joined)
		return r;
	complain_of_missing(item, endpoint, &side.ips);
	return container_side_add(&netns->nl, &side, endpoint, err);
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
static int add_late_on_host(const struct access *access, const struct host_access_late *late,
	struct host_side *side, struct error *err)
{
	const struct record_endpoint *endpoint = late->endpoint;
	struct nl *nl = &access->host->nl;
	struct parent parent = { .ifindex = endpoint->parent_ifindex };
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get_index(nl, RTNL_HERE, parent.ifindex, &link, err);

	if (r < 0)
		return error_prefix(err, "cannot find parent '%s'", endpoint->parent);
	memcpy(parent.name, endpoint->parent, sizeof(parent.name));
	memcpy(parent.mac, link.mac, MAC_SIZE);
	r = shim_make(nl, late->settings6, &parent, &side->shim, err);
	if (r == 0)
		r = host_ips_load(nl, parent.ifindex, &side->ips, err);
	return r == 0 ? host_side_add(nl, side, endpoint, err) : r;
}

/**
 * host_access_add_late() - let the host and an endpoint's new address reach each other
 * @host: the host
 * @late: the endpoint, up; the link has the address
 * @err:  filled on failure; what was made is left for host_access_remove()
 *
 * Return: 0, also where the network has no host_access; or why not.
 */
int host_access_add_late(struct host *host, const struct host_access_late *late, struct error *err)
{
	const struct record_endpoint *endpoint = late->endpoint;
	struct access access = { .host = host, .pool = -1 };
	struct host_side side = { 0 };
	autoclose int pool = -1;
	int r;

	if (!endpoint->host_access)
		return 0;
	r = store_open_pool(
		&host->store, shim_name(endpoint->parent, access.name), true, &pool, err);
	access.pool = pool;
	if (r == 0)
		r = take_marks(&access, late->id, endpoint, err);
	if (r == 0)
		r = lock(&access, endpoint->parent, err);
	if (r < 0)
		return r;
	r = add_late_on_host(&access, late, &side, err);
	unlock(&access);
	return r == 0 ? container_side_add(late->container, &side, endpoint, err) : r;
}

/* The mark goes last, for it leads to the rest. One that is not this endpoint's any more is
 * another's, and so are the routes.
 */
static int remove_address(const struct access *access, int shim, const char *name,
	const char *owner, struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	struct ip ip = { 0 };
	int r = claims_owner(access->pool, name, holder, err);

	if (r == -ENOENT || (r == 0 && strcmp(holder, owner) != 0))
		return 0;
	if (r == 0 && shim && ip_parse(name, &ip, NULL) == 0)
		r = host_side_remove(&access->host->nl, shim, &ip, err);
	return r == 0 ? claims_release(access->pool, name, owner, err) : r;
}

/* An intent, whose addresses only the marks say. */
struct intent {
	const struct access *access;
	int shim;
	const char *owner;
};

static int mark_found(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct intent *intent = arg;

	if (strcmp(owner, intent->owner) != 0)
		return 0;
	return remove_address(intent->access, intent->shim, name, owner, err);
}

static int remove_addresses(const struct access *access, int shim, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct intent intent = { access, shim, owner };
	int r = 0;

	put_owner(owner, id, endpoint->interface);
	if (endpoint->ifindex == 0)
		return claims_list(access->pool, mark_found, &intent, err);
	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++) {
		char name[IP_TEXT];

		ip_format(&endpoint->addresses[i].ip, name);
		r = remove_address(access, shim, name, owner, err);
	}
	return r;
}

static int any_found(void *arg, const char *name, const char *owner, struct error *err)
{
	(void)name;
	(void)owner;
	(void)err;
	*(bool *)arg = true;
	return 1;
}

static int delete_unmarked(const struct access *access, struct error *err)
{
	bool is_marked = false;
	int r = 0;

	if (access->pool >= 0)
		r = claims_list(access->pool, any_found, &is_marked, err);
	return r == 0 && !is_marked ? shim_delete(&access->host->nl, access->name, err) : r;
}

/* The shim's index; 0: there is none of ours, and so there are no routes of ours. */
static int find_shim(const struct access *access, int *ret, struct error *err)
{
	struct rtnl_link shim = { 0 };
	int r = shim_find(&access->host->nl, access->name, &shim, err);

	if (r < 0 && r != -ENODEV && r != -EEXIST)
		return r;
	*ret = shim.ifindex;
	return 0;
}

static int remove_locked(const struct access *access, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	int shim = 0;
	int r = find_shim(access, &shim, err);

	if (r == 0 && access->pool >= 0)
		r = remove_addresses(access, shim, id, endpoint, err);
	return r == 0 ? delete_unmarked(access, err) : r;
}

/* Opens a shim's pool, if there is one, and takes the shim's lock. */
static int begin(struct access *access, const char *parent, struct error *err)
{
	int r = store_open_pool(&access->host->store, access->name, false, &access->pool, err);

	if (r < 0 && r != -ENOENT)
		return r;
	r = lock(access, parent, err);
	if (r < 0 && access->pool >= 0)
		close(access->pool);
	return r;
}

static void end(struct access *access)
{
	unlock(access);
	if (access->pool >= 0)
		close(access->pool);
}

/**
 * host_access_remove() - take back what the host has of an endpoint; the last takes the shim along
 * @host:     the host
 * @id:       the container whose record it is in, whose lock is held
 * @endpoint: the endpoint, its link gone
 * @err:      filled on failure
 *
 * Return: 0, also when there is nothing of it; or what the kernel or the file system gave.
 */
int host_access_remove(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	struct access access = { .host = host, .pool = -1 };
	int r;

	if (!endpoint->host_access)
		return 0;
	shim_name(endpoint->parent, access.name);
	r = begin(&access, endpoint->parent, err);
	if (r == 0) {
		r = remove_locked(&access, id, endpoint, err);
		end(&access);
	}
	return r < 0 ? error_prefix(err, "container '%s': cannot end the host's access", id) : 0;
}

static int release_locked(
	const struct access *access, const char *name, const char *owner, struct error *err)
{
	int shim = 0;
	int r = find_shim(access, &shim, err);

	if (r == 0 && access->pool >= 0)
		r = remove_address(access, shim, name, owner, err);
	return r == 0 ? delete_unmarked(access, err) : r;
}

/**
 * host_access_release() - release a mark that no record leads to, and what it stands for
 * @host:  the host
 * @pool:  the pool, of which shim_is_name()
 * @name:  the mark
 * @owner: CONTAINER/INTERFACE, as the mark says; the container's lock is held
 * @err:   filled on failure
 *
 * Return: 0, or what the kernel or the file system gave.
 */
int host_access_release(
	struct host *host, const char *pool, const char *name, const char *owner, struct error *err)
{
	struct access access = { .host = host, .pool = -1 };
	int r;

	text_join(access.name, sizeof(access.name), pool);
	r = begin(&access, pool, err);
	if (r == 0) {
		r = release_locked(&access, name, owner, err);
		end(&access);
	}
	return r;
}
