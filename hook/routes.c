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
#include "schema/ip_config.h"
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

/* A container that is a gateway needs no way to itself. */
static bool is_own(const struct record_endpoint *endpoint, const struct ip *gateway)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (ip_equal(&endpoint->addresses[i].ip, gateway))
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

		if (is_own(endpoint, &route.gateway))
			continue;
		if (route.gateway.family && !is_reachable(endpoint, &route.gateway)) {
			log_notice(
				"network '%s': no route to '%s', for '%s' has no address in its gateway's subnet",
				network->name, cidr_format(&route.dst, text), endpoint->interface);
			continue;
		}
		r = rtnl_route_add(&netns->nl, &route, err);
		if (r == -EEXIST) {
			/* Of another network, or its subnet. */
			log_notice("network '%s': the route to '%s' that is there already stays",
				network->name, cidr_format(&route.dst, text));
			continue;
		}
		if (r < 0)
			return error_prefix(err, "network '%s': cannot add the route to '%s'",
				network->name, cidr_format(&route.dst, text));
	}
	return 0;
}

/* The routes that whoever gave the addresses says. Two may say the same. */
static int add_given(struct netns *netns, const struct plan_item *item,
	const struct record_endpoint *endpoint, struct error *err)
{
	const struct ip_config *given = item->given;
	char text[CIDR_TEXT];

	for (unsigned i = 0; given && i < given->n_routes; i++) {
		const struct ip *gateway = &given->routes[i].gateway;
		const struct rtnl_route route = {
			.dst = given->routes[i].dst,
			.gateway = *gateway,
			.onlink = gateway->family && !is_reachable(endpoint, gateway),
			.ifindex = endpoint->ifindex,
		};
		int r = rtnl_route_add(&netns->nl, &route, err);

		if (r < 0 && r != -EEXIST)
			return error_prefix(err, "network '%s': cannot add the route to '%s'",
				item->network->name, cidr_format(&route.dst, text));
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
		if (subnet && subnet->gateway.family && !is_own(endpoint, &subnet->gateway))
			return subnet;
	}
	return NULL;
}

/* The gateway of a network, and whether only the route says that it is on the link. */
static bool find_gateway(const struct plan_item *item, const struct record_endpoint *endpoint,
	sa_family_t family, struct rtnl_route *ret)
{
	const struct network_subnet *subnet;

	if (item->given && ip_config_gateway(item->given, family)->family) {
		ret->gateway = *ip_config_gateway(item->given, family);
		ret->onlink = !is_reachable(endpoint, &ret->gateway);
		return true;
	}
	subnet = gateway_subnet(item, endpoint, family);
	if (!subnet)
		return false;
	ret->gateway = subnet->gateway;
	ret->onlink = !cidr_contains(&subnet->subnet, &subnet->gateway);
	return true;
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

static bool can_give_default(const struct plan_item *item)
{
	return !item->joined && !item->network->internal && !wants_none(item);
}

static bool has_gateway6(const struct plan_item *item)
{
	const struct network_subnet *subnet = network_first_subnet(item->network, AF_INET6);

	return item->network->ipv6 == NETWORK_IPV6_RA || (subnet && subnet->gateway.family) ||
	       (item->given && item->given->gateway6.family);
}

/**
 * routes_by_ra() - does a network's router give the IPv6 default route
 * @plan: the plan
 * @item: one of it, whose network has router advertisements
 *
 * Return: true where no selection asks for one by name, and it is the first in the list that can.
 */
bool routes_by_ra(const struct plan *plan, const struct plan_item *item)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (asked_gateway(&plan->items[i], AF_INET6))
			return false;
	for (unsigned i = 0; &plan->items[i] < item; i++)
		if (can_give_default(&plan->items[i]) && has_gateway6(&plan->items[i]))
			return false;
	return can_give_default(item);
}

/* Who gives the default route of a family: who asks, else the first in the list that can. */
static const struct plan_item *elect(const struct plan *plan, const struct record *record,
	sa_family_t family, struct rtnl_route *ret)
{
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct record_endpoint *endpoint = &record->endpoints[item->endpoint];
		const struct ip *gateway = asked_gateway(item, family);

		if (!gateway)
			continue;
		ret->gateway = *gateway;
		ret->ifindex = endpoint->ifindex;
		ret->onlink = !network_subnet_of(item->network, gateway) &&
			      !is_reachable(endpoint, gateway);
		return item;
	}
	for (unsigned i = 0; i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct record_endpoint *endpoint = &record->endpoints[item->endpoint];

		if (!can_give_default(item))
			continue;
		/* The kernel makes it, of what its router says. */
		if (family == AF_INET6 && item->network->ipv6 == NETWORK_IPV6_RA)
			return NULL;
		if (!find_gateway(item, endpoint, family, ret))
			continue;
		ret->ifindex = endpoint->ifindex;
		return item;
	}
	return NULL;
}

/**
 * routes_by_dhcp() - does a network with DHCP give the IPv4 default route
 * @plan:   the plan
 * @item:   one of it, whose network has DHCP
 * @record: the record with the endpoints
 * @ret:    the next hop where it is not the server's: one that is asked for; else of family 0
 *
 * Return: true where it has given it; and where nobody has, but it may when its server speaks.
 */
bool routes_by_dhcp(const struct plan *plan, const struct plan_item *item,
	const struct record *record, struct ip *ret)
{
	struct rtnl_route route = { 0 };
	const struct plan_item *giver = elect(plan, record, AF_INET, &route);
	const struct ip *asked = asked_gateway(item, AF_INET);

	*ret = asked ? *asked : (struct ip){ 0 };
	return giver ? giver == item : can_give_default(item);
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
	sa_family_t family, struct rtnl_route *ret_first, struct error *err)
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
	if (r < 0)
		return error_prefix(
			err, "cannot look for the %s default route", family_name(family));
	/* Another of the pod, with the same annotation, may have asked before. */
	if (asked && is_same(&there, &route))
		return 0;
	if (asked)
		r = rtnl_route_add_first(&netns->nl, &route, err);
	else
		r = there.dst.ip.family ? -EEXIST : rtnl_route_add(&netns->nl, &route, err);
	/* Of another kind, or hidden behind other routes, it shows only now. */
	if (r == -EEXIST && !asked) {
		leave_default(record, item, family);
		return 0;
	}
	if (r == 0 && asked)
		*ret_first = route;
	return r < 0 ? error_prefix(err, "network '%s': cannot add the default route via '%s'",
			       item->network->name, ip_format(&route.gateway, text))
		     : 0;
}

/**
 * routes_add() - add the routes of all new endpoints
 * @netns:     the container's namespace
 * @plan:      the plan
 * @record:    the record with the endpoints, all up
 * @ret_first: our default routes that others are still behind; set on failure too
 * @err:       filled on failure
 *
 * A default route that is there stays, unless a selection asks for one by name: then ours goes
 * before it, and routes_settle() deletes it when the attach is done.
 *
 * Return: 0, or what the kernel gave.
 */
int routes_add(struct netns *netns, const struct plan *plan, const struct record *record,
	struct routes_first *ret_first, struct error *err)
{
	int r = 0;

	*ret_first = (struct routes_first){ 0 };
	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		const struct plan_item *item = &plan->items[i];
		const struct record_endpoint *endpoint = &record->endpoints[item->endpoint];

		if (item->joined)
			continue;
		r = add_listed(netns, item->network, endpoint, err);
		if (r == 0)
			r = add_given(netns, item, endpoint, err);
	}
	for (unsigned i = 0; r == 0 && i < 2; i++)
		r = add_default(netns, plan, record, families[i], &ret_first->route[i], err);
	return r;
}

/**
 * routes_settle() - the attach is done: default routes that ours go before can go
 * @netns: the container's namespace
 * @first: what routes_add() gave
 */
void routes_settle(struct netns *netns, const struct routes_first *first)
{
	struct error err;

	for (unsigned i = 0; i < 2; i++)
		if (first->route[i].dst.ip.family &&
			rtnl_route_del_others(&netns->nl, &first->route[i], &err) < 0)
			log_notice("cannot delete the %s default route that was replaced: %s",
				family_name(families[i]), err.text);
}

/**
 * routes_undo() - delete our default routes that go before others
 * @netns: the container's namespace
 * @first: what routes_add() gave
 *
 * Most have ended with their link; not so where a pod's member asked for another by a link that is
 * the pod's.
 */
void routes_undo(struct netns *netns, const struct routes_first *first)
{
	struct error err;

	for (unsigned i = 0; i < 2; i++)
		if (first->route[i].dst.ip.family &&
			rtnl_route_del(&netns->nl, &first->route[i], &err) < 0)
			log_notice("cannot delete our %s default route: %s",
				family_name(families[i]), err.text);
}
