// SPDX-License-Identifier: MIT
/*
 * oci-macvlan network create, with docker's flags: they become a network file, which must pass its
 * own reader and the host's interfaces before it is published.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "hook/cli/cli.h"
#include "hook/cli/network_draft.h"
#include "hook/cli/network_parents.h"
#include "hook/cli/networks.h"
#include "hook/dhcp.h"
#include "hook/parent.h"
#include "ipam/delegate.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/json.h"

static int parse_flags(struct cli *cli, struct network_flags *flags, struct error *err)
{
	const struct cli_option options[] = {
		{ .name = "driver", .letter = 'd', .text = &flags->driver },
		{ .name = "subnet", .values = &flags->subnets, .commas = true },
		{ .name = "gateway", .values = &flags->gateways, .commas = true },
		{ .name = "ip-range", .values = &flags->ranges, .commas = true },
		{ .name = "aux-address", .values = &flags->aux },
		{ .name = "opt", .letter = 'o', .values = &flags->options },
		{ .name = "ipv6", .flag = &flags->ipv6 },
		{ .name = "internal", .flag = &flags->internal },
		{ .name = "label", .values = &flags->labels },
		{ .name = "ipam-driver", .text = &flags->ipam_driver },
		{ .name = "ipam-opt", .values = &flags->ipam_options },
		{ .name = NULL },
	};
	int r = options_parse(cli, options, err);

	if (r < 0)
		return r;
	flags->name = cli->argv[0];
	if (flags->driver && strcmp(flags->driver, "macvlan") != 0)
		return error_set(err, -EINVAL,
			"--driver: '%s' is not supported: the only one is macvlan", flags->driver);
	return name_check_network(flags->name, err);
}

/* What an attach would run into later, or another network's. */
static int check_parent(const struct cli *cli, const struct network *network, struct error *err)
{
	struct network_parents others cleanup(network_parents_free) = { 0 };
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	autoclose int dir = -1;
	struct parent parent;
	int r = nl_open(&nl, err);

	if (r == 0)
		r = parent_find(&nl, network, &parent, err);
	if (r == 0)
		r = parent_check_new(&nl, network, &parent, err);
	if (r == 0)
		r = networks_open(cli->etc, &dir, err);
	if (r == 0)
		r = network_parents_load(dir, &nl, &others, err);
	return r == 0 ? network_parents_check_mode(&others, network, parent.name, err) : r;
}

/* What the file's reader cannot know: the host, and flags that leave no trace in the file. */
static int check_network(const struct cli *cli, const struct network *network,
	const struct network_flags *flags, struct error *err)
{
	autofree char *program = NULL;
	int r;

	/* A plugin has subnets of its own. */
	if (flags->ipv6 && network->ipv6 == NETWORK_IPV6_NONE &&
		(network->ipam != NETWORK_IPAM_PLUGIN || network->refuses_ipv6))
		return error_set(err, -EINVAL, "--ipv6: no --subnet is an IPv6 one: add it");
	if (network->ipam == NETWORK_IPAM_PLUGIN) {
		r = delegate_find(network, &program, err);
		if (r < 0)
			return r;
	}
	if (network->ipam == NETWORK_IPAM_DHCP) {
		r = dhcp_client_find(err);
		if (r < 0)
			return r;
	}
	return check_parent(cli, network, err);
}

/* Makes what is missing, in an ETC that nobody else may write to: check_parent() has opened it. */
static int open_networks(const char *etc, int *ret, struct error *err)
{
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/" NETWORKS_FOLDER, etc) >= (int)sizeof(path))
		return error_set(err, -ENAMETOOLONG,
			"the configuration folder's name is longer than %d characters",
			PATH_MAX - 1);
	r = file_make_path(path, 0755, err);
	return r < 0 ? r : networks_open(etc, ret, err);
}

static int publish(
	const struct cli *cli, const char *name, const char *text, size_t size, struct error *err)
{
	char file[NETWORKS_FILE_MAX];
	autoclose int dir = -1;
	int r = open_networks(cli->etc, &dir, err);

	if (r < 0)
		return r;
	networks_file(name, file);
	r = file_create(dir, file, text, size, 0644, err);
	if (r == -EEXIST)
		return error_set(err, r,
			"network '%s' exists already: remove it with 'oci-macvlan network rm', or "
			"use another name",
			name);
	return r < 0 ? error_prefix(err, "network '%s', in '%s'", name, cli->etc) : 0;
}

/**
 * cli_network_create() - the command network create
 * @cli: its arguments
 * @err: filled on failure
 *
 * Return: 0; -EINVAL, -ERANGE, -E2BIG, -EOPNOTSUPP: what is asked for is wrong; -ENODEV, -EBUSY:
 * the parent is; -EEXIST; what writing the file gave.
 */
int cli_network_create(struct cli *cli, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(true);
	cleanup(network_free) struct network *network = NULL;
	struct network_flags flags = { 0 };
	struct network_draft draft = { 0 };
	const char *text;
	size_t size;
	int r;

	if (!writer)
		return error_set(err, -ENOMEM, "out of memory");
	r = parse_flags(cli, &flags, err);
	if (r == 0)
		r = network_draft_make(&flags, &draft, err);
	if (r == 0)
		r = network_draft_write(&draft, writer, err);
	if (r == 0)
		r = json_writer_text(writer, &text, &size, err);
	if (r == 0)
		r = network_parse(text, size, &network, err);
	if (r == 0)
		r = check_network(cli, network, &flags, err);
	if (r == 0)
		r = publish(cli, network->name, text, size, err);
	if (r == 0)
		puts(network->name);
	return r;
}
