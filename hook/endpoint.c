// SPDX-License-Identifier: MIT
/*
 * One endpoint's link: created in the container's namespace, given its addresses, set up; found
 * again there, and deleted, by a record alone.
 */
#include "hook/endpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hook/conflicts.h"
#include "hook/host.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/record.h"
#include "schema/text.h"

/* How long a dying namespace may hold a MAC, or a parent in mode passthru. Measured: 13 ms for
 * one, up to 165 ms when 100 die together.
 */
#define BUSY_TRIES 1000
#define BUSY_PAUSE_NS 1000000

/**
 * endpoint_temporary_name() - what a link is called between its creation and its renaming
 * @endpoint: the endpoint
 * @id:       the container whose record it is in
 * @ret:      the name: the same at each call, so that detach finds what was left half-way
 *
 * Return: @ret.
 */
const char *endpoint_temporary_name(
	const struct record_endpoint *endpoint, const char *id, char ret[INTERFACE_NAME_MAX + 1])
{
	uint64_t hash = hash_strings_u64((const char *const[]){ id, endpoint->interface, NULL });

	snprintf(ret, INTERFACE_NAME_MAX + 1, "omv-%08x", (unsigned)(hash >> 32));
	return ret;
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS }, NULL);
}

/* Creates it under another name and renames it inside. Up to Linux 6.1 at least the kernel looks
 * for the name in the host's namespace too, where an eth0 is nothing unusual.
 */
static int add_and_rename(struct host *host, struct netns *netns, const char *id,
	struct rtnl_macvlan *macvlan, const struct record_endpoint *endpoint, struct error *err)
{
	char temporary[INTERFACE_NAME_MAX + 1];
	struct rtnl_link link = { 0 };
	int r;

	macvlan->name = endpoint_temporary_name(endpoint, id, temporary);
	r = rtnl_link_add_macvlan(&host->nl, macvlan, err);
	macvlan->name = endpoint->interface;
	if (r == 0)
		r = rtnl_link_get(&netns->nl, RTNL_HERE, temporary, &link, err);
	if (r == 0)
		r = rtnl_link_set_name(&netns->nl, link.ifindex, endpoint->interface, err);
	return r;
}

/* The kernel says only a number; the situation says what it means. */
static int explain_add(struct host *host, const char *id, const struct record_endpoint *endpoint,
	int r, struct error *err)
{
	switch (r) {
	case -EINVAL:
		r = conflicts_refuse_mode(host, id, endpoint, err);
		if (r < 0)
			return r;
		return error_set(err, -EINVAL,
			"mode %s is not possible on parent '%s': a macvlan that is not one of "
			"ours is there, and one in mode passthru wants the parent for itself",
			network_mode_name(endpoint->mode), endpoint->parent);
	case -EBUSY:
		return error_set(err, r,
			"parent '%s' is in use by something that excludes macvlan (ipvlan, a "
			"bridge, Open vSwitch): use another parent",
			endpoint->parent);
	case -EEXIST:
		return error_set(err, r, "interface '%s' is taken in the container's namespace",
			endpoint->interface);
	case -ENODEV:
		return error_set(err, r, "parent '%s' is gone", endpoint->parent);
	}
	return error_prefix(err, "cannot create a macvlan on parent '%s'", endpoint->parent);
}

static int add_link(struct host *host, struct netns *netns, const char *id,
	struct rtnl_macvlan *macvlan, const struct record_endpoint *endpoint, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = -EINVAL;

	for (unsigned try = 0; r == -EINVAL && try < BUSY_TRIES && !deadline_passed(); try++) {
		r = rtnl_link_add_macvlan(&host->nl, macvlan, err);
		if (r == -EEXIST && rtnl_link_get(&netns->nl, RTNL_HERE, endpoint->interface, &link,
					    NULL) == -ENODEV)
			r = add_and_rename(host, netns, id, macvlan, endpoint, err);
		/* Modes exclude each other. Unless a live one is in the way, it is going away. */
		if (r == -EINVAL && try == 0 && conflicts_refuse_mode(host, id, endpoint, err) < 0)
			return r;
		if (r == -EINVAL)
			pause_briefly();
	}
	return r < 0 ? explain_add(host, id, endpoint, r, err) : 0;
}

/* The IPv6 settings of the interface in /proc/sys: we are in its namespace, so they are its own.
 * Opened once for all of them, as the kernel passes the settings of all other namespaces on the
 * way.
 */
static int open_settings6(const char *interface, int *ret, struct error *err)
{
	char path[64];
	int fd;

	text_join(path, sizeof(path), "/proc/sys/net/ipv6/conf/", interface);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, "cannot open '%s'", path);
	*ret = fd;
	return 0;
}

static int write_setting(
	int settings, const char *interface, const char *name, const char *value, struct error *err)
{
	autoclose int fd = openat(settings, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_set_errno(
			err, "cannot set net.ipv6.conf.%s.%s to %s", interface, name, value);
	return 0;
}

static bool has_family(const struct record_endpoint *endpoint, sa_family_t family)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == family)
			return true;
	return false;
}

static int set_disable_ipv6(const char *interface, const char *value, struct error *err)
{
	autoclose int settings = -1;
	int r = open_settings6(interface, &settings, err);

	return r == 0 ? write_setting(settings, interface, "disable_ipv6", value, err) : r;
}

static int write_settings6(const char *interface, struct error *err)
{
	autoclose int settings = -1;
	int r = open_settings6(interface, &settings, err);

	if (r == -ENOENT)
		return error_set(
			err, r, "this kernel has no IPv6, but the network has an IPv6 subnet");
	if (r == 0)
		r = write_setting(settings, interface, "accept_ra", "0", err);
	return r == 0 ? write_setting(settings, interface, "ndisc_notify", "1", err) : r;
}

/* arp_notify and ndisc_notify make the kernel announce the addresses as the link goes up. */
static int write_settings(
	struct netns *netns, const struct record_endpoint *endpoint, int ifindex, struct error *err)
{
	int r = 0;

	if (has_family(endpoint, AF_INET))
		r = rtnl_link_set_arp_notify(&netns->nl, ifindex, err);
	if (r < 0)
		return error_prefix(err, "cannot have '%s' announced", endpoint->interface);
	if (has_family(endpoint, AF_INET6))
		return write_settings6(endpoint->interface, err);
	r = set_disable_ipv6(endpoint->interface, "1", err);
	return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static int add_address(struct netns *netns, const struct record_endpoint *endpoint, int ifindex,
	const struct cidr *address, struct error *err)
{
	int r = rtnl_addr_add(&netns->nl, ifindex, address, err);

	/* Docker disables IPv6 in the namespaces that it makes. */
	if (r == -EACCES && address->ip.family == AF_INET6) {
		r = set_disable_ipv6(endpoint->interface, "0", err);
		if (r == 0)
			r = rtnl_addr_add(&netns->nl, ifindex, address, err);
	}
	return r;
}

static int add_addresses(
	struct netns *netns, const struct record_endpoint *endpoint, int ifindex, struct error *err)
{
	char text[CIDR_TEXT];

	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		int r = add_address(netns, endpoint, ifindex, &endpoint->addresses[i], err);

		if (r < 0)
			return error_prefix(err, "cannot give '%s' the address '%s'",
				endpoint->interface, cidr_format(&endpoint->addresses[i], text));
	}
	return 0;
}

static int try_set_up(struct netns *netns, int ifindex, struct error *err)
{
	int r = -EADDRINUSE;

	for (unsigned try = 0; r == -EADDRINUSE && try < BUSY_TRIES && !deadline_passed(); try++) {
		r = rtnl_link_set_up(&netns->nl, ifindex, err);
		if (r == -EADDRINUSE)
			pause_briefly();
	}
	return r;
}

/* A container that ended just now holds its MAC until its namespace is taken down; one that is
 * dead in a namespace that lives on holds it until it is collected.
 */
static int set_up(struct host *host, struct netns *netns, const char *id,
	const struct record_endpoint *endpoint, int ifindex, struct error *err)
{
	int r = try_set_up(netns, ifindex, err);

	if (r == -EADDRINUSE && reconcile_made_room(host))
		r = try_set_up(netns, ifindex, err);
	if (r == -EADDRINUSE)
		return conflicts_refuse_mac(host, id, endpoint, err);
	return r < 0 ? error_prefix(err, "cannot set '%s' up", endpoint->interface) : 0;
}

/* The link that we made, and its MAC where that was not ours to say. */
static int find_link(struct netns *netns, struct record_endpoint *endpoint, bool has_our_mac,
	int *ret_ifindex, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r;

	if (has_our_mac) {
		r = rtnl_link_get_ifindex(&netns->nl, endpoint->interface, ret_ifindex, err);
	} else {
		r = rtnl_link_get(&netns->nl, RTNL_HERE, endpoint->interface, &link, err);
		*ret_ifindex = link.ifindex;
		memcpy(endpoint->mac, link.mac, MAC_SIZE);
	}
	return r < 0 ? error_prefix(err, "cannot find '%s' again", endpoint->interface) : 0;
}

/**
 * endpoint_wire() - make an endpoint: link, settings, addresses, up
 * @host:     the host
 * @netns:    the container's namespace, in which the process is
 * @id:       the container whose record it is in
 * @item:     the plan
 * @endpoint: with its addresses and its MAC; ifindex is filled in, and the MAC in mode passthru,
 *            where it is the parent's
 * @err:      filled on failure; what was made is left for detach
 *
 * Addresses are there before the link goes up, for then the kernel announces each of them
 * (gratuitous ARP, unsolicited neighbour advertisement). IPv4 routes are not: they need it up.
 *
 * Return: 0, or why not.
 */
int endpoint_wire(struct host *host, struct netns *netns, const char *id,
	const struct plan_item *item, struct record_endpoint *endpoint, struct error *err)
{
	const bool is_passthru = item->network->mode == NETWORK_PASSTHRU;
	struct rtnl_macvlan macvlan = {
		.parent = item->parent.ifindex,
		.netns = netns->fd,
		.name = endpoint->interface,
		/* In mode passthru it has the parent's; to set one would change the NIC's own. */
		.mac = is_passthru ? NULL : endpoint->mac,
		.mode = item->network->mode,
		.mtu = item->network->mtu,
		.source_macs = (const uint8_t(*)[MAC_SIZE])item->network->source_macs,
		.n_source_macs = item->network->n_source_macs,
	};
	int ifindex = 0;
	int r = add_link(host, netns, id, &macvlan, endpoint, err);

	if (r == 0)
		r = find_link(netns, endpoint, !is_passthru, &ifindex, err);
	if (r == 0)
		r = write_settings(netns, endpoint, ifindex, err);
	if (r == 0)
		r = add_addresses(netns, endpoint, ifindex, err);
	if (r == 0)
		r = set_up(host, netns, id, endpoint, ifindex, err);
	if (r == 0)
		endpoint->ifindex = ifindex;
	return r;
}

/* Is a link that has the recorded index the one that we made? Indexes are used once in the life of
 * a namespace, and an id that we chose names one namespace only. An id that others gave may name
 * another namespace by now: there the MAC or the name must be right too (both can be changed from
 * inside, seldom at once).
 */
static bool is_recorded(const struct record *record, const struct record_endpoint *endpoint,
	const struct rtnl_link *link)
{
	if (strcmp(link->kind, "macvlan") != 0)
		return false;
	return !record->nsid_shared || !memcmp(link->mac, endpoint->mac, MAC_SIZE) ||
	       !strcmp(link->name, endpoint->interface);
}

/* An attach was killed before it wrote down what it made: look under both names. */
static int find_intent(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	char temporary[INTERFACE_NAME_MAX + 1];
	const char *const names[] = { endpoint->interface,
		endpoint_temporary_name(endpoint, record->id, temporary) };

	for (unsigned i = 0; i < 2; i++) {
		struct rtnl_link link = { 0 };
		int r = rtnl_link_get(&host->nl, record->nsid, names[i], &link, err);

		if (r < 0 && r != -ENODEV)
			return r;
		if (r == 0 && !strcmp(link.kind, "macvlan") &&
			link.lower == endpoint->parent_ifindex) {
			*ret = link;
			return 0;
		}
	}
	return error_set(err, -ENODEV, "there is no link");
}

/**
 * endpoint_find_link() - find an endpoint's link, wherever its namespace is held
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @ret:      the link
 * @err:      filled on failure
 *
 * Return: 0; -ENODEV: it is gone, or its namespace is; what RTM_GETLINK gave.
 */
int endpoint_find_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	bool exists = true;
	int r;

	if (endpoint->ifindex == 0)
		r = find_intent(host, record, endpoint, &link, err);
	else
		r = rtnl_link_get_index(&host->nl, record->nsid, endpoint->ifindex, &link, err);
	/* What the kernel says of an id that names no namespace, and perhaps of something else. */
	if (r == -EINVAL && rtnl_nsid_exists(&host->nl, record->nsid, &exists, NULL) == 0 &&
		!exists)
		return error_set(err, -ENODEV, "its network namespace is gone");
	if (r < 0)
		return r;
	if (endpoint->ifindex != 0 && !is_recorded(record, endpoint, &link))
		return error_set(err, -ENODEV, "its link is gone");
	*ret = link;
	return 0;
}

/**
 * endpoint_delete_link() - delete an endpoint's link, and wait until nobody answers any more
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @err:      filled on failure
 *
 * Return: 0, also when there is none any more; what the kernel gave.
 */
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = endpoint_find_link(host, record, endpoint, &link, err);

	if (r == 0)
		r = rtnl_link_del(&host->nl, record->nsid, link.ifindex, err);
	if (r == -ENODEV || r == -EINVAL)
		return 0;
	return r < 0 ? error_prefix(err, "cannot delete interface '%s' of container '%s'",
			       endpoint->interface, record->id)
		     : 0;
}
