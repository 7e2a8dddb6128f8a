// SPDX-License-Identifier: MIT
/*
 * The end of DHCP clients: with their endpoint, while its link is still there, for the farewell to
 * the server; and of those that are nobody's.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/reconcile.h"
#include "ipam/dir.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/record.h"

/**
 * dhcp_stop() - end the clients of endpoints
 * @host:   the host
 * @record: the record, whose lock is held
 * @first:  the first of its endpoints that goes
 * @err:    filled on failure
 *
 * Return: 0, also when there are none; what dhcp_client_stop() gave.
 */
int dhcp_stop(
	const struct host *host, const struct record *record, unsigned first, struct error *err)
{
	int r = 0;

	for (unsigned i = first; r == 0 && i < record->n_endpoints; i++) {
		autoclose int dir = -1;

		if (!record->endpoints[i].is_dhcp)
			continue;
		r = dhcp_open_dir(&host->store, false, &dir, err);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		r = dhcp_client_stop(dir, record->id, record->endpoints[i].interface, err);
	}
	return r < 0 ? error_prefix(err, "container '%s'", record->id) : 0;
}

/**
 * dhcp_remove() - remove what RUN/dhcp has of an endpoint, and end its client if that still runs
 * @host:     the host
 * @id:       the container whose record it is in, whose lock is held
 * @endpoint: the endpoint
 * @err:      filled on failure
 *
 * Return: 0, also when there is nothing; what the file system gave.
 */
int dhcp_remove(const struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	autoclose int dir = -1;
	int r;

	if (!endpoint->is_dhcp)
		return 0;
	r = dhcp_open_dir(&host->store, false, &dir, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = dhcp_client_stop(dir, id, endpoint->interface, err);
	return r == 0 ? dhcp_files_remove(dir, id, endpoint->interface, err) : r;
}

/* A look over RUN/dhcp. */
struct sweep {
	struct collection *collection;
	int dir;
};

static bool is_recorded(const struct host *host, const char *id, const char *interface)
{
	cleanup(record_free) struct record *record = NULL;
	int r = record_load(host->store.containers, id, &record, NULL);

	for (unsigned i = 0; r == 0 && i < record->n_endpoints; i++)
		if (record->endpoints[i].is_dhcp &&
			!strcmp(record->endpoints[i].interface, interface))
			return true;
	return r < 0 && r != -ENOENT; /* one that cannot be read may know it */
}

static int sweep_locked(
	const struct sweep *sweep, const char *id, const char *interface, struct error *err)
{
	int r = 0;

	if (is_recorded(sweep->collection->host, id, interface))
		return 0;
	if (!sweep->collection->dry_run)
		r = dhcp_client_stop(sweep->dir, id, interface, err);
	if (r == 0 && !sweep->collection->dry_run)
		r = dhcp_files_remove(sweep->dir, id, interface, err);
	if (r == 0)
		collect_report(sweep->collection, id, "its DHCP client's files",
			"no record leads to them");
	return r;
}

/* Where nothing is removed all files of an endpoint are met: one is enough. */
static bool is_told(
	const struct sweep *sweep, const char *suffix, const char *id, const char *interface)
{
	char name[DHCP_NAME_MAX];

	dhcp_file_name(id, interface, DHCP_CLIENT, name);
	return sweep->collection->dry_run && strcmp(suffix, DHCP_CLIENT) != 0 &&
	       faccessat(sweep->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int sweep_file(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct sweep *sweep = arg;
	char interface[INTERFACE_NAME_MAX + 1];
	char id[CONTAINER_ID_MAX + 1];
	const char *suffix = dhcp_file_parse(name, id, interface);

	(void)type;
	/* The first of an endpoint's files does for all. */
	if (!suffix || is_told(sweep, suffix, id, interface) ||
		faccessat(sweep->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ||
		host_trylock(sweep->collection->host, id, NULL) < 0)
		return 0;
	if (sweep_locked(sweep, id, interface, err) < 0)
		collect_complain(sweep->collection, err);
	host_unlock(sweep->collection->host, id);
	return 0;
}

/**
 * dhcp_sweep() - remove what no record leads to
 * @collection: the run, after all records
 * @err:        filled on failure
 *
 * Return: 0, or what listing RUN/dhcp gave.
 */
int dhcp_sweep(struct collection *collection, struct error *err)
{
	struct sweep sweep = { .collection = collection };
	autoclose int dir = -1;
	int r = dhcp_open_dir(&collection->host->store, false, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	sweep.dir = dir;
	return dir_list(dir, sweep_file, &sweep, err);
}
