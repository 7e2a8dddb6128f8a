// SPDX-License-Identifier: MIT
/*
 * Detach: everything that an endpoint has, taken back, from its record alone. It serves poststop,
 * gc, network rm -f and the undo of a failed attach; attach.c tells why it can.
 *
 * The order: DHCP client ended, link gone (acknowledged by the kernel, or its namespace is dead),
 * then the host's routes to it, what a plugin gave, the claims, the namespace's owner, the record.
 * So no address is free while something still answers to it, and whoever is killed half-way leaves
 * a record with which the next one goes on.
 */
#include "hook/detach.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hook/dhcp.h"
#include "hook/dns.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/log.h"
#include "hook/plugin.h"
#include "hook/proc.h"
#include "ipam/claims.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/* How long poststop waits for an init that is still there: a runtime calls it when init is dead,
 * so one that outlives this is another container's, or the call comes too late.
 */
#define LATE_MS 100

/**
 * detach_check_host() - fail where a record's endpoints were made from another namespace than ours
 * @host:   the host
 * @record: the record
 * @err:    filled on failure
 *
 * Namespace ids are the host namespace's own: from another, a live endpoint looks dead.
 *
 * Return: 0 or -EXDEV.
 */
int detach_check_host(const struct host *host, const struct record *record, struct error *err)
{
	if (record->host_cookie == host->cookie)
		return 0;
	return error_set(err, -EXDEV,
		"container '%s' was attached from another host network namespace: nothing is "
		"changed from this one",
		record->id);
}

static int delete_links(
	struct host *host, const struct record *record, unsigned first, struct error *err)
{
	int r = dhcp_stop(host, record, first, err);

	for (unsigned i = first; r == 0 && i < record->n_endpoints; i++)
		r = endpoint_delete_link(host, record, &record->endpoints[i], err);
	return r;
}

/* The host's routes first: an address that is free leads nowhere. */
static int release_claim(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	int r = host_access_remove(host, record->id, endpoint, err);

	if (r == 0)
		r = plugin_give_back(host, record, endpoint, err);
	if (r == 0)
		r = ipam_release(&host->store, record->id, endpoint, err);
	if (r == 0)
		r = dhcp_remove(host, record->id, endpoint, err);
	return r < 0 ? error_prefix(err, "interface '%s'", endpoint->interface) : 0;
}

/* One that cannot be released must not keep the others. */
static int release_claims(
	struct host *host, const struct record *record, unsigned first, struct error *err)
{
	struct error later;
	int r = 0;

	for (unsigned i = first; i < record->n_endpoints; i++) {
		int each =
			release_claim(host, record, &record->endpoints[i], r == 0 ? err : &later);

		if (r == 0)
			r = each;
	}
	return r;
}

/**
 * detach_endpoints() - take back some of a record's endpoints
 * @host:   the host
 * @record: its endpoints from @first on are taken out of it; the file is as before
 * @first:  the first one to take back
 * @err:    filled on failure: then the record is as before
 *
 * Return: 0, or what the kernel or the file system gave.
 */
int detach_endpoints(struct host *host, struct record *record, unsigned first, struct error *err)
{
	int r = delete_links(host, record, first, err);

	if (r == 0)
		r = release_claims(host, record, first, err);
	if (r == 0 && first < record->n_endpoints)
		record->n_endpoints = first;
	return r;
}

/**
 * detach_intents() - take back what attaches began that were killed
 * @host:   the host
 * @record: the record of an owner, whose id's lock is held: so no attach is under way, and every
 *          intent in it is one that nobody goes on with
 * @err:    filled on failure
 *
 * Return: 0, or what detach_endpoints() or record_save() gave.
 */
int detach_intents(struct host *host, struct record *record, struct error *err)
{
	unsigned first = record_first_intent(record);
	int r;

	if (first == record->n_endpoints)
		return 0;
	r = detach_endpoints(host, record, first, err);
	return r == 0 ? record_save(host->store.containers, record, err) : r;
}

static int release_netns(struct host *host, const struct record *record, struct error *err)
{
	char cookie[24];

	snprintf(cookie, sizeof(cookie), "%" PRIu64, record->netns_cookie);
	return claims_release(host->store.netns, cookie, record->id, err);
}

/**
 * detach_rest() - detach_all(), where the links have ended with their namespace
 * @host:   the host
 * @record: the record of an owner
 * @err:    filled on failure
 *
 * Return: 0, or what the file system gave; calling it again goes on.
 */
int detach_rest(struct host *host, const struct record *record, struct error *err)
{
	int r = release_claims(host, record, 0, err);

	if (r == 0)
		r = release_netns(host, record, err);
	if (r == 0)
		r = dns_remove(host, record->id, err);
	if (r == 0)
		r = record_remove(host->store.containers, record->id, err);
	return r;
}

/**
 * detach_all() - take back all that a record says, and the record
 * @host:   the host
 * @record: the record of an owner
 * @err:    filled on failure
 *
 * Return: 0, -EXDEV, or what the kernel or the file system gave; calling it again goes on.
 */
int detach_all(struct host *host, const struct record *record, struct error *err)
{
	int r = detach_check_host(host, record, err);

	if (r == 0)
		r = delete_links(host, record, 0, err);
	return r == 0 ? detach_rest(host, record, err) : r;
}

/**
 * detach_has_living_member() - does anybody still use a record's endpoints
 * @record: the record of an owner
 * @ret:    true while the init of one of its members lives
 * @err:    filled on failure
 *
 * Return: 0, or what proc_is_alive() gave.
 */
int detach_has_living_member(const struct record *record, bool *ret, struct error *err)
{
	bool alive = false;

	for (unsigned i = 0; !alive && i < record->n_members; i++) {
		const struct record_member *member = &record->members[i];
		int r = proc_is_alive(member->pid, member->start, &alive, err);

		if (r < 0)
			return r;
	}
	*ret = alive;
	return 0;
}

/**
 * detach_member() - strike a container out of a record; the last one takes everything with it
 * @host:   the host
 * @record: the owner's record
 * @member: the container's id: the owner's own or another's
 * @err:    filled on failure
 *
 * Members whose init is dead do not count: their poststop may never come. What killed attaches
 * began in the pod is taken back, for it may be this member's.
 *
 * Return: 0, or what proc_is_alive(), detach_all(), detach_endpoints() or record_save() gave.
 */
int detach_member(struct host *host, struct record *record, const char *member, struct error *err)
{
	bool is_used = false;
	int r = detach_check_host(host, record, err);

	if (r < 0)
		return r;
	record_drop_member(record, member);
	r = detach_has_living_member(record, &is_used, err);
	if (r < 0)
		return r;
	if (!is_used)
		return detach_all(host, record, err);
	r = detach_endpoints(host, record, record_first_intent(record), err);
	/* An owner's record stays for the others; a member's own leads to the rest of it. */
	if (r == 0)
		r = dns_remove(host, member, err);
	return r == 0 ? record_save(host->store.containers, record, err) : r;
}

static int is_late(const struct record *record, const char *id, bool *ret, struct error *err)
{
	const struct record_member *member = record_member_of(record, id);
	int r = 0;

	*ret = false;
	if (member)
		r = proc_outlives(member->pid, member->start, LATE_MS, ret, err);
	if (r == 0 && *ret)
		log_notice("poststop of container '%s' changes nothing: its init (pid %d) is "
			   "alive, so the call is late or of another container with this id",
			id, (int)member->pid);
	return r;
}

/* A pod's member: the endpoints are in the owner's record. The locks: own, then owner's. */
static int detach_joined(struct host *host, const struct record *own, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	bool late = false;
	int r = host_lock(host, own->joined, err);

	if (r < 0)
		return r;
	r = record_load(host->store.containers, own->joined, &owner, err);
	if (r == 0)
		r = is_late(owner, own->id, &late, err);
	if (r == 0 && !late && record_member_of(owner, own->id))
		r = detach_member(host, owner, own->id, err);
	host_unlock(host, own->joined);
	if (late || (r < 0 && r != -ENOENT))
		return r;
	r = dns_remove(host, own->id, err);
	return r == 0 ? record_remove(host->store.containers, own->id, err) : r;
}

static int detach_locked(struct host *host, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	bool stays = false;
	int r = record_load(host->store.containers, id, &record, err);

	if (r == -ENOENT) /* but perhaps an attach was killed while it wrote its first record */
		return record_remove(host->store.containers, id, err);
	if (r < 0)
		return r;
	if (*record->joined)
		return detach_joined(host, record, err);
	r = is_late(record, id, &stays, err);
	/* An owner that has struck itself out before, while its pod goes on. */
	if (r == 0 && !stays && !record_member_of(record, id))
		r = detach_has_living_member(record, &stays, err);
	if (r < 0 || stays)
		return r;
	return detach_member(host, record, id, err);
}

/**
 * detach_poststop() - what poststop does: any number of times, at once, or late
 * @host: the host
 * @id:   the container
 * @err:  filled on failure
 *
 * Return: 0, also when there is nothing to do; -EXDEV; what the kernel or the file system gave.
 */
int detach_poststop(struct host *host, const char *id, struct error *err)
{
	int r = host_lock(host, id, err);

	if (r < 0)
		return r;
	r = detach_locked(host, id, err);
	host_unlock(host, id);
	return r;
}

/* Moves the endpoints of a network behind the others. Returns the first of them. */
static unsigned sort_network_last(struct record *record, const char *network)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < record->n_endpoints; i++) {
		struct record_endpoint endpoint = record->endpoints[i];

		if (!strcmp(endpoint.network, network))
			continue;
		record->endpoints[i] = record->endpoints[kept];
		record->endpoints[kept++] = endpoint;
	}
	return kept;
}

static int detach_network_locked(
	struct host *host, const char *id, const char *network, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	unsigned first;
	int r = record_load(host->store.containers, id, &record, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = detach_check_host(host, record, err);
	if (r < 0)
		return r;
	first = sort_network_last(record, network);
	if (first == record->n_endpoints)
		return 0;
	if (first == 0)
		return detach_all(host, record, err);
	r = detach_endpoints(host, record, first, err);
	return r == 0 ? record_save(host->store.containers, record, err) : r;
}

/**
 * detach_network() - take a container off one network, dead or alive
 * @host:    the host
 * @id:      the container whose record has the endpoints
 * @network: the network's name
 * @err:     filled on failure
 *
 * Return: 0, also when it is not on it; -EXDEV; what the kernel or the file system gave.
 */
int detach_network(struct host *host, const char *id, const char *network, struct error *err)
{
	int r = host_lock(host, id, err);

	if (r < 0)
		return r;
	r = detach_network_locked(host, id, network, err);
	host_unlock(host, id);
	return r;
}
