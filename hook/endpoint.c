// SPDX-License-Identifier: MIT
/*
 * One endpoint's link: created in the container's namespace, given its addresses, set up.
 * endpoint_link.c finds it again.
 */
#include "hook/endpoint.h"

#include <string.h>
#include <time.h>

#include "hook/conflicts.h"
#include "hook/host.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "hook/sysctl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"

/* How long a dying namespace may hold a MAC, or a parent in mode passthru. Measured: 13 ms for
 * one, up to 165 ms when 100 die together, on a machine that has nothing else to do.
 */
#define BUSY_MS 3000
/* 1 ms at first, and twice as long each time, up to 16 ms. */
#define BUSY_PAUSE_NS 1000000L
#define BUSY_DOUBLED 4

/* May it be tried once more? Pauses before that. */
static bool may_try_again(int64_t until, unsigned n_tries)
{
	unsigned doubled = n_tries < BUSY_DOUBLED ? n_tries : BUSY_DOUBLED;

	if (deadline_passed() || deadline_clock_ms() >= until)
		return false;
	nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS << doubled }, NULL);
	return true;
}

/* Was a link refused because of its index? The kernel fails with EEXIST for a name that is taken,
 * and with EBUSY for a parent that is a port, too. Up to 6.12 an index that the host has is refused
 * as well: then neither the index nor the name is taken in the container's namespace.
 */
static bool is_index_taken(const struct wiring *wiring, const struct rtnl_macvlan *macvlan, int r)
{
	struct nl *nl = &wiring->netns->nl;
	struct rtnl_link link;

	if (r != -EEXIST && r != -EBUSY)
		return false;
	if (rtnl_link_get_index(nl, RTNL_HERE, macvlan->ifindex, &link, NULL) == 0)
		return true;
	return r == -EEXIST && rtnl_link_get(nl, RTNL_HERE, macvlan->name, &link, NULL) == -ENODEV;
}

/* With the first of its own indexes that is free: endpoint_link.c tells what they are for. */
static int add_with_index(struct wiring *wiring, struct rtnl_macvlan *macvlan, struct error *err)
{
	for (unsigned i = 0; i < ENDPOINT_INDEXES; i++) {
		int r;

		macvlan->ifindex = endpoint_index(wiring->record, wiring->endpoint, i);
		r = rtnl_link_add_macvlan(&wiring->host->nl, macvlan, err);
		if (r == 0)
			wiring->ifindex = macvlan->ifindex;
		if (!is_index_taken(wiring, macvlan, r))
			return r;
	}
	return error_set(err, -ENFILE,
		"all %d interface indexes that '%s' may have are taken: remove interfaces from the "
		"container's namespace",
		ENDPOINT_INDEXES, wiring->endpoint->interface);
}

/* The kernel says only a number; the situation says what it means. */
static int explain_add(const struct wiring *wiring, int r, struct error *err)
{
	const struct record_endpoint *endpoint = wiring->endpoint;

	switch (r) {
	case -EINVAL:
		r = conflicts_refuse_mode(wiring->host, wiring->id, endpoint, err);
		if (r < 0)
			return r;
		return conflicts_refuse_unknown(wiring->host, wiring->id, endpoint, err);
	case -EBUSY:
		r = parent_refuse_ipvlan(
			&wiring->host->nl, endpoint->parent, endpoint->parent_ifindex, err);
		if (r < 0)
			return r;
		return error_set(err, -EBUSY,
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

static int add_link(struct wiring *wiring, struct rtnl_macvlan *macvlan, struct error *err)
{
	int64_t until = deadline_clock_ms() + BUSY_MS;
	int r = -EINVAL;

	for (unsigned try = 0; r == -EINVAL; try++) {
		r = add_with_index(wiring, macvlan, err);
		/* Modes exclude each other. Unless a live one is in the way, it is going away. */
		if (r == -EINVAL && try == 0 &&
			conflicts_refuse_mode(wiring->host, wiring->id, wiring->endpoint, err) < 0)
			return r;
		if (r == -EINVAL && !may_try_again(until, try))
			break;
	}
	return r < 0 ? explain_add(wiring, r, err) : 0;
}

static int no_ip6(struct error *err)
{
	return error_set(
		err, -ENOENT, "this kernel has no IPv6, but the network has an IPv6 subnet");
}

static int disable_ip6(const struct record_endpoint *endpoint, struct error *err)
{
	int r = sysctl_write_ip6(endpoint->interface, "disable_ipv6", "1", err);

	return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static int write_settings6(const char *interface, struct error *err)
{
	autoclose int settings = -1;
	int r = sysctl_open_ip6(interface, &settings, err);

	if (r == -ENOENT)
		return no_ip6(err);
	if (r == 0)
		r = sysctl_write_at(settings, interface, "accept_ra", "0", err);
	return r == 0 ? sysctl_write_at(settings, interface, "ndisc_notify", "1", err) : r;
}

static int set_arp_notify(const struct wiring *wiring, struct error *err)
{
	int r = 0;

	if (record_has_family(wiring->endpoint, AF_INET))
		r = rtnl_link_set_arp_notify(&wiring->netns->nl, wiring->ifindex, err);
	return r < 0 ? error_prefix(err, "cannot have '%s' announced", wiring->endpoint->interface)
		     : 0;
}

/* arp_notify and ndisc_notify make the kernel announce the addresses as the link goes up. */
static int write_settings(const struct wiring *wiring, struct error *err)
{
	int r = set_arp_notify(wiring, err);

	if (r < 0)
		return r;
	if (wiring->ra.is_wanted)
		return ra_prepare(&wiring->netns->nl, wiring->ifindex, wiring->endpoint->interface,
			&wiring->ra, err);
	if (record_has_family(wiring->endpoint, AF_INET6))
		return write_settings6(wiring->endpoint->interface, err);
	return disable_ip6(wiring->endpoint, err);
}

static int add_address(const struct wiring *wiring, const struct cidr *address, struct error *err)
{
	struct nl *nl = &wiring->netns->nl;
	char text[CIDR_TEXT];
	int r = rtnl_addr_add(nl, wiring->ifindex, address, false, err);

	/* Docker disables IPv6 in the namespaces that it makes. */
	if (r == -EACCES && address->ip.family == AF_INET6) {
		r = sysctl_write_ip6(wiring->endpoint->interface, "disable_ipv6", "0", err);
		if (r == 0)
			r = rtnl_addr_add(nl, wiring->ifindex, address, false, err);
	}
	return r < 0 ? error_prefix(err, "cannot give '%s' the address '%s'",
			       wiring->endpoint->interface, cidr_format(address, text))
		     : 0;
}

static int add_addresses(const struct wiring *wiring, struct error *err)
{
	const struct record_endpoint *endpoint = wiring->endpoint;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++)
		r = add_address(wiring, &endpoint->addresses[i], err);
	return r;
}

static int try_set_up(const struct wiring *wiring, struct error *err)
{
	int64_t until = deadline_clock_ms() + BUSY_MS;
	int r = -EADDRINUSE;

	for (unsigned try = 0; r == -EADDRINUSE; try++) {
		r = rtnl_link_set_up(&wiring->netns->nl, wiring->ifindex, err);
		if (r == -EADDRINUSE && !may_try_again(until, try))
			break;
	}
	return r;
}

/* A container that ended just now holds its MAC until its namespace is taken down; one that is
 * dead in a namespace that lives on holds it until it is collected.
 */
static int set_up(const struct wiring *wiring, struct error *err)
{
	int r = try_set_up(wiring, err);

	if (r == -EADDRINUSE && reconcile_made_room(wiring->host))
		r = try_set_up(wiring, err);
	if (r == -EADDRINUSE)
		return conflicts_refuse_mac(wiring->host, wiring->id, wiring->endpoint, err);
	return r < 0 ? error_prefix(err, "cannot set '%s' up", wiring->endpoint->interface) : 0;
}

static bool is_passthru(const struct wiring *wiring)
{
	return wiring->item->network->mode == NETWORK_PASSTHRU;
}

/* In mode passthru the MAC is not ours to say. */
static int read_mac(struct wiring *wiring, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r;

	if (!is_passthru(wiring))
		return 0;
	r = rtnl_link_get_index(&wiring->netns->nl, RTNL_HERE, wiring->ifindex, &link, err);
	if (r < 0)
		return error_prefix(
			err, "cannot read the MAC of '%s'", wiring->endpoint->interface);
	memcpy(wiring->endpoint->mac, link.mac, MAC_SIZE);
	return 0;
}

/**
 * endpoint_wire() - make an endpoint: link, settings, addresses, up
 * @wiring: the endpoint, with its addresses and its MAC; its ifindex is filled in, and the MAC in
 *          mode passthru, where it is the parent's
 * @err:    filled on failure; what was made is left for detach
 *
 * Addresses are there before the link goes up, for then the kernel announces each of them
 * (gratuitous ARP, unsolicited neighbour advertisement). IPv4 routes are not: they need it up.
 * Those that routers give come afterwards: endpoint_await_ra().
 *
 * Return: 0, or why not.
 */
int endpoint_wire(struct wiring *wiring, struct error *err)
{
	const struct network *network = wiring->item->network;
	struct rtnl_macvlan macvlan = {
		.parent = wiring->item->parent.ifindex,
		.netns = wiring->netns->fd,
		.name = wiring->endpoint->interface,
		/* In mode passthru it has the parent's; to set one would change the NIC's own. */
		.mac = is_passthru(wiring) ? NULL : wiring->endpoint->mac,
		.mode = network->mode,
		.mtu = network->mtu,
		.source_macs = (const uint8_t(*)[MAC_SIZE])network->source_macs,
		.n_source_macs = network->n_source_macs,
	};
	int r = add_link(wiring, &macvlan, err);

	if (r == 0)
		r = read_mac(wiring, err);
	if (r == 0)
		r = write_settings(wiring, err);
	if (r == 0)
		r = add_addresses(wiring, err);
	if (r == 0)
		r = set_up(wiring, err);
	if (r == 0 && wiring->ra.is_wanted)
		r = ra_start(&wiring->netns->nl, wiring->ifindex, &wiring->ra, err);
	if (r == 0)
		wiring->endpoint->ifindex = wiring->ifindex;
	return r;
}

/**
 * endpoint_await_ra() - wait until an endpoint has the addresses that routers give, if it is to
 * @wiring: the endpoint, made; they are added to its own
 * @err:    filled on failure
 *
 * Return: 0, also when no router speaks; what ra_wait() gave.
 */
int endpoint_await_ra(struct wiring *wiring, struct error *err)
{
	if (!wiring->ra.is_wanted || !wiring->item->parent.has_carrier)
		return 0;
	return ra_wait(&wiring->netns->nl, wiring->ifindex, &wiring->ra, wiring->endpoint, err);
}

/**
 * endpoint_wire_trial() - make a link from which an endpoint's addresses can be tried out
 * @wiring: the endpoint, and another namespace than its own; its MAC is that of the link, given, or
 *          in mode passthru filled in; its ifindex stays as it is
 * @err:    filled on failure
 *
 * It is up, and has no address; where it is to hear of routers, ra_start() has it ask. Of mode
 * bridge: so it hears of all, which one of mode source would not; but where the parent is for one
 * alone, of mode passthru.
 *
 * Return: 0, or why not.
 */
int endpoint_wire_trial(struct wiring *wiring, struct error *err)
{
	struct rtnl_macvlan macvlan = {
		.parent = wiring->item->parent.ifindex,
		.netns = wiring->netns->fd,
		.name = wiring->endpoint->interface,
		.mac = is_passthru(wiring) ? NULL : wiring->endpoint->mac,
		.mode = is_passthru(wiring) ? NETWORK_PASSTHRU : NETWORK_BRIDGE,
	};
	int r = add_link(wiring, &macvlan, err);

	if (r == 0)
		r = read_mac(wiring, err);
	if (r == 0 && wiring->ra.is_wanted)
		r = ra_prepare(&wiring->netns->nl, wiring->ifindex, wiring->endpoint->interface,
			&wiring->ra, err);
	else if (r == 0)
		r = rtnl_link_set_addr_gen_none(&wiring->netns->nl, wiring->ifindex, err);
	if (r == -EAFNOSUPPORT) /* a kernel without IPv6 */
		r = 0;
	return r == 0 ? set_up(wiring, err) : r;
}
