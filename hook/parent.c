// SPDX-License-Identifier: MIT
/*
 * The parent interface: found, and checked for everything that the kernel would refuse later with
 * a bare errno, or accept to the user's surprise.
 */
#include "hook/parent.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <string.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "schema/error.h"
#include "schema/network.h"

static const char *link_name(struct nl *nl, int ifindex, struct rtnl_link *link)
{
	return rtnl_link_get_index(nl, RTNL_HERE, ifindex, link, NULL) == 0 ? link->name
									    : "another interface";
}

/* A port's frames go to its bridge, bond, ... : a macvlan on it would get none (EBUSY). */
static int refuse_port(struct nl *nl, const struct rtnl_link *link, struct error *err)
{
	struct rtnl_link master = { 0 };
	const char *name = link_name(nl, link->master, &master);

	return error_set(err, -EBUSY, "parent '%s' is a port of '%s'%s%s%s: use parent '%s'",
		link->name, name, *master.kind ? " (" : "", master.kind, *master.kind ? ")" : "",
		name);
}

/* The kernel would put it on the lower link, beside its pool: the same address twice on a LAN. */
static int refuse_stacked(struct nl *nl, const struct rtnl_link *link, struct error *err)
{
	struct rtnl_link lower = { 0 };
	const char *name = link_name(nl, link->lower, &lower);

	return error_set(err, -EINVAL, "parent '%s' is itself a %s of '%s': use parent '%s'",
		link->name, link->kind, name, name);
}

static int check_kind(struct nl *nl, const struct rtnl_link *link, struct error *err)
{
	if (link->flags & IFF_LOOPBACK)
		return error_set(err, -EINVAL,
			"parent '%s' is the loopback interface: a macvlan needs an Ethernet one",
			link->name);
	if (link->type != ARPHRD_ETHER)
		return error_set(err, -EINVAL,
			"parent '%s' is not an Ethernet interface (%s, type %u): a macvlan needs "
			"one",
			link->name, *link->kind ? link->kind : "no kind", link->type);
	if (!strcmp(link->kind, "macvlan") || !strcmp(link->kind, "macvtap") ||
		!strcmp(link->kind, "ipvlan") || !strcmp(link->kind, "ipvtap"))
		return refuse_stacked(nl, link, err);
	/* A VRF's port is routed by it, but its frames are still its own. */
	if (link->master) {
		struct rtnl_link master = { 0 };

		link_name(nl, link->master, &master);
		if (strcmp(master.kind, "vrf") != 0)
			return refuse_port(nl, link, err);
	}
	return 0;
}

/**
 * parent_find() - find a network's parent interface and check that macvlans can sit on it
 * @nl:      a socket in the host's namespace
 * @network: the network
 * @ret:     the parent, under its own name
 * @err:     filled on failure, with what to do
 *
 * Return: 0, -ENODEV, -EBUSY (a port of a bridge or bond), -EINVAL (its kind, or the MTU), or what
 * RTM_GETLINK gave.
 */
int parent_find(struct nl *nl, const struct network *network, struct parent *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(nl, RTNL_HERE, network->parent, &link, err);

	if (r == -ENODEV && strchr(network->parent, '.'))
		return error_set(err, -ENODEV,
			"parent '%s' does not exist on this host, and creating VLAN "
			"sub-interfaces is not supported yet: create it with 'ip link add link "
			"PARENT name %s type vlan id ID'",
			network->parent, network->parent);
	if (r == -ENODEV)
		return error_set(err, -ENODEV,
			"parent '%s' does not exist on this host: 'ip link' shows those that do",
			network->parent);
	if (r < 0)
		return error_prefix(err, "cannot look up parent '%s'", network->parent);
	r = check_kind(nl, &link, err);
	if (r < 0)
		return r;
	if (network->mtu > link.mtu)
		return error_set(err, -EINVAL, "mtu %u is larger than the %u of parent '%s'",
			network->mtu, link.mtu, link.name);
	*ret = (struct parent){
		.ifindex = link.ifindex,
		.mtu = link.mtu,
		.is_up = link.flags & IFF_UP,
		.has_carrier = link.flags & IFF_RUNNING,
	};
	memcpy(ret->name, link.name, sizeof(ret->name));
	memcpy(ret->mac, link.mac, MAC_SIZE);
	return 0;
}
