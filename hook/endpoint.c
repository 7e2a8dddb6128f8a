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
#include "hook/lan.h"
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
 * one, up to 165 ms when 100 die together.
 */
#define BUSY_TRIES 1000
#define BUSY_PAUSE_NS 1000000
/* The kernel's own, RFC 4861 section 10. */
#define RETRANS_DEFAULT_MS 1000
/* Duplicate address detection waits so long: it begins a little later than the ARP probes, and must
 * not end after them.
 */
#define DAD_SHARE(ms) ((ms)*9 / 10 + 1)

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS }, NULL);
}

/* Creates it under another name and renames it inside. Up to Linux 6.1 at least the kernel looks
 * for the name in the host's namespace too, where an eth0 is nothing unusual.
 */
static int add_and_rename(
	const struct wiring *wiring, struct rtnl_macvlan *macvlan, struct error *err)
{
	const struct record_endpoint *endpoint = wiring->endpoint;
	struct nl *nl = &wiring->netns->nl;
	char temporary[INTERFACE_NAME_MAX + 1];
	struct rtnl_link link = { 0 };
	int r;

	macvlan->name = endpoint_temporary_name(endpoint, wiring->id, temporary);
	r = rtnl_link_add_macvlan(&wiring->host->nl, macvlan, err);
	macvlan->name = endpoint->interface;
	if (r == 0)
		r = rtnl_link_get(nl, RTNL_HERE, temporary, &link, err);
	if (r == 0)
		r = rtnl_link_set_name(nl, link.ifindex, endpoint->interface, err);
	return r;
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

/* MAC is NULL in mode passthru, where it is the parent's: to set one would change the NIC's own. */
static int add_link(const struct wiring *wiring, const uint8_t *mac, struct error *err)
{
	const struct record_endpoint *endpoint = wiring->endpoint;
	const struct network *network = wiring->item->network;
	struct nl *nl = &wiring->netns->nl;
	struct rtnl_macvlan macvlan = {
		.parent = wiring->item->parent.ifindex,
		.netns = wiring->netns->fd,
		.name = endpoint->interface,
		.mac = mac,
		.mode = network->mode,
		.mtu = network->mtu,
		.source_macs = (const uint8_t(*)[MAC_SIZE])network->source_macs,
		.n_source_macs = network->n_source_macs,
	};
	struct rtnl_link link = { 0 };
	int r = -EINVAL;

	for (unsigned try = 0; r == -EINVAL && try < BUSY_TRIES && !deadline_passed(); try++) {
		r = rtnl_link_add_macvlan(&wiring->host->nl, &macvlan, err);
		if (r == -EEXIST &&
			rtnl_link_get(nl, RTNL_HERE, endpoint->interface, &link, NULL) == -ENODEV)
			r = add_and_rename(wiring, &macvlan, err);
		/* Modes exclude each other. Unless a live one is in the way, it is going away. */
		if (r == -EINVAL && try == 0 &&
			conflicts_refuse_mode(wiring->host, wiring->id, endpoint, err) < 0)
			return r;
		if (r == -EINVAL)
			pause_briefly();
	}
	return r < 0 ? explain_add(wiring, r, err) : 0;
}

static bool has_family(const struct record_endpoint *endpoint, sa_family_t family)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == family)
			return true;
	return false;
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

	if (has_family(wiring->endpoint, AF_INET))
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
	if (has_family(wiring->endpoint, AF_INET6))
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

/* A request that fails with -EADDRINUSE while another has the MAC. */
typedef int busy_fn(struct nl *nl, const struct wiring *wiring, struct error *err);

static int set_up(struct nl *nl, const struct wiring *wiring, struct error *err)
{
	return rtnl_link_set_up(nl, wiring->ifindex, err);
}

static int set_mac(struct nl *nl, const struct wiring *wiring, struct error *err)
{
	return rtnl_link_set_mac(nl, wiring->ifindex, wiring->endpoint->mac, err);
}

static int try_while_busy(const struct wiring *wiring, busy_fn *request, struct error *err)
{
	int r = -EADDRINUSE;

	for (unsigned try = 0; r == -EADDRINUSE && try < BUSY_TRIES && !deadline_passed(); try++) {
		r = request(&wiring->netns->nl, wiring, err);
		if (r == -EADDRINUSE)
			pause_briefly();
	}
	return r;
}

/* A container that ended just now holds its MAC until its namespace is taken down; one that is
 * dead in a namespace that lives on holds it until it is collected.
 */
static int get_mac(
	const struct wiring *wiring, busy_fn *request, const char *what, struct error *err)
{
	int r = try_while_busy(wiring, request, err);

	if (r == -EADDRINUSE && reconcile_made_room(wiring->host))
		r = try_while_busy(wiring, request, err);
	if (r == -EADDRINUSE)
		return conflicts_refuse_mac(wiring->host, wiring->id, wiring->endpoint, err);
	return r < 0 ? error_prefix(err, "cannot %s '%s'", what, wiring->endpoint->interface) : 0;
}

static bool is_passthru(const struct wiring *wiring)
{
	return wiring->item->network->mode == NETWORK_PASSTHRU;
}

/* The link that we made, and its MAC where that was not ours to say. */
static int find_link(struct wiring *wiring, struct error *err)
{
	struct record_endpoint *endpoint = wiring->endpoint;
	struct nl *nl = &wiring->netns->nl;
	struct rtnl_link link = { 0 };
	int r;

	if (!is_passthru(wiring)) {
		r = rtnl_link_get_ifindex(nl, endpoint->interface, &wiring->ifindex, err);
	} else {
		r = rtnl_link_get(nl, RTNL_HERE, endpoint->interface, &link, err);
		wiring->ifindex = link.ifindex;
		memcpy(endpoint->mac, link.mac, MAC_SIZE);
	}
	return r < 0 ? error_prefix(err, "cannot find '%s' again", endpoint->interface) : 0;
}

/**
 * endpoint_wire() - make an endpoint: link, settings, addresses, up
 * @wiring: the endpoint, with its addresses and its MAC; its ifindex is filled in, and the MAC in
 *          mode passthru, where it is the parent's
 * @err:    filled on failure; what was made is left for detach
 *
 * Addresses are there before the link goes up, for then the kernel announces each of them
 * (gratuitous ARP, unsolicited neighbour advertisement). IPv4 routes are not: they need it up.
 *
 * Return: 0, or why not.
 */
int endpoint_wire(struct wiring *wiring, struct error *err)
{
	int r = add_link(wiring, is_passthru(wiring) ? NULL : wiring->endpoint->mac, err);

	if (r == 0)
		r = find_link(wiring, err);
	if (r == 0)
		r = write_settings(wiring, err);
	if (r == 0)
		r = add_addresses(wiring, err);
	if (r == 0)
		r = get_mac(wiring, set_up, "set up", err);
	if (r == 0)
		wiring->endpoint->ifindex = wiring->ifindex;
	return r;
}

/* The kernel detects duplicates within the time that ARP has, too. It is to say nothing else yet:
 * no link-local address, which would be made of a MAC that goes, and no announcement.
 */
static int write_trial_settings6(struct wiring *wiring, struct error *err)
{
	static const char *const settings[][2] = { { "disable_ipv6", "0" }, { "accept_ra", "0" },
		{ "addr_gen_mode", "1" }, { "router_solicitation_delay", "0" },
		{ "accept_dad", "1" }, { "dad_transmits", "1" } };
	const char *interface = wiring->endpoint->interface;
	unsigned wait = wiring->item->network->conflict_detection_ms;
	autoclose int dir = -1;
	int r = sysctl_open_ip6(interface, &dir, err);

	if (r == -ENOENT)
		return no_ip6(err);
	if (r == 0)
		r = sysctl_read_at(dir, interface, "addr_gen_mode", wiring->addr_gen_mode, err);
	for (unsigned i = 0; r == 0 && i < sizeof(settings) / sizeof(settings[0]); i++)
		r = sysctl_write_at(dir, interface, settings[i][0], settings[i][1], err);
	/* There it cannot be set again to be announced. */
	if (r == 0 && is_passthru(wiring))
		r = sysctl_write_at(dir, interface, "ndisc_notify", "1", err);
	if (r == 0)
		r = rtnl_neigh_set_retrans(
			&wiring->netns->nl, wiring->ifindex, DAD_SHARE(wait), err);
	return r;
}

/**
 * endpoint_try() - make an endpoint's link from which addresses can be tried out on the LAN
 * @wiring: the endpoint, with a MAC that nobody else has, in any mode but passthru, where it is
 *          filled in
 * @err:    filled on failure; what was made is left for detach
 *
 * It is up, and has no address. endpoint_settle() does the rest.
 *
 * Return: 0, or why not.
 */
int endpoint_try(struct wiring *wiring, struct error *err)
{
	int r = add_link(wiring, is_passthru(wiring) ? NULL : wiring->endpoint->mac, err);

	if (r == 0)
		r = find_link(wiring, err);
	if (r == 0 && has_family(wiring->endpoint, AF_INET6))
		r = write_trial_settings6(wiring, err);
	else if (r == 0)
		r = disable_ip6(wiring->endpoint, err);
	return r == 0 ? get_mac(wiring, set_up, "set up", err) : r;
}

/* What write_trial_settings6() has changed for the trial alone. */
static int restore_settings6(const struct wiring *wiring, int dir, struct error *err)
{
	const char *interface = wiring->endpoint->interface;
	int r = sysctl_write_at(dir, interface, "addr_gen_mode", wiring->addr_gen_mode, err);

	if (r == 0)
		r = sysctl_write_at(dir, interface, "router_solicitation_delay", "1", err);
	if (r == 0)
		r = rtnl_neigh_set_retrans(
			&wiring->netns->nl, wiring->ifindex, RETRANS_DEFAULT_MS, err);
	return r;
}

/* The kernel announces all addresses as the MAC is set; where it is not ours to set, we do. */
static int announce(const struct wiring *wiring, const struct lan *lan, struct error *err)
{
	const struct record_endpoint *endpoint = wiring->endpoint;
	int r = 0;

	if (!is_passthru(wiring))
		return get_mac(wiring, set_mac, "set the MAC of", err);
	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == AF_INET)
			r = lan_announce(lan, &endpoint->addresses[i].ip, err);
	return r;
}

/**
 * endpoint_settle() - give a link of endpoint_try() what was found free
 * @wiring: the endpoint, with its addresses, of which the IPv6 ones are on the link, and its MAC;
 *          its ifindex is filled in
 * @lan:    a socket on the link
 * @err:    filled on failure; what was made is left for detach
 *
 * Return: 0, or why not.
 */
int endpoint_settle(struct wiring *wiring, const struct lan *lan, struct error *err)
{
	struct record_endpoint *endpoint = wiring->endpoint;
	bool has_ip6 = has_family(endpoint, AF_INET6);
	autoclose int dir = -1;
	int r = has_ip6 ? sysctl_open_ip6(endpoint->interface, &dir, err) : 0;

	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == AF_INET)
			r = add_address(wiring, &endpoint->addresses[i], err);
	if (r == 0)
		r = set_arp_notify(wiring, err);
	if (r == 0 && has_ip6)
		r = sysctl_write_at(dir, endpoint->interface, "ndisc_notify", "1", err);
	if (r == 0)
		r = announce(wiring, lan, err);
	if (r == 0 && has_ip6)
		r = restore_settings6(wiring, dir, err);
	if (r == 0)
		endpoint->ifindex = wiring->ifindex;
	return r;
}
