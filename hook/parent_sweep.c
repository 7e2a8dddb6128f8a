// SPDX-License-Identifier: MIT
/*
 * Parents of ours that nobody needs any more, removed: after the last network that uses them, and
 * what hooks that were killed left of them.
 *
 * A link is removed only when all of it says that we made it (its mark, its kind, its name, and for
 * a VLAN its id and the link that it is on), no network names it, and nothing uses it: no endpoint
 * of ours, no other link on it, no address, no bridge or bond.
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hook/host.h"
#include "hook/parent.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "hook/vlan.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/record.h"

#define GROW 64
/* How long a namespace that is ending may have its links. */
#define WAIT_TRIES 300
#define WAIT_PAUSE_NS 10000000L

/* All links of the host. */
struct links {
	size_t n;
	struct rtnl_link *all;
};

struct sweep {
	struct host *host;
	parent_named_fn *named;
	void *arg;
	struct links links;
	bool removed;	 /* one in this round: what it was on may be free now */
	bool is_awaited; /* one is used by a link in another namespace, which may be ending */
};

static void free_links(struct links *links)
{
	free(links->all);
	*links = (struct links){ 0 };
}

static const struct rtnl_link *link_of(const struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->all[i].ifindex == ifindex)
			return &links->all[i];
	return NULL;
}

static int add_link(void *arg, const struct rtnl_link *link)
{
	struct links *links = arg;

	if (link_of(links, link->ifindex)) /* a dump that was begun again */
		return 0;
	if (links->n % GROW == 0) {
		struct rtnl_link *all =
			reallocarray(links->all, links->n + GROW, sizeof(*links->all));

		if (!all)
			return -ENOMEM;
		links->all = all;
	}
	links->all[links->n++] = *link;
	return 0;
}

/* An administrator may have made something else of it meanwhile. */
static bool is_as_made(const struct links *links, const struct rtnl_link *link)
{
	const struct rtnl_link *lower = link_of(links, link->lower);
	struct vlan vlan;

	if (!parent_is_ours(link))
		return false;
	if (parent_is_isolated_kind(link->kind))
		return !strncmp(link->name, NETWORK_PARENT_PREFIX, strlen(NETWORK_PARENT_PREFIX));
	return !strcmp(link->kind, "vlan") && vlan_parse(link->name, &vlan) &&
	       vlan.id == link->vlan_id && !link->is_lower_elsewhere && lower &&
	       !strcmp(lower->name, vlan.lower);
}

/* A veth's other end is not on it. */
static bool has_link_on_it(const struct links *links, const struct rtnl_link *link)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct rtnl_link *other = &links->all[i];

		if ((other->lower == link->ifindex && !other->is_lower_elsewhere &&
			    strcmp(other->kind, "veth") != 0) ||
			other->master == link->ifindex)
			return true;
	}
	return link->master != 0;
}

static int look_at_endpoint(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err)
{
	const char **parent = arg;

	(void)record;
	(void)state;
	(void)err;
	if (strcmp(endpoint->parent, *parent) != 0)
		return 0;
	*parent = NULL;
	return 1;
}

static int has_endpoint(struct host *host, const char *name, bool *ret, struct error *err)
{
	const char *parent = name;
	int r = 0;

	if (host->store.dir >= 0)
		r = reconcile_list(host, look_at_endpoint, &parent, NULL, err);
	if (r == 0)
		*ret = parent == NULL;
	return r;
}

/* Any but IPv6's link-local one, which the kernel makes by itself. */
static int look_at_addr(void *arg, const struct rtnl_addr *addr)
{
	if (addr->cidr.ip.family != AF_INET6 || addr->scope != RT_SCOPE_LINK)
		*(bool *)arg = true;
	return 0;
}

static int is_used(struct sweep *sweep, const struct rtnl_link *link, bool *ret, struct error *err)
{
	struct nl *nl = &sweep->host->nl;
	bool used = has_link_on_it(&sweep->links, link);
	bool has_users = false;
	int r = 0;

	if (!used)
		r = rtnl_addr_list_link(nl, link->ifindex, AF_UNSPEC, look_at_addr, &used, err);
	if (r == 0 && !used)
		r = has_endpoint(sweep->host, link->name, &used, err);
	if (r == 0 && !used)
		r = rtnl_link_has_users(nl, link->ifindex, &has_users, err);
	sweep->is_awaited |= has_users;
	if (r == 0)
		*ret = used || has_users;
	return r;
}

static int sweep_link(struct sweep *sweep, struct rtnl_link *link, struct error *err)
{
	bool used = false;
	int r = 0;

	if (!parent_is_temporary(link)) {
		if (!is_as_made(&sweep->links, link) || sweep->named(sweep->arg, link->name))
			return 0;
		r = is_used(sweep, link, &used, err);
	}
	if (r == 0 && !used) {
		r = rtnl_link_del(&sweep->host->nl, RTNL_HERE, link->ifindex, err);
		sweep->removed = r == 0;
	}
	return r < 0 && r != -ENODEV ? error_prefix(err, "cannot remove parent '%s'", link->name)
				     : 0;
}

static int sweep_once(struct sweep *sweep, struct error *err)
{
	int result = 0;
	int r;

	free_links(&sweep->links);
	sweep->removed = false;
	sweep->is_awaited = false;
	r = rtnl_link_list(&sweep->host->nl, add_link, &sweep->links, err);
	if (r < 0)
		return error_prefix(err, "cannot list the host's interfaces");
	for (size_t i = 0; i < sweep->links.n && !sweep->removed; i++) {
		r = sweep_link(sweep, &sweep->links.all[i], err);
		if (r < 0)
			result = r;
	}
	return result;
}

/* All that can be removed now. */
static int sweep_locked(struct sweep *sweep, struct error *err)
{
	struct store *store = &sweep->host->store;
	bool has_store = store->dir >= 0;
	int r = has_store ? store_lock_id(store, PARENT_LOCK, err) : 0;

	if (r < 0)
		return r;
	do
		r = sweep_once(sweep, err);
	while (r == 0 && sweep->removed);
	if (has_store)
		store_unlock_id(store, PARENT_LOCK);
	return r;
}

/**
 * parents_sweep() - remove the parents that we made and that nobody needs any more
 * @host:  the host; its store may be closed: then there is no RUN, and no endpoint
 * @named: says whether a network uses a parent
 * @arg:   handed to @named
 * @err:   filled on failure
 *
 * A container that has just died may have its link for a moment longer: it is waited for.
 *
 * Return: 0; -ETIME; what the kernel gave for the last that could not be looked at or removed.
 */
int parents_sweep(struct host *host, parent_named_fn *named, void *arg, struct error *err)
{
	struct sweep sweep = { .host = host, .named = named, .arg = arg };
	int r = sweep_locked(&sweep, err);

	for (unsigned try = 0; r == 0 && sweep.is_awaited && try < WAIT_TRIES; try++) {
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_PAUSE_NS }, NULL);
		r = sweep_locked(&sweep, err);
	}
	free_links(&sweep.links);
	return r;
}
