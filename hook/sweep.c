// SPDX-License-Identifier: MIT
/*
 * What no record leads to. The order of attach and detach leaves no such thing, but for a temporary
 * file of a process that was killed while it wrote one; a disk that failed, or a hand that deleted
 * a record, may leave claims as well. gc looks for all of them.
 */
#include "hook/sweep.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/known.h"
#include "hook/log.h"
#include "hook/reconcile.h"
#include "hook/shim.h"
#include "ipam/claims.h"
#include "ipam/dir.h"
#include "ipam/quarantine.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/* The beginning of a claim on a container's name: .name-NETWORK:NAME. */
#define NAME_CLAIM ".name-"

struct broom {
	struct collection *collection;
	int dir;	  /* the folder that is swept */
	const char *pool; /* the parent's name, or NULL: RUN/netns */
};

/* A name that is claimed: "eth0 10.0.0.3", "the name 'web' in network 'lan'", ... */
static void report(
	const struct broom *broom, const char *name, const char *id, const char *interface)
{
	char what[COLLECT_TEXT];
	const char *key = strchr(name, ':');

	if (!broom->pool)
		snprintf(what, sizeof(what), "its hold on network namespace %s", name);
	else if (!strncmp(name, NAME_CLAIM, strlen(NAME_CLAIM)) && key)
		snprintf(what, sizeof(what), "%s the name '%s' in network '%.*s'", interface,
			key + 1, (int)(key - name) - (int)strlen(NAME_CLAIM),
			name + strlen(NAME_CLAIM));
	else if (name[0] == '.')
		snprintf(what, sizeof(what), "%s a name for DHCP servers on parent '%s'", interface,
			broom->pool);
	else
		snprintf(what, sizeof(what), "%s %s on parent '%s'", interface, name, broom->pool);
	collect_report(broom->collection, id, what, "no record leads to it");
}

static bool has_interface(const struct record *record, const char *interface)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (!strcmp(record->endpoints[i].interface, interface))
			return true;
	return false;
}

/* Does the owner's record lead to this claim? With the owner's lock held. */
static bool is_led_to(
	const struct broom *broom, const char *name, const char *id, const char *interface)
{
	cleanup(record_free) struct record *record = NULL;
	struct error err;
	char cookie[24];
	int r = record_load(broom->collection->host->store.containers, id, &record, &err);

	if (r < 0)
		return r != -ENOENT; /* one that cannot be read may lead to it */
	if (broom->pool)
		return has_interface(record, interface);
	snprintf(cookie, sizeof(cookie), "%llu", (unsigned long long)record->netns_cookie);
	return !strcmp(cookie, name);
}

/* An address that somebody on the LAN had, ten minutes ago. */
static void sweep_conflict(
	const struct broom *broom, const char *name, const struct quarantine *quarantine)
{
	const struct collection *collection = broom->collection;
	char line[COLLECT_TEXT];
	char mac[MAC_TEXT];
	struct ip ip;

	if (quarantine->seconds > 0 || ip_parse(name, &ip, NULL) < 0 ||
		(!collection->dry_run &&
			!quarantine_lift(&collection->host->store, broom->dir, &ip)) ||
		!collection->output->freed)
		return;
	snprintf(line, sizeof(line),
		"address '%s' on parent '%s': %s: it is long ago that MAC '%s' had it", name,
		broom->pool, collection->dry_run ? "would be free" : "is free",
		mac_format(quarantine->mac, mac));
	collection->output->freed(collection->output->arg, line);
}

/* A mark of host access stands for routes of the host. */
static int release(
	const struct broom *broom, const char *name, const char *owner, struct error *err)
{
	if (broom->pool && shim_is_name(broom->pool))
		return host_access_release(broom->collection->host, broom->pool, name, owner, err);
	return claims_release(broom->dir, name, owner, err);
}

static int sweep_claim(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct broom *broom = arg;
	struct collection *collection = broom->collection;
	char id[CLAIMS_OWNER_MAX + 1];
	const char *interface = "";
	struct quarantine quarantine;
	char *slash;
	int r = 0;

	if (broom->pool && quarantine_parse(owner, &quarantine)) {
		sweep_conflict(broom, name, &quarantine);
		return 0;
	}
	snprintf(id, sizeof(id), "%s", owner);
	slash = strchr(id, '/');
	if (slash) {
		*slash = '\0';
		interface = slash + 1;
	}
	if (known_has(collection->known, id, broom->pool ? interface : name) ||
		name_check_container_id(id, NULL) < 0 ||
		host_trylock(collection->host, id, NULL) < 0)
		return 0;
	if (!is_led_to(broom, name, id, interface)) {
		r = collection->dry_run ? 0 : release(broom, name, owner, err);
		if (r == 0)
			report(broom, name, id, interface);
		else
			collect_complain(collection, err);
	}
	host_unlock(collection->host, id);
	return 0;
}

static int sweep_pool(void *arg, const char *parent, struct error *err)
{
	struct broom broom = *(const struct broom *)arg;
	autoclose int dir = -1;
	int r = store_open_pool(&broom.collection->host->store, parent, false, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	broom.dir = dir;
	broom.pool = parent;
	return claims_list(dir, sweep_claim, &broom, err);
}

/* ID.tmp: of a process that was killed while it wrote the record of ID. */
static int sweep_temporary(void *arg, const char *name, unsigned char type, struct error *err)
{
	struct collection *collection = arg;
	struct host *host = collection->host;
	size_t length = strlen(name);
	char id[CONTAINER_ID_MAX + 1];

	if (type != DT_REG || length <= 4 || length - 4 > CONTAINER_ID_MAX ||
		strcmp(name + length - 4, ".tmp") != 0)
		return 0;
	memcpy(id, name, length - 4);
	id[length - 4] = '\0';
	if (host_trylock(host, id, NULL) < 0)
		return 0;
	if (!collection->dry_run && unlinkat(host->store.containers, name, 0) < 0) {
		error_set_errno(err, "cannot remove '%s'", name);
		collect_complain(collection, err);
	} else {
		collect_report(collection, id, "a record that is not whole",
			"the hook was killed while it wrote it");
	}
	host_unlock(host, id);
	return 0;
}

/**
 * sweep_temporaries() - free what was left by who was killed while he wrote a record, or an error
 * @collection: the run
 * @err:        filled on failure
 *
 * Return: 0, or what listing RUN gave.
 */
int sweep_temporaries(struct collection *collection, struct error *err)
{
	const struct store *store = &collection->host->store;

	if (!collection->dry_run)
		log_sweep(store);
	return dir_list(store->containers, sweep_temporary, collection, err);
}

/**
 * sweep_claims() - free the claims that no record leads to
 * @collection: the run, after all records
 * @err:        filled on failure
 *
 * Return: 0, or what listing RUN gave.
 */
int sweep_claims(struct collection *collection, struct error *err)
{
	struct broom broom = { .collection = collection, .dir = collection->host->store.netns };
	int r = claims_list(broom.dir, sweep_claim, &broom, err);

	return r == 0 ? store_list_pools(&collection->host->store, sweep_pool, &broom, err) : r;
}
