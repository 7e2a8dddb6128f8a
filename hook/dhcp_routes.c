// SPDX-License-Identifier: MIT
/*
 * The routes of a lease in a container: the default route, where this network gives it, those that
 * the server says, and those of the network's file.
 */
#include "hook/dhcp_parts.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/rtnl.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/record.h"

/* The routes of a lease are ours; what is on the way outside of the subnet is on the link. */
static struct rtnl_route route_of(const struct dhcp_change *change, const struct lease *lease,
	const struct cidr *dst, const struct ip *gateway)
{
	return (struct rtnl_route){
		.dst = *dst,
		.gateway = *gateway,
		.onlink = gateway->family && !cidr_contains(&lease->config.addresses[0], gateway),
		.ifindex = change->endpoint->ifindex,
	};
}

static const struct cidr any4 = { .ip = { .family = AF_INET } };

/* The next hop of the default route: the server's, unless another was asked for. */
static const struct ip *default_hop(const struct dhcp_change *change, const struct lease *lease)
{
	const struct record_dhcp *dhcp = &change->endpoint->dhcp;

	return dhcp->gateway.family ? &dhcp->gateway : &lease->config.gateway4;
}

static void leave_default(const struct dhcp_change *change)
{
	log_notice("container '%s': the IPv4 default route that is there stays, none by DHCP on "
		   "'%s'",
		change->record->id, change->endpoint->interface);
}

/* Where other routes hide a default route it shows only now: that of the lease before goes, one of
 * somebody else stays.
 */
static int add_only_default(const struct dhcp_change *change, const struct lease *old,
	const struct rtnl_route *route, struct error *err)
{
	struct nl *nl = &change->netns->nl;
	int r = rtnl_route_add(nl, route, err);

	if (r == -EEXIST && old->is_bound && default_hop(change, old)->family) {
		const struct rtnl_route before =
			route_of(change, old, &any4, default_hop(change, old));

		r = rtnl_route_del(nl, &before, err);
		if (r == 0)
			r = rtnl_route_add(nl, route, err);
	}
	if (r != -EEXIST)
		return r;
	leave_default(change);
	return 0;
}

/* Before the others of its kind; one of somebody else that is there stays the only one, and one
 * that a hand has put in the place of ours stays until there is another router.
 */
static int add_default(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err)
{
	struct rtnl_route route = route_of(change, lease, &any4, default_hop(change, lease));
	struct rtnl_route there = { 0 };
	struct nl *nl = &change->netns->nl;
	int r = rtnl_route_get_default(nl, AF_INET, &there, err);

	if (r < 0)
		return r;
	if (there.dst.ip.family && there.ifindex != route.ifindex) {
		leave_default(change);
		return 0;
	}
	if (!there.dst.ip.family)
		return add_only_default(change, old, &route, err);
	if (ip_equal(&there.gateway, &route.gateway) ||
		(old->is_bound && ip_equal(default_hop(change, old), &route.gateway)))
		return 0;
	return rtnl_route_add_first(nl, &route, err);
}

/* To the same place the lease before had another way: only one can be. */
static int delete_same_dst(const struct dhcp_change *change, const struct lease *old,
	const struct rtnl_route *wanted, struct error *err)
{
	const struct ip_config *config = &old->config;
	int r = 0;

	for (unsigned i = 0; r == 0 && old->is_bound && i < config->n_routes; i++) {
		const struct rtnl_route route =
			route_of(change, old, &config->routes[i].dst, &config->routes[i].gateway);

		if (route.dst.len == wanted->dst.len && ip_equal(&route.dst.ip, &wanted->dst.ip) &&
			!ip_equal(&route.gateway, &wanted->gateway))
			r = rtnl_route_del(&change->netns->nl, &route, err);
	}
	return r;
}

static int add_route(const struct dhcp_change *change, const struct lease *old,
	const struct rtnl_route *route, struct error *err)
{
	int r = delete_same_dst(change, old, route, err);

	if (r == 0)
		r = rtnl_route_add(&change->netns->nl, route, err);
	return r == -EEXIST ? 0 : r;
}

/**
 * dhcp_routes_add() - add the routes of a lease
 * @change: the endpoint, which has the address
 * @old:    the one before
 * @lease:  the lease
 * @err:    filled on failure
 *
 * Return: 0, also where they are there; what the kernel gave.
 */
int dhcp_routes_add(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err)
{
	const struct ip_config *config = &lease->config;
	int r = 0;

	if (change->endpoint->dhcp.gives_default && default_hop(change, lease)->family)
		r = add_default(change, old, lease, err);
	for (unsigned i = 0; r == 0 && i < config->n_routes; i++) {
		const struct rtnl_route route =
			route_of(change, lease, &config->routes[i].dst, &config->routes[i].gateway);

		r = add_route(change, old, &route, err);
	}
	return r < 0 ? error_prefix(err, "cannot add a route of the lease") : 0;
}

static bool has_route(const struct lease *lease, const struct network_route *route)
{
	const struct ip_config *config = &lease->config;

	for (unsigned i = 0; lease->is_bound && i < config->n_routes; i++)
		if (config->routes[i].dst.len == route->dst.len &&
			ip_equal(&config->routes[i].dst.ip, &route->dst.ip) &&
			ip_equal(&config->routes[i].gateway, &route->gateway))
			return true;
	return false;
}

/**
 * dhcp_routes_delete() - delete the routes of a lease that the next one has not
 * @change: the endpoint
 * @old:    the lease before; nothing happens where there was none
 * @lease:  the lease
 * @err:    filled on failure
 *
 * Return: 0, also where they are gone; what the kernel gave.
 */
int dhcp_routes_delete(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err)
{
	const struct ip_config *config = &old->config;
	int r = 0;

	if (!old->is_bound)
		return 0;
	if (change->endpoint->dhcp.gives_default && default_hop(change, old)->family &&
		(!lease->is_bound ||
			!ip_equal(default_hop(change, old), default_hop(change, lease)))) {
		const struct rtnl_route route =
			route_of(change, old, &any4, default_hop(change, old));

		r = rtnl_route_del(&change->netns->nl, &route, err);
	}
	for (unsigned i = 0; r == 0 && i < config->n_routes; i++) {
		const struct rtnl_route route =
			route_of(change, old, &config->routes[i].dst, &config->routes[i].gateway);

		if (!has_route(lease, &config->routes[i]))
			r = rtnl_route_del(&change->netns->nl, &route, err);
	}
	return r < 0 ? error_prefix(err, "cannot delete a route of the lease before") : 0;
}

/**
 * dhcp_add_listed() - add the routes that an endpoint's network lists to those of its lease
 * @endpoint: the endpoint
 * @lease:    the lease
 *
 * They come and go with it: without an address there is no way to their gateways. What does not
 * fit is left out.
 */
void dhcp_add_listed(const struct record_endpoint *endpoint, struct lease *lease)
{
	struct network_route routes[NETWORK_ROUTES_MAX];
	struct ip_config *config = &lease->config;
	unsigned n = 0;

	if (!lease->is_bound || !endpoint->dhcp.routes ||
		network_list_routes(endpoint->dhcp.routes, routes, &n, NULL) < 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct ip *gateway = &routes[i].gateway;

		/* As at an attach: one by way of another subnet is for others (routes.c). */
		if (routes[i].dst.ip.family == AF_INET && config->n_routes < IP_CONFIG_ROUTES_MAX &&
			(!gateway->family || cidr_contains(&config->addresses[0], gateway)))
			config->routes[config->n_routes++] = routes[i];
	}
}
