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

#include "hook/host.h"
#include "hook/log.h"
#include "ipam/claims.h"
#include "ipam/dir.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

struct broom {
	struct host *host;
	bool dry_run;
	const struct reconcile_output *output;
	int dir;	  /* the folder that is swept */
	const char *pool; /* the parent's name, or NULL: RUN/netns */
};

static void report(const struct broom *broom, const char *what, const char *owner)
{
	char line[2 * CLAIMS_OWNER_MAX];

	if (!broom->output->freed)
		return;
	snprintf(line, sizeof(line), "%s '%s' in '%s%s': no record of container '%s' has it",
		broom->dry_run ? "would free" : "freed", what, broom->pool ? "pools/" : "",
		broom->pool ? broom->pool : "netns", owner);
	broom->output->freed(broom->output->arg, line);
}

static bool has_interface(const struct record *record, const char *interface)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (!strcmp(record->endpoints[i].interface, interface))
			return true;
	return false;
}

/* Does the owner's record lead to this claim? With the owner's lock held. */
static bool is_known(
	const struct broom *broom, const char *name, const char *id, const char *interface)
{
	cleanup(record_free) struct record *record = NULL;
	struct error err;
	char cookie[24];
	int r = record_load(broom->host->store.containers, id, &record, &err);

	if (r < 0)
		return r != -ENOENT; /* one that cannot be read may lead to it */
	if (broom->pool)
		return has_interface(record, interface);
	snprintf(cookie, sizeof(cookie), "%llu", (unsigned long long)record->netns_cookie);
	return !strcmp(cookie, name);
}

static int sweep_claim(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct broom *broom = arg;
	char id[CLAIMS_OWNER_MAX + 1];
	char *slash;
	int r;

	snprintf(id, sizeof(id), "%s", owner);
	slash = strchr(id, '/');
	if (slash)
		*slash = '\0';
	if (name_check_container_id(id, NULL) < 0 || host_trylock(broom->host, id, NULL) < 0)
		return 0;
	r = 0;
	if (!is_known(broom, name, id, slash ? slash + 1 : "")) {
		report(broom, name, id);
		r = broom->dry_run ? 0 : claims_release(broom->dir, name, owner, err);
	}
	host_unlock(broom->host, id);
	return r;
}

static int sweep_pool(void *arg, const char *parent, struct error *err)
{
	struct broom broom = *(const struct broom *)arg;
	autoclose int dir = -1;
	int r = store_open_pool(&broom.host->store, parent, false, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	broom.dir = dir;
	broom.pool = parent;
	return claims_list(dir, sweep_claim, &broom, err);
}

/* ID.tmp: of a process that was killed while it wrote the record of ID. */
static int sweep_temporary(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct broom *broom = arg;
	size_t length = strlen(name);
	char id[CONTAINER_ID_MAX + 1];

	(void)err;
	if (type != DT_REG || length <= 4 || length - 4 > CONTAINER_ID_MAX ||
		strcmp(name + length - 4, ".tmp") != 0)
		return 0;
	memcpy(id, name, length - 4);
	id[length - 4] = '\0';
	if (broom->dry_run || host_trylock(broom->host, id, NULL) < 0)
		return 0;
	unlinkat(broom->dir, name, 0);
	host_unlock(broom->host, id);
	return 0;
}

/**
 * sweep() - free what no record leads to
 * @host:    the host
 * @dry_run: only say what would be freed
 * @output:  who hears of it
 * @err:     filled on failure
 *
 * Return: 0, or what listing RUN gave.
 */
int sweep(struct host *host, bool dry_run, const struct reconcile_output *output, struct error *err)
{
	struct broom broom = { .host = host, .dry_run = dry_run, .output = output };
	int r;

	if (!dry_run)
		log_sweep(&host->store);
	broom.dir = host->store.containers;
	r = dir_list(broom.dir, sweep_temporary, &broom, err);
	broom.dir = host->store.netns;
	if (r == 0)
		r = claims_list(broom.dir, sweep_claim, &broom, err);
	return r == 0 ? store_list_pools(&host->store, sweep_pool, &broom, err) : r;
}
