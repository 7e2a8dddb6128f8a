// SPDX-License-Identifier: MIT
/*
 * What containers had of CNI IPAM plugins when a reboot ended them, given back: by gc, and before
 * something is asked of a plugin.
 *
 * A plugin knows an endpoint by the container's id and the interface's name, which may be the same
 * after the reboot: a DEL for the old one would free what the new one has. So under the lock of the
 * id, which whoever gives back holds, an ADD comes only after all of the id is given back.
 */
#include "hook/returns.h"

#include <string.h>

#include "hook/collect.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/plugin.h"
#include "hook/reconcile.h"
#include "ipam/returns.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/* A run over what is to be given back. */
struct giving {
	struct collection *collection;
	const char *only; /* the id that it is about; NULL: all */
	bool is_brief;	  /* one failure is enough */
};

/* A plugin that is gone does not keep it: nothing else could forget it. */
static int give_endpoints(
	const struct giving *giving, const struct record *record, struct error *err)
{
	struct host *host = giving->collection->host;
	struct error later;
	int r = 0;

	/* Who starts is not to be kept from it; who only clears up comes again. */
	host->forgets = giving->only ? HOST_FORGETS_FAILED : HOST_FORGETS_GONE;
	for (unsigned i = 0; i < record->n_endpoints; i++) {
		int each = plugin_give_back(
			host, record, &record->endpoints[i], r == 0 ? err : &later);

		if (r == 0 && each < 0)
			r = error_prefix(err, "interface '%s'", record->endpoints[i].interface);
	}
	host->forgets = HOST_FORGETS_NONE;
	return r;
}

static int give_locked(const struct giving *giving, int dir, const char *id, struct error *err)
{
	const struct collection *collection = giving->collection;
	cleanup(record_free) struct record *record = NULL;
	int r = returns_load(dir, id, &record, err);

	if (r == 0 && !record)
		return 0;
	if (r == 0 && !collection->dry_run)
		r = give_endpoints(giving, record, err);
	if (r == 0 && !collection->dry_run)
		r = record_remove(dir, id, err);
	if (r < 0)
		return error_prefix(err,
			"container '%s': what a plugin gave it before a reboot is not given back",
			id);
	collect_report(collection, id, "what a plugin gave it", "a reboot ended it");
	return 0;
}

/* Who has the lock of an id gives back himself, or leaves it to the next. */
static int give(const struct giving *giving, int dir, const char *id, struct error *err)
{
	struct host *host = giving->collection->host;
	int lock = host_trylock(host, id, err);
	int r;

	if (lock < 0 && lock != -EDEADLK)
		return lock == -EAGAIN ? 0 : lock;
	r = give_locked(giving, dir, id, err);
	if (lock == 0)
		host_unlock(host, id);
	return r;
}

static int record_found(void *arg, int dir, const char *id, struct error *err)
{
	const struct giving *giving = arg;
	int r;

	if (giving->only && strcmp(id, giving->only) != 0)
		return 0;
	r = give(giving, dir, id, err);
	if (r == 0 || giving->only)
		return r;
	collect_complain(giving->collection, err);
	return giving->is_brief ? 1 : 0;
}

/**
 * returns_collect() - give back all that is to be given back
 * @collection: the run
 * @err:        filled on failure
 *
 * Return: 0, or what listing RUN gave.
 */
int returns_collect(struct collection *collection, struct error *err)
{
	struct giving giving = { .collection = collection };

	return returns_list(collection->host->store.dir, record_found, &giving, err);
}

static void log_failure(void *arg, const struct error *err)
{
	(void)arg;
	log_notice("%s; 'oci-macvlan gc' tries again", err->text);
}

/**
 * returns_settle() - have a plugin owe nothing to an id that is about to be used with it
 * @host: the host
 * @id:   the id of the record; its lock is held
 * @err:  filled on failure
 *
 * What others had is given back, too, as far as it goes: the plugin may need the room.
 *
 * Return: 0, or why something of @id could not be given back.
 */
int returns_settle(struct host *host, const char *id, struct error *err)
{
	const struct reconcile_output output = { .failed = log_failure };
	struct collection collection = { .host = host, .output = &output };
	struct giving giving = { .collection = &collection, .only = id, .is_brief = true };
	struct error other;
	int r = returns_list(host->store.dir, record_found, &giving, err);

	giving.only = NULL;
	if (r == 0 && returns_list(host->store.dir, record_found, &giving, &other) < 0)
		log_failure(NULL, &other);
	return r;
}
