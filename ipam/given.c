// SPDX-License-Identifier: MIT
/*
 * Addresses that others have chosen: the LAN's DHCP server. They are claimed in the parent's pool
 * like our own, so that nobody else on the parent is given one that is in use.
 */
#include "ipam/given.h"

#include "ipam/quarantine.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

static const char *owner_of(const struct given *given, char ret[CLAIMS_OWNER_MAX + 1])
{
	return text_join(ret, CLAIMS_OWNER_MAX + 1, given->id, "/", given->endpoint->interface);
}

/**
 * given_claim() - claim an address that others have chosen
 * @store:      the store
 * @given:      the address, and whose it is to be
 * @ret_holder: on -EEXIST: CONTAINER/INTERFACE that has it; "" when what is there is no claim
 * @err:        filled on failure
 *
 * One that is in quarantine may be had: whoever has chosen it knows of its LAN.
 *
 * ipam_release() gives it back with the endpoint's others, given_release() by itself.
 *
 * Return: 0, also when the endpoint has it already; -EEXIST; or what symlink(2) gave.
 */
int given_claim(struct store *store, const struct given *given,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	char name[IP_TEXT];
	struct store_pool *pool = NULL;
	int r = store_keep_pool(store, given->endpoint->parent, true, &pool, err);

	if (r < 0)
		return r;
	ip_format(given->ip, name);
	owner_of(given, owner);
	r = claims_take(pool->dir, name, owner, ret_holder, err);
	if (r == -EEXIST && quarantine_lift(store, pool->dir, given->ip))
		r = claims_take(pool->dir, name, owner, ret_holder, err);
	return r;
}

/**
 * given_release() - give an address back
 * @store: the store
 * @given: the address, and whose it was
 * @err:   filled on failure
 *
 * Return: 0, also when it is another's; or what the failed system call gave.
 */
int given_release(struct store *store, const struct given *given, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	char name[IP_TEXT];
	struct store_pool *pool = NULL;
	int r = store_keep_pool(store, given->endpoint->parent, false, &pool, err);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	return claims_release(pool->dir, ip_format(given->ip, name), owner_of(given, owner), err);
}
