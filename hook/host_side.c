// SPDX-License-Identifier: MIT
/*
 * Routes and neighbours of host access: the host's to its containers, which are looked over at each
 * attach, and a container's to the host. host_access.c tells why they are as they are.
 */
#include <string.h>

#include "hook/host.h"
#include "hook/host_access_parts.h"
#include "hook/ip_set.h"
#include "hook/log.h"
#include "hook/nl.h"
#include "hook/shim.h"
#include "ipam/claims.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

static const sa_family_t families[] = { AF_INET, AF_INET6 };

/**
 * host_side_free() - forget what a host's side is made of; a destructor for cleanup()
 * @side: the host's side
 */
void host_side_free(struct host_side *side)
{
	host_reach_free(&side->reach);
}

/* The host's address for a container's: one of its subnet, else the first of its family. */
static const struct ip *choose_host_ip(const struct host_reach *reach, const struct cidr *address)
{
	const struct ip *chosen = NULL;

	for (unsigned i = 0; i < reach->n_ips; i++) {
		const struct ip *ip = &reach->ips[i].ip;

		if (ip->family != address->ip.family)
			continue;
		if (cidr_contains(address, ip))
			return ip;
		if (!chosen)
			chosen = ip;
	}
	return chosen;
}

static struct cidr whole(const struct ip *ip)
{
	return (struct cidr){ *ip, (uint8_t)ip_bits(ip->family) };
}

/* One that is there was made for another source, or is somebody else's, and then stays. */
static int add_route(struct nl *nl, const struct rtnl_route *route, struct error *err)
{
	const struct rtnl_route any = { .dst = route->dst, .ifindex = route->ifindex };
	int r = rtnl_route_add(nl, route, err);

	if (r == -EEXIST)
		r = rtnl_route_del(nl, &any, err);
	else
		return r;
	return r == 0 ? rtnl_route_add(nl, route, err) : r;
}

static int add_address(struct nl *nl, const struct host_side *side, const struct cidr *address,
	const uint8_t mac[MAC_SIZE], struct error *err)
{
	const struct ip *source = choose_host_ip(&side->reach, address);
	struct rtnl_route route = { .dst = whole(&address->ip), .ifindex = side->shim.ifindex };
	char text[IP_TEXT];
	int r;

	if (!source)
		return 0;
	route.source = *source;
	r = rtnl_neigh_add(nl, side->shim.ifindex, &address->ip, mac, err);
	if (r == 0)
		r = add_route(nl, &route, err);
	if (r == -EEXIST)
		return error_set(err, r,
			"cannot add the host's route to '%s': it has another one to just this "
			"address, delete that or turn host_access off",
			ip_format(&address->ip, text));
	return r < 0 ? error_prefix(err, "cannot add the host's route to '%s'",
			       ip_format(&address->ip, text))
		     : 0;
}

/**
 * host_side_add() - add the host's neighbours and routes to an endpoint
 * @nl:       a socket in the host's namespace
 * @side:     what they are made of
 * @endpoint: the endpoint; addresses of a family that the host has none of are passed over
 * @err:      filled on failure
 *
 * Return: 0; -EEXIST: somebody else's route is there; or what the kernel gave.
 */
int host_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++)
		r = add_address(nl, side, &endpoint->addresses[i], endpoint->mac, err);
	return r;
}

/**
 * host_side_remove() - delete the host's route to an address, and its neighbour
 * @nl:   a socket in the host's namespace
 * @shim: the shim's index
 * @ip:   the address
 * @err:  filled on failure
 *
 * Return: 0, also when there are none; or what the kernel gave.
 */
int host_side_remove(struct nl *nl, int shim, const struct ip *ip, struct error *err)
{
	const struct rtnl_route route = { .dst = whole(ip), .ifindex = shim };
	int r = rtnl_route_del(nl, &route, err);

	return r == 0 ? rtnl_neigh_del(nl, shim, ip, err) : r;
}

/* A look over all that a shim must have. */
struct look {
	struct host *host;
	struct host_side *side;
	const char *own; /* the owner of marks that are under way */
	struct ip_set routes;
	struct ip_set neighbours;
};

static int load_look(struct look *look, struct error *err)
{
	struct nl *nl = &look->host->nl;
	int ifindex = look->side->shim.ifindex;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 2; i++) {
		if (!host_reach_has(&look->side->reach, families[i]))
			continue;
		r = rtnl_route_list_ours(nl, families[i], ifindex, ip_set_add, &look->routes, err);
		if (r == 0)
			r = rtnl_neigh_list_permanent(
				nl, families[i], ifindex, ip_set_add, &look->neighbours, err);
	}
	return r < 0 ? error_prefix(err, "cannot list what is reached through '%s'",
			       look->side->shim.name)
		     : 0;
}

static const struct record_endpoint *find_endpoint(
	const struct record *record, const char *interface)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (!strcmp(record->endpoints[i].interface, interface) &&
			record->endpoints[i].ifindex != 0)
			return &record->endpoints[i];
	return NULL;
}

/* The rules of the network's file; where that is gone, those that the record of a lease has. */
static void load_rules(const struct look *look, const struct record_endpoint *endpoint,
	struct host_reach_rules *ret)
{
	cleanup(network_free) struct network *network = NULL;
	autoclose int networks = -1;

	if (host_open_networks(look->host, &networks, NULL) == 0 &&
		network_load(networks, endpoint->network, &network, NULL) == 0)
		host_reach_rules_of(network, ret);
	else
		host_reach_rules_of_dhcp(&endpoint->dhcp, ret);
}

/* What was allowed once, by version 0.1.0 or before the host had this router, may not be now: then
 * it is taken away.
 */
static int mend_endpoint(const struct look *look, const struct record_endpoint *endpoint,
	const struct cidr *address, bool is_there, struct error *err)
{
	struct nl *nl = &look->host->nl;
	struct host_reach_rules rules;
	char why[HOST_REACH_TEXT];
	int r;

	load_rules(look, endpoint, &rules);
	if (!host_reach_refuses(&look->side->reach, &rules, address, why))
		return is_there ? 0 : add_address(nl, look->side, address, endpoint->mac, err);
	r = host_side_remove(nl, look->side->shim.ifindex, &address->ip, err);
	return r < 0 ? r : error_set(err, -EACCES, "%s", why);
}

/* The record may change meanwhile, but who detaches waits for the shim's lock before he takes the
 * routes back.
 */
static int mend_address(const struct look *look, const struct ip *ip, const char *owner,
	bool is_there, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	const struct record_endpoint *endpoint;
	char id[CLAIMS_OWNER_MAX + 1];
	char *slash;
	int r;

	strcpy(id, owner);
	slash = strchr(id, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	r = record_load(look->host->store.containers, id, &record, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	endpoint = find_endpoint(record, slash + 1);
	for (unsigned i = 0; endpoint && i < endpoint->n_addresses; i++)
		if (ip_equal(&endpoint->addresses[i].ip, ip))
			return mend_endpoint(
				look, endpoint, &endpoint->addresses[i], is_there, err);
	return 0;
}

/* What cannot be mended for another container must not keep this one from starting. */
static int look_at_mark(void *arg, const char *name, const char *owner, struct error *err)
{
	static const struct host_reach_rules none;
	struct look *look = arg;
	char why[HOST_REACH_TEXT];
	struct cidr address;
	struct ip ip = { 0 };
	bool is_there;

	if (!strcmp(owner, look->own) || ip_parse(name, &ip, NULL) < 0 ||
		!host_reach_has(&look->side->reach, ip.family))
		return 0;
	address = whole(&ip);
	is_there = ip_set_has(&look->routes, &ip) && ip_set_has(&look->neighbours, &ip);
	/* Of most the network's file need not be asked. */
	if (is_there && !host_reach_refuses(&look->side->reach, &none, &address, why))
		return 0;
	if (mend_address(look, &ip, owner, is_there, err) < 0)
		log_notice("the host has no way to '%s' of '%s': %s", name, owner, err->text);
	return 0;
}

/**
 * host_side_mend() - give back to all containers of a shim what the host has lost of them, and take
 * away what it is not to have any more
 * @host: the host
 * @pool: the shim's pool
 * @side: what it is made of
 * @own:  CONTAINER/INTERFACE of the endpoint that is being attached, whose turn comes; "": none is
 * @err:  filled on failure
 *
 * Two lists of the kernel and one of the pool; a record is only read where something is missing, or
 * may have to go.
 *
 * Return: 0, or what listing gave.
 */
int host_side_mend(
	struct host *host, int pool, struct host_side *side, const char *own, struct error *err)
{
	struct look look = { .host = host, .side = side, .own = own };
	int r = load_look(&look, err);

	if (r == 0)
		r = claims_list(pool, look_at_mark, &look, err);
	ip_set_free(&look.routes);
	ip_set_free(&look.neighbours);
	return r;
}

/* The container's address for the host's: the one whose subnet it is in, else the first. */
static const struct cidr *choose_own(
	const struct record_endpoint *endpoint, const struct ip *ip, bool *ret_in_subnet)
{
	const struct cidr *chosen = NULL;

	*ret_in_subnet = false;
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		const struct cidr *address = &endpoint->addresses[i];

		if (address->ip.family != ip->family)
			continue;
		*ret_in_subnet = cidr_contains(address, ip);
		if (*ret_in_subnet)
			return address;
		if (!chosen)
			chosen = address;
	}
	return chosen;
}

static int add_route_back(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, const struct ip *ip, struct error *err)
{
	struct rtnl_route route = { .dst = whole(ip), .ifindex = endpoint->ifindex };
	bool in_subnet = false;
	const struct cidr *own = choose_own(endpoint, ip, &in_subnet);
	char text[IP_TEXT];
	int r;

	if (!own || (ip->family == AF_INET && in_subnet))
		return 0;
	if (ip->family == AF_INET6)
		route.gateway = shim_link_local(&side->shim);
	route.source = own->ip;
	r = rtnl_route_add(nl, &route, err);
	/* The network's file has one, or another interface leads to the same host. */
	if (r == -EEXIST)
		return 0;
	return r < 0 ? error_prefix(err, "cannot add the container's route to the host ('%s')",
			       ip_format(ip, text))
		     : 0;
}

/**
 * container_side_add() - add the container's routes to the host
 * @nl:       a socket in the container's namespace
 * @side:     what they are made of
 * @endpoint: the endpoint
 * @err:      filled on failure
 *
 * Return: 0, or what the kernel gave.
 */
int container_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < side->reach.n_ips; i++)
		r = add_route_back(nl, side, endpoint, &side->reach.ips[i].ip, err);
	return r;
}
