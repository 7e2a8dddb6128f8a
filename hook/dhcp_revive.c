// SPDX-License-Identifier: MIT
/*
 * What gc does for living containers with DHCP: a client that has died is started again, and one
 * whose hook was moved finds it again.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/judge.h"
#include "hook/proc.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

#define HOOK "/oci-macvlan-hook"

/* A look at one endpoint of a living container. */
struct revival {
	struct collection *collection;
	const struct record *record;
	const struct record_endpoint *endpoint;
	int dir; /* RUN/dhcp */
};

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

/* The hook: beside the program that runs, or where it is installed. */
static int find_hook(char ret[PATH_MAX], struct error *err)
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		return error_set_errno(err, "cannot tell where this program is");
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (slash && (size_t)(slash - ret) + sizeof(HOOK) < PATH_MAX) {
		strcpy(slash, HOOK);
		if (access(ret, X_OK) == 0)
			return 0;
	}
	text_join(ret, PATH_MAX, OCI_MACVLAN_LIBEXEC HOOK);
	return access(ret, X_OK) == 0 ? 0 : error_set_errno(err, "there is no '%s'", ret);
}

/* Has the hook that made its event script gone elsewhere? Then nothing that the server says is
 * heard any more, and the address ends with its lifetime.
 */
static bool is_deaf(const struct revival *revival)
{
	char name[DHCP_NAME_MAX];

	dhcp_file_name(revival->record->id, revival->endpoint->interface, DHCP_EVENT, name);
	return faccessat(revival->dir, name, X_OK, 0) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Without a farewell: the address is to stay. */
static int give_hook(const struct revival *revival, struct error *err)
{
	const char *interface = revival->endpoint->interface;
	const char *id = revival->record->id;
	bool dry_run = revival->collection->dry_run;
	char name[DHCP_NAME_MAX];
	char hook[PATH_MAX];
	int r = find_hook(hook, err);

	if (r == 0 && !dry_run)
		r = dhcp_client_kill(revival->dir, id, interface, err);
	if (r == 0 && !dry_run)
		r = dhcp_file_put_event(
			revival->dir, dhcp_file_name(id, interface, DHCP_EVENT, name), hook, err);
	return r < 0 ? error_prefix(err, "the hook that its DHCP client called is gone") : 0;
}

static void report(const struct revival *revival, bool was_deaf)
{
	const struct collection *collection = revival->collection;
	char line[CONTAINER_ID_MAX + 128];

	if (!collection->output->freed)
		return;
	snprintf(line, sizeof(line), "container '%s': %s the DHCP client of '%s' again: %s",
		revival->record->id, collection->dry_run ? "would start" : "started",
		revival->endpoint->interface,
		was_deaf ? "the hook that it called is gone" : "it had ended");
	collection->output->freed(collection->output->arg, line);
}

static int revive_one(const struct revival *revival, struct error *err)
{
	const struct record *record = revival->record;
	struct dhcp_client client = {
		.host = revival->collection->host,
		.dir = revival->dir,
		.id = record->id,
		.endpoint = revival->endpoint,
		.netns_cookie = record->netns_cookie,
		.again = leased_ip(revival->endpoint),
	};
	bool was_deaf = is_deaf(revival);
	struct rtnl_link link = { 0 };
	bool has_one = false;
	int r = judge_living_member(record, &client.member, err);

	if (r == 0 && client.member && !revival->collection->dry_run)
		dhcp_reclaim_names(client.host, record->id, revival->endpoint);
	if (r == 0)
		r = has_client(revival->dir, record->id, revival->endpoint, &has_one, err);
	if (r < 0 || !client.member || (has_one && !was_deaf))
		return r;
	/* By its index: the container may have given the link another name, and its name to
	 * another. */
	r = endpoint_find_link(client.host, record, revival->endpoint, &link, err);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	r = name_check_interface(link.name, err);
	if (r < 0)
		return r;
	client.interface = link.name;
	client.ifindex = link.ifindex;
	if (was_deaf)
		r = give_hook(revival, err);
	if (r == 0 && !revival->collection->dry_run)
		r = dhcp_client_start(&client, err);
	if (r == 0)
		report(revival, was_deaf);
	return r;
}

/**
 * dhcp_revive() - have DHCP work again for a living container
 * @collection: the run
 * @record:     its record, whose lock is held
 * @err:        filled on failure
 *
 * A client that has died, or whose hook was moved, is started again, and asks its server for the
 * address that it had. One that cannot be started does not keep the others from it.
 *
 * Return: 0, or what dhcp_client_start() gave for the first that it failed for.
 */
int dhcp_revive(struct collection *collection, const struct record *record, struct error *err)
{
	autoclose int dir = -1;
	struct error later;
	int r = 0;

	for (unsigned i = 0; i < record->n_endpoints; i++) {
		const struct record_endpoint *endpoint = &record->endpoints[i];
		int each = 0;

		if (!endpoint->is_dhcp || endpoint->ifindex == 0)
			continue;
		if (dir < 0)
			each = dhcp_open_dir(&collection->host->store, false, &dir, err);
		if (each < 0)
			return each == -ENOENT ? 0 : each;
		each = revive_one(&(struct revival){ collection, record, endpoint, dir },
			r == 0 ? err : &later);
		if (r == 0 && each < 0)
			r = error_prefix(
				err, "container '%s': '%s'", record->id, endpoint->interface);
	}
	return r;
}
