// SPDX-License-Identifier: MIT
/*
 * Checks of one network: its file, its parent (check_parent.c), its addresses and its resolvers
 * (check_dns.c).
 */
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"
#include "hook/cli/table.h"
#include "hook/dhcp.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"

/* Of a larger subnet an address that the host gets later is seldom one that was handed out. */
#define SUBNET_BITS_MAX 32

static void check_gateways(struct check *check, const struct check_network *on)
{
	const struct network *network = on->network;
	char text[IP_TEXT];

	for (unsigned i = 0; i < network->n_subnets; i++) {
		const struct ip *gateway = &network->subnets[i].gateway;

		if (!gateway->family || network->host_access || !check_is_host_ip(check, gateway))
			continue;
		check_say(check, CHECK_WARNING,
			"network '%s': gateway %s is this host, which containers cannot reach "
			"through a macvlan of '%s': name the LAN's router, or set host_access",
			network->name, ip_format(gateway, text), on->parent.name);
	}
}

static bool has_host_ip(const struct check *check, const struct cidr *subnet)
{
	for (size_t i = 0; i < check->n_ips; i++)
		if (check->ips[i].family == subnet->ip.family &&
			cidr_contains(subnet, &check->ips[i]))
			return true;
	return false;
}

/* The host's own addresses are never handed out, but those it has not yet are not known; and it
 * does not answer probes that come from its own macvlans.
 */
static void check_future_ips(struct check *check, const struct check_network *on)
{
	const struct network *network = on->network;
	char text[CIDR_TEXT];

	for (unsigned i = 0; !network->is_isolated && i < network->n_subnets; i++) {
		const struct network_subnet *subnet = &network->subnets[i];

		if (subnet->has_range || has_host_ip(check, &subnet->subnet) ||
			ip_bits(subnet->subnet.ip.family) - subnet->subnet.len > SUBNET_BITS_MAX)
			continue;
		check_say(check, CHECK_NOTE,
			"network '%s': the host has no address in %s: if it gets one later (by "
			"DHCP), a container may have it already: keep it free with ip_range or "
			"aux_addresses",
			network->name, cidr_format(&subnet->subnet, text));
	}
}

static void check_detection(struct check *check, const struct check_network *on)
{
	const struct network *network = on->network;

	if (network->conflict_detection_ms == 0 && network->n_subnets > 0 && !network->is_isolated)
		check_say(check, CHECK_NOTE,
			"network '%s': conflict_detection_ms is 0: an address that another machine "
			"on the LAN uses is handed out all the same: remove the key, or keep such "
			"addresses out with ip_range and aux_addresses",
			network->name);
}

/* Also where a lease is not required: without a client a container is never given any. */
static void check_dhcp_client(struct check *check, const struct check_network *on)
{
	struct error err;

	if (on->network->ipam == NETWORK_IPAM_DHCP && dhcp_client_find(&err) < 0)
		check_say(check, CHECK_BROKEN, "network '%s': %s", on->network->name, err.text);
}

static void (*const checks[])(struct check *check, const struct check_network *on) = {
	check_parent_link,
	check_parent_bridge,
	check_gateways,
	check_plugin_program,
	check_dhcp_client,
	check_dns,
	check_host_access,
	check_future_ips,
	check_detection,
};

static void say_ok(struct check *check, const struct check_network *on)
{
	const struct network *network = on->network;
	char subnets[NETWORK_SUBNETS_MAX * CIDR_TEXT] = "";
	char elsewhere[NETWORK_NAME_MAX + 16] = "";

	if (network_asks_elsewhere(network))
		snprintf(elsewhere, sizeof(elsewhere), "%saddresses by %s",
			network->n_subnets ? ", " : "", network_ipam_name(network));
	for (unsigned i = 0; i < network->n_subnets; i++) {
		char text[CIDR_TEXT];

		table_join(
			subnets, sizeof(subnets), cidr_format(&network->subnets[i].subnet, text));
	}
	check_say(check, CHECK_OK, "network '%s': parent '%s', mode %s, %s%s", network->name,
		on->parent.name, network_mode_name(network->mode),
		*subnets || *elsewhere ? subnets : "no addresses", elsewhere);
}

/**
 * check_network() - check one network
 * @check: the check
 * @name:  its name, not checked
 *
 * One that has nothing worse than notes gets a line that says so.
 */
void check_network(struct check *check, const char *name)
{
	cleanup(network_free) struct network *network = NULL;
	struct check_network on = { 0 };
	struct error err;

	if (network_load(check->networks, name, &network, &err) < 0) {
		check_say(check, CHECK_BROKEN, "%s", err.text);
		return;
	}
	check->worst = CHECK_OK;
	if (check_parent_find(check, network, &on) < 0)
		return;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](check, &on);
	if (check->worst <= CHECK_NOTE)
		say_ok(check, &on);
	check_parent_platform(check, &on);
}
