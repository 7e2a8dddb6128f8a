// SPDX-License-Identifier: MIT
/*
 * How full a network's subnets are.
 */
#include "ipam/ipam.h"
#include "ipam/pool.h"
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"

/* The addresses in a range: one more than fit would be all of IPv6, which no subnet is worth. */
static ip_value size_of(const struct cidr *range)
{
	struct ip first = cidr_first(range);
	struct ip last = cidr_last(range);
	ip_value behind = ip_to_value(&last) - ip_to_value(&first);

	return behind + 1 ? behind + 1 : behind;
}

/* Takes an address from the total, if it counts there and is not the same as an earlier one. */
static void leave_out(const struct cidr *range, struct ip *seen, unsigned *n, const struct ip *ip)
{
	if (!cidr_contains(range, ip))
		return;
	for (unsigned i = 0; i < *n; i++)
		if (ip_equal(&seen[i], ip))
			return;
	seen[(*n)++] = *ip;
}

static const struct cidr *range_of(const struct network_subnet *subnet)
{
	return subnet->has_range ? &subnet->range : &subnet->subnet;
}

static ip_value count_total(const struct network *network, const struct network_subnet *subnet)
{
	const struct cidr *range = range_of(subnet);
	const struct ip edges[] = { cidr_first(&subnet->subnet), cidr_last(&subnet->subnet) };
	struct ip seen[2 + NETWORK_SUBNETS_MAX + NETWORK_AUX_MAX + NETWORK_SERVICE_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++)
		if (cidr_reserves(&subnet->subnet, &edges[i]))
			leave_out(range, seen, &n, &edges[i]);
	for (unsigned i = 0; i < network->n_subnets; i++)
		leave_out(range, seen, &n, &network->subnets[i].gateway);
	for (unsigned i = 0; i < network->n_aux; i++)
		leave_out(range, seen, &n, &network->aux[i].ip);
	for (unsigned i = 0; i < network->n_service; i++)
		leave_out(range, seen, &n, &network->service[i]);
	return size_of(range) - n;
}

/**
 * ipam_count() - how full a subnet is
 * @store:     the store; a closed one (there is no RUN) has no claims
 * @network:   the network
 * @subnet:    the index of the subnet in it
 * @ret_used:  claims in its range, also those of other networks on the parent
 * @ret_total: addresses of its range that are not reserved in the network
 * @err:       filled on failure
 *
 * Return: 0, or what the failed system call gave.
 */
int ipam_count(const struct store *store, const struct network *network, unsigned subnet,
	unsigned long *ret_used, ip_value *ret_total, struct error *err)
{
	autoclose int pool = -1;
	unsigned long used = 0;
	int r = store->pools < 0 ? -ENOENT
				 : store_open_pool(store, network->parent, false, &pool, err);

	if (r == 0)
		r = pool_count(pool, range_of(&network->subnets[subnet]), &used, err);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_used = used;
	*ret_total = count_total(network, &network->subnets[subnet]);
	return 0;
}
