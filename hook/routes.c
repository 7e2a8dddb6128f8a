// SPDX-License-Identifier: MIT
/*
 * Routes of a container's endpoints: those that a network's file lists, and one default route a
 * family, given by one network.
 */
#include "hook/routes.h"

#include <string.h>

#include "hook/log.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "schema/error.h"
#include "schema/record.h"

static const sa_family_t families[] = { AF_INET, AF_INET6 };

static const char *family_name(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* Can the endpoint reach a gateway: has it an address in the subnet that the gateway is in? */
static bool is_reachable(const struct record_endpoint *endpoint, const struct ip *gateway)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (cidr_contains(&endpoint->addresses[i], gateway))
			return true;
	return false;
}

/* The routes of a network's file; those by way of a subnet that the endpoint has no address in are
 * for others.
 */
static int add_listed(struct netns *netns, const struct network *network,
	const struct record_endpoint *endpoint, struct error *err)
{
	char text[CIDR_TEXT];

	for (unsigned i = 0; i < network->n_routes; i++) {
		const struct rtnl_route route = {
			.dst = network->routes[i].dst,
			.gateway = network->routes[i].gateway,
			.ifindex = endpoint->ifindex,
		};
		int r;

		if (route.gateway.family && !is_reachable(endpoint, &route.gateway)) {
			log_notice(
				"network '%s': no route to '%s', for '%s' has no address in its gateway's subnet",
				network->name, cidr_format(&route.dst, text), endpoint->interface);
			continue;
		}
		r = rtnl_route_add(&netns->nl, &route, err);
		if (r < 0)
			return error_prefix(err, "network '%s': cannot add the route to '%s'",
				network->name, cidr_format(&route.dst, text));
	}
	return 0;
}

/* The subnet that the endpoint's address of a family lies in, where it has a gateway. */
static const struct network_subnet *gateway_subnet(
	const struct plan_item *item, const struct record_endpoint *endpoint, sa_family_t family)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		const struct network_subnet *subnet;

		if (endpoint->addresses[i].ip.family != family)
			continue;
		subnet = network_subnet_of(item->network, &endpoint->addresses[i].ip);
		if (subnet && subnet->gateway.family)
			return subnet;
	}
	return NULL;
}

/* The gateway that a selection asks for by name, or NULL. */
static const struct ip *asked_gateway(const struct plan_item *item, sa_family_t family)
{
	for (unsigned i = 0; i < item->selection->n_gateways; i++)
		if (item->selection->gateways[i].family == family)
			return &item->selection->gateways[i];
	return NULL;
}

static bool wants_none(const struct plan_item *item)
{
	return item->selection->has_default_route && item->selection->n_gateways == 0;
}

/* Who gives the default route of a family: who asks, else the first in the list that can. */
static const struct plan_item *elect(const struct plan *plan, const struct record *record,
	sa_family_t family, struct rtnl_route *ret)
{
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct ip *gateway = asked_gateway(item, family);

		if (!gateway)
			continue;
		ret->gateway = *gateway;
		ret->ifindex = record->endpoints[item->endpoint].ifindex;
		ret->onlink = !network_subnet_of(item->network, gateway);
		return item;
	}
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct network_subnet *subnet;

		if (item->joined || item->network->internal || wants_none(item))
			continue;
		subnet = gateway_subnet(item, &record->endpoints[item->endpoint], family);
		if (!subnet)
			continue;
		ret->gateway = subnet->gateway;
		ret->ifindex = record->endpoints[item->endpoint].ifindex;
		ret->onlink = !cidr_contains(&subnet->subnet, &subnet->gateway);
		return item;
	}
	return NULL;
}

static void leave_default(
	const struct record *record, const struct plan_item *item, sa_family_t family)
{
	log_notice("container '%s': the %s default route that is there stays, none by network '%s'",
		record->id, family_name(family), item->network->name);
}

static bool is_same(const struct rtnl_route *a, const struct rtnl_route *b)
{
	return a->ifindex == b->ifindex && ip_equal(&a->gateway, &b->gateway);
}

static int add_default(struct netns *netns, const struct plan *plan, const struct record *record,
	sa_family_t family, struct rtnl_saved *saved, struct error *err)
{
	struct rtnl_route route = { .dst = { .ip = { .family = family } } };
	const struct plan_item *item = elect(plan, record, family, &route);
	struct rtnl_route there = { 0 };
	char text[IP_TEXT];
	bool asked;
	int r;

	if (!item)
		return 0;
	asked = asked_gateway(item, family) != NULL;
	r = rtnl_route_get_default(&netns->nl, family, &there, err);
	/* Another of the pod, with the same annotation, may have asked before. */
	if (r == 0 && asked && is_same(&there, &route))
		return 0;
	if (r == 0 && asked)
		r = rtnl_route_take_defaults(&netns->nl, family, saved, err);
	if (r < 0)
		return error_prefix(
			err, "cannot look for the %s default route", family_name(family));
	r = there.dst.ip.family && !asked ? -EEXIST : rtnl_route_add(&netns->nl, &route, err);
	/* Of another kind, or hidden behind other routes, it shows only now. */
	if (r == -EEXIST && !asked) {
		leave_default(record, item, family);
		return 0;
	}
	return r < 0 ? error_prefix(err, "network '%s': cannot add the default route via '%s'",
			       item->network->name, ip_format(&route.gateway, text))
		     : 0;
}

/**
 * routes_add() - add the routes of all new endpoints
 * @netns:        the container's namespace
 * @plan:         the plan
 * @record:       the record with the endpoints, all up
 * @ret_replaced: the default routes that were taken away; for routes_put_back(), on failure too
 * @err:          filled on failure
 *
 * A default route that is there stays, unless a selection asks for one by name.
 *
 * Return: 0, or what the kernel gave.
 */
int routes_add(struct netns *netns, const struct plan *plan, const struct record *record,
	struct routes_replaced *ret_replaced, struct error *err)
{
	int r = 0;

	ret_replaced->saved[0].n = ret_replaced->saved[1].n = 0;
	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];

		if (!item->joined)
			r = add_listed(
				netns, item->network, &record->endpoints[item->endpoint], err);
	}
	for (unsigned i = 0; r == 0 && i < 2; i++)
		r = add_default(netns, plan, record, families[i], &ret_replaced->saved[i], err);
	return r;
}

/**
 * routes_settle() - the attach is done: what stood in for the replaced default routes can go
 * @netns:    the container's namespace
 * @replaced: what routes_add() took away
 */
void routes_settle(struct netns *netns, const struct routes_replaced *replaced)
{
	struct error err;

	for (unsigned i = 0; i < 2; i++)
		if (rtnl_route_drop_copies(&netns->nl, &replaced->saved[i], &err) < 0)
			log_notice("cannot delete a replaced default route: %s", err.text);
}

/**
 * routes_put_back() - give a namespace the default routes back that ours replaced
 * @netns:    the container's namespace
 * @replaced: what routes_add() took away
 */
void routes_put_back(struct netns *netns, const struct routes_replaced *replaced)
{
	struct error err;

	for (unsigned i = 0; i < 2; i++)
		if (rtnl_route_put_back(&netns->nl, &replaced->saved[i], &err) < 0)
			log_notice("cannot put the replaced default route back: %s", err.text);
}
