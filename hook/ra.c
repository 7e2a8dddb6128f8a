// SPDX-License-Identifier: MIT
/*
 * IPv6 by router advertisements: the kernel makes the addresses (SLAAC, RFC 4862), as soon as a
 * router answers. The lower half of each is a token of ours, so a container has the same one again
 * as long as the prefix is the same.
 *
 * By itself the kernel would need four seconds for it: it waits before it asks, and looks for
 * duplicates of the link-local address first. That address is made of the token, too, and is
 * usable at once; so the first router's answer is there within milliseconds.
 */
#include "hook/ra.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "hook/log.h"
#include "hook/nl.h"
#include "hook/rtnl.h"
#include "hook/sysctl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"

/* How long a router may take: it waits up to half a second with its answer, and three seconds
 * between two (RFC 4861 section 6.2.6).
 */
#define WAIT_MS 3600
#define LINK_LOCAL_LEN 64

static struct cidr link_local(const uint8_t token[MACHINE_TOKEN_SIZE])
{
	struct cidr cidr = { .ip = { AF_INET6, { 0xfe, 0x80 } }, .len = LINK_LOCAL_LEN };

	memcpy(cidr.ip.bytes + sizeof(cidr.ip.bytes) - MACHINE_TOKEN_SIZE, token,
		MACHINE_TOKEN_SIZE);
	return cidr;
}

/* accept_ra 2: also where the container forwards packets. */
static int write_settings(const char *interface, const struct ra *ra, struct error *err)
{
	const char *const settings[][2] = { { "disable_ipv6", "0" }, { "accept_ra", "2" },
		{ "accept_ra_defrtr", ra->takes_default ? "1" : "0" },
		{ "autoconf", ra->is_deaf ? "0" : "1" }, { "router_solicitation_delay", "0" },
		{ "dad_transmits", ra->detect_duplicates ? "1" : "0" } };
	autoclose int dir = -1;
	int r = sysctl_open_ip6(interface, &dir, err);

	if (r == -ENOENT)
		return error_set(err, r,
			"this kernel has no IPv6, but the network has router advertisements");
	for (unsigned i = 0; r == 0 && i < sizeof(settings) / sizeof(settings[0]); i++)
		r = sysctl_write_at(dir, interface, settings[i][0], settings[i][1], err);
	return r;
}

/**
 * ra_prepare() - have a link take what routers say
 * @nl:        a socket in its namespace, in which the process is
 * @ifindex:   its index; it is down
 * @interface: its name
 * @ra:        how
 * @err:       filled on failure
 *
 * Return: 0, or what the kernel gave.
 */
int ra_prepare(
	struct nl *nl, int ifindex, const char *interface, const struct ra *ra, struct error *err)
{
	int r = write_settings(interface, ra, err);

	if (r == 0)
		r = rtnl_link_set_addr_gen_none(nl, ifindex, err);
	if (r == 0)
		r = rtnl_link_set_token(nl, ifindex, ra->token, err);
	return r < 0 ? error_prefix(err, "cannot have '%s' hear of IPv6 routers", interface) : 0;
}

/**
 * ra_hear() - have a link make addresses of what routers say from now on, or none any more
 * @settings:  of sysctl_open_ip6()
 * @interface: its name, for the message
 * @hears:     which
 * @err:       filled on failure
 *
 * Those that it has stay.
 *
 * Return: 0, or what sysctl_write_at() gave.
 */
int ra_hear(int settings, const char *interface, bool hears, struct error *err)
{
	return sysctl_write_at(settings, interface, "autoconf", hears ? "1" : "0", err);
}

/**
 * ra_start() - have a link ask for routers
 * @nl:      a socket in its namespace
 * @ifindex: its index; it is up
 * @ra:      how
 * @err:     filled on failure
 *
 * The kernel asks as soon as there is a link-local address. It would ask a link that is down, too,
 * and then not for four seconds again.
 *
 * Return: 0, or what the kernel gave.
 */
int ra_start(struct nl *nl, int ifindex, const struct ra *ra, struct error *err)
{
	const struct cidr address = link_local(ra->token);
	int r = rtnl_addr_add(nl, ifindex, &address, false, err);

	return r < 0 ? error_prefix(err, "cannot add an IPv6 link-local address") : 0;
}

struct look {
	enum ra_state state;
	const struct ra *ra;
	struct record_endpoint *endpoint; /* gets the addresses, where they are wanted */
};

static bool has_address(const struct record_endpoint *endpoint, const struct ip *ip)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (ip_equal(&endpoint->addresses[i].ip, ip))
			return true;
	return false;
}

/* The addresses that the kernel has made of routers' prefixes and our token. The others are for
 * ever, or a member of the pod has added them.
 */
static int look_at(void *arg, const struct rtnl_addr *addr)
{
	struct look *look = arg;
	struct record_endpoint *endpoint = look->endpoint;

	if (addr->scope != RT_SCOPE_UNIVERSE || (addr->flags & IFA_F_PERMANENT) ||
		memcmp(addr->cidr.ip.bytes + MACHINE_TOKEN_SIZE, look->ra->token,
			MACHINE_TOKEN_SIZE) != 0)
		return 0;
	if (addr->flags & IFA_F_TENTATIVE) {
		look->state = RA_UNDER_WAY;
		return 0;
	}
	if (look->state == RA_NONE)
		look->state = RA_DONE;
	if (endpoint && endpoint->n_addresses < NETWORK_SUBNETS_MAX &&
		!has_address(endpoint, &addr->cidr.ip))
		endpoint->addresses[endpoint->n_addresses++] = addr->cidr;
	return 0;
}

/**
 * ra_look() - which addresses a link has from routers
 * @nl:           a socket in its namespace
 * @ifindex:      its index
 * @ra:           how it gets them
 * @ret:          what has come of it so far
 * @ret_endpoint: those that are usable are added to its addresses; NULL: not wanted
 * @err:          filled on failure
 *
 * Return: 0, or what rtnl_addr_list_link() gave.
 */
int ra_look(struct nl *nl, int ifindex, const struct ra *ra, enum ra_state *ret,
	struct record_endpoint *ret_endpoint, struct error *err)
{
	struct look look = { .ra = ra, .endpoint = ret_endpoint };
	int r = rtnl_addr_list_link(nl, ifindex, AF_INET6, look_at, &look, err);

	if (r == 0)
		*ret = look.state;
	return r;
}

/**
 * ra_wait() - wait until a link has an address from a router
 * @nl:       a socket in its namespace, in which the process is
 * @ifindex:  its index; it is up
 * @ra:       how it gets them
 * @endpoint: its addresses are added
 * @err:      filled on failure
 *
 * Where no router speaks the container starts without, and gets it when one does.
 *
 * Return: 0; -ETIME, -EINTR; what the kernel gave.
 */
int ra_wait(struct nl *nl, int ifindex, const struct ra *ra, struct record_endpoint *endpoint,
	struct error *err)
{
	struct nl changes cleanup(nl_close) = NL_CLOSED;
	enum ra_state state = RA_NONE;
	int64_t until = deadline_clock_ms() + WAIT_MS;
	int r = nl_open_group(RTNLGRP_IPV6_IFADDR, &changes, err);

	while (r == 0 && state != RA_DONE) {
		struct pollfd polled = { .fd = changes.fd, .events = POLLIN };
		int64_t rest = until - deadline_clock_ms();

		r = ra_look(nl, ifindex, ra, &state, endpoint, err);
		if (r == 0)
			r = deadline_check("waiting for an IPv6 router", err);
		if (r < 0 || state == RA_DONE)
			break;
		if (rest <= 0) {
			log_notice("network '%s': no IPv6 router has answered yet: '%s' gets an "
				   "address when one does",
				endpoint->network, endpoint->interface);
			break;
		}
		poll(&polled, 1, (int)rest);
		nl_drain(&changes);
	}
	return r;
}
