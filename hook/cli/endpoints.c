// SPDX-License-Identifier: MIT
/*
 * The endpoints of this host in an order that does not change, for the commands that show them.
 */
#include "hook/cli/endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/cli/cli.h"
#include "hook/cli/table.h"
#include "hook/dhcp.h"
#include "hook/host.h"
#include "schema/error.h"
#include "schema/lease.h"

#define GROW 64

struct collecting {
	const struct host *host;
	const char *network; /* NULL: any */
	struct endpoints *endpoints;
};

/* One that has not been applied is none yet. */
static uint32_t find_lease(
	const struct host *host, const char *id, const struct record_endpoint *endpoint)
{
	struct lease lease;

	if (!endpoint->is_dhcp || !record_has_family(endpoint, AF_INET) ||
		dhcp_load_lease(&host->store, id, endpoint, &lease, NULL) < 0)
		return 0;
	return lease_remaining(&lease);
}

static int add_endpoint(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err)
{
	const struct collecting *collecting = arg;
	struct endpoints *endpoints = collecting->endpoints;
	const struct record_member *member = record_member_of(record, record->id);
	struct endpoint *new;

	if (collecting->network && strcmp(collecting->network, endpoint->network) != 0)
		return 0;
	if (endpoints->n % GROW == 0) {
		new = reallocarray(endpoints->all, endpoints->n + GROW, sizeof(*new));
		if (!new)
			return error_set(err, -ENOMEM, "out of memory");
		endpoints->all = new;
	}
	/* In a pod the owner may have gone before the others. */
	if (!member && record->n_members > 0)
		member = &record->members[0];
	new = &endpoints->all[endpoints->n++];
	*new = (struct endpoint){ .endpoint = *endpoint, .state = state };
	/* What ends with the record. */
	new->endpoint.plugin = (struct record_plugin){ 0 };
	new->endpoint.dhcp.routes = NULL;
	memcpy(new->id, record->id, sizeof(new->id));
	memcpy(new->name, record->name, sizeof(new->name));
	new->pid = member ? member->pid : 0;
	new->lease_seconds = find_lease(collecting->host, record->id, endpoint);
	return 0;
}

static int compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *one = a;
	const struct endpoint *other = b;
	int r = strcmp(one->id, other->id);

	return r ? r : strcmp(one->endpoint.interface, other->endpoint.interface);
}

static void print_failure(void *arg, const struct error *err)
{
	cli_report(arg, err);
}

/**
 * endpoints_collect() - collect the endpoints of this host
 * @cli:     hears of records that cannot be looked at; NULL: one fails it
 * @host:    the host
 * @network: only those on this network; NULL: all
 * @ret:     the endpoints, sorted; free with endpoints_free()
 * @err:     filled on failure
 *
 * Return: 0, -ENOMEM, or what reconcile_list() returns.
 */
int endpoints_collect(struct cli *cli, struct host *host, const char *network,
	struct endpoints *ret, struct error *err)
{
	const struct reconcile_output output = { .failed = print_failure, .arg = cli };
	struct endpoints endpoints = { 0 };
	struct collecting collecting = { host, network, &endpoints };
	int r = reconcile_list(host, add_endpoint, &collecting, cli ? &output : NULL, err);

	if (r < 0) {
		endpoints_free(&endpoints);
		return r;
	}
	if (endpoints.n)
		qsort(endpoints.all, endpoints.n, sizeof(*endpoints.all), compare_endpoints);
	*ret = endpoints;
	return 0;
}

/**
 * endpoints_free() - free a list of endpoints; a destructor for cleanup()
 * @endpoints: the list; empty afterwards
 */
void endpoints_free(struct endpoints *endpoints)
{
	free(endpoints->all);
	*endpoints = (struct endpoints){ 0 };
}

/**
 * endpoint_mac() - the MAC of an endpoint as text
 * @endpoint: the endpoint
 * @ret:      where to; "" for an intent, which has none yet
 *
 * Return: @ret.
 */
const char *endpoint_mac(const struct endpoint *endpoint, char ret[MAC_TEXT])
{
	ret[0] = '\0';
	return endpoint->endpoint.ifindex ? mac_format(endpoint->endpoint.mac, ret) : ret;
}

/**
 * endpoint_lease() - how long the lease of an endpoint still holds, as text
 * @endpoint: the endpoint
 * @ret:      where to: seconds ("3512s"), or "forever"; "none" where there should be a lease and is
 *            none, "" where its address is not by DHCP
 *
 * Return: @ret.
 */
const char *endpoint_lease(const struct endpoint *endpoint, char ret[ENDPOINT_LEASE_TEXT])
{
	if (!endpoint->endpoint.is_dhcp)
		strcpy(ret, "");
	else if (endpoint->lease_seconds == 0)
		strcpy(ret, "none");
	else if (endpoint->lease_seconds == LEASE_FOR_EVER)
		strcpy(ret, "forever");
	else
		snprintf(ret, ENDPOINT_LEASE_TEXT, "%us", endpoint->lease_seconds);
	return ret;
}

/**
 * endpoint_addresses() - the addresses of an endpoint as a comma list
 * @endpoint: the endpoint
 * @ret:      where to; "" where it has none
 *
 * Return: @ret.
 */
const char *endpoint_addresses(const struct endpoint *endpoint, char ret[ENDPOINT_ADDRESSES_TEXT])
{
	char text[CIDR_TEXT];

	ret[0] = '\0';
	for (unsigned i = 0; i < endpoint->endpoint.n_addresses; i++)
		table_join(ret, ENDPOINT_ADDRESSES_TEXT,
			cidr_format(&endpoint->endpoint.addresses[i], text));
	return ret;
}
