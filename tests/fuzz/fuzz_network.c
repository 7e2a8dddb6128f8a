// SPDX-License-Identifier: MIT
/*
 * Fuzzes network files.
 */
#include "schema/cleanup.h"
#include "schema/network.h"
#include "tests/fuzz/fuzz.h"

static void check_subnet(const struct network *network, unsigned index)
{
	const struct network_subnet *subnet = &network->subnets[index];

	must(subnet->subnet.len > 0);
	must(network_subnet_of(network, &subnet->subnet.ip) == subnet);
	must(subnet->range.len >= subnet->subnet.len);
	must(cidr_contains(&subnet->subnet, &subnet->range.ip));
	if (subnet->gateway.family)
		must(subnet->gateway.family == subnet->subnet.ip.family &&
			(subnet->onlink || cidr_contains(&subnet->subnet, &subnet->gateway)));
	if (network->ipam == NETWORK_IPAM_DHCP && subnet->subnet.ip.family == AF_INET)
		must(!subnet->gateway.family && !subnet->has_range);
}

static void check_service(const struct network *network, const struct ip *ip)
{
	must(network->ipam != NETWORK_IPAM_NONE);
	must(network_has_service(network, ip));
	must(network_asks_elsewhere(network) || network_subnet_of(network, ip));
}

static void check_network(const struct network *network)
{
	must(name_check_network(network->name, NULL) == 0);
	must(name_check_parent(network->parent, NULL) == 0);
	must(network->n_subnets <= NETWORK_SUBNETS_MAX && network->n_aux <= NETWORK_AUX_MAX);
	must(network->n_routes <= NETWORK_ROUTES_MAX);
	must((network->mode == NETWORK_SOURCE) == (network->n_source_macs > 0));
	must(network->ipam != NETWORK_IPAM_LOCAL || network->n_subnets > 0);
	must(network->ipam != NETWORK_IPAM_NONE || network->n_subnets == 0);
	must((network->ipam == NETWORK_IPAM_PLUGIN) == (network->plugin.name != NULL));
	must(network->mtu == 0 ||
		(network->mtu >= NETWORK_MTU_MIN && network->mtu <= NETWORK_MTU_MAX));
	for (unsigned i = 0; i < network->n_subnets; i++)
		check_subnet(network, i);
	for (unsigned i = 0; i < network->n_aux; i++)
		must(network_subnet_of(network, &network->aux[i].ip) ==
			&network->subnets[network->aux[i].subnet]);
	must(network->n_service <= NETWORK_SERVICE_MAX);
	for (unsigned i = 0; i < network->n_service; i++)
		check_service(network, &network->service[i]);
	for (unsigned i = 0; i < network->n_routes; i++)
		must(!network->routes[i].gateway.family || network_asks_elsewhere(network) ||
			network_subnet_of(network, &network->routes[i].gateway));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(network_free) struct network *network = NULL;
	struct error err = { 0 };
	int r = network_parse((const char *)data, size, &network, &err);

	if (r < 0) {
		must_be_told(r, &err);
		must(!network);
	} else {
		check_network(network);
	}
	return 0;
}
