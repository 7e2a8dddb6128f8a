// SPDX-License-Identifier: MIT
/*
 * Checks of host_access: to which addresses of its containers has the host a way.
 */
#include <string.h>

#include "hook/cli/check.h"
#include "hook/host.h"
#include "hook/host_reach.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "hook/shim.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/record.h"

/* A network whose containers are looked at. */
struct access_check {
	struct check *check;
	const struct network *network;
	struct host_reach reach;
	struct host_reach_rules rules;
	struct ip_set routes; /* where the host's routes of ours lead to */
};

static int check_reached(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err)
{
	struct access_check *access = arg;
	char why[HOST_REACH_TEXT];
	char text[IP_TEXT];

	(void)err;
	if (state != ENDPOINT_LIVE || !endpoint->host_access ||
		strcmp(endpoint->network, access->network->name) != 0)
		return 0;
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		const struct cidr *address = &endpoint->addresses[i];

		if (!host_reach_refuses(&access->reach, &access->rules, address, why))
			continue;
		check_say(access->check, CHECK_WARNING,
			"network '%s': container '%s' (%s) %s by '%s': %s", endpoint->network,
			record->id, record->name,
			ip_set_has(&access->routes, &address->ip)
				? "has host_access until the next attach to this network"
				: "has no host_access",
			ip_format(&address->ip, text), why);
	}
	return 0;
}

/* A failure leaves the set empty: check then only says less. */
static void load_routes(struct access_check *access, const struct check_network *on)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	struct nl *nl = &access->check->nl;
	char name[INTERFACE_NAME_MAX + 1];
	struct rtnl_link shim;

	if (shim_find(nl, shim_name(on->parent.name, name), &shim, NULL) < 0)
		return;
	for (unsigned i = 0; i < 2; i++)
		rtnl_route_list_ours(
			nl, families[i], shim.ifindex, ip_set_add, &access->routes, NULL);
}

/* Neither the host's addresses nor the file say which leases are the LAN's. */
static void check_leases(const struct access_check *access, const struct check_network *on)
{
	if (on->network->ipam != NETWORK_IPAM_DHCP || network_has_family(on->network, AF_INET) ||
		host_reach_has(&access->reach, AF_INET))
		return;
	check_say(access->check, CHECK_WARNING,
		"network '%s': host_access: the host has no IPv4 address on parent '%s', so no "
		"lease gets it: give the host one there, and add \"subnets\": [{ \"subnet\": "
		"\"ADDRESS/LENGTH\" }] where leases are of another prefix than that",
		on->network->name, on->parent.name);
}

/**
 * check_host_access() - name the containers of a network that the host cannot reach, and say why
 * @check: the check
 * @on:    the network and its parent
 */
void check_host_access(struct check *check, const struct check_network *on)
{
	/* Records that cannot be read are said by check_endpoints(). */
	static const struct reconcile_output silent = { 0 };
	struct access_check access = { .check = check, .network = on->network };
	struct error err;
	int r;

	if (!on->network->host_access)
		return;
	r = host_reach_load(&check->nl, on->parent.ifindex, &access.reach, &err);
	if (r == 0) {
		host_reach_rules_of(on->network, &access.rules);
		load_routes(&access, on);
		check_leases(&access, on);
	}
	if (r == 0 && check->host)
		r = reconcile_list(check->host, check_reached, &access, &silent, &err);
	if (r < 0)
		check_say(check, CHECK_BROKEN, "network '%s': %s", on->network->name, err.text);
	host_reach_free(&access.reach);
	ip_set_free(&access.routes);
}
