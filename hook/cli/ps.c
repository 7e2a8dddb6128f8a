// SPDX-License-Identifier: MIT
/*
 * oci-macvlan ps: every endpoint of this host and how it is.
 */
#include <stdio.h>

#include "hook/cli/cli.h"
#include "hook/cli/endpoints.h"
#include "hook/cli/options.h"
#include "hook/cli/table.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"

static void put_row(struct table *table, const struct endpoint *endpoint, bool has_leases)
{
	char lease[ENDPOINT_LEASE_TEXT];
	char mac[MAC_TEXT];
	char pid[16];
	char addresses[ENDPOINT_ADDRESSES_TEXT];

	snprintf(pid, sizeof(pid), "%d", endpoint->pid);
	table_put(table, endpoint->id);
	table_put(table, endpoint->name);
	table_put(table, endpoint->endpoint.network);
	table_put(table, endpoint->endpoint.interface);
	table_put(table, endpoint_mac(endpoint, mac));
	table_put(table, endpoint_addresses(endpoint, addresses));
	table_put(table, endpoint->pid ? pid : "");
	table_put(table, endpoint_state_name(endpoint->state));
	if (has_leases)
		table_put(table, endpoint_lease(endpoint, lease));
}

/* Who has no DHCP is not bothered with it. */
static bool has_leases(const struct endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->n; i++)
		if (endpoints->all[i].endpoint.is_dhcp)
			return true;
	return false;
}

static int print_table(const struct endpoints *endpoints, struct error *err)
{
	static const char *const headings[] = { "CONTAINER", "NAME", "NETWORK", "INTERFACE", "MAC",
		"ADDRESSES", "PID", "STATE", "LEASE" };
	bool leases = has_leases(endpoints);
	struct table table cleanup(table_free) = {
		.n_columns = sizeof(headings) / sizeof(headings[0]) - (leases ? 0 : 1),
	};

	for (size_t i = 0; i < table.n_columns; i++)
		table_put(&table, headings[i]);
	for (size_t i = 0; i < endpoints->n; i++)
		put_row(&table, &endpoints->all[i], leases);
	return table_print(&table, err);
}

static void put_object(struct json_writer *json, const struct endpoint *endpoint)
{
	char text[CIDR_TEXT];

	json_open_object(json, NULL);
	json_put_string(json, "container", endpoint->id);
	json_put_string(json, "name", endpoint->name);
	json_put_string(json, "network", endpoint->endpoint.network);
	json_put_string(json, "interface", endpoint->endpoint.interface);
	json_put_string(json, "mac", endpoint_mac(endpoint, text));
	json_open_array(json, "addresses");
	for (unsigned i = 0; i < endpoint->endpoint.n_addresses; i++)
		json_put_string(json, NULL, cidr_format(&endpoint->endpoint.addresses[i], text));
	json_close_array(json);
	json_put_uint(json, "pid", (uint64_t)endpoint->pid);
	json_put_string(json, "state", endpoint_state_name(endpoint->state));
	if (endpoint->endpoint.is_dhcp)
		json_put_uint(json, "lease_seconds", endpoint->lease_seconds);
	json_close_object(json);
}

static int print_json(const struct endpoints *endpoints, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *json = json_writer_new(true);

	if (!json)
		return error_set(err, -ENOMEM, "out of memory");
	json_open_array(json, NULL);
	for (size_t i = 0; i < endpoints->n; i++)
		put_object(json, &endpoints->all[i]);
	json_close_array(json);
	return cli_print_json(json, err);
}

/**
 * cli_ps() - the command ps
 * @cli: its arguments
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse; -ENOMEM; what opening RUN and endpoints_collect() gave.
 */
int cli_ps(struct cli *cli, struct error *err)
{
	struct host host cleanup(host_close) = HOST_CLOSED;
	struct endpoints endpoints cleanup(endpoints_free) = { 0 };
	const char *format = NULL;
	const struct cli_option options[] = {
		{ .name = "format", .text = &format },
		{ .name = NULL },
	};
	bool json = false;
	bool open = false;
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = options_parse_format(cli, format, &json, err);
	if (r == 0)
		r = cli_open_host(cli, &host, &open, err);
	if (r == 0 && open)
		r = endpoints_collect(cli, &host, NULL, &endpoints, err);
	if (r < 0)
		return r;
	return json ? print_json(&endpoints, err) : print_table(&endpoints, err);
}
