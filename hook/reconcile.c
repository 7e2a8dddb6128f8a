// SPDX-License-Identifier: MIT
/*
 * All records: those of dead containers are collected (collect.c) for gc and for who needs room;
 * their endpoints are listed for who wants to see them.
 */
#include "hook/reconcile.h"

#include <string.h>

#include "hook/collect.h"
#include "hook/detach.h"
#include "hook/dhcp.h"
#include "hook/dns.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/judge.h"
#include "hook/known.h"
#include "hook/log.h"
#include "hook/returns.h"
#include "hook/rtnl.h"
#include "hook/sweep.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/* For who wants to hear nothing. */
static const struct reconcile_output silent = { 0 };

/* Whoever wants an address is told which container has it. Why that container cannot be collected
 * (its record cannot be read, say) is a line of the log, one for all of a run. From another host
 * namespace one can never tell.
 */
static void log_first(void *arg, const struct error *err)
{
	unsigned *n_logged = arg;

	if (err->code == -EXDEV || (*n_logged)++ > 0)
		return;
	log_notice("%s: so what its container has counts as in use", err->text);
}

/* One record that cannot be collected must not keep the others. */
static int collect_and_go_on(void *arg, const char *id, struct error *err)
{
	struct collection *collection = arg;

	if (collect(collection, id, err) < 0)
		collect_complain(collection, err);
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
	struct known known cleanup(known_free) = { 0 };
	struct collection collection = {
		.host = host,
		.dry_run = dry_run,
		.output = output,
		.known = &known,
		.revive = true,
	};
	/* Those of records that are collected would go with them, and nobody hear of it. */
	int r = sweep_temporaries(&collection, err);

	if (r == 0)
		r = store_list_records(&host->store, collect_and_go_on, &collection, err);
	if (r == 0)
		r = sweep_claims(&collection, err);
	if (r == 0)
		r = dns_sweep(&collection, err);
	if (r == 0)
		r = dhcp_sweep(&collection, err);
	return r == 0 ? returns_collect(&collection, err) : r;
}

/**
 * reconcile_one() - free what a container left, if it is dead
 * @host:      the host
 * @id:        the container; nothing happens where somebody has its lock
 * @ret_freed: whether something was freed, or somebody else may be about to
 * @err:       filled on failure
 *
 * Return: 0, or what detach gave.
 */
int reconcile_one(struct host *host, const char *id, bool *ret_freed, struct error *err)
{
	struct collection collection = { .host = host, .output = &silent };
	int r = collect(&collection, id, err);

	*ret_freed = collection.freed > 0 || collection.is_awaited;
	return r;
}

/**
 * reconcile_holder() - reconcile_one() for the holder of a claim
 * @host:      the host
 * @holder:    CONTAINER/INTERFACE
 * @ret_freed: whether something was freed, or somebody else may be about to
 * @err:       filled on failure, which is logged, too
 *
 * Return: 0, -EINVAL, or what detach gave.
 */
int reconcile_holder(struct host *host, const char *holder, bool *ret_freed, struct error *err)
{
	char id[CONTAINER_ID_MAX + 1];
	size_t length = strcspn(holder, "/");
	unsigned n_logged = 0;
	struct error why;
	int r;

	if (length >= sizeof(id))
		return error_set(err, -EINVAL, "'%s' is no container's", holder);
	memcpy(id, holder, length);
	id[length] = '\0';
	r = name_check_container_id(id, err);
	if (r < 0)
		return r;
	r = reconcile_one(host, id, ret_freed, &why);
	if (r < 0)
		log_first(&n_logged, &why);
	return r < 0 ? error_set(err, r, "%s", why.text) : 0;
}

/**
 * reconcile_made_room() - free what dead containers left, for who needs room
 * @host: the host
 *
 * Return: true when something was freed, or somebody else may be about to: then it is worth looking
 * again after the look that follows this one in any case.
 */
bool reconcile_made_room(struct host *host)
{
	unsigned n_logged = 0;
	const struct reconcile_output output = { .failed = log_first, .arg = &n_logged };
	struct collection collection = { .host = host, .output = &output };
	struct error err;

	store_list_records(&host->store, collect_and_go_on, &collection, &err);
	return collection.freed > 0 || collection.is_awaited;
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
	struct verdict verdict;
	int r = judge_owner(listing->host, record, &verdict, err);

	for (unsigned i = 0; r == 0 && i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];

		if (endpoint->ifindex == 0 && is_under_way(listing->host, record))
			continue;
		r = listing->found(listing->arg, record, endpoint,
			look(listing->host, record, endpoint, verdict.is_dead), err);
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
		if (listing->output->failed)
			listing->output->failed(listing->output->arg, err);
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
