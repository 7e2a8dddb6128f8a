// SPDX-License-Identifier: MIT
/*
 * Checks of a network's parent: what parent_find() refuses, whether frames get through it, and what
 * the host, or what the host runs on, does to them.
 */
#include <limits.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/cli/check.h"
#include "hook/cli/platform.h"
#include "schema/error.h"
#include "schema/network.h"

/* What the kernel would refuse. To try would load modules, so it is only asked for what there is.
 */
static int check_use(struct nl *nl, const struct network *network, const struct parent *parent,
	struct error *err)
{
	if (parent->ifindex > 0)
		return parent_refuse_ipvlan(nl, parent->name, parent->ifindex, err);
	if (network->is_isolated)
		return 0;
	if (check_lacks_module("8021q"))
		return parent_refuse_no_vlans(parent->name, err);
	return parent_check_vlan(nl, parent->name, err);
}

/**
 * check_parent_find() - find a network's parent, or say what is wrong with it
 * @check:   the check
 * @network: the network
 * @ret:     the network and its parent
 *
 * Return: 0, or what parent_find() returned.
 */
int check_parent_find(struct check *check, const struct network *network, struct check_network *ret)
{
	struct check_network on = { .network = network };
	struct error err;
	int r = parent_find(&check->nl, network, &on.parent, &err);

	if (r == 0 && on.parent.ifindex > 0)
		r = rtnl_link_get_index(&check->nl, RTNL_HERE, on.parent.ifindex, &on.link, &err);
	if (r == 0)
		r = check_use(&check->nl, network, &on.parent, &err);
	if (r < 0) {
		check_say(check, CHECK_BROKEN, "network '%s': %s", network->name, err.text);
		return r;
	}
	*ret = on;
	return 0;
}

/**
 * check_parent_link() - is the parent up, with a carrier, and not promiscuous
 * @check: the check
 * @on:    the network and its parent
 */
void check_parent_link(struct check *check, const struct check_network *on)
{
	const char *network = on->network->name;
	const char *parent = on->parent.name;

	if (on->parent.ifindex == 0 || (on->parent.is_ours && !on->parent.is_up))
		return; /* the next attach makes it, or sets it up */
	if (!on->parent.is_up)
		check_say(check, CHECK_WARNING,
			"network '%s': parent '%s' is down: containers start, but reach nobody "
			"until 'ip link set %s up'",
			network, parent, parent);
	else if (!on->parent.has_carrier && !on->network->is_isolated)
		check_say(check, CHECK_WARNING,
			"network '%s': parent '%s' has no carrier: containers start, but reach "
			"nobody: look at the cable and the switch's port",
			network, parent);
	if (on->link.flags & IFF_PROMISC)
		check_say(check, CHECK_NOTE,
			"network '%s': parent '%s' was set promiscuous, which macvlan does not "
			"need: unless it captures, or a virtual switch wants it, 'ip link set %s "
			"promisc off' saves work",
			network, parent, parent);
}

/**
 * check_parent_bridge() - does the host's firewall see frames of a parent that is a bridge
 * @check: the check
 * @on:    the network and its parent
 */
void check_parent_bridge(struct check *check, const struct check_network *on)
{
	static const char *const names[] = { "iptables", "ip6tables", "arptables" };

	if (strcmp(on->link.kind, "bridge") != 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		char value[8];

		snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", names[i]);
		if (check_read_line(path, value, sizeof(value)) <= 0 || !strcmp(value, "0"))
			continue;
		check_say(check, CHECK_WARNING,
			"network '%s': parent '%s' is a bridge, and the host's %s filters what is "
			"bridged: connections of containers may be dropped or reset: 'sysctl -w "
			"net.bridge.bridge-nf-call-%s=0', or rules that let them pass",
			on->network->name, on->parent.name, names[i], names[i]);
	}
}

/* The driver of a NIC; "" for what is none. */
static const char *read_driver(const char *ifname, char ret[PLATFORM_DRIVER_MAX + 1])
{
	char path[sizeof("/sys/class/net//device/driver") + INTERFACE_NAME_MAX];
	char target[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", ifname);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	name = strrchr(target, '/');
	snprintf(ret, PLATFORM_DRIVER_MAX + 1, "%.*s", PLATFORM_DRIVER_MAX,
		name ? name + 1 : target);
	return ret;
}

/**
 * check_parent_platform() - does what the machine runs on let frames of other MACs pass; said once
 * @check: the check
 * @on:    the network and its parent
 */
void check_parent_platform(struct check *check, const struct check_network *on)
{
	char driver[PLATFORM_DRIVER_MAX + 1];
	const struct platform *platform = platform_find(read_driver(on->parent.name, driver));

	if (!platform || platform == check->platform || on->network->is_isolated)
		return;
	check->platform = platform;
	check_say(check, CHECK_WARNING, "parent '%s': this machine runs on %s, which %s",
		on->parent.name, platform->name, platform->advice);
}
