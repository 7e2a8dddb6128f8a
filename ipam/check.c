// SPDX-License-Identifier: MIT
/*
 * What may be asked for: static addresses and default routes of a selection, against the network
 * and the host. Nothing here looks at claims or changes anything.
 */
#include "ipam/ipam.h"

#include <stdio.h>

#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/selection.h"

/* An address's user, with the names of an aux address and a network. */
#define USER_TEXT 224

static bool has_gateway(const struct network *network, const struct ip *ip)
{
	for (unsigned i = 0; i < network->n_subnets; i++)
		if (ip_equal(&network->subnets[i].gateway, ip))
			return true;
	return false;
}

/* "10.0.0.0/24, 2001:db8::/64" */
static const char *format_subnets(
	const struct network *network, char ret[NETWORK_SUBNETS_MAX * (CIDR_TEXT + 2)])
{
	size_t used = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < network->n_subnets; i++) {
		char text[CIDR_TEXT];
		int n = sprintf(ret + used, "%s%s", i ? ", " : "",
			cidr_format(&network->subnets[i].subnet, text));

		used += (size_t)n;
	}
	return ret;
}

static int report_outside(
	const struct network *network, const char *what, const struct ip *ip, struct error *err)
{
	char subnets[NETWORK_SUBNETS_MAX * (CIDR_TEXT + 2)];
	char text[IP_TEXT];

	return error_set(err, -EINVAL, "%s '%s' lies in no subnet of network '%s' (%s)", what,
		ip_format(ip, text), network->name, format_subnets(network, subnets));
}

static bool is_asked_for(const struct ipam_request *request, const struct ip *ip)
{
	for (unsigned i = 0; i < request->selection->n_ips; i++)
		if (ip_equal(&request->selection->ips[i].ip, ip))
			return true;
	return false;
}

/* Who relies on an address, in words; NULL: nobody that is known. */
static const char *find_user(
	const struct ipam_request *request, const struct ip *ip, char ret[USER_TEXT])
{
	const struct network *network = request->network;

	if (has_gateway(network, ip)) {
		snprintf(ret, USER_TEXT, "a gateway of network '%s'", network->name);
		return ret;
	}
	for (unsigned i = 0; i < network->n_aux; i++)
		if (ip_equal(&network->aux[i].ip, ip)) {
			snprintf(ret, USER_TEXT, "the aux address of '%.64s' of network '%s'",
				network->aux[i].name, network->name);
			return ret;
		}
	for (size_t i = 0; i < request->n_uses; i++)
		if (ip_equal(&request->uses[i].ip, ip))
			return request->uses[i].what;
	return NULL;
}

/* Addresses that somebody relies on are for those who ask, where the file lists them. */
static int check_user(const struct ipam_request *request, const struct ip *ip, struct error *err)
{
	bool is_service = network_has_service(request->network, ip);
	bool is_asked = is_asked_for(request, ip);
	char text[IP_TEXT];
	char user[USER_TEXT];
	const char *what;

	if (is_service && is_asked)
		return 0;
	what = is_service ? "one of its service_addresses" : find_user(request, ip, user);
	if (!what)
		return 0;
	ip_format(ip, text);
	if (!is_asked)
		return error_set(err, -EINVAL, "address '%s' is %s: keep the plugin from giving it",
			text, what);
	return error_set(err, -EINVAL,
		"address '%s' is %s: ask for another, or list it in service_addresses of network "
		"'%s'",
		text, what, request->network->name);
}

/* Is it an address that somebody else has, or nobody may have? */
static int check_reserved(const struct ipam_request *request, const struct network_subnet *subnet,
	const struct ip *ip, struct error *err)
{
	const struct network *network = request->network;
	const char *advice = request->given ? "keep the plugin from giving it" : "ask for another";
	char text[IP_TEXT];
	char in[CIDR_TEXT];

	ip_format(ip, text);
	if (cidr_reserves(&subnet->subnet, ip))
		return error_set(err, -EINVAL,
			"address '%s' of network '%s' is the %s address of %s: %s", text,
			network->name,
			ip->family == AF_INET6		   ? "subnet-router anycast"
			: ip_equal(ip, &subnet->subnet.ip) ? "network"
							   : "broadcast",
			cidr_format(&subnet->subnet, in), advice);
	for (size_t i = 0; i < request->n_host; i++)
		if (ip_equal(&request->host[i], ip))
			return error_set(err, -EINVAL, "address '%s' is the host's own address: %s",
				text, advice);
	for (unsigned i = 0; i < request->selection->n_gateways; i++)
		if (ip_equal(&request->selection->gateways[i], ip))
			return error_set(err, -EINVAL,
				"address '%s' is asked for as default route too: %s", text, advice);
	return check_user(request, ip, err);
}

/* Of a family that the network has no subnet of only who gives the addresses knows more. */
static int check_elsewhere(
	const struct ipam_request *request, const struct ip *ip, struct error *err)
{
	const struct network_subnet subnet = { .subnet = { *ip, (uint8_t)ip_bits(ip->family) } };

	return check_reserved(request, &subnet, ip, err);
}

/* Checks the address at this index of the selection. */
static int check_ip(const struct ipam_request *request, unsigned index, struct error *err)
{
	const struct cidr *wanted = &request->selection->ips[index];
	const struct network_subnet *subnet = network_subnet_of(request->network, &wanted->ip);
	char text[IP_TEXT];
	char other[IP_TEXT];
	char in[CIDR_TEXT];

	ip_format(&wanted->ip, text);
	if (request->network->ipam == NETWORK_IPAM_DHCP && wanted->ip.family == AF_INET)
		return error_set(err, -EINVAL,
			"address '%s' cannot be asked for: network '%s' has IPv4 by DHCP, reserve "
			"it at the server for the container's MAC or client_id",
			text, request->network->name);
	if (!subnet && request->network->ipam == NETWORK_IPAM_PLUGIN &&
		!network_has_family(request->network, wanted->ip.family))
		return check_elsewhere(request, &wanted->ip, err);
	if (!subnet)
		return report_outside(request->network, "address", &wanted->ip, err);
	cidr_format(&subnet->subnet, in);
	if (wanted->len != SELECTION_LEN_NONE && wanted->len != subnet->subnet.len)
		return error_set(err, -EINVAL,
			"address '%s/%u' of network '%s' lies in subnet %s: leave out the '/%u'",
			text, wanted->len, request->network->name, in, wanted->len);
	for (unsigned i = 0; i < index; i++) {
		const struct ip *ip = &request->selection->ips[i].ip;

		if (cidr_contains(&subnet->subnet, ip))
			return error_set(err, -EINVAL,
				"addresses '%s' and '%s' lie both in subnet %s of network '%s': "
				"one at most",
				ip_format(ip, other), text, in, request->network->name);
	}
	return check_reserved(request, subnet, &wanted->ip, err);
}

/* A next hop on request lies in a subnet, or is the gateway that lies on the link outside of it.
 * Where others say what the subnet is, it may be anywhere.
 */
static int check_gateway(const struct network *network, const struct ip *gateway, struct error *err)
{
	if (network_subnet_of(network, gateway) || has_gateway(network, gateway))
		return 0;
	if (network_asks_elsewhere(network) && !network_has_family(network, gateway->family))
		return 0;
	return report_outside(network, "default-route", gateway, err);
}

/**
 * ipam_check() - may these addresses and default routes be asked for
 * @request: the endpoint; its id, interface and key do not count
 * @err:     filled on failure
 *
 * Changes nothing and claims nothing: an address that is taken is found by ipam_allocate().
 *
 * Return: 0, -EINVAL.
 */
int ipam_check(const struct ipam_request *request, struct error *err)
{
	const struct selection *selection = request->selection;
	const struct network *network = request->network;

	if (network->ipam == NETWORK_IPAM_NONE && selection->n_ips > 0)
		return error_set(err, -EINVAL,
			"network '%s' gives no addresses (ipam driver 'none'): leave out ips",
			network->name);
	for (unsigned i = 0; i < selection->n_ips; i++) {
		int r = check_ip(request, i, err);

		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < selection->n_gateways; i++) {
		int r = check_gateway(network, &selection->gateways[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_given_ip(
	const struct ipam_request *request, const struct cidr *given, struct error *err)
{
	const struct network *network = request->network;
	struct network_subnet own = { .subnet = cidr_subnet(given) };
	const struct network_subnet *subnet = network_subnet_of(network, &given->ip);
	char text[CIDR_TEXT];
	char in[CIDR_TEXT];

	if (given->ip.family == AF_INET6 && network->ipv6 == NETWORK_IPV6_RA)
		return error_set(err, -EINVAL,
			"address '%s' is not used in network '%s', whose IPv6 addresses are by "
			"router advertisements: leave it out, or ipv6 'ra'",
			cidr_format(given, text), network->name);
	if (given->ip.family == AF_INET6 && network->refuses_ipv6)
		return error_set(err, -EINVAL,
			"address '%s' is not used in network '%s', which has ipv6 'none': have the "
			"plugin give none, or remove that",
			cidr_format(given, text), network->name);
	if (!subnet && network_has_family(network, given->ip.family))
		return report_outside(network, "address", &given->ip, err);
	if (subnet && subnet->subnet.len != given->len)
		return error_set(err, -EINVAL,
			"address '%s' lies in subnet %s of network '%s': give both the same "
			"prefix length",
			cidr_format(given, text), cidr_format(&subnet->subnet, in), network->name);
	return check_reserved(request, subnet ? subnet : &own, &given->ip, err);
}

static bool is_given(const struct ip_config *given, const struct ip *ip)
{
	for (unsigned i = 0; i < given->n_addresses; i++)
		if (ip_equal(&given->addresses[i].ip, ip))
			return true;
	return false;
}

/**
 * ipam_check_given() - may an endpoint have the addresses that it was given, and are they those
 * that it asks for
 * @request: the endpoint; its interface and key do not count
 * @err:     filled on failure
 *
 * Return: 0, -EINVAL.
 */
int ipam_check_given(const struct ipam_request *request, struct error *err)
{
	const struct selection *selection = request->selection;
	char text[IP_TEXT];

	for (unsigned i = 0; i < request->given->n_addresses; i++) {
		int r = check_given_ip(request, &request->given->addresses[i], err);

		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < selection->n_ips; i++)
		if (!is_given(request->given, &selection->ips[i].ip))
			return error_set(err, -EINVAL,
				"address '%s' was asked for, and another given: does the plugin "
				"give addresses on request?",
				ip_format(&selection->ips[i].ip, text));
	return 0;
}
