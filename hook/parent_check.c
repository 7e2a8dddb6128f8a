// SPDX-License-Identifier: MIT
/*
 * Can macvlans sit on this interface? Everything is checked here that the kernel would refuse later
 * with a bare errno, or accept to the user's surprise, and each refusal says what to use instead.
 */
#include <linux/if.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/nl.h"
#include "hook/parent.h"
#include "hook/rtnl.h"
#include "hook/vlan.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/text.h"

/* Of the namespace that sysfs was mounted in: the host's. */
#define CLASSES "/sys/class/net"

static const char *link_name(struct nl *nl, int ifindex, struct rtnl_link *link)
{
	return rtnl_link_get_index(nl, RTNL_HERE, ifindex, link, NULL) == 0 ? link->name
									    : "another interface";
}

/* A port's frames go to its bridge, bond, ... : a macvlan on it would get none (EBUSY). */
static int refuse_port(const struct rtnl_link *link, const char *name,
	const struct rtnl_link *master, const char *suffix, struct error *err)
{
	/* Its frames go to the switch's other ports, and not to the interface of this name. */
	if (!strcmp(master->kind, "openvswitch"))
		return error_set(err, -EBUSY,
			"parent '%s' is a port of Open vSwitch: add a port of type internal to the "
			"switch, and use that as the parent",
			link->name);
	return error_set(err, -EBUSY, "parent '%s' is a port of '%s'%s%s%s: use parent '%s%s'",
		link->name, name, *master->kind ? " (" : "", master->kind, *master->kind ? ")" : "",
		name, suffix);
}

/* A VRF's port is routed by it, but its frames are still its own. */
static int check_master(
	struct nl *nl, const struct rtnl_link *link, const char *suffix, struct error *err)
{
	struct rtnl_link master = { 0 };
	const char *name;

	if (link->master == 0)
		return 0;
	name = link_name(nl, link->master, &master);
	return strcmp(master.kind, "vrf") != 0 ? refuse_port(link, name, &master, suffix, err) : 0;
}

/* The kernel would put it on the lower link, beside its pool: the same address twice on a LAN. */
static int refuse_stacked(
	struct nl *nl, const struct rtnl_link *link, const char *suffix, struct error *err)
{
	struct rtnl_link lower = { 0 };
	const char *name = link_name(nl, link->lower, &lower);

	return error_set(err, -EINVAL, "parent '%s' is itself a %s of '%s': use parent '%s%s'",
		link->name, link->kind, name, name, suffix);
}

/**
 * parent_is_wireless() - is an interface a Wi-Fi one
 * @classes: the folder that has one for each interface: /sys/class/net
 * @name:    the interface's name
 *
 * Return: true when it is (phy80211 is cfg80211's, wireless what older drivers have).
 */
bool parent_is_wireless(const char *classes, const char *name)
{
	static const char *const marks[] = { "/phy80211", "/wireless" };
	char path[128];

	for (unsigned i = 0; i < 2; i++)
		if (access(text_join(path, sizeof(path), classes, "/", name, marks[i]), F_OK) == 0)
			return true;
	return false;
}

/**
 * parent_check() - can macvlans sit on a link
 * @nl:     a socket in the host's namespace
 * @link:   the link
 * @suffix: what is behind its name in the parent's: ".10" where that is a VLAN of it, else ""
 * @err:    filled on failure, with what to use instead
 *
 * Return: 0, -EBUSY (a port of a bridge, bond, ...), -EINVAL (its kind), -EOPNOTSUPP (Wi-Fi).
 */
int parent_check(struct nl *nl, const struct rtnl_link *link, const char *suffix, struct error *err)
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
		return refuse_stacked(nl, link, suffix, err);
	/* What has a kind is made by software: only what has none can be a card. */
	if (!*link->kind && parent_is_wireless(CLASSES, link->name))
		return error_set(err, -EOPNOTSUPP,
			"parent '%s' is a Wi-Fi interface, and access points drop frames with "
			"other MACs than its own: use a wired interface",
			link->name);
	return check_master(nl, link, suffix, err);
}

struct search {
	int lower;
	unsigned vlan_id; /* 0: an ipvlan is looked for */
	struct rtnl_link found;
};

static int look_at(void *arg, const struct rtnl_link *link)
{
	struct search *search = arg;
	bool is_ipvlan = !strcmp(link->kind, "ipvlan") || !strcmp(link->kind, "ipvtap");

	if (link->lower != search->lower || link->is_lower_elsewhere)
		return 0;
	if (search->vlan_id ? link->vlan_id == search->vlan_id : is_ipvlan)
		search->found = *link;
	return 0;
}

/**
 * parent_refuse_ipvlan() - fail if ipvlans sit on a link: then no macvlan can
 * @nl:      a socket in the host's namespace
 * @name:    the link's name
 * @ifindex: its index
 * @err:     filled on failure, with the name of one
 *
 * Those in other namespaces are in no list here; the kernel says EBUSY.
 *
 * Return: 0: none is there; -EBUSY; what RTM_GETLINK gave.
 */
int parent_refuse_ipvlan(struct nl *nl, const char *name, int ifindex, struct error *err)
{
	struct search search = { .lower = ifindex };
	int r = rtnl_link_list(nl, look_at, &search, err);

	if (r == 0 && search.found.ifindex)
		return error_set(err, -EBUSY,
			"parent '%s' has %s '%s' on it, and the kernel allows one of the two kinds: "
			"remove it, or use another parent",
			name, search.found.kind, search.found.name);
	return r < 0 ? error_prefix(err, "cannot list the host's interfaces") : 0;
}

/**
 * parent_refuse_vlan() - fail if a VLAN is there by another name
 * @nl:    a socket in the host's namespace
 * @name:  the name that is wanted
 * @lower: the index of the link that it would be on
 * @id:    the VLAN's id
 * @err:   filled on failure, with its name
 *
 * Return: 0: it is not there; -EEXIST; what RTM_GETLINK gave.
 */
int parent_refuse_vlan(struct nl *nl, const char *name, int lower, unsigned id, struct error *err)
{
	struct search search = { .lower = lower, .vlan_id = id };
	int r = rtnl_link_list(nl, look_at, &search, err);

	if (r == 0 && search.found.ifindex)
		return error_set(err, -EEXIST,
			"parent '%s' cannot be created: VLAN %u is there as '%s': use parent '%s'",
			name, id, search.found.name, search.found.name);
	return r < 0 ? error_prefix(err, "cannot list the host's interfaces") : 0;
}

/**
 * parent_check_vlan() - can a VLAN that is missing be there by another name
 * @nl:   a socket in the host's namespace
 * @name: its name
 * @err:  filled on failure
 *
 * Return: 0: it is not; -EEXIST; what RTM_GETLINK gave.
 */
int parent_check_vlan(struct nl *nl, const char *name, struct error *err)
{
	struct rtnl_link lower = { 0 };
	struct vlan vlan;

	if (!vlan_parse(name, &vlan) || rtnl_link_get(nl, RTNL_HERE, vlan.lower, &lower, NULL) < 0)
		return 0; /* it is on another that is missing */
	return parent_refuse_vlan(nl, name, lower.ifindex, vlan.id, err);
}

/**
 * parent_refuse_no_vlans() - say that the kernel has no VLANs
 * @name: the parent that is wanted
 * @err:  filled
 *
 * Return: -EOPNOTSUPP.
 */
int parent_refuse_no_vlans(const char *name, struct error *err)
{
	return error_set(err, -EOPNOTSUPP,
		"parent '%s' cannot be created: this kernel has no VLANs (module 8021q)", name);
}

/* What an attach would find out when it makes the parent. */
static int check_missing(struct nl *nl, const struct parent *parent, struct error *err)
{
	bool known = true;
	int r = rtnl_vlan_is_known(nl, &known, err);

	if (r < 0)
		return error_prefix(err, "cannot ask the kernel for VLANs");
	if (!known)
		return parent_refuse_no_vlans(parent->name, err);
	return parent_check_vlan(nl, parent->name, err);
}

/**
 * parent_check_new() - the checks that only a new network is worth
 * @nl:      a socket in the host's namespace
 * @network: the network
 * @parent:  its parent, as parent_find() found it
 * @err:     filled on failure, with what to do
 *
 * Return: 0; -EBUSY: ipvlans sit on it; -EOPNOTSUPP, -EEXIST: it cannot be created.
 */
int parent_check_new(struct nl *nl, const struct network *network, const struct parent *parent,
	struct error *err)
{
	if (parent->ifindex)
		return parent_refuse_ipvlan(nl, parent->name, parent->ifindex, err);
	return network->is_isolated ? 0 : check_missing(nl, parent, err);
}
