// SPDX-License-Identifier: MIT
/*
 * The parent interface of a network: what is there is found and checked, and what is not there, but
 * can be made, is told from what cannot. Nothing is made here; parent_make.c does that.
 */
#include "hook/parent.h"

#include <linux/if.h>
#include <string.h>

#include "hook/machine.h"
#include "hook/nl.h"
#include "hook/rtnl.h"
#include "hook/vlan.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/text.h"

/* So many VLANs on each other are made: eth0.10.20 on eth0.10 on eth0. */
#define VLAN_LEVELS 2

/**
 * parent_is_ours() - did we make a link
 * @link: the link
 *
 * Return: true when its alias says so.
 */
bool parent_is_ours(const struct rtnl_link *link)
{
	size_t length = strlen(PARENT_MARK);

	return !strncmp(link->alias, PARENT_MARK, length) &&
	       (link->alias[length] == '\0' || link->alias[length] == ' ');
}

/**
 * parent_is_isolated_kind() - may an isolated parent of ours be of this kind
 * @kind: the kind
 *
 * Return: true when it may.
 */
bool parent_is_isolated_kind(const char *kind)
{
	static const char *const kinds[] = PARENT_ISOLATED_KINDS;

	for (unsigned i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i], kind))
			return true;
	return false;
}

/* Its address is the machine's and the network's, as it must be the same whenever it is made. */
static int find_isolated(
	struct nl *nl, const struct network *network, struct rtnl_link *ret, struct error *err)
{
	static const uint8_t no_mac[MAC_SIZE];
	int r = rtnl_link_get(nl, RTNL_HERE, network->parent, ret, err);

	if (r == 0 && !(parent_is_ours(ret) && parent_is_isolated_kind(ret->kind)))
		return error_set(err, -EEXIST,
			"interface '%s' is not ours, but has the name of the network's isolated "
			"parent: rename or remove it",
			network->parent);
	if (r == 0 && ret->master)
		return parent_check(nl, ret, "", err);
	if (r != -ENODEV)
		return r;
	*ret = (struct rtnl_link){ .mtu = network->mtu ? network->mtu : PARENT_ISOLATED_MTU };
	text_join(ret->name, sizeof(ret->name), network->parent);
	machine_mac(network->name, "parent", network->name, no_mac, ret->mac);
	return 0;
}

static int refuse_missing(const char *parent, const char *missing, struct error *err)
{
	struct vlan vlan;

	if (strchr(missing, '.') && !vlan_parse(missing, &vlan))
		return error_set(err, -ENODEV,
			"parent '%s' does not exist, and cannot be created: '%s' is not the name "
			"of a VLAN, which ends with '.' and a number from 1 to %d",
			parent, missing, VLAN_ID_MAX);
	if (!strcmp(parent, missing))
		return error_set(err, -ENODEV,
			"parent '%s' does not exist on this host: 'ip link' shows those that do",
			parent);
	return error_set(err, -ENODEV,
		"parent '%s' does not exist, and cannot be created: there is no '%s' on this host, "
		"'ip link' shows what there is",
		parent, missing);
}

/* A VLAN is made under its lower link's own name: else the same VLAN would be wanted twice. */
static int describe_vlan(struct nl *nl, const struct rtnl_link *lower, const char *parent,
	unsigned id, struct rtnl_link *ret, struct error *err)
{
	char name[INTERFACE_NAME_MAX + 2 + 4];
	char number[TEXT_UINT];
	int r;

	text_join(name, sizeof(name), lower->name, ".", text_uint(id, number));
	if (strlen(name) > INTERFACE_NAME_MAX)
		return error_set(err, -ENAMETOOLONG,
			"parent '%s' cannot be created: its name '%s' would be longer than %d "
			"characters; create the VLAN under a shorter name, and use that",
			parent, name, INTERFACE_NAME_MAX);
	r = rtnl_link_get(nl, RTNL_HERE, name, ret, err);
	if (r == 0)
		return parent_check(nl, ret, "", err);
	if (r != -ENODEV)
		return error_prefix(err, "cannot look up parent '%s'", name);
	*ret = (struct rtnl_link){ .mtu = lower->mtu };
	text_join(ret->name, sizeof(ret->name), name);
	memcpy(ret->mac, lower->mac, MAC_SIZE);
	return 0;
}

/* Finds NAME, which is PARENT or what that is on, or describes it as it is to be made. */
static int find_link(struct nl *nl, const char *parent, const char *name, unsigned levels,
	struct rtnl_link *ret, struct error *err)
{
	const char *suffix = parent + strlen(name);
	struct rtnl_link lower = { 0 };
	struct vlan vlan;
	int r = rtnl_link_get(nl, RTNL_HERE, name, ret, err);

	if (r == 0)
		return parent_check(nl, ret, suffix, err);
	if (r != -ENODEV)
		return error_prefix(err, "cannot look up parent '%s'", name);
	if (levels == 0 || !vlan_parse(name, &vlan))
		return refuse_missing(parent, name, err);
	r = find_link(nl, parent, vlan.lower, levels - 1, &lower, err);
	return r == 0 ? describe_vlan(nl, &lower, parent, vlan.id, ret, err) : r;
}

/**
 * parent_find() - find a network's parent interface and check that macvlans can sit on it
 * @nl:      a socket in the host's namespace
 * @network: the network
 * @ret:     the parent, under its own name; its index is 0 where it is missing, but can be made
 * @err:     filled on failure, with what to do
 *
 * Return: 0, -ENODEV, -EINVAL (the MTU), -EEXIST and -ENAMETOOLONG (what is to be made cannot),
 * what parent_check() returns, or what RTM_GETLINK gave.
 */
int parent_find(struct nl *nl, const struct network *network, struct parent *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = network->is_isolated
			? find_isolated(nl, network, &link, err)
			: find_link(nl, network->parent, network->parent, VLAN_LEVELS, &link, err);

	if (r < 0)
		return r;
	/* An isolated one gets the MTU that is wanted. */
	if (network->mtu > link.mtu && !network->is_isolated)
		return error_set(err, -EINVAL, "mtu %u is larger than the %u of parent '%s'",
			network->mtu, link.mtu, link.name);
	*ret = (struct parent){
		.ifindex = link.ifindex,
		.mtu = link.mtu,
		.is_up = link.flags & IFF_UP,
		.has_carrier = link.flags & IFF_LOWER_UP,
		.is_ours = parent_is_ours(&link),
	};
	memcpy(ret->name, link.name, sizeof(ret->name));
	memcpy(ret->mac, link.mac, MAC_SIZE);
	return 0;
}
