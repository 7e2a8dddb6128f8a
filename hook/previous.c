// SPDX-License-Identifier: MIT
/*
 * What an attach finds when it comes: a record of its own id, from before or of somebody else with
 * the same id, and an owner of the namespace's endpoints.
 */
#include "hook/previous.h"

#include <string.h>

#include "hook/detach.h"
#include "hook/dns.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "ipam/claims.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

/* How often an owner may vanish while we wait for its lock. */
#define FIND_TRIES 64

static bool is_same_init(const struct record_member *member, const struct netns *netns)
{
	return member->pid == netns->pid && member->start == netns->start;
}

/* An id is unique in one runtime's root only. */
static int refuse_in_use(const struct record_member *member, struct error *err)
{
	return error_set(err, -EEXIST,
		"container id '%s' is in use by pid %d: choose another id, or end that container "
		"first",
		member->id, (int)member->pid);
}

/* Is every endpoint of the record made, and still there? */
static bool is_whole(struct host *host, const struct record *record)
{
	struct rtnl_link link;

	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].ifindex == 0 ||
			endpoint_find_link(host, record, &record->endpoints[i], &link, NULL) < 0)
			return false;
	return true;
}

/* What follows from a record in which this id is a member: 1: it is this very container, whose
 * hooks are called more than once; 0: it is struck out.
 */
static int settle_member(struct host *host, const struct netns *netns, struct record *record,
	const char *id, struct error *err)
{
	const struct record_member *member = record_member_of(record, id);
	bool is_same = member && is_same_init(member, netns);
	bool alive = false;
	int r = detach_check_host(host, record, err);

	if (r == 0 && is_same && record->netns_cookie == netns->cookie && is_whole(host, record))
		return 1;
	if (r == 0 && member && !is_same)
		r = proc_is_alive(member->pid, member->start, &alive, err);
	if (r < 0)
		return r;
	if (alive)
		return refuse_in_use(member, err);
	return detach_member(host, record, id, err);
}

static int settle_joined(
	struct host *host, const struct netns *netns, const struct record *own, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	int r = host_lock(host, own->joined, err);

	if (r < 0)
		return r;
	r = record_load(host->store.containers, own->joined, &owner, err);
	if (r == -ENOENT)
		r = 0;
	else if (r == 0 && record_member_of(owner, own->id))
		r = settle_member(host, netns, owner, own->id, err);
	host_unlock(host, own->joined);
	if (r == 1)
		return 0;
	if (r == 0)
		r = dns_remove(host, own->id, err);
	return r == 0 ? record_remove(host->store.containers, own->id, err) : r;
}

/* Our record may go on for the other members of the pod that we were the owner of. But where we
 * come back in another namespace, as the first container of a pod that is restarted does, it is
 * needed here, with its addresses; what the others joined ends, as an engine's own networks do.
 */
static int settle_owner(
	struct host *host, const struct netns *netns, struct record *own, struct error *err)
{
	bool is_used = false;
	int r = settle_member(host, netns, own, own->id, err);

	if (r == 1)
		return 0;
	if (r == 0)
		r = detach_has_living_member(own, &is_used, err);
	if (r < 0 || !is_used || own->netns_cookie == netns->cookie)
		return r;
	log_notice("container '%s' comes back in another network namespace: '%s' (pid %d) in the "
		   "old one loses the network that it joined",
		own->id, own->members[0].id, (int)own->members[0].pid);
	return detach_all(host, own, err);
}

/**
 * previous_settle() - settle what an earlier run left under this id
 * @host:  the host
 * @netns: the container's namespace
 * @id:    the container; its lock is held
 * @err:   filled on failure
 *
 * What this very container has already stays (prestart and createRuntime may both be set, and an
 * injector may call the hook for each network); the namespace's owner record leads to it.
 *
 * Return: 0; -EEXIST: the id is in use; -EXDEV; or what detach gave.
 */
int previous_settle(struct host *host, const struct netns *netns, const char *id, struct error *err)
{
	cleanup(record_free) struct record *own = NULL;
	/* Mostly there is none, and then no words are needed for it. */
	int r = record_load(host->store.containers, id, &own, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		r = record_load(host->store.containers, id, &own, err);
	if (r < 0)
		return r;
	return *own->joined ? settle_joined(host, netns, own, err)
			    : settle_owner(host, netns, own, err);
}

/* The record that a namespace's link leads to, if it is worth anything; else the link is removed
 * and *ret stays NULL. The owner's lock is held.
 */
static int load_owner(struct host *host, const char *cookie, const char *owner_id,
	const struct netns *netns, struct record **ret, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	bool is_used = false;
	int r = record_load(host->store.containers, owner_id, &owner, err);

	if (r == -ENOENT || (r == 0 && (*owner->joined || owner->netns_cookie != netns->cookie)))
		return claims_release(host->store.netns, cookie, owner_id, err);
	if (r == 0)
		r = detach_check_host(host, owner, err);
	if (r == 0)
		r = detach_has_living_member(owner, &is_used, err);
	if (r < 0)
		return r;
	if (!is_used)
		return detach_all(host, owner, err);
	r = detach_intents(host, owner, err);
	if (r < 0)
		return r;
	*ret = owner;
	owner = NULL;
	return 0;
}

/* One look. Returns 1 where it has to be done again, because what was found is gone. */
static int find_owner_once(struct host *host, const struct netns *netns, const char *id,
	struct record **ret, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	char again[CLAIMS_OWNER_MAX + 1];
	char cookie[TEXT_UINT];
	bool is_self;
	int r;

	text_uint(netns->cookie, cookie);
	r = claims_owner(host->store.netns, cookie, owner, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		r = claims_owner(host->store.netns, cookie, owner, err);
	if (r == 0)
		r = name_check_container_id(owner, err);
	if (r < 0)
		return error_prefix(err, "cannot tell who owns network namespace %s", cookie);
	is_self = !strcmp(owner, id);
	r = is_self ? 0 : host_lock(host, owner, err);
	if (r < 0)
		return r;
	r = claims_owner(host->store.netns, cookie, again, err);
	if (r == 0 && !strcmp(owner, again))
		r = load_owner(host, cookie, owner, netns, ret, err);
	else if (r == -ENOENT)
		r = 0;
	if (r < 0 || !*ret) {
		if (!is_self)
			host_unlock(host, owner);
	}
	return r == 0 && !*ret ? 1 : r;
}

/**
 * previous_find_owner() - whose record has the endpoints of a namespace
 * @host:  the host
 * @netns: the namespace
 * @id:    the container; its lock is held
 * @ret:   the owner's record, with the lock of its id held unless it is @id; or NULL: nobody's.
 *         What dead containers and killed attaches left in it is gone
 * @err:   filled on failure
 *
 * Return: 0, -EAGAIN, -EXDEV, what host_lock() and detach gave.
 */
int previous_find_owner(struct host *host, const struct netns *netns, const char *id,
	struct record **ret, struct error *err)
{
	for (unsigned try = 0; try < FIND_TRIES; try++) {
		int r = find_owner_once(host, netns, id, ret, err);

		if (r <= 0)
			return r;
	}
	return error_set(err, -EAGAIN, "the owner of the network namespace changes too fast");
}
