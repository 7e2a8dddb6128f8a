// SPDX-License-Identifier: MIT
/*
 * The addresses of one endpoint: which are wanted, claimed all or none, and given back. What may be
 * asked for is checked before (ipam/check.c).
 */
#include "ipam/ipam.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ipam/index.h"
#include "ipam/ipam_parts.h"
#include "ipam/pool.h"
#include "ipam/quarantine.h"
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/record.h"
#include "schema/selection.h"
#include "schema/text.h"

/* What automatic addresses pass over. A route's gateway is somebody else's too, but a container may
 * be meant to be it: then it asks for that address.
 */
static int list_reserved(struct allocation *allocation, struct error *err)
{
	const struct ipam_request *request = allocation->request;
	const struct network *network = request->network;
	size_t max = network->n_subnets + network->n_aux + network->n_routes + network->n_service +
		     request->selection->n_gateways + request->n_host;
	struct ip *list = max ? calloc(max, sizeof(*list)) : NULL;
	size_t n = 0;

	if (max && !list)
		return error_set(err, -ENOMEM, "cannot list the reserved addresses: out of memory");
	for (unsigned i = 0; i < network->n_subnets; i++)
		list[n++] = network->subnets[i].gateway;
	for (unsigned i = 0; i < network->n_aux; i++)
		list[n++] = network->aux[i].ip;
	for (unsigned i = 0; i < network->n_routes; i++)
		list[n++] = network->routes[i].gateway;
	for (unsigned i = 0; i < network->n_service; i++)
		list[n++] = network->service[i];
	for (unsigned i = 0; i < request->selection->n_gateways; i++)
		list[n++] = request->selection->gateways[i];
	for (size_t i = 0; i < request->n_host; i++)
		list[n++] = request->host[i];
	allocation->reserved = list;
	allocation->n_reserved = n;
	return 0;
}

/**
 * ipam_pool_request() - what an allocation wants of its pool
 * @allocation: the allocation
 * @subnet:     where from
 *
 * Return: the request; it points into @allocation.
 */
struct pool_request ipam_pool_request(
	const struct allocation *allocation, const struct network_subnet *subnet)
{
	return (struct pool_request){
		.subnet = subnet->subnet,
		.range = subnet->has_range ? subnet->range : subnet->subnet,
		.reserved = allocation->reserved,
		.n_reserved = allocation->n_reserved,
		.owner = allocation->owner,
		.key = allocation->request->key,
		.network = allocation->request->network->name,
	};
}

static void add_result(struct allocation *allocation, const struct ip *ip, uint8_t len)
{
	struct ipam_result *result = &allocation->result;

	result->addresses[result->n++] = (struct cidr){ *ip, len };
}

/**
 * ipam_subnet_of() - which subnet an address of an endpoint lies in
 * @request: the endpoint
 * @ip:      the address
 * @ret:     the network's subnet, else the one of an address that was given with it
 *
 * Return: false where there is none.
 */
bool ipam_subnet_of(
	const struct ipam_request *request, const struct ip *ip, struct network_subnet *ret)
{
	const struct network_subnet *subnet = network_subnet_of(request->network, ip);

	if (subnet) {
		*ret = *subnet;
		return true;
	}
	for (unsigned i = 0; request->given && i < request->given->n_addresses; i++)
		if (ip_equal(&request->given->addresses[i].ip, ip)) {
			*ret = (struct network_subnet){ .subnet = cidr_subnet(
								&request->given->addresses[i]) };
			return true;
		}
	return false;
}

static int take_static(struct allocation *allocation, const struct ip *ip, struct error *err)
{
	const struct network *network = allocation->request->network;
	struct network_subnet subnet;
	struct pool_request request;
	int r;

	if (!ipam_subnet_of(allocation->request, ip, &subnet) ||
		allocation->result.n == NETWORK_SUBNETS_MAX)
		return error_set(
			err, -EINVAL, "network '%s' does not have that address", network->name);
	request = ipam_pool_request(allocation, &subnet);
	r = pool_take(allocation->pool->dir, &allocation->pool->hints, &request, ip,
		allocation->result.holder, err);
	if (r == -EEXIST && quarantine_lift(allocation->store, allocation->pool->dir, ip))
		r = pool_take(allocation->pool->dir, &allocation->pool->hints, &request, ip,
			allocation->result.holder, err);
	if (r == 0)
		add_result(allocation, ip, subnet.subnet.len);
	if (r == -EEXIST && err)
		err->code = -EADDRINUSE;
	return r == -EEXIST ? -EADDRINUSE : r;
}

/**
 * ipam_take_automatic() - claim the next free address of a family
 * @allocation: the allocation
 * @family:     AF_INET or AF_INET6
 * @is_other:   pass over the one that the key had last
 * @ret:        the address; of family 0: the network has no subnet of this family
 * @err:        filled on failure
 *
 * Return: 0, -ENOSPC, -ENOMEM, or what the failed system call gave.
 */
int ipam_take_automatic(const struct allocation *allocation, sa_family_t family, bool is_other,
	struct cidr *ret, struct error *err)
{
	const struct network_subnet *subnet =
		network_first_subnet(allocation->request->network, family);
	struct store_pool *pool = allocation->pool;
	struct pool_request request;
	int r;

	*ret = (struct cidr){ 0 };
	if (!subnet)
		return 0;
	request = ipam_pool_request(allocation, subnet);
	request.is_other = is_other;
	r = pool_allocate(pool->dir, &pool->hints, &request, &ret->ip, err);
	if (r == -ENOSPC && quarantine_expire(allocation->store, pool->dir))
		r = pool_allocate(pool->dir, &pool->hints, &request, &ret->ip, err);
	ret->len = subnet->subnet.len;
	return r;
}

/* The addresses of a family that others have chosen. */
static int take_given(struct allocation *allocation, sa_family_t family, struct error *err)
{
	const struct ip_config *given = allocation->request->given;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < given->n_addresses; i++)
		if (given->addresses[i].ip.family == family)
			r = take_static(allocation, &given->addresses[i].ip, err);
	return r;
}

/* The static addresses of a family, or else an automatic one. */
static int take_family(struct allocation *allocation, sa_family_t family, struct error *err)
{
	const struct selection *selection = allocation->request->selection;
	bool automatic = true;
	struct cidr taken;
	int r;

	if (allocation->request->given)
		return take_given(allocation, family, err);
	for (unsigned i = 0; i < selection->n_ips; i++) {
		const struct ip *ip = &selection->ips[i].ip;

		if (ip->family != family)
			continue;
		automatic = false;
		r = take_static(allocation, ip, err);
		if (r < 0)
			return r;
	}
	/* Those of a DHCP server are not ours to choose, and its subnet is there for another
	 * reason. */
	if (!automatic ||
		(allocation->request->network->ipam == NETWORK_IPAM_DHCP && family == AF_INET))
		return 0;
	r = ipam_take_automatic(allocation, family, false, &taken, err);
	if (r == 0 && taken.ip.family)
		add_result(allocation, &taken.ip, taken.len);
	return r;
}

/**
 * ipam_begin() - open the pool of an endpoint, and list what is not for it
 * @store:   the store
 * @request: the endpoint
 * @ret:     the allocation, zeroed; ipam_end() ends it, also on failure
 * @err:     filled on failure
 *
 * Return: 0, -ENOMEM, or what opening the pool gave.
 */
int ipam_begin(struct store *store, const struct ipam_request *request, struct allocation *ret,
	struct error *err)
{
	int r = store_keep_pool(store, request->network->parent, true, &ret->pool, err);

	if (r < 0)
		return r;
	ret->store = store;
	ret->request = request;
	ipam_owner(request->id, request->interface, ret->owner);
	return list_reserved(ret, err);
}

/**
 * ipam_end() - free what an allocation holds; a destructor for cleanup()
 * @allocation: the allocation
 */
void ipam_end(struct allocation *allocation)
{
	free(allocation->reserved);
	allocation->reserved = NULL;
}

static int take_all(struct allocation *allocation, struct error *err)
{
	int r = take_family(allocation, AF_INET, err);

	if (r == 0)
		r = take_family(allocation, AF_INET6, err);
	for (unsigned i = 0; r < 0 && i < allocation->result.n; i++)
		pool_release(allocation->pool->dir, &allocation->pool->hints,
			&allocation->result.addresses[i], allocation->owner, NULL);
	return r;
}

/**
 * ipam_allocate() - claim the addresses of an endpoint, all or none
 * @store:   the store
 * @request: the endpoint, which ipam_check() has passed; its id's lock is held, and its record says
 *           that it may have claims in the pool of the network's parent
 * @ret:     the addresses, IPv4 before IPv6, with the prefix lengths of their subnets. On
 *           -EADDRINUSE only its holder is written: who has the static address, "" if that is none
 * @err:     filled on failure
 *
 * Claims that the endpoint has already are its own: it gets them again.
 *
 * Return: 0; -EADDRINUSE when a static address is taken; -ENOSPC when a range is full; -ENOMEM; or
 * what the failed system call gave.
 */
int ipam_allocate(struct store *store, const struct ipam_request *request, struct ipam_result *ret,
	struct error *err)
{
	struct allocation allocation = { 0 };
	int r;

	if (request->network->ipam == NETWORK_IPAM_NONE) {
		*ret = allocation.result;
		return 0;
	}
	r = ipam_begin(store, request, &allocation, err);
	if (r == 0)
		r = take_all(&allocation, err);
	ipam_end(&allocation);
	if (r == 0)
		*ret = allocation.result;
	if (r == -EADDRINUSE)
		strcpy(ret->holder, allocation.result.holder);
	return r;
}

/* Whose claims are listed, and for whom. */
struct listing {
	const struct store_pool *pool;
	claims_list_fn *found;
	void *arg;
};

static int check_found(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct listing *listing = arg;
	char holder[CLAIMS_OWNER_MAX + 1];

	if (claims_owner(listing->pool->dir, name, holder, NULL) < 0 || strcmp(holder, owner) != 0)
		return 0;
	return listing->found(listing->arg, name, owner, err);
}

/**
 * ipam_list() - call a function for each claim of an endpoint
 * @store:    the store
 * @id:       the container whose record holds the endpoint; its lock is held
 * @endpoint: the endpoint; for an intent, whose addresses are not recorded
 * @found:    the function
 * @arg:      for the function
 * @err:      filled on failure
 *
 * Return: 0, or what the failed system call or the function gave.
 */
int ipam_list(struct store *store, const char *id, const struct record_endpoint *endpoint,
	claims_list_fn *found, void *arg, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct store_pool *pool = NULL;
	struct listing listing = { .found = found, .arg = arg };
	int r = store_keep_pool(store, endpoint->parent, false, &pool, err);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	ipam_owner(id, endpoint->interface, owner);
	listing.pool = pool;
	/* Who lists one will list more. Where there can be no index, it takes longer. */
	if (!pool->index)
		index_new(pool->dir, &pool->index, NULL);
	return pool->index ? index_list(pool->index, owner, check_found, &listing, err)
			   : pool_list_owner(pool->dir, owner, found, arg, err);
}

/* The hint keeps its bit, as the prefix length is not known here: it goes with the next census. */
static int release_found(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct store_pool *pool = arg;

	return claims_release(pool->dir, name, owner, err);
}

/* The undo of an attach does this once. Whoever does it again will do it often. */
static int release_intent(struct store_pool *pool, const char *owner, struct error *err)
{
	if (!pool->index && pool->looks++ > 0)
		index_new(pool->dir, &pool->index, NULL);
	return pool->index ? index_list(pool->index, owner, release_found, pool, err)
			   : pool_list_owner(pool->dir, owner, release_found, pool, err);
}

/* Before the address is free: who claims it wants to know (ipam/candidates.c). Those that routers
 * gave are nobody's claim.
 */
static void note_past(struct store_pool *pool, const struct record_endpoint *endpoint,
	const char *owner, const struct cidr *address)
{
	const struct pool_request request = {
		.subnet = cidr_subnet(address),
		.owner = owner,
		.key = endpoint->key,
		.network = endpoint->network,
	};
	char holder[CLAIMS_OWNER_MAX + 1];
	char name[IP_TEXT];

	if (claims_owner(pool->dir, ip_format(&address->ip, name), holder, NULL) == 0 &&
		!strcmp(holder, owner))
		pool_note_past(pool->dir, &pool->hints, &request, &address->ip, endpoint->mac);
}

/**
 * ipam_release() - give back the addresses of an endpoint, and its container's name
 * @store:    the store
 * @id:       the container whose record holds the endpoint; its lock is held
 * @endpoint: the endpoint. For an intent, whose addresses are not recorded, all claims of the pool
 *            are looked at
 * @err:      filled on failure
 *
 * Return: 0, also when there is nothing to give back; or what the failed system call gave.
 */
int ipam_release(struct store *store, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct store_pool *pool = NULL;
	int r = store_keep_pool(store, endpoint->parent, false, &pool, err);

	/* Where a pool is missing, or something else is in its place, nothing of ours is in it. */
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	ipam_owner(id, endpoint->interface, owner);
	if (endpoint->ifindex == 0)
		return release_intent(pool, owner, err);
	r = ipam_release_names(pool, endpoint, owner, err);
	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++) {
		note_past(pool, endpoint, owner, &endpoint->addresses[i]);
		r = pool_release(pool->dir, &pool->hints, &endpoint->addresses[i], owner, err);
	}
	return r;
}
