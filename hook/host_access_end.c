// SPDX-License-Identifier: MIT
/*
 * Host access, taken back: routes, neighbours and marks of an endpoint, and with the last mark the
 * shim. host_access.c tells why the order is as it is.
 */
#include <string.h>
#include <unistd.h>

#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/host_access_parts.h"
#include "hook/shim.h"
#include "ipam/claims.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

/* The mark goes last, for it leads to the rest. One that is not this endpoint's any more is
 * another's, and so are the routes.
 */
static int remove_address(const struct host_access *access, int shim, const char *name,
	const char *owner, struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	struct ip ip = { 0 };
	int r = claims_owner(access->pool, name, holder, err);

	if (r == -ENOENT || (r == 0 && strcmp(holder, owner) != 0))
		return 0;
	if (r == 0 && shim && ip_parse(name, &ip, NULL) == 0)
		r = host_side_remove(&access->host->nl, shim, &ip, err);
	return r == 0 ? claims_release(access->pool, name, owner, err) : r;
}

/* An intent, whose addresses only the marks say. */
struct intent {
	const struct host_access *access;
	int shim;
	const char *owner;
};

static int mark_found(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct intent *intent = arg;

	if (strcmp(owner, intent->owner) != 0)
		return 0;
	return remove_address(intent->access, intent->shim, name, owner, err);
}

static int remove_addresses(const struct host_access *access, int shim, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct intent intent = { access, shim, owner };
	int r = 0;

	host_access_owner(owner, id, endpoint->interface);
	if (endpoint->ifindex == 0)
		return claims_list(access->pool, mark_found, &intent, err);
	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++) {
		char name[IP_TEXT];

		ip_format(&endpoint->addresses[i].ip, name);
		r = remove_address(access, shim, name, owner, err);
	}
	return r;
}

static int any_found(void *arg, const char *name, const char *owner, struct error *err)
{
	(void)name;
	(void)owner;
	(void)err;
	*(bool *)arg = true;
	return 1;
}

static int delete_unmarked(const struct host_access *access, struct error *err)
{
	bool is_marked = false;
	int r = 0;

	if (access->pool >= 0)
		r = claims_list(access->pool, any_found, &is_marked, err);
	return r == 0 && !is_marked ? shim_delete(&access->host->nl, access->name, err) : r;
}

/* The shim's index; 0: there is none of ours, and so there are no routes of ours. */
static int find_shim(const struct host_access *access, int *ret, struct error *err)
{
	struct rtnl_link shim = { 0 };
	int r = shim_find(&access->host->nl, access->name, &shim, err);

	if (r < 0 && r != -ENODEV && r != -EEXIST)
		return r;
	*ret = shim.ifindex;
	return 0;
}

static int remove_locked(const struct host_access *access, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	int shim = 0;
	int r = find_shim(access, &shim, err);

	if (r == 0 && access->pool >= 0)
		r = remove_addresses(access, shim, id, endpoint, err);
	return r == 0 ? delete_unmarked(access, err) : r;
}

/* Opens a shim's pool, if there is one, and takes the shim's lock. */
static int begin(struct host_access *access, const char *parent, struct error *err)
{
	int r = store_open_pool(&access->host->store, access->name, false, &access->pool, err);

	if (r < 0 && r != -ENOENT)
		return r;
	r = host_access_lock(access, parent, err);
	if (r < 0 && access->pool >= 0)
		close(access->pool);
	return r;
}

static void end(struct host_access *access)
{
	host_access_unlock(access);
	if (access->pool >= 0)
		close(access->pool);
}

/**
 * host_access_remove() - take back what the host has of an endpoint; the last takes the shim along
 * @host:     the host
 * @id:       the container whose record it is in, whose lock is held
 * @endpoint: the endpoint, its link gone
 * @err:      filled on failure
 *
 * Return: 0, also when there is nothing of it; or what the kernel or the file system gave.
 */
int host_access_remove(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	struct host_access access = { .host = host, .pool = -1 };
	int r;

	if (!endpoint->host_access)
		return 0;
	shim_name(endpoint->parent, access.name);
	r = begin(&access, endpoint->parent, err);
	if (r == 0) {
		r = remove_locked(&access, id, endpoint, err);
		end(&access);
	}
	return r < 0 ? error_prefix(err, "container '%s': cannot end the host's access", id) : 0;
}

static int release_locked(
	const struct host_access *access, const char *name, const char *owner, struct error *err)
{
	int shim = 0;
	int r = find_shim(access, &shim, err);

	if (r == 0 && access->pool >= 0)
		r = remove_address(access, shim, name, owner, err);
	return r == 0 ? delete_unmarked(access, err) : r;
}

/**
 * host_access_release() - release a mark that no record leads to, and what it stands for
 * @host:  the host
 * @pool:  the pool, of which shim_is_name()
 * @name:  the mark
 * @owner: CONTAINER/INTERFACE, as the mark says; the container's lock is held
 * @err:   filled on failure
 *
 * Return: 0, or what the kernel or the file system gave.
 */
int host_access_release(
	struct host *host, const char *pool, const char *name, const char *owner, struct error *err)
{
	struct host_access access = { .host = host, .pool = -1 };
	int r;

	text_join(access.name, sizeof(access.name), pool);
	r = begin(&access, pool, err);
	if (r == 0) {
		r = release_locked(&access, name, owner, err);
		end(&access);
	}
	return r;
}
