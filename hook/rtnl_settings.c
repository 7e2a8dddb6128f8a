// SPDX-License-Identifier: MIT
/*
 * Settings of links, that have a netlink request: from wherever the process is, and for a tenth of
 * the time that a file in /proc/sys takes. One function for each request of rtnetlink(7), as in
 * rtnl.c. What has none is written by sysctl.c.
 */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "hook/rtnl_parts.h"

/**
 * rtnl_link_set_alias() - say whose a link is
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @alias:   the text that ip-link(8) shows
 * @err:     filled on failure
 *
 * Return: 0, -ENODEV, -EINVAL (too long).
 */
int rtnl_link_set_alias(struct nl *nl, int ifindex, const char *alias, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_SETLINK, ifindex);

	mnl_attr_put_strz(request, IFLA_IFALIAS, alias);
	return nl_request(nl, request, NULL, NULL, err);
}

/* Sets one of IPV4_DEVCONF_* to 1 (inet_set_link_af() in net/ipv4/devinet.c). */
static int set_ip4(struct nl *nl, int ifindex, uint16_t setting, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_SETLINK, ifindex);
	struct nlattr *families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *family = mnl_attr_nest_start(request, AF_INET);
	struct nlattr *settings = mnl_attr_nest_start(request, IFLA_INET_CONF);

	mnl_attr_put_u32(request, setting, 1);
	mnl_attr_nest_end(request, settings);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, families);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_arp_notify() - have the kernel announce IPv4 addresses when the link goes up
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @err:     filled on failure
 *
 * What /proc/sys/net/ipv4/conf/NAME/arp_notify does. (IPv6 has no such request:
 * inet6_set_link_af() in net/ipv6/addrconf.c.)
 *
 * Return: 0, or what the kernel gave.
 */
int rtnl_link_set_arp_notify(struct nl *nl, int ifindex, struct error *err)
{
	return set_ip4(nl, ifindex, IPV4_DEVCONF_ARP_NOTIFY, err);
}

/**
 * rtnl_link_set_promote_secondaries() - keep an IPv4 address when the one before it goes
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @err:     filled on failure
 *
 * What /proc/sys/net/ipv4/conf/NAME/promote_secondaries does: without it, all further addresses of
 * the same subnet go with the first (__inet_del_ifa() in net/ipv4/devinet.c).
 *
 * Return: 0, or what the kernel gave.
 */
int rtnl_link_set_promote_secondaries(struct nl *nl, int ifindex, struct error *err)
{
	return set_ip4(nl, ifindex, IPV4_DEVCONF_PROMOTE_SECONDARIES, err);
}

/**
 * rtnl_link_set_arp_filter() - have a link answer ARP only for who is reached through it
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @err:     filled on failure
 *
 * What /proc/sys/net/ipv4/conf/NAME/arp_filter does.
 *
 * Return: 0, or what the kernel gave.
 */
int rtnl_link_set_arp_filter(struct nl *nl, int ifindex, struct error *err)
{
	return set_ip4(nl, ifindex, IPV4_DEVCONF_ARPFILTER, err);
}

/* Sets one of IFLA_INET6_* (inet6_set_link_af() in net/ipv6/addrconf.c). */
static int set_ip6(struct nl *nl, int ifindex, uint16_t setting, const void *value, size_t size,
	struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_SETLINK, ifindex);
	struct nlattr *families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *family = mnl_attr_nest_start(request, AF_INET6);

	mnl_attr_put(request, setting, size, value);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, families);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_addr_gen_none() - have the kernel make no IPv6 link-local address for a link
 * @nl:      a socket in its namespace
 * @ifindex: its index; it is down
 * @err:     filled on failure
 *
 * Without one it does not ask for routers either.
 *
 * Return: 0, -EAFNOSUPPORT: the kernel has no IPv6; or what it gave.
 */
int rtnl_link_set_addr_gen_none(struct nl *nl, int ifindex, struct error *err)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;

	return set_ip6(nl, ifindex, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode), err);
}

/**
 * rtnl_link_set_token() - what the lower half of addresses is that the kernel makes of prefixes
 * @nl:      a socket in the link's namespace
 * @ifindex: its index; it accepts router advertisements
 * @token:   the half
 * @err:     filled on failure
 *
 * Return: 0, or what the kernel gave (inet6_set_iftoken() in net/ipv6/addrconf.c).
 */
int rtnl_link_set_token(
	struct nl *nl, int ifindex, const uint8_t token[RTNL_TOKEN_SIZE], struct error *err)
{
	uint8_t address[2 * RTNL_TOKEN_SIZE] = { 0 };

	memcpy(address + RTNL_TOKEN_SIZE, token, RTNL_TOKEN_SIZE);
	return set_ip6(nl, ifindex, IFLA_INET6_TOKEN, address, sizeof(address), err);
}
