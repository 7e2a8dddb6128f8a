// SPDX-License-Identifier: MIT
/*
 * The end of DHCP clients: with their endpoint, while its link is still there, for the farewell to
 * the server; and what gc does for those that are nobody's, and for containers whose client has
 * died.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/proc.h"
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

/* NULL: none of them lives. */
static int find_living(
	const struct record *record, const struct record_member **ret, struct error *err)
{
	const struct record_member *found = NULL;

	for (unsigned i = 0; !found && i < record->n_members; i++) {
		const struct record_member *member = &record->members[i];
		bool alive = false;
		int r = proc_is_alive(member->pid, member->start, &alive, err);

		if (r < 0)
			return r;
		if (alive)
			found = member;
	}
	*ret = found;
	return 0;
}

/* What cannot be told is an error: a second client would be worse than none. */
static int has_client(int dir, const char *id, const struct record_endpoint *endpoint, bool *ret,
	struct error *err)
{
	struct dhcp_process client;
	char name[DHCP_NAME_MAX];
	int r = dhcp_file_get_client(
		dir, dhcp_file_name(id, endpoint->interface, DHCP_CLIENT, name), &client, err);

	*ret = false;
	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? 0 : r;
	return proc_is_alive(client.pid, client.start, ret, err);
}

static const struct ip *leased_ip(const struct record_endpoint *endpoint)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == AF_INET)
			return &endpoint->addresses[i].ip;
	return NULL;
}

static void report_revived(
	const struct collection *collection, const char *id, const struct record_endpoint *endpoint)
{
	char line[CONTAINER_ID_MAX + 128];

	if (!collection->output->freed)
		return;
	snprintf(line, sizeof(line),
		"container '%s': %s the DHCP client of '%s' again: it had ended", id,
		collection->dry_run ? "would start" : "started", endpoint->interface);
	collection->output->freed(collection->output->arg, line);
}

static int revive_one(struct collection *collection, int dir, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	struct dhcp_client client = {
		.host = collection->host,
		.dir = dir,
		.id = record->id,
		.endpoint = endpoint,
		.netns_cookie = record->netns_cookie,
		.again = leased_ip(endpoint),
	};
	bool has_one = false;
	int r = find_living(record, &client.member, err);

	if (r == 0)
		r = has_client(dir, record->id, endpoint, &has_one, err);
	if (r == 0 && (!client.member || has_one))
		return 0;
	if (r == 0 && !collection->dry_run)
		r = dhcp_client_start(&client, err);
	if (r < 0)
		return error_prefix(err, "container '%s': '%s'", record->id, endpoint->interface);
	report_revived(collection, record->id, endpoint);
	return 0;
}

/**
 * dhcp_revive() - start clients again that died while their container lives
 * @collection: the run
 * @record:     the record, of a living container, whose lock is held
 * @err:        filled on failure
 *
 * Each asks its server for the address that it had.
 *
 * Return: 0, or what dhcp_client_start() gave.
 */
int dhcp_revive(struct collection *collection, const struct record *record, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];
		autoclose int dir = -1;

		if (!endpoint->is_dhcp || endpoint->ifindex == 0)
			continue;
		r = dhcp_open_dir(&collection->host->store, false, &dir, err);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		r = revive_one(collection, dir, record, endpoint, err);
	}
	return r;
}
