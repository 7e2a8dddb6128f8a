// SPDX-License-Identifier: MIT
/*
 * Names that are one endpoint's alone on a parent, claimed in its pool beside the addresses:
 *
 *   .name-NETWORK:NAME  io.oci-macvlan.name, which "the same address again" and hashed MACs go by
 *   .client-HASH        by which a DHCP server knows a client (option 61)
 *   .hostname-NAME      by which it calls one (option 12)
 *
 * All are links -> CONTAINER/INTERFACE, and end with the endpoint.
 */
#include <stdio.h>
#include <string.h>

#include "ipam/ipam.h"
#include "ipam/ipam_parts.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/record.h"
#include "schema/text.h"

#define KEY_CLAIM_MAX (sizeof(".name-") + NETWORK_NAME_MAX + 1 + CONTAINER_ID_MAX)
#define CLIENT_CLAIM ".client-"
#define HOSTNAME_CLAIM ".hostname-"
#define NAME_CLAIM_MAX (sizeof(HOSTNAME_CLAIM) + HASH_HEX + HOSTNAME_MAX)

/**
 * ipam_owner() - what the claims of an endpoint say
 * @id:        the container whose record it is in
 * @interface: its name in the container
 * @ret:       CONTAINER/INTERFACE
 *
 * Return: @ret.
 */
const char *ipam_owner(const char *id, const char *interface, char ret[CLAIMS_OWNER_MAX + 1])
{
	return text_join(ret, CLAIMS_OWNER_MAX + 1, id, "/", interface);
}

static const char *key_claim_of(const char *network, const char *key, char ret[KEY_CLAIM_MAX])
{
	return text_join(ret, KEY_CLAIM_MAX, ".name-", network, ":", key);
}

/* A client identifier may have any character. Of host names upper and lower case are one, and what
 * is behind a dot is a domain for servers.
 */
static const char *name_claim_of(enum ipam_name kind, const char *text, char ret[NAME_CLAIM_MAX])
{
	char hex[HASH_HEX];

	switch (kind) {
	case IPAM_CLIENT_ID:
		hash_strings_hex((const char *const[]){ text, NULL }, hex);
		return text_join(ret, NAME_CLAIM_MAX, CLIENT_CLAIM, hex);
	case IPAM_HOSTNAME:
		break;
	}
	text_join(ret, NAME_CLAIM_MAX, HOSTNAME_CLAIM, text);
	ret[strlen(HOSTNAME_CLAIM) + strcspn(text, ".")] = '\0';
	for (char *c = ret; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return ret;
}

static int claim(struct store *store, const struct ipam_request *request, const char *name,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct store_pool *pool = NULL;
	int r = store_keep_pool(store, request->network->parent, true, &pool, err);

	if (r < 0)
		return r;
	ipam_owner(request->id, request->interface, owner);
	return claims_take(pool->dir, name, owner, ret_holder, err);
}

/**
 * ipam_claim_key() - claim the name that a container goes by, so that no two live ones share it
 * @store:      the store
 * @request:    the endpoint, and the name in its key (of io.oci-macvlan.name)
 * @ret_holder: on -EEXIST: CONTAINER/INTERFACE that has it
 * @err:        filled on failure
 *
 * ipam_release() gives it back.
 *
 * Return: 0; -EEXIST: another has it; -EINVAL: it is no name; or what symlink(2) gave.
 */
int ipam_claim_key(struct store *store, const struct ipam_request *request,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char name[KEY_CLAIM_MAX];
	int r;

	if (strchr(request->key, '/') || strlen(request->key) > CONTAINER_ID_MAX)
		return error_set(err, -EINVAL, "'%s' is not a name to go by", request->key);
	r = claim(store, request, key_claim_of(request->network->name, request->key, name),
		ret_holder, err);
	if (r < 0)
		error_prefix(err, "name '%s'", request->key);
	return r;
}

/**
 * ipam_claim_name() - claim a name that others on the LAN know an endpoint by
 * @store:      the store
 * @request:    the endpoint; its id's lock is held, and its record says that it may have claims
 * @kind:       what it is
 * @text:       the name
 * @ret_holder: on -EEXIST: CONTAINER/INTERFACE that has it
 * @err:        filled on failure
 *
 * ipam_release() gives it back.
 *
 * Return: 0, also when the endpoint has it already; -EEXIST; or what symlink(2) gave.
 */
int ipam_claim_name(struct store *store, const struct ipam_request *request, enum ipam_name kind,
	const char *text, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char name[NAME_CLAIM_MAX];

	return claim(store, request, name_claim_of(kind, text, name), ret_holder, err);
}

/**
 * ipam_release_name() - give back a name that another container had, which has no record
 * @store:   the store
 * @request: who wants the name
 * @kind:    what it is
 * @text:    the name
 * @holder:  CONTAINER/INTERFACE, as ipam_claim_name() gave it; the container's lock is held
 * @err:     filled on failure
 *
 * Return: 0, also when it is not its any more; or what unlink(2) gave.
 */
int ipam_release_name(struct store *store, const struct ipam_request *request, enum ipam_name kind,
	const char *text, const char *holder, struct error *err)
{
	char name[NAME_CLAIM_MAX];
	struct store_pool *pool = NULL;
	int r = store_keep_pool(store, request->network->parent, true, &pool, err);

	return r < 0 ? r : claims_release(pool->dir, name_claim_of(kind, text, name), holder, err);
}

/**
 * ipam_release_names() - give back the names of an endpoint that is no intent
 * @pool:     of its parent
 * @endpoint: the endpoint
 * @owner:    ipam_owner()
 * @err:      filled on failure
 *
 * Return: 0, also where it has none (version 0.1.0 claims only the first kind); or what unlink(2)
 * gave.
 */
int ipam_release_names(struct store_pool *pool, const struct record_endpoint *endpoint,
	const char *owner, struct error *err)
{
	const struct record_dhcp *dhcp = &endpoint->dhcp;
	char key[KEY_CLAIM_MAX];
	char name[NAME_CLAIM_MAX];
	/* Where it goes by its id, no such claim is there. */
	int r = claims_release(
		pool->dir, key_claim_of(endpoint->network, endpoint->key, key), owner, err);

	if (r == 0 && *dhcp->client_id)
		r = claims_release(pool->dir, name_claim_of(IPAM_CLIENT_ID, dhcp->client_id, name),
			owner, err);
	if (r == 0 && *dhcp->hostname)
		r = claims_release(
			pool->dir, name_claim_of(IPAM_HOSTNAME, dhcp->hostname, name), owner, err);
	return r;
}
