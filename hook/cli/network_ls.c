// SPDX-License-Identifier: MIT
/*
 * oci-macvlan network ls: every network file, and how full its subnets are. A file that cannot be
 * read is said, and costs only its own line.
 */
#include <stdio.h>
#include <string.h>

#include "hook/cli/cli.h"
#include "hook/cli/networks.h"
#include "hook/cli/options.h"
#include "hook/cli/table.h"
#include "hook/machine.h"
#include "hook/parent.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"
#include "schema/text.h"

/* 2^128 has 39 decimal digits. */
#define COUNT_TEXT 40
/* A total above this is shown as a power of two in the table. */
#define COUNT_EXACT_MAX 1000000
/* USED/TOTAL of all subnets, which is longer than the subnets themselves. */
#define CELL_MAX (NETWORK_SUBNETS_MAX * (2 * COUNT_TEXT + 2))

struct usage {
	unsigned long used;
	ip_value total;
};

/* A listed network with what was counted. */
struct listed {
	const struct network *network;
	char id[HASH_HEX];
	struct usage usage[NETWORK_SUBNETS_MAX];
};

/* Where the listing goes: one of the two, or only ids to stdout. */
struct listing {
	bool quiet;
	struct host host; /* closed, all but nl, where there is no RUN */
	struct table table;
	struct json_writer *json; /* NULL: the table */
};

static const char *format_count(ip_value count, char ret[COUNT_TEXT])
{
	char digits[COUNT_TEXT];
	char *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + (int)(count % 10));
		count /= 10;
	} while (count);
	memcpy(ret, digit, (size_t)(digits + sizeof(digits) - digit));
	return ret;
}

/* "2^64" for what a /64 has, less a few that are reserved. */
static const char *format_total(ip_value total, char ret[COUNT_TEXT])
{
	unsigned bits = 1;

	if (total <= COUNT_EXACT_MAX)
		return format_count(total, ret);
	while (bits < 127 && (ip_value)1 << bits < total)
		bits++;
	if ((((ip_value)1 << bits) - total) * 100 > total)
		return format_count(total, ret);
	snprintf(ret, COUNT_TEXT, "2^%u", bits);
	return ret;
}

static void put_row(struct table *table, const struct listed *listed)
{
	const struct network *network = listed->network;
	char short_id[CLI_SHORT_ID];
	char subnets[CELL_MAX] = "";
	char addresses[CELL_MAX] = "";

	for (unsigned i = 0; i < network->n_subnets; i++) {
		char text[CIDR_TEXT];
		char total[COUNT_TEXT];
		char usage[2 * COUNT_TEXT];

		table_join(
			subnets, sizeof(subnets), cidr_format(&network->subnets[i].subnet, text));
		snprintf(usage, sizeof(usage), "%lu/%s", listed->usage[i].used,
			format_total(listed->usage[i].total, total));
		table_join(addresses, sizeof(addresses), usage);
	}
	if (network->n_subnets == 0 && network_asks_elsewhere(network))
		text_join(addresses, sizeof(addresses), "by ", network_ipam_name(network));
	table_put(table, cli_short_id(listed->id, short_id));
	table_put(table, network->name);
	table_put(table, "macvlan");
	table_put(table, network->parent);
	table_put(table, network_mode_name(network->mode));
	table_put(table, subnets);
	table_put(table, addresses);
}

static void put_object(struct json_writer *json, const struct listed *listed)
{
	const struct network *network = listed->network;
	char text[CIDR_TEXT];
	char total[COUNT_TEXT];

	json_open_object(json, NULL);
	json_put_string(json, "id", listed->id);
	json_put_string(json, "name", network->name);
	json_put_string(json, "driver", "macvlan");
	json_put_string(json, "parent", network->parent);
	json_put_string(json, "mode", network_mode_name(network->mode));
	json_open_array(json, "subnets");
	for (unsigned i = 0; i < network->n_subnets; i++) {
		json_open_object(json, NULL);
		json_put_string(json, "subnet", cidr_format(&network->subnets[i].subnet, text));
		json_put_uint(json, "used", listed->usage[i].used);
		json_put_number(json, "total", format_count(listed->usage[i].total, total));
		json_close_object(json);
	}
	json_close_array(json);
	json_close_object(json);
}

/* Pools go by the parent's own name, and the file may have an alternative one. */
static int count_addresses(struct listing *listing, struct listed *listed, struct error *err)
{
	struct network counted = *listed->network;
	struct parent parent;
	int r = 0;

	if (parent_find(&listing->host.nl, &counted, &parent, NULL) == 0)
		counted.parent = parent.name;
	for (unsigned i = 0; r == 0 && i < counted.n_subnets; i++)
		r = ipam_count(&listing->host.store, &counted, i, &listed->usage[i].used,
			&listed->usage[i].total, err);
	return r;
}

static int list_network(struct listing *listing, int dir, const char *name, struct error *err)
{
	cleanup(network_free) struct network *network = NULL;
	struct listed listed = { 0 };
	int r = network_load(dir, name, &network, err);

	if (r < 0)
		return r;
	listed.network = network;
	machine_network_id(name, listed.id);
	if (listing->quiet) {
		char short_id[CLI_SHORT_ID];

		puts(cli_short_id(listed.id, short_id));
		return 0;
	}
	r = count_addresses(listing, &listed, err);
	if (r < 0)
		return error_prefix(err, "network '%s'", name);
	if (listing->json)
		put_object(listing->json, &listed);
	else
		put_row(&listing->table, &listed);
	return 0;
}

static int list_all(struct cli *cli, struct listing *listing, struct error *err)
{
	static const char *const headings[] = { "NETWORK ID", "NAME", "DRIVER", "PARENT", "MODE",
		"SUBNETS", "ADDRESSES" };
	struct networks networks cleanup(networks_free) = { 0 };
	autoclose int dir = -1;
	int r = networks_open(cli->etc, &dir, err);

	if (r == 0)
		r = networks_list(dir, &networks, err);
	if (r < 0)
		return r;
	listing->table.n_columns = sizeof(headings) / sizeof(headings[0]);
	for (size_t i = 0; i < listing->table.n_columns; i++)
		table_put(&listing->table, headings[i]);
	if (listing->json)
		json_open_array(listing->json, NULL);
	for (size_t i = 0; i < networks.n; i++)
		if (list_network(listing, dir, networks.names[i], err) < 0)
			cli_report(cli, err);
	if (listing->quiet)
		return 0;
	if (!listing->json)
		return table_print(&listing->table, err);
	json_close_array(listing->json);
	return cli_print_json(listing->json, err);
}

/* Without a RUN there are no claims to count, but the parents are looked up all the same. */
static int open_host(const struct cli *cli, struct host *ret, struct error *err)
{
	bool open = false;
	int r = cli_open_host(cli, ret, &open, err);

	return r < 0 || open ? r : nl_open(&ret->nl, err);
}

static void free_listing(struct listing *listing)
{
	host_close(&listing->host);
	table_free(&listing->table);
	json_writer_free(&listing->json);
}

/**
 * cli_network_ls() - the command network ls
 * @cli: its arguments
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse; -ENOMEM; what opening ETC and RUN gave.
 */
int cli_network_ls(struct cli *cli, struct error *err)
{
	struct listing listing cleanup(free_listing) = { .host = HOST_CLOSED };
	const char *format = NULL;
	const struct cli_option options[] = {
		{ .name = "quiet", .letter = 'q', .flag = &listing.quiet },
		{ .name = "format", .text = &format },
		{ .name = NULL },
	};
	bool json = false;
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = options_parse_format(cli, format, &json, err);
	if (r == 0 && !listing.quiet)
		r = open_host(cli, &listing.host, err);
	if (r < 0)
		return r;
	if (json && !listing.quiet) {
		listing.json = json_writer_new(true);
		if (!listing.json)
			return error_set(err, -ENOMEM, "out of memory");
	}
	return list_all(cli, &listing, err);
}
