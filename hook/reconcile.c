// SPDX-License-Identifier: MIT
/*
 * Which endpoints are dead, and what poststop would have done for them. The kernel says who is
 * alive: an endpoint is dead when its namespace is gone, or when the init of every container that
 * refers to it is dead. A link that is missing in a living namespace is lost, not dead.
 *
 * Everything is judged under the lock of the id, and only what nobody else has locked: one who
 * attaches or detaches just now does it himself.
 */
#include "hook/reconcile.h"

#include <stdio.h>
#include <string.h>

#include "hook/detach.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "hook/sweep.h"
#include "ipam/claims.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

#define LINE_MAX_TEXT 1024

/* One run over records. */
struct run {
	struct host *host;
	bool dry_run;
	const struct reconcile_output *output;
	unsigned freed;
};

/* For who wants to hear nothing. */
static const struct reconcile_output silent = { 0 };

static void complain(const struct reconcile_output *output, const struct error *err)
{
	if (output->failed)
		output->failed(output->arg, err);
}

static void report(const struct run *run, const char *id, const char *what, const char *why)
{
	char line[LINE_MAX_TEXT];

	if (!run->output->freed)
		return;
	snprintf(line, sizeof(line), "container '%s': %s%s: %s", id,
		run->dry_run ? "would free " : "freed ", what, why);
	run->output->freed(run->output->arg, line);
}

/* "eth0 10.0.0.3/24 2001:db8::3/64, eth1 ..." */
static const char *list_endpoints(
	const struct record *record, unsigned first, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (unsigned i = first; i < record->n_endpoints && used < size; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		used += (size_t)snprintf(ret + used, size - used, "%s%s", i > first ? ", " : "",
			endpoint->interface);
		for (unsigned j = 0; j < endpoint->n_addresses && used < size; j++) {
			char address[CIDR_TEXT];

			used += (size_t)snprintf(ret + used, size - used, " %s",
				cidr_format(&endpoint->addresses[j], address));
		}
	}
	return *ret ? ret : "its record";
}

/* Why an owner's record is dead; "" while it lives. */
static int judge(struct host *host, const struct record *record, char *ret_why, size_t size,
	struct error *err)
{
	bool exists = false;
	bool is_used = false;
	int r = rtnl_nsid_exists(&host->nl, record->nsid, &exists, err);

	ret_why[0] = '\0';
	if (r < 0)
		return error_prefix(
			err, "cannot look for the namespace of container '%s'", record->id);
	if (exists)
		r = detach_has_living_member(record, &is_used, err);
	if (r < 0)
		return error_prefix(err, "container '%s'", record->id);
	if (!exists)
		snprintf(ret_why, size, "its network namespace is gone");
	else if (record->n_members == 0)
		snprintf(ret_why, size, "no container uses it");
	else if (!is_used)
		snprintf(ret_why, size, "its init (pid %d) is dead",
			(int)record->members[record->n_members - 1].pid);
	return 0;
}

/* Strikes out members that died without a poststop. Says whether there were any. */
static int strike_dead(
	const struct run *run, struct record *record, bool *ret_changed, struct error *err)
{
	*ret_changed = false;
	for (unsigned i = record->n_members; i-- > 0;) {
		const struct record_member member = record->members[i];
		bool alive = false;
		int r = proc_is_alive(member.pid, member.start, &alive, err);

		if (r < 0)
			return error_prefix(err, "container '%s'", member.id);
		if (alive)
			continue;
		report(run, member.id, "its place in the pod", "its init is dead");
		record_drop_member(record, member.id);
		*ret_changed = true;
	}
	return 0;
}

/* A record that lives: its dead members, and what a killed attach left. */
static int tidy_owner(struct run *run, struct record *record, struct error *err)
{
	unsigned intents = record_first_intent(record);
	char what[LINE_MAX_TEXT];
	bool changed = false;
	int r = strike_dead(run, record, &changed, err);

	if (r < 0)
		return r;
	if (intents < record->n_endpoints) {
		report(run, record->id, list_endpoints(record, intents, what, sizeof(what)),
			"its attach was killed half-way");
		run->freed++;
	}
	if (run->dry_run)
		return 0;
	if (intents == 0)
		return detach_all(run->host, record, err);
	if (intents < record->n_endpoints)
		return detach_intents(run->host, record, err);
	return changed ? record_save(run->host->store.containers, record, err) : 0;
}

static int collect_owner(struct run *run, struct record *record, struct error *err)
{
	char why[128];
	char what[LINE_MAX_TEXT];
	int r;

	r = detach_check_host(run->host, record, err);
	if (r == 0)
		r = judge(run->host, record, why, sizeof(why), err);
	if (r < 0)
		return r;
	if (!*why)
		return tidy_owner(run, record, err);
	r = run->dry_run ? 0 : detach_all(run->host, record, err);
	if (r < 0)
		return r;
	run->freed++;
	report(run, record->id, list_endpoints(record, 0, what, sizeof(what)), why);
	return 0;
}

/* Why a member's record is dead; "" while it lives, or while the owner's lock is another's. */
static int judge_joined(
	struct run *run, const struct record *own, char *ret_why, size_t size, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	const struct record_member *member;
	bool alive = false;
	int r = host_trylock(run->host, own->joined, err);

	ret_why[0] = '\0';
	if (r < 0)
		return r == -EAGAIN || r == -EDEADLK ? 0 : r;
	r = record_load(run->host->store.containers, own->joined, &owner, err);
	host_unlock(run->host, own->joined);
	if (r < 0 && r != -ENOENT)
		return r;
	member = r == 0 ? record_member_of(owner, own->id) : NULL;
	r = member ? proc_is_alive(member->pid, member->start, &alive, err) : 0;
	if (r < 0)
		return error_prefix(err, "container '%s'", own->id);
	if (!member)
		snprintf(ret_why, size, "container '%s', whose network it joined, does not know it",
			own->joined);
	else if (!alive)
		snprintf(ret_why, size, "its init (pid %d) is dead", (int)member->pid);
	return 0;
}

static int collect_joined(struct run *run, const struct record *own, struct error *err)
{
	char why[256];
	int r = judge_joined(run, own, why, sizeof(why), err);

	if (r < 0 || !*why)
		return r;
	r = run->dry_run ? 0 : record_remove(run->host->store.containers, own->id, err);
	if (r == 0)
		report(run, own->id, "its record", why);
	return r;
}

static int collect(void *arg, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct run *run = arg;
	int r = host_trylock(run->host, id, err);

	if (r < 0)
		return r == -EAGAIN || r == -EDEADLK ? 0 : r;
	r = record_load(run->host->store.containers, id, &record, err);
	if (r == 0)
		r = *record->joined ? collect_joined(run, record, err)
				    : collect_owner(run, record, err);
	host_unlock(run->host, id);
	return r == -ENOENT ? 0 : r;
}

/* One record that cannot be collected must not keep the others. */
static int collect_and_go_on(void *arg, const char *id, struct error *err)
{
	const struct run *run = arg;

	if (collect(arg, id, err) < 0)
		complain(run->output, err);
	return 0;
}

/**
 * reconcile_all() - free what dead containers left
 * @host:    the host
 * @dry_run: only say what would be freed
 * @output:  who hears of each thing freed, and of each that could not be
 * @err:     filled on failure
 *
 * Return: 0, or what listing RUN gave.
 */
int reconcile_all(
	struct host *host, bool dry_run, const struct reconcile_output *output, struct error *err)
{
	struct run run = { .host = host, .dry_run = dry_run, .output = output };
	int r = store_list_records(&host->store, collect_and_go_on, &run, err);

	return r == 0 ? sweep(host, dry_run, output, err) : r;
}

/**
 * reconcile_one() - free what a container left, if it is dead
 * @host:      the host
 * @id:        the container; nothing happens where somebody has its lock
 * @ret_freed: whether something was freed
 * @err:       filled on failure
 *
 * Return: 0, or what detach gave.
 */
int reconcile_one(struct host *host, const char *id, bool *ret_freed, struct error *err)
{
	struct run run = { .host = host, .output = &silent };
	int r = collect(&run, id, err);

	*ret_freed = run.freed > 0;
	return r;
}

/**
 * reconcile_holder() - reconcile_one() for the holder of a claim
 * @host:      the host
 * @holder:    CONTAINER/INTERFACE
 * @ret_freed: whether something was freed
 * @err:       filled on failure
 *
 * Return: 0, -EINVAL, or what detach gave.
 */
int reconcile_holder(struct host *host, const char *holder, bool *ret_freed, struct error *err)
{
	char id[CONTAINER_ID_MAX + 1];
	size_t length = strcspn(holder, "/");
	int r;

	if (length >= sizeof(id))
		return error_set(err, -EINVAL, "'%s' is no container's", holder);
	memcpy(id, holder, length);
	id[length] = '\0';
	r = name_check_container_id(id, err);
	return r == 0 ? reconcile_one(host, id, ret_freed, err) : r;
}

/**
 * reconcile_made_room() - free what dead containers left, for who needs room
 * @host: the host
 *
 * Return: true when something was freed.
 */
bool reconcile_made_room(struct host *host)
{
	struct run run = { .host = host, .output = &silent };
	struct error err;

	store_list_records(&host->store, collect_and_go_on, &run, &err);
	return run.freed > 0;
}

struct listing {
	struct host *host;
	reconcile_endpoint_fn *found;
	void *arg;
	const struct reconcile_output *output;
};

/* An intent whose attach is under way is not an endpoint yet. */
static bool is_under_way(struct host *host, const struct record *record)
{
	int r = host_trylock(host, record->id, NULL);

	if (r == 0)
		host_unlock(host, record->id);
	return r < 0;
}

static enum endpoint_state look(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, bool is_dead)
{
	struct rtnl_link link;

	if (is_dead)
		return ENDPOINT_DEAD;
	if (endpoint_find_link(host, record, endpoint, &link, NULL) < 0)
		return ENDPOINT_LOST;
	return ENDPOINT_LIVE;
}

static int list_endpoints_of(
	struct listing *listing, const struct record *record, struct error *err)
{
	char why[128];
	int r = judge(listing->host, record, why, sizeof(why), err);

	for (unsigned i = 0; r == 0 && i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		if (endpoint->ifindex == 0 && is_under_way(listing->host, record))
			continue;
		r = listing->found(listing->arg, record, endpoint,
			look(listing->host, record, endpoint, *why != '\0'), err);
	}
	return r;
}

/* One record that cannot be read, or judged from here, must not hide the others. */
static int list_record(void *arg, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct listing *listing = arg;
	int r = record_load(listing->host->store.containers, id, &record, err);

	if (r == -ENOENT || (r == 0 && *record->joined))
		return 0;
	if (r == 0)
		r = detach_check_host(listing->host, record, err);
	if (r < 0 && listing->output) {
		complain(listing->output, err);
		return 0;
	}
	return r < 0 ? r : list_endpoints_of(listing, record, err);
}

/**
 * reconcile_list() - all endpoints, and how they are
 * @host:   the host
 * @found:  called for each
 * @arg:    handed to @found
 * @output: who hears of the records that cannot be read, or are of another host namespace, from
 *          where one cannot tell; NULL: such a record fails the listing
 * @err:    filled on failure
 *
 * Changes nothing.
 *
 * Return: 0; what listing RUN, reading a record or asking the kernel gave; what @found failed with.
 */
int reconcile_list(struct host *host, reconcile_endpoint_fn *found, void *arg,
	const struct reconcile_output *output, struct error *err)
{
	struct listing listing = { .host = host, .found = found, .arg = arg, .output = output };

	return store_list_records(&host->store, list_record, &listing, err);
}

/**
 * endpoint_state_name() - the word for a state
 * @state: the state
 *
 * Return: "live", "lost" or "dead".
 */
const char *endpoint_state_name(enum endpoint_state state)
{
	switch (state) {
	case ENDPOINT_LIVE:
		return "live";
	case ENDPOINT_LOST:
		return "lost";
	case ENDPOINT_DEAD:
		return "dead";
	}
	return "?";
}
