// SPDX-License-Identifier: MIT
/*
 * oci-macvlan network rm: removes network files that no container needs. Detach does not read
 * them, so this is about not pulling a network away under somebody, not about leaks.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/cli/cli.h"
#include "hook/cli/endpoints.h"
#include "hook/cli/network_parents.h"
#include "hook/cli/networks.h"
#include "hook/cli/options.h"
#include "hook/detach.h"
#include "hook/parent.h"
#include "schema/cleanup.h"
#include "schema/error.h"

/* What is removed, and from where. */
struct removal {
	struct cli *cli;
	int dir;	   /* ETC/networks, or -1 */
	struct host *host; /* NULL: there is no RUN, and so no endpoint */
	bool force;
	char name[NETWORK_NAME_MAX + 1];
};

/* An error names the container. */
static int free_endpoint(
	const struct removal *removal, const struct endpoint *endpoint, struct error *err)
{
	bool freed;
	int r;

	if (!removal->force)
		return endpoint->state == ENDPOINT_DEAD
			       ? reconcile_one(removal->host, endpoint->id, &freed, err)
			       : 0;
	r = detach_network(removal->host, endpoint->id, removal->name, err);
	return r < 0 ? error_prefix(err, "container '%s'", endpoint->id) : 0;
}

/* Takes the endpoints off the network: those of dead containers, or all of them. One that stays
 * does not keep the others. Returns how many stay.
 */
static unsigned free_endpoints(const struct removal *removal, const struct endpoints *endpoints)
{
	const char *last = "";
	unsigned n_failed = 0;

	for (size_t i = 0; i < endpoints->n; i++) {
		const struct endpoint *endpoint = &endpoints->all[i];
		struct error err;

		if (strcmp(endpoint->id, last) != 0 && free_endpoint(removal, endpoint, &err) < 0) {
			cli_report(removal->cli, &err);
			n_failed++;
		}
		last = endpoint->id;
	}
	return n_failed;
}

static void print_endpoints(const struct endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->n; i++) {
		const struct endpoint *endpoint = &endpoints->all[i];
		char addresses[ENDPOINT_ADDRESSES_TEXT];

		fprintf(stderr, "  container %s (%s), interface %s, %s: %s\n", endpoint->id,
			endpoint->name, endpoint->endpoint.interface,
			endpoint_addresses(endpoint, addresses),
			endpoint_state_name(endpoint->state));
	}
}

/* Fails where endpoints are left on the network, and lists them. Also where a record cannot be
 * read, which may have one.
 */
static int clear_network(const struct removal *removal, struct error *err)
{
	struct endpoints before cleanup(endpoints_free) = { 0 };
	struct endpoints left cleanup(endpoints_free) = { 0 };
	unsigned n_failed = 0;
	int r = endpoints_collect(NULL, removal->host, removal->name, &before, err);

	if (r == 0)
		n_failed = free_endpoints(removal, &before);
	if (removal->force && n_failed > 0) /* each has its line already */
		return -EBUSY;
	if (r == 0)
		r = endpoints_collect(NULL, removal->host, removal->name, &left, err);
	if (r < 0)
		return error_prefix(
			err, "cannot tell whether network '%s' is in use", removal->name);
	if (left.n == 0)
		return 0;
	error_set(err, -EBUSY, "network '%s' is in use by %zu endpoint%s: %s", removal->name,
		left.n, left.n == 1 ? "" : "s",
		removal->force ? "they came meanwhile, try again"
			       : "stop the containers, or use -f");
	cli_report(removal->cli, err);
	print_endpoints(&left);
	return -EBUSY;
}

static int unlink_network(const struct removal *removal, struct error *err)
{
	char file[NETWORKS_FILE_MAX];

	networks_file(removal->name, file);
	if (unlinkat(removal->dir, file, 0) < 0)
		return error_set_errno(
			err, "cannot remove '%s/" NETWORKS_FOLDER "/%s'", removal->cli->etc, file);
	puts(removal->name);
	return 0;
}

/* Returns 0 too where the failure was said already. */
static int remove_network(struct removal *removal, const char *word, struct error *err)
{
	bool exists;
	int r = networks_resolve(removal->dir, word, removal->name, err);

	if (r < 0)
		return r;
	exists = networks_has(removal->dir, removal->name);
	if (!exists && !removal->force)
		return error_set(err, -ENOENT,
			"network '%s' does not exist: 'oci-macvlan network ls' shows those that do",
			removal->name);
	if (removal->host) {
		removal->host->forgets = removal->force ? HOST_FORGETS_FAILED : HOST_FORGETS_NONE;
		r = clear_network(removal, err);
		if (r < 0)
			return r == -EBUSY && removal->cli->failed ? 0 : r;
	}
	return exists ? unlink_network(removal, err) : 0;
}

/* Parents that we made and that no network uses any more: of those that were removed just now, and
 * of others, where somebody was killed before he came to it.
 */
static int sweep_parents(int dir, struct host *host, struct error *err)
{
	struct network_parents parents cleanup(network_parents_free) = { 0 };
	int r = network_parents_load(dir, &host->nl, &parents, err);

	return r == 0 ? parents_sweep(host, network_parents_name, &parents, err) : r;
}

/**
 * cli_network_rm() - the command network rm
 * @cli: its arguments
 * @err: filled on failure
 *
 * What cannot be removed is said, and the others are. With -f a network that does not exist is no
 * failure (docker's rule), and endpoints on it, whose file somebody deleted, are detached too.
 *
 * Return: 0; -EINVAL: misuse; what opening ETC and RUN gave.
 */
int cli_network_rm(struct cli *cli, struct error *err)
{
	struct host host cleanup(host_close) = HOST_CLOSED;
	struct removal removal = { .cli = cli };
	const struct cli_option options[] = {
		{ .name = "force", .letter = 'f', .flag = &removal.force },
		{ .name = NULL },
	};
	autoclose int dir = -1;
	bool open = false;
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = networks_open(cli->etc, &dir, err);
	if (r == 0)
		r = cli_open_host(cli, &host, &open, err);
	if (r == 0 && !open)
		r = nl_open(&host.nl, err);
	if (r < 0)
		return r;
	removal.dir = dir;
	removal.host = open ? &host : NULL;
	for (int i = 0; i < cli->argc; i++)
		if (remove_network(&removal, cli->argv[i], err) < 0)
			cli_report(cli, err);
	if (sweep_parents(dir, &host, err) < 0)
		cli_report(cli, err);
	return 0;
}
