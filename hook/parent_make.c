// SPDX-License-Identifier: MIT
/*
 * Parents that are missing, made: VLANs, and the isolated parents of networks that name none.
 *
 * A parent gets its final name only when it is wholly ours: it is created under a temporary name,
 * then marked, then renamed and set up. The temporary name follows from the final one, so whoever
 * comes next finds what a killed hook left there, and begins anew. What has the final name and no
 * mark is an administrator's, and stays as it is.
 *
 * All of that is done under a lock of its own, so that nothing under a temporary name is under way.
 * No record is needed: a parent without endpoints is nobody's loss, and 'network rm' finds it by
 * its mark (parent_sweep.c).
 */
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

#include "hook/host.h"
#include "hook/log.h"
#include "hook/parent.h"
#include "hook/plan.h"
#include "hook/rtnl.h"
#include "hook/sysctl.h"
#include "hook/vlan.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/text.h"

/* No hexadecimal digit follows the prefix, so it is no isolated parent's name. */
#define TEMPORARY_PREFIX NETWORK_PARENT_PREFIX "t"
#define TEMPORARY_DIGITS 10

/**
 * parent_temporary_name() - what a parent is called until it is marked
 * @name: its final name
 * @ret:  the name: the same at each call
 *
 * Return: @ret.
 */
const char *parent_temporary_name(const char *name, char ret[INTERFACE_NAME_MAX + 1])
{
	uint64_t hash = hash_strings_u64((const char *const[]){ "parent", name, NULL });

	snprintf(ret, INTERFACE_NAME_MAX + 1, TEMPORARY_PREFIX "%010llx",
		(unsigned long long)(hash >> (64 - 4 * TEMPORARY_DIGITS)));
	return ret;
}

/**
 * parent_is_temporary() - did a hook that was killed leave a link half-way
 * @link: the link; the lock of parents is held
 *
 * Return: true when its name and kind say so.
 */
bool parent_is_temporary(const struct rtnl_link *link)
{
	size_t length = strlen(TEMPORARY_PREFIX);

	return !strncmp(link->name, TEMPORARY_PREFIX, length) &&
	       strlen(link->name) == length + TEMPORARY_DIGITS &&
	       strspn(link->name + length, "0123456789abcdef") == TEMPORARY_DIGITS &&
	       (!strcmp(link->kind, "vlan") || parent_is_isolated_kind(link->kind));
}

static int remove_leftover(struct nl *nl, const char *temporary, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(nl, RTNL_HERE, temporary, &link, err);

	if (r == -ENODEV)
		return 0;
	if (r == 0 && !parent_is_temporary(&link))
		return error_set(
			err, -EEXIST, "interface '%s' is in the way: remove it", temporary);
	if (r == 0)
		r = rtnl_link_del(nl, RTNL_HERE, link.ifindex, err);
	return r < 0 && r != -ENODEV ? error_prefix(err, "cannot remove what a killed hook left")
				     : 0;
}

/* Before it goes up: else the kernel gives it a link-local address, and those that routers on that
 * VLAN announce, and the host would be there unasked.
 */
static int disable_ipv6(const char *name, struct error *err)
{
	int r = sysctl_write_ip6(name, "disable_ipv6", "1", err);

	return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static void say_down(const char *name)
{
	log_notice("parent '%s' is down, as what it is on is: containers will reach nobody until "
		   "that is up",
		name);
}

/* The kernel sets a VLAN up by itself when what it is on goes up (vlan_device_event()). */
static int set_up(struct nl *nl, const struct rtnl_link *link, struct error *err)
{
	int r = rtnl_link_set_up(nl, link->ifindex, err);

	if (r == -ENETDOWN) {
		say_down(link->name);
		return 0;
	}
	return r < 0 ? error_prefix(err, "cannot set parent '%s' up", link->name) : 0;
}

static int mark_and_rename(struct nl *nl, const char *temporary, const char *name, const char *mark,
	int *ret_ifindex, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(nl, RTNL_HERE, temporary, &link, err);

	if (r < 0)
		return r;
	*ret_ifindex = link.ifindex;
	r = disable_ipv6(temporary, err);
	if (r == 0)
		r = rtnl_link_set_mark(nl, link.ifindex, mark, err);
	if (r < 0)
		return r;
	r = rtnl_link_set_name_up(nl, link.ifindex, name, err);
	if (r == -ENETDOWN) {
		say_down(name);
		return 0;
	}
	return r;
}

/* Makes what was just created under its temporary name a parent, or nothing. */
static int finish(
	struct nl *nl, const char *temporary, const char *name, const char *mark, struct error *err)
{
	int ifindex = 0;
	int r = mark_and_rename(nl, temporary, name, mark, &ifindex, err);

	if (r == 0)
		return 0;
	if (ifindex)
		rtnl_link_del(nl, RTNL_HERE, ifindex, NULL);
	/* Somebody else has made one meanwhile: that will do. */
	return r == -EEXIST ? 0 : error_prefix(err, "cannot create parent '%s'", name);
}

/* The kernel says only a number; the situation says what it means. */
static int explain_vlan(struct nl *nl, int r, const char *name, const struct rtnl_link *lower,
	unsigned id, struct error *err)
{
	if (r == -EEXIST) {
		int refused = parent_refuse_vlan(nl, name, lower->ifindex, id, err);

		return refused < 0 ? refused
				   : error_set(err, r,
					     "parent '%s' cannot be created: VLAN %u of "
					     "'%s' is in another network namespace",
					     name, id, lower->name);
	}
	if (r == -EOPNOTSUPP)
		return error_set(err, r,
			"parent '%s' cannot be created: this kernel has no VLANs (module 8021q), or "
			"'%s' can have none",
			name, lower->name);
	return error_prefix(err, "cannot create parent '%s'", name);
}

/* What is there already: ours or an administrator's. */
static int take_link(struct nl *nl, const struct rtnl_link *link, struct error *err)
{
	return parent_is_ours(link) && !(link->flags & IFF_UP) ? set_up(nl, link, err) : 0;
}

/* Makes NAME, and first what it is on where that is missing, too. */
static int make_vlan(struct nl *nl, const char *name, struct error *err)
{
	char temporary[INTERFACE_NAME_MAX + 1];
	struct rtnl_link link = { 0 };
	struct vlan vlan;
	int r = rtnl_link_get(nl, RTNL_HERE, name, &link, err);

	if (r == 0)
		return take_link(nl, &link, err);
	if (r != -ENODEV || !vlan_parse(name, &vlan))
		return error_prefix(err, "cannot find parent '%s'", name);
	r = make_vlan(nl, vlan.lower, err);
	if (r == 0)
		r = rtnl_link_get(nl, RTNL_HERE, vlan.lower, &link, err);
	if (r == 0)
		r = remove_leftover(nl, parent_temporary_name(name, temporary), err);
	if (r < 0)
		return r;
	r = rtnl_link_add_vlan(nl, temporary, link.ifindex, vlan.id, err);
	if (r < 0)
		return explain_vlan(nl, r, name, &link, vlan.id, err);
	return finish(nl, temporary, name, PARENT_MARK, err);
}

static int add_isolated(
	struct nl *nl, const char *temporary, const struct parent *parent, struct error *err)
{
	static const char *const kinds[] = PARENT_ISOLATED_KINDS;
	struct rtnl_parent wanted = { .name = temporary, .mac = parent->mac, .mtu = parent->mtu };
	int r = -EOPNOTSUPP;

	for (unsigned i = 0; r == -EOPNOTSUPP && kinds[i]; i++) {
		wanted.kind = kinds[i];
		r = rtnl_link_add_parent(nl, &wanted, err);
	}
	return r < 0 ? error_prefix(err, "cannot create isolated parent '%s'", parent->name) : 0;
}

static int make_isolated(struct nl *nl, const struct plan_item *item, struct error *err)
{
	const struct parent *parent = &item->parent;
	char temporary[INTERFACE_NAME_MAX + 1];
	char mark[sizeof(PARENT_MARK " for network ''") + NETWORK_NAME_MAX];
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(nl, RTNL_HERE, parent->name, &link, err);

	if (r == 0 && link.mtu < item->network->mtu) {
		r = rtnl_link_set_mtu(nl, link.ifindex, item->network->mtu, err);
		if (r < 0)
			return error_prefix(err, "cannot give parent '%s' the mtu %u", link.name,
				item->network->mtu);
	}
	if (r == 0)
		return take_link(nl, &link, err);
	if (r == -ENODEV)
		r = remove_leftover(nl, parent_temporary_name(parent->name, temporary), err);
	if (r == 0)
		r = add_isolated(nl, temporary, parent, err);
	if (r < 0)
		return r;
	text_join(mark, sizeof(mark), PARENT_MARK " for network '", item->network->name, "'");
	return finish(nl, temporary, parent->name, mark, err);
}

static int prepare_locked(struct nl *nl, struct plan_item *item, struct error *err)
{
	int r = item->network->is_isolated ? make_isolated(nl, item, err)
					   : make_vlan(nl, item->parent.name, err);

	if (r == 0)
		r = parent_find(nl, item->network, &item->parent, err);
	if (r == 0 && item->parent.ifindex == 0)
		return error_set(err, -ENODEV, "parent '%s' was removed at once by somebody else",
			item->parent.name);
	return r;
}

static bool needs_work(const struct plan_item *item)
{
	const struct parent *parent = &item->parent;

	if (parent->ifindex == 0 || (parent->is_ours && !parent->is_up))
		return true;
	return item->network->is_isolated && parent->mtu < item->network->mtu;
}

/**
 * parents_prepare() - make the parents that are missing, and set ours up
 * @host: the host; the process is in its namespace
 * @plan: the plan; its parents are complete afterwards
 * @err:  filled on failure
 *
 * Nothing is done, and nothing asked, where all are there and up. A parent that is down and not
 * ours stays so, with a line in the log.
 *
 * Return: 0; -EEXIST: the VLAN is there by another name; -EOPNOTSUPP: the kernel has no VLANs;
 * -ETIME; what the kernel gave.
 */
int parents_prepare(struct host *host, struct plan *plan, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];

		if (!needs_work(item)) {
			if (!item->parent.is_up)
				log_notice(
					"network '%s': parent '%s' is down, so the container will reach nobody until it is up ('ip link set %s up')",
					item->network->name, item->parent.name, item->parent.name);
			continue;
		}
		r = store_lock_id(&host->store, PARENT_LOCK, err);
		if (r == 0) {
			r = prepare_locked(&host->nl, item, err);
			store_unlock_id(&host->store, PARENT_LOCK);
		}
		if (r < 0)
			error_prefix(err, "network '%s'", item->network->name);
	}
	return r;
}
