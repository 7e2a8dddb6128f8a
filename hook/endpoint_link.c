// SPDX-License-Identifier: MIT
/*
 * One endpoint's link, found again by a record alone, wherever its namespace is held, and deleted.
 *
 * What identifies it is its index: a hash of the namespace's cookie, the record's id and the
 * interface's name, which the message that creates the link asks for. Nothing else does. A name and
 * a MAC can be changed from inside the container, and are the same in many. The kernel's own
 * indexes are the same in many, too, and a namespace id may be given to another namespace as soon
 * as ours has ended: the kernel chooses the lowest free one, so only the ids that we chose
 * ourselves stay one namespace's. An index cannot be changed, so a link that was created but not
 * yet recorded is found as well.
 *
 * Links that version 0.1.0 has made have the kernel's indexes. Behind an id that we did not choose
 * they are ours only if the namespace is: judge_nsid().
 */
#include <stdio.h>
#include <string.h>

#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/judge.h"
#include "hook/rtnl.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/record.h"
#include "schema/text.h"

/* From which on and to which. Some programs keep an index in a signed number of 16 bits (Open MPI
 * up to 3.0, OpenPMIX), in an unsigned one (smcroute up to 2.4.3, NetFlow 5), or in 24 bits (sFlow
 * 5). Below are the kernel's own numbers.
 */
#define INDEX_FIRST 4096
#define INDEX_LAST INT16_MAX
/* A prime: a host's indexes, which up to Linux 6.12 are in the way, are next to each other. */
#define INDEX_STEP UINT64_C(7919)

static uint64_t index_hash(const struct record *record, const struct record_endpoint *endpoint)
{
	char cookie[TEXT_UINT];

	return hash_strings_u64((const char *const[]){ "link",
		text_uint(record->netns_cookie, cookie), record->id, endpoint->interface, NULL });
}

static int nth_index(uint64_t hash, unsigned n)
{
	return INDEX_FIRST + (int)((hash + n * INDEX_STEP) % (INDEX_LAST - INDEX_FIRST + 1));
}

/**
 * endpoint_index() - an index that an endpoint's link may have
 * @record:   its record
 * @endpoint: the endpoint
 * @n:        which of them, below ENDPOINT_INDEXES: one that is taken gives way to the next
 *
 * Version 0.1.0 does not know of it, but each later one must come to the same: the record of an
 * attach that was killed does not say which it was.
 *
 * Return: the index.
 */
int endpoint_index(const struct record *record, const struct record_endpoint *endpoint, unsigned n)
{
	return nth_index(index_hash(record, endpoint), n);
}

static bool is_own_index(
	const struct record *record, const struct record_endpoint *endpoint, int ifindex)
{
	uint64_t hash = index_hash(record, endpoint);

	for (unsigned i = 0; i < ENDPOINT_INDEXES; i++)
		if (nth_index(hash, i) == ifindex)
			return true;
	return false;
}

/* What version 0.1.0 called a link between its creation and its renaming. */
static const char *temporary_name(
	const struct record_endpoint *endpoint, const char *id, char ret[INTERFACE_NAME_MAX + 1])
{
	uint64_t hash = hash_strings_u64((const char *const[]){ id, endpoint->interface, NULL });

	snprintf(ret, INTERFACE_NAME_MAX + 1, "omv-%08x", (unsigned)(hash >> 32));
	return ret;
}

static bool is_on_parent(const struct rtnl_link *link, const struct record_endpoint *endpoint)
{
	return !strcmp(link->kind, "macvlan") && link->lower == endpoint->parent_ifindex;
}

static int report_gone(struct error *err)
{
	return error_set(err, -ENODEV, "its link is gone");
}

/* Another endpoint of the record has this index by chance, and that is what is recorded of it. */
static bool is_recorded(const struct record *record, int ifindex)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].ifindex == ifindex)
			return true;
	return false;
}

/* A look for the link of an intent among all of its namespace. */
struct intent_search {
	const struct record *record;
	const struct record_endpoint *endpoint;
	char temporary[INTERFACE_NAME_MAX + 1];
	struct rtnl_link own;	/* with one of its indexes; index 0: there is none */
	struct rtnl_link named; /* with a name that version 0.1.0 has given it */
};

static int look_for_intent(void *arg, const struct rtnl_link *link)
{
	struct intent_search *search = arg;
	const struct record_endpoint *endpoint = search->endpoint;

	if (!is_on_parent(link, endpoint) || is_recorded(search->record, link->ifindex))
		return 0;
	if (is_own_index(search->record, endpoint, link->ifindex))
		search->own = *link;
	else if (!strcmp(link->name, endpoint->interface) || !strcmp(link->name, search->temporary))
		search->named = *link;
	return 0;
}

/* An attach was killed before it wrote down what it made. One list costs less than a question for
 * each index.
 */
static int find_intent(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	struct intent_search search = { .record = record, .endpoint = endpoint };
	int r;

	temporary_name(endpoint, record->id, search.temporary);
	r = rtnl_link_list_nsid(&host->nl, record->nsid, look_for_intent, &search, err);
	if (r < 0)
		return r;
	if (search.own.ifindex == 0 && search.named.ifindex == 0)
		return report_gone(err);
	*ret = search.own.ifindex != 0 ? search.own : search.named;
	return 0;
}

static int find_recorded(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get_index(&host->nl, record->nsid, endpoint->ifindex, &link, err);

	if (r < 0)
		return r;
	if (strcmp(link.kind, "macvlan") != 0)
		return report_gone(err);
	*ret = link;
	return 0;
}

/* A link that may be another container's is not deleted, and its addresses are not free. */
static int report_doubt(const struct record *record, const struct record_endpoint *endpoint,
	const struct rtnl_link *link, struct error *err)
{
	return error_set(err, -ENOTUNIQ,
		"the network namespace with id %d, which it had, may be another container's by now, "
		"so interface '%s' (index %d) there is not deleted, and the addresses of '%s' stay "
		"taken until that namespace ends: if interface '%s' is the one of container '%s', "
		"delete it",
		record->nsid, link->name, link->ifindex, endpoint->interface, link->name,
		record->id);
}

/* Is a link ours that was found behind an id that others have given? */
static int check_shared(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, const struct rtnl_link *link, struct error *err)
{
	bool is_own = is_own_index(record, endpoint, link->ifindex);
	bool has_mac = endpoint->ifindex != 0 && !memcmp(link->mac, endpoint->mac, MAC_SIZE);
	enum nsid_holder holder = NSID_UNKNOWN;
	int r;

	if (!is_on_parent(link, endpoint))
		return report_gone(err);
	if (is_own && has_mac)
		return 0;
	r = judge_nsid(host, record, &holder, err);
	if (r < 0)
		return r;
	switch (holder) {
	case NSID_OWN:
		return 0;
	case NSID_ANOTHERS:
		return report_gone(err);
	case NSID_NOBODYS:
		if (is_own || has_mac)
			return 0;
		break;
	case NSID_UNKNOWN:
		break;
	}
	return report_doubt(record, endpoint, link, err);
}

/**
 * endpoint_find_link() - find an endpoint's link, wherever its namespace is held
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @ret:      the link
 * @err:      filled on failure
 *
 * Return: 0; -ENODEV: it is gone, or its namespace is; -ENOTUNIQ: one cannot tell whether the link
 * that is there is this one; what RTM_GETLINK and judge_nsid() gave.
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
		r = find_recorded(host, record, endpoint, &link, err);
	/* What the kernel says of an id that names no namespace, and perhaps of something else. */
	if (r == -EINVAL && rtnl_nsid_exists(&host->nl, record->nsid, &exists, NULL) == 0 &&
		!exists)
		return error_set(err, -ENODEV, "its network namespace is gone");
	if (r == 0 && record->nsid_shared)
		r = check_shared(host, record, endpoint, &link, err);
	if (r < 0)
		return r;
	*ret = link;
	return 0;
}

static int delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = endpoint_find_link(host, record, endpoint, &link, err);

	return r == 0 ? rtnl_link_del(&host->nl, record->nsid, link.ifindex, err) : r;
}

/**
 * endpoint_delete_link() - delete an endpoint's link, and wait until nobody answers any more
 * @host:     the host
 * @record:   the record
 * @endpoint: one of its endpoints
 * @err:      filled on failure
 *
 * Of an intent, whichever of its indexes its link has: in a pod, a member may have made links of
 * its own with the others, and they go as well.
 *
 * Return: 0, also when there is none any more; -ENOTUNIQ: one cannot tell which it is, and nothing
 * was deleted; what the kernel gave.
 */
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	int r = delete_link(host, record, endpoint, err);

	for (unsigned i = 0; r == 0 && endpoint->ifindex == 0 && i < ENDPOINT_INDEXES; i++)
		r = delete_link(host, record, endpoint, err);
	if (r == -ENODEV || r == -EINVAL)
		return 0;
	return r < 0 ? error_prefix(err, "cannot delete interface '%s' of container '%s'",
			       endpoint->interface, record->id)
		     : 0;
}
