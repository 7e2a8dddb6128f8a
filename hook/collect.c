// SPDX-License-Identifier: MIT
/*
 * What poststop would have done for one container, where it is dead; and what a killed attach has
 * left in the record of one that lives.
 *
 * Everything is judged under the lock of the id, and only what nobody else has locked: one who
 * attaches or detaches just now does it himself.
 */
#include "hook/collect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hook/detach.h"
#include "hook/dhcp.h"
#include "hook/dns.h"
#include "hook/host.h"
#include "hook/judge.h"
#include "hook/known.h"
#include "hook/proc.h"
#include "hook/reconcile.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/**
 * collect_report() - say what was freed, or would be
 * @collection: the run
 * @id:         the container
 * @what:       what it had
 * @why:        why it is free
 */
void collect_report(
	const struct collection *collection, const char *id, const char *what, const char *why)
{
	char line[2 * COLLECT_TEXT];

	if (!collection->output->freed)
		return;
	snprintf(line, sizeof(line), "container '%s': %s%s: %s", id,
		collection->dry_run ? "would free " : "freed ", what, why);
	collection->output->freed(collection->output->arg, line);
}

/**
 * collect_complain() - say what could not be freed
 * @collection: the run
 * @err:        why
 */
void collect_complain(const struct collection *collection, const struct error *err)
{
	if (collection->output->failed)
		collection->output->failed(collection->output->arg, err);
}

/* A list for people. What does not fit is left out. */
struct text {
	size_t used;
	char text[COLLECT_TEXT];
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list arguments;

	if (text->used >= sizeof(text->text))
		return;
	va_start(arguments, format);
	text->used += (size_t)vsnprintf(
		text->text + text->used, sizeof(text->text) - text->used, format, arguments);
	va_end(arguments);
}

/* The claims of an intent as they are found: IPv4 before IPv6, as everywhere. */
struct found {
	struct text v4;
	struct text v6;
};

static int claim_found(void *arg, const char *name, const char *owner, struct error *err)
{
	struct found *found = arg;

	(void)owner;
	(void)err;
	if (name[0] != '.') /* a name, not an address */
		put(strchr(name, ':') ? &found->v6 : &found->v4, " %s", name);
	return 0;
}

/* Its record does not say which addresses it has. */
static int put_claims(const struct collection *collection, const char *id,
	const struct record_endpoint *endpoint, struct text *text, struct error *err)
{
	struct found found = { 0 };
	int r = ipam_list(&collection->host->store, id, endpoint, claim_found, &found, err);

	put(text, "%s%s", found.v4.text, found.v6.text);
	return r;
}

/* "eth0 10.0.0.3/24 2001:db8::3/64, eth1 ..." */
static int list_endpoints(const struct collection *collection, const struct record *record,
	unsigned first, struct text *text, struct error *err)
{
	int r = 0;

	for (unsigned i = first; r == 0 && i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		put(text, "%s%s", i > first ? ", " : "", endpoint->interface);
		for (unsigned j = 0; j < endpoint->n_addresses; j++) {
			char address[CIDR_TEXT];

			put(text, " %s", cidr_format(&endpoint->addresses[j], address));
		}
		if (endpoint->ifindex == 0)
			r = put_claims(collection, record->id, endpoint, text, err);
	}
	return r;
}

/* The record of a member, if it says that it joined this owner; its lock is held then. */
static bool lock_joined(const struct collection *collection, const char *owner, const char *id)
{
	cleanup(record_free) struct record *record = NULL;

	if (!strcmp(id, owner) || host_trylock(collection->host, id, NULL) < 0)
		return false;
	if (record_load(collection->host->store.containers, id, &record, NULL) == 0 &&
		!strcmp(record->joined, owner))
		return true;
	host_unlock(collection->host, id);
	return false;
}

static void collect_joined_of(const struct collection *collection, const char *owner,
	const char *id, bool is_struck, const char *why)
{
	char what[CONTAINER_ID_MAX + 64] = "its place in the pod";
	bool is_owner = !strcmp(id, owner); /* whose lock is held */
	bool has_record = lock_joined(collection, owner, id);
	struct error err;
	int r = 0;

	if ((has_record || is_owner) && !collection->dry_run)
		r = dns_remove(collection->host, id, &err);
	if (r == 0 && has_record && !collection->dry_run)
		r = record_remove(collection->host->store.containers, id, &err);
	if (has_record)
		host_unlock(collection->host, id);
	if (r < 0)
		collect_complain(collection, &err);
	if (!is_owner)
		snprintf(what, sizeof(what), "its place in the pod of '%s'", owner);
	if (r == 0 && (has_record || is_struck))
		collect_report(collection, id, what, why);
}

/* Members that are dead. (Where there is one member he was found alive.) */
static int find_dead(const struct record *record, struct record_member ret[RECORD_MEMBERS_MAX],
	unsigned *ret_n, struct error *err)
{
	*ret_n = 0;
	for (unsigned i = 0; record->n_members > 1 && i < record->n_members; i++) {
		const struct record_member *member = &record->members[i];
		bool alive = false;
		int r = proc_is_alive(member->pid, member->start, &alive, err);

		if (r < 0)
			return error_prefix(err, "container '%s'", member->id);
		if (!alive)
			ret[(*ret_n)++] = *member;
	}
	return 0;
}

/* Strikes out members that died without a poststop: out of the owner's record first, as in detach,
 * so that a member's own record leads to it until then.
 */
static int strike_dead(
	const struct collection *collection, struct record *record, struct error *err)
{
	struct record_member dead[RECORD_MEMBERS_MAX];
	unsigned n = 0;
	int r = find_dead(record, dead, &n, err);

	if (r < 0 || n == 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		record_drop_member(record, dead[i].id);
	if (!collection->dry_run)
		r = record_save(collection->host->store.containers, record, err);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		char why[64];

		snprintf(why, sizeof(why), "its init (pid %d) is dead", (int)dead[i].pid);
		collect_joined_of(collection, record->id, dead[i].id, true, why);
	}
	return r;
}

/* Frees the endpoints from the first on; all of them: the record, too. */
static int free_endpoints(struct collection *collection, struct record *record, unsigned first,
	const struct verdict *verdict, struct error *err)
{
	struct text what = { 0 };
	int r = 0;

	if (collection->output->freed)
		r = list_endpoints(collection, record, first, &what, err);
	if (r < 0)
		return r;
	if (collection->dry_run)
		r = 0;
	else if (first > 0)
		r = detach_intents(collection->host, record, err);
	else if (verdict->is_netns_gone)
		r = detach_rest(collection->host, record, err);
	else
		r = detach_all(collection->host, record, err);
	if (r < 0)
		return error_prefix(err, "container '%s'", record->id);
	collection->freed++;
	collect_report(
		collection, record->id, what.used > 0 ? what.text : "its record", verdict->why);
	return 0;
}

static int collect_owner(struct collection *collection, struct record *record, struct error *err)
{
	struct verdict verdict;
	int r = detach_check_host(collection->host, record, err);

	if (r == 0)
		r = judge_owner(collection->host, record, &verdict, err);
	if (r < 0)
		return r;
	if (collection->known && (collection->dry_run || !verdict.is_dead))
		known_add_record(collection->known, record);
	if (verdict.is_dead) {
		for (unsigned i = 0; i < record->n_members; i++)
			collect_joined_of(
				collection, record->id, record->members[i].id, false, verdict.why);
		return free_endpoints(collection, record, 0, &verdict, err);
	}
	r = strike_dead(collection, record, err);
	if (r < 0)
		return r;
	if (record_first_intent(record) < record->n_endpoints) {
		snprintf(verdict.why, sizeof(verdict.why), "its attach was killed half-way");
		r = free_endpoints(collection, record, record_first_intent(record), &verdict, err);
	}
	return r == 0 && collection->revive ? dhcp_revive(collection, record, err) : r;
}

static int collect_joined(
	const struct collection *collection, const struct record *own, struct error *err)
{
	struct verdict verdict;
	int r = judge_joined(collection->host, own, &verdict, err);

	if (r < 0 || !verdict.is_dead)
		return r;
	if (!collection->dry_run)
		r = dns_remove(collection->host, own->id, err);
	if (r == 0 && !collection->dry_run)
		r = record_remove(collection->host->store.containers, own->id, err);
	if (r == 0)
		collect_report(collection, own->id, "its record", verdict.why);
	return r;
}

/* Another process has its lock: will something become free there? A killed attach looks like one
 * that is under way; so that may be.
 */
static bool may_become_free(struct host *host, const char *id)
{
	cleanup(record_free) struct record *record = NULL;
	struct verdict verdict;
	int r = record_load(host->store.containers, id, &record, NULL);

	if (r < 0 || *record->joined)
		return r == -ENOENT;
	if (record_first_intent(record) < record->n_endpoints)
		return true;
	return detach_check_host(host, record, NULL) == 0 &&
	       judge_owner(host, record, &verdict, NULL) == 0 && verdict.is_dead;
}

/**
 * collect() - free what a container left
 * @collection: the run
 * @id:         the container; nothing happens where somebody has its lock
 * @err:        filled on failure
 *
 * Return: 0, or what detach gave.
 */
int collect(struct collection *collection, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct host *host = collection->host;
	int r = host_trylock(host, id, err);

	if (r == -EAGAIN && !collection->is_awaited)
		collection->is_awaited = may_become_free(host, id);
	if (r < 0)
		return r == -EAGAIN || r == -EDEADLK ? 0 : r;
	r = record_load(host->store.containers, id, &record, err);
	if (r == 0) {
		r = *record->joined ? collect_joined(collection, record, err)
				    : collect_owner(collection, record, err);
	} else if (r == -ENOENT) {
		collection->is_awaited = true; /* somebody was faster */
		r = 0;
	}
	host_unlock(host, id);
	return r;
}
