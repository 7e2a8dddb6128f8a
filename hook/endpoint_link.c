// SPDX-License-Identifier: MIT
/*
 * One endpoint's link, found again by a record alone, wherever its namespace is held, and deleted.
 */
#include <stdio.h>
#include <string.h>

#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/rtnl.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/record.h"

/**
 * endpoint_temporary_name() - what a link is called between its creation and its renaming
 * @endpoint: the endpoint
 * @id:       the container whose record it is in
 * @ret:      the name: the same at each call, so that detach finds what was left half-way
 *
 * Return: @ret.
 */
const char *endpoint_temporary_name(
	const struct record_endpoint *endpoint, const char *id, char ret[INTERFACE_NAME_MAX + 1])
{
	uint64_t hash = hash_strings_u64((const char *const[]){ id, endpoint->interface, NULL });

	snprintf(ret, INTERFACE_NAME_MAX + 1, "omv-%08x", (unsigned)(hash >> 32));
	return ret;
}

/* Is a link that has the recorded index the one that we made? Indexes are used once in the life of
 * a namespace, and an id that we chose names one namespace only. An id that others gave may name
 * another namespace by now: there the MAC or the name must be right too (both can be changed from
 * inside, seldom at once).
 */
static bool is_recorded(const struct record *record, const struct record_endpoint *endpoint,
	const struct rtnl_link *link)
{
	if (strcmp(link->kind, "macvlan") != 0)
		return false;
	return !record->nsid_shared || !memcmp(link->mac, endpoint->mac, MAC_SIZE) ||
	       !strcmp(link->name, endpoint->interface);
}

/* An attach was killed before it wrote down what it made: look under both names. */
static int find_intent(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	char temporary[INTERFACE_NAME_MAX + 1];
	const char *const names[] = { endpoint->interface,
		endpoint_temporary_name(endpoint, record->id, temporary) };

	for (unsigned i = 0; i < 2; i++) {
		struct rtnl_link link = { 0 };
		int r = rtnl_link_get(&host->nl, record->nsid, names[i], &link, err);

		if (r < 0 && r != -ENODEV)
			return r;
		if (r == 0 && !strcmp(link.kind, "macvlan") &&
			link.lower == endpoint->parent_ifindex) {
			*ret = link;
			return 0;
		}
	}
	return error_set(err, -ENODEV, "there is no link");
}

/**
 * endpoint_find_link() - find an endpoint's link, wherever its namespace is held
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @ret:      the link
 * @err:      filled on failure
 *
 * Return: 0; -ENODEV: it is gone, or its namespace is; what RTM_GETLINK gave.
 */
int endpoint_find_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	bool exists = true;
	int r;

	if (endpoint->ifindex == 0)
		r = find_intent(host, record, endpoint, &link, err);
	else
		r = rtnl_link_get_index(&host->nl, record->nsid, endpoint->ifindex, &link, err);
	/* What the kernel says of an id that names no namespace, and perhaps of something else. */
	if (r == -EINVAL && rtnl_nsid_exists(&host->nl, record->nsid, &exists, NULL) == 0 &&
		!exists)
		return error_set(err, -ENODEV, "its network namespace is gone");
	if (r < 0)
		return r;
	if (endpoint->ifindex != 0 && !is_recorded(record, endpoint, &link))
		return error_set(err, -ENODEV, "its link is gone");
	*ret = link;
	return 0;
}

/**
 * endpoint_delete_link() - delete an endpoint's link, and wait until nobody answers any more
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @err:      filled on failure
 *
 * Return: 0, also when there is none any more; what the kernel gave.
 */
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = endpoint_find_link(host, record, endpoint, &link, err);

	if (r == 0)
		r = rtnl_link_del(&host->nl, record->nsid, link.ifindex, err);
	if (r == -ENODEV || r == -EINVAL)
		return 0;
	return r < 0 ? error_prefix(err, "cannot delete interface '%s' of container '%s'",
			       endpoint->interface, record->id)
		     : 0;
}
