// SPDX-License-Identifier: MIT
/*
 * One endpoint's addresses while they are tried out on the LAN: which others there are, another one
 * for one that is taken, and who had one last.
 */
#include "ipam/candidates.h"

#include "ipam/ipam_parts.h"
#include "ipam/quarantine.h"
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/selection.h"

/**
 * candidates_is_static() - was an address asked for by name, or chosen by others
 * @request: the endpoint
 * @ip:      the address
 *
 * Return: true when it was: there is no other for it.
 */
bool candidates_is_static(const struct ipam_request *request, const struct ip *ip)
{
	if (request->given)
		return true;
	for (unsigned i = 0; i < request->selection->n_ips; i++)
		if (ip_equal(&request->selection->ips[i].ip, ip))
			return true;
	return false;
}

/**
 * candidates_peek() - which automatic addresses would come next
 * @store:   the store
 * @request: the endpoint
 * @family:  AF_INET or AF_INET6
 * @ret:     room for @max addresses
 * @max:     how many are wanted
 *
 * Nothing is claimed.
 *
 * Return: how many were found.
 */
unsigned candidates_peek(struct store *store, const struct ipam_request *request,
	sa_family_t family, struct ip ret[], unsigned max)
{
	const struct network_subnet *subnet = network_first_subnet(request->network, family);
	struct allocation allocation cleanup(ipam_end) = { 0 };
	struct pool_request pool_request;

	if (!subnet || ipam_begin(store, request, &allocation, NULL) < 0)
		return 0;
	pool_request = ipam_pool_request(&allocation, subnet);
	return pool_peek(allocation.pool->dir, &allocation.pool->hints, &pool_request, ret, max);
}

/**
 * candidates_take() - claim one of the addresses that candidates_peek() gave
 * @store:   the store
 * @request: the endpoint; its id's lock is held
 * @ip:      the address
 * @err:     filled on failure
 *
 * Return: 0; -EEXIST: another has it by now; or what the failed system call gave.
 */
int candidates_take(struct store *store, const struct ipam_request *request, const struct ip *ip,
	struct error *err)
{
	const struct network_subnet *subnet = network_subnet_of(request->network, ip);
	struct allocation allocation cleanup(ipam_end) = { 0 };
	char holder[CLAIMS_OWNER_MAX + 1];
	struct pool_request pool_request;
	int r = ipam_begin(store, request, &allocation, err);

	if (r < 0)
		return r;
	pool_request = ipam_pool_request(&allocation, subnet);
	return pool_take_next(
		allocation.pool->dir, &allocation.pool->hints, &pool_request, ip, holder, err);
}

/**
 * candidates_next() - claim another automatic address
 * @store:   the store
 * @request: the endpoint; its id's lock is held
 * @family:  AF_INET or AF_INET6
 * @ret:     the address
 * @err:     filled on failure
 *
 * Return: 0, -ENOSPC, -ENOMEM, or what the failed system call gave.
 */
int candidates_next(struct store *store, const struct ipam_request *request, sa_family_t family,
	struct cidr *ret, struct error *err)
{
	struct allocation allocation cleanup(ipam_end) = { 0 };
	int r = ipam_begin(store, request, &allocation, err);

	return r == 0 ? ipam_take_automatic(&allocation, family, true, ret, err) : r;
}

/**
 * candidates_drop() - give back an address that somebody else has, or is about to have
 * @store:   the store
 * @request: the endpoint; its id's lock is held
 * @address: the address, with its subnet's prefix length
 * @holder:  the MAC of who has it, zero where it is not known: then nobody is given the address for
 *           a while. NULL: nobody has it yet
 * @err:     filled on failure
 *
 * Return: 0, or what the failed system call gave.
 */
int candidates_drop(struct store *store, const struct ipam_request *request,
	const struct cidr *address, const uint8_t *holder, struct error *err)
{
	struct allocation allocation cleanup(ipam_end) = { 0 };
	int r = ipam_begin(store, request, &allocation, err);

	if (r == 0)
		r = pool_release(allocation.pool->dir, &allocation.pool->hints, address,
			allocation.owner, err);
	if (r == 0 && holder)
		quarantine_put(allocation.pool->dir, &address->ip, holder);
	return r;
}

/**
 * candidates_past() - who had an address last
 * @store:   the store
 * @request: the endpoint
 * @ip:      the address
 * @ret:     what is known
 * @err:     filled on failure
 *
 * Return: 0, or what opening the pool gave.
 */
int candidates_past(struct store *store, const struct ipam_request *request, const struct ip *ip,
	struct pool_past *ret, struct error *err)
{
	struct allocation allocation cleanup(ipam_end) = { 0 };
	struct network_subnet subnet;
	struct pool_request pool_request;
	int r = ipam_begin(store, request, &allocation, err);

	if (r < 0)
		return r;
	*ret = (struct pool_past){ 0 };
	if (!ipam_subnet_of(request, ip, &subnet))
		return 0;
	pool_request = ipam_pool_request(&allocation, &subnet);
	pool_recall_past(allocation.pool->dir, &allocation.pool->hints, &pool_request, ip, ret);
	return 0;
}
