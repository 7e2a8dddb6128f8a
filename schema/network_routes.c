// SPDX-License-Identifier: MIT
/*
 * The routes of a network, which every container on it gets besides the default routes.
 */
#include "schema/network.h"

#include "schema/error.h"
#include "schema/json.h"
#include "schema/network_parts.h"

static int read_dst(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_route *route = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = cidr_parse_subnet(value->text, &route->dst, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (route->dst.len == 0)
		return error_set(err, -EINVAL,
			"%s: '%s' is the default route: give the subnet a gateway instead", where,
			value->text);
	return 0;
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_route *route = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = ip_parse(value->text, &route->gateway, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static const struct member route_members[] = {
	{ "dst", read_dst, true },
	{ "gateway", read_gateway, false },
	{ NULL, NULL, false },
};

/* While a list is read. */
struct list {
	unsigned n;
	struct network_route *routes; /* room for NETWORK_ROUTES_MAX */
};

static int add_route(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct list *list = ret;
	struct network_route route = { 0 };
	int r;

	if (list->n == NETWORK_ROUTES_MAX)
		return error_set(err, -E2BIG, "%s: more than %d routes", where, NETWORK_ROUTES_MAX);
	r = members_read_object(value, route_members, where, &route, err);
	if (r == 0)
		list->routes[list->n++] = route;
	return r;
}

/**
 * network_read_routes() - read the member "routes"
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct network
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_read_routes(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	struct list list = { .routes = network->routes };
	int r = members_read_array(value, add_route, where, &list, err);

	network->n_routes = list.n;
	return r;
}

/**
 * network_list_routes() - read routes that have the form of a network's
 * @value: an array
 * @ret:   the routes
 * @ret_n: how many they are
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_list_routes(const struct json *value, struct network_route ret[NETWORK_ROUTES_MAX],
	unsigned *ret_n, struct error *err)
{
	struct list list = { .routes = ret };
	int r = members_read_array(value, add_route, "routes", &list, err);

	*ret_n = list.n;
	return r;
}

static bool same_cidr(const struct cidr *a, const struct cidr *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

static int check_dst(const struct network *network, unsigned index, struct error *err)
{
	const struct cidr *dst = &network->routes[index].dst;
	char text[CIDR_TEXT];

	cidr_format(dst, text);
	for (unsigned i = 0; i < index; i++)
		if (same_cidr(&network->routes[i].dst, dst))
			return error_set(err, -EINVAL, "'%s' is there twice: remove one", text);
	/* The kernel makes that one with the address; ours would fail with EEXIST. */
	for (unsigned i = 0; i < network->n_subnets; i++)
		if (same_cidr(&network->subnets[i].subnet, dst))
			return error_set(err, -EINVAL,
				"'%s' is a subnet of the network, which needs no route: remove it",
				text);
	if (network->ipam == NETWORK_IPAM_LOCAL && !network_has_family(network, dst->ip.family))
		return error_set(err, -EINVAL, "'%s': the network has no %s subnet", text,
			dst->ip.family == AF_INET ? "IPv4" : "IPv6");
	return 0;
}

static int check_gateway(
	const struct network *network, const struct network_route *route, struct error *err)
{
	const struct network_subnet *subnet;
	char text[IP_TEXT];
	char cidr[CIDR_TEXT];

	if (!route->gateway.family)
		return 0;
	ip_format(&route->gateway, text);
	if (route->gateway.family != route->dst.ip.family)
		return error_set(err, -EINVAL, "'%s' is not of the family of %s", text,
			cidr_format(&route->dst, cidr));
	subnet = network_subnet_of(network, &route->gateway);
	if (!subnet && network_asks_elsewhere(network) &&
		!network_has_family(network, route->gateway.family))
		return 0; /* which subnet it is turns out later */
	if (!subnet)
		return error_set(err, -EINVAL, "'%s' is outside every subnet of the network", text);
	if (cidr_reserves(&subnet->subnet, &route->gateway))
		return error_set(err, -EINVAL, "'%s' is no host's address in %s", text,
			cidr_format(&subnet->subnet, cidr));
	return 0;
}

/**
 * network_check_routes() - do the routes fit to the subnets
 * @network: the network, all of it read
 * @err:     filled on failure
 *
 * Return: 0, -EINVAL.
 */
int network_check_routes(const struct network *network, struct error *err)
{
	for (unsigned i = 0; i < network->n_routes; i++) {
		if (check_dst(network, i, err) < 0)
			return error_prefix(err, "routes[%u].dst", i);
		if (check_gateway(network, &network->routes[i], err) < 0)
			return error_prefix(err, "routes[%u].gateway", i);
	}
	return 0;
}
