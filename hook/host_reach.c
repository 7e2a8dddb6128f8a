// SPDX-License-Identifier: MIT
/*
 * To which addresses of its containers the host gets a way (host_access.c).
 *
 * The host's route to one address goes before all others. So an address from nowhere, or one that
 * the host relies on, would hand to the container what is meant for somebody else: a DHCP server
 * may lease any address, a container with CAP_NET_ADMIN may be the server of its own client, and a
 * plugin may give what an annotation asks for. The host therefore gets a way to addresses in a
 * prefix that the kernel has on the parent, or that the network's file says; and none to its next
 * hops, its resolvers or its own, but for those that the file lists in service_addresses.
 */
#include "hook/host_reach.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/rtnl.h"
#include "ipam/ipam.h"
#include "schema/error.h"
#include "schema/record.h"

#define GROW 16

static int add_prefix(struct host_reach *reach, const struct cidr *cidr)
{
	const struct cidr prefix = cidr_subnet(cidr);

	for (size_t i = 0; i < reach->n_prefixes; i++)
		if (reach->prefixes[i].len == prefix.len &&
			ip_equal(&reach->prefixes[i].ip, &prefix.ip))
			return 0;
	if (reach->n_prefixes == reach->room) {
		size_t room = reach->room ? 2 * reach->room : GROW;
		struct cidr *prefixes = reallocarray(reach->prefixes, room, sizeof(*prefixes));

		if (!prefixes)
			return -ENOMEM;
		reach->prefixes = prefixes;
		reach->room = room;
	}
	reach->prefixes[reach->n_prefixes++] = prefix;
	return 0;
}

/* Addresses that are not sure yet, or not for long, are no good for routes. */
static bool is_usable(const struct rtnl_addr *addr)
{
	if (addr->scope >= RT_SCOPE_LINK)
		return false;
	if (addr->cidr.ip.family == AF_INET)
		return true; /* there the bit of IFA_F_TEMPORARY is IFA_F_SECONDARY */
	return !(addr->flags &
		 (IFA_F_TEMPORARY | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED));
}

static int add_parent_ip(void *arg, const struct rtnl_addr *addr)
{
	struct host_reach *reach = arg;

	if (addr->scope >= RT_SCOPE_LINK)
		return 0;
	for (unsigned i = 0; i < reach->n_ips; i++)
		if (ip_equal(&reach->ips[i].ip, &addr->cidr.ip))
			return 0;
	if (reach->n_ips < HOST_IPS_MAX && is_usable(addr))
		reach->ips[reach->n_ips++] = addr->cidr;
	return add_prefix(reach, &addr->cidr);
}

/* Next hops, and what is on the parent's link: where the host has its address by DHCPv6, only a
 * route says the prefix.
 */
static int add_route(void *arg, const struct rtnl_route *route)
{
	struct host_reach *reach = arg;

	if (route->gateway.family)
		return host_uses_add_route(&reach->uses, route);
	return route->ifindex == reach->parent && route->dst.len > 0
		       ? add_prefix(reach, &route->dst)
		       : 0;
}

static int load_routes(struct nl *nl, struct host_reach *reach, struct error *err)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < 2; i++) {
		int r = rtnl_route_list(nl, families[i], add_route, reach, err);

		if (r < 0)
			return error_prefix(err, "cannot list the host's routes");
	}
	return 0;
}

/**
 * host_reach_load() - read what decides to which addresses on a parent the host gets a way
 * @nl:     a socket in the host's namespace
 * @parent: the parent's index
 * @ret:    all zero; host_reach_free() frees it, also on failure
 * @err:    filled on failure
 *
 * Return: 0, -ENOMEM, or what the kernel gave.
 */
int host_reach_load(struct nl *nl, int parent, struct host_reach *ret, struct error *err)
{
	int r;

	ret->parent = parent;
	r = rtnl_addr_list_link(nl, parent, AF_UNSPEC, add_parent_ip, ret, err);
	if (r == 0)
		r = rtnl_addr_list(nl, ip_set_add, &ret->own, err);
	if (r < 0)
		return error_prefix(err, "cannot list the host's addresses");
	r = load_routes(nl, ret, err);
	return r < 0 ? r : host_uses_add_others(&ret->uses, nl, err);
}

/**
 * host_reach_free() - forget all; a destructor for cleanup()
 * @reach: empty afterwards
 */
void host_reach_free(struct host_reach *reach)
{
	free(reach->prefixes);
	ip_set_free(&reach->own);
	host_uses_free(&reach->uses);
	*reach = (struct host_reach){ 0 };
}

/**
 * host_reach_has() - has the host an address of a family on the parent
 * @reach:  what is known of the host
 * @family: AF_INET or AF_INET6
 *
 * Return: true when it has.
 */
bool host_reach_has(const struct host_reach *reach, sa_family_t family)
{
	for (unsigned i = 0; i < reach->n_ips; i++)
		if (reach->ips[i].ip.family == family)
			return true;
	return false;
}

/**
 * host_reach_rules_of() - take the rules from a network's file
 * @network: the network
 * @ret:     the rules
 */
void host_reach_rules_of(const struct network *network, struct host_reach_rules *ret)
{
	ret->n_subnets = network->n_subnets;
	for (unsigned i = 0; i < network->n_subnets; i++)
		ret->subnets[i] = network->subnets[i].subnet;
	ret->n_service = network->n_service;
	memcpy(ret->service, network->service, network->n_service * sizeof(ret->service[0]));
}

/**
 * host_reach_rules_of_dhcp() - take the rules from the record of an endpoint with DHCP
 * @dhcp: the endpoint's
 * @ret:  the rules
 */
void host_reach_rules_of_dhcp(const struct record_dhcp *dhcp, struct host_reach_rules *ret)
{
	ret->n_subnets = 0;
	ret->n_service = 0;
	if (dhcp->subnets &&
		network_list_subnets(dhcp->subnets, ret->subnets, &ret->n_subnets, NULL) < 0)
		ret->n_subnets = 0;
	if (dhcp->service_addresses && network_list_service(dhcp->service_addresses, ret->service,
					       &ret->n_service, NULL) < 0)
		ret->n_service = 0;
}

static bool contains(const struct cidr prefixes[], size_t n, const struct ip *ip)
{
	for (size_t i = 0; i < n; i++)
		if (cidr_contains(&prefixes[i], ip))
			return true;
	return false;
}

static bool is_service(const struct host_reach_rules *rules, const struct ip *ip)
{
	for (unsigned i = 0; i < rules->n_service; i++)
		if (ip_equal(&rules->service[i], ip))
			return true;
	return false;
}

/**
 * host_reach_refuses() - is the host to have no way to a container's address
 * @reach:   what is known of the host
 * @rules:   what the container's network says
 * @address: the address, with its prefix length
 * @ret_why: where it refuses: why, and what to do
 *
 * Return: true where it refuses.
 */
bool host_reach_refuses(struct host_reach *reach, const struct host_reach_rules *rules,
	const struct cidr *address, char ret_why[HOST_REACH_TEXT])
{
	const struct ip *ip = &address->ip;
	const struct cidr subnet = cidr_subnet(address);
	const char *use = host_uses_find(&reach->uses, ip);
	char text[CIDR_TEXT];

	if (ip_set_has(&reach->own, ip)) {
		snprintf(ret_why, HOST_REACH_TEXT, "it is the host's own address");
		return true;
	}
	if (use && !is_service(rules, ip)) {
		snprintf(ret_why, HOST_REACH_TEXT,
			"it is %s: if the container is to be that, list it in service_addresses",
			use);
		return true;
	}
	if (contains(reach->prefixes, reach->n_prefixes, ip) ||
		contains(rules->subnets, rules->n_subnets, ip))
		return false;
	snprintf(ret_why, HOST_REACH_TEXT,
		"the host has no such prefix on the parent: if it is the LAN's, add { \"subnet\": "
		"\"%s\" } to subnets",
		cidr_format(&subnet, text));
	return true;
}
