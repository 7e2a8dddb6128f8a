// SPDX-License-Identifier: MIT
/*
 * oci-macvlan network inspect: the shape of docker network inspect, key for key. Programs read
 * this: a key more or less is a change of the contract. Only a container with DHCP, which docker
 * does not know, has one more: LeaseSeconds.
 */
#include <stdio.h>
#include <string.h>

#include "hook/cli/cli.h"
#include "hook/cli/endpoints.h"
#include "hook/cli/network_options.h"
#include "hook/cli/networks.h"
#include "hook/cli/options.h"
#include "hook/machine.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"

/* Docker's prefix for an endpoint that cannot stand under its container's id. */
#define ENDPOINT_PREFIX "ep-"

static void put_subnet(struct json_writer *json, const struct network *network, unsigned index)
{
	const struct network_subnet *subnet = &network->subnets[index];
	char text[CIDR_TEXT];
	bool has_aux = false;

	json_open_object(json, NULL);
	json_put_string(json, "Subnet", cidr_format(&subnet->subnet, text));
	if (subnet->gateway.family)
		json_put_string(json, "Gateway", ip_format(&subnet->gateway, text));
	if (subnet->has_range)
		json_put_string(json, "IPRange", cidr_format(&subnet->range, text));
	for (unsigned i = 0; i < network->n_aux; i++) {
		if (network->aux[i].subnet != index)
			continue;
		if (!has_aux)
			json_open_object(json, "AuxiliaryAddresses");
		has_aux = true;
		json_put_string(json, network->aux[i].name, ip_format(&network->aux[i].ip, text));
	}
	if (has_aux)
		json_close_object(json);
	json_close_object(json);
}

/* Docker calls its own driver so. */
static const char *driver_of(const struct network *network)
{
	return network->ipam == NETWORK_IPAM_LOCAL ? "default" : network_ipam_name(network);
}

/* In docker's shape they are texts. What cannot be one is left out: a list of ranges, say. */
static void put_option(struct json_writer *json, const struct json *option)
{
	if (option->type == JSON_STRING || option->type == JSON_NUMBER)
		json_put_string(json, option->key, option->text);
	else if (option->type == JSON_BOOLEAN)
		json_put_string(json, option->key, option->boolean ? "true" : "false");
}

static void put_ipam_options(struct json_writer *json, const struct network *network)
{
	const struct json *ipam = json_member(json_root(network->doc), "ipam");
	const struct json *config = ipam ? json_member(ipam, "config") : NULL;

	json_open_object(json, "Options");
	if (config) {
		json_for_each (option, config)
			put_option(json, option);
	}
	json_close_object(json);
}

static void put_ipam(struct json_writer *json, const struct network *network)
{
	json_open_object(json, "IPAM");
	json_put_string(json, "Driver", driver_of(network));
	put_ipam_options(json, network);
	json_open_array(json, "Config");
	for (unsigned i = 0; i < network->n_subnets; i++)
		put_subnet(json, network, i);
	json_close_array(json);
	json_close_object(json);
}

/* The first address of a family, with its prefix length; "" where there is none. */
static const char *first_address(
	const struct record_endpoint *endpoint, sa_family_t family, char ret[CIDR_TEXT])
{
	ret[0] = '\0';
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == family)
			return cidr_format(&endpoint->addresses[i], ret);
	return ret;
}

/* A container that is on the network twice has one key of its id, and others of docker's kind. */
static void put_container(struct json_writer *json, const struct endpoint *container, bool again)
{
	const struct record_endpoint *endpoint = &container->endpoint;
	char id[HASH_HEX];
	char key[sizeof(ENDPOINT_PREFIX) + HASH_HEX];
	char text[CIDR_TEXT];

	machine_endpoint_id(container->id, endpoint->network, endpoint->interface, id);
	snprintf(key, sizeof(key), ENDPOINT_PREFIX "%s", id);
	json_open_object(json, again ? key : container->id);
	json_put_string(json, "Name", container->name);
	json_put_string(json, "EndpointID", id);
	json_put_string(json, "MacAddress", endpoint_mac(container, text));
	json_put_string(json, "IPv4Address", first_address(endpoint, AF_INET, text));
	json_put_string(json, "IPv6Address", first_address(endpoint, AF_INET6, text));
	if (endpoint->is_dhcp)
		json_put_uint(json, "LeaseSeconds", container->lease_seconds);
	json_close_object(json);
}

static void put_containers(struct json_writer *json, const struct endpoints *endpoints)
{
	const char *last = "";

	json_open_object(json, "Containers");
	for (size_t i = 0; i < endpoints->n; i++) {
		const struct endpoint *endpoint = &endpoints->all[i];

		if (endpoint->state != ENDPOINT_LIVE)
			continue;
		put_container(json, endpoint, !strcmp(endpoint->id, last));
		last = endpoint->id;
	}
	json_close_object(json);
}

static void put_options(struct json_writer *json, const struct network *network)
{
	json_open_object(json, "Options");
	json_put_string(json, "parent", network->parent);
	json_put_string(json, "macvlan_mode", network_mode_name(network->mode));
	network_options_show(json_root(network->doc), json);
	json_close_object(json);
}

static void put_labels(struct json_writer *json, const struct network *network)
{
	json_open_object(json, "Labels");
	if (network->labels)
		json_for_each (label, network->labels)
			json_put_string(json, label->key, label->text);
	json_close_object(json);
}

static void put_network(
	struct json_writer *json, const struct network *network, const struct endpoints *endpoints)
{
	char id[HASH_HEX];

	json_open_object(json, NULL);
	json_put_string(json, "Name", network->name);
	json_put_string(json, "Id", machine_network_id(network->name, id));
	json_put_string(json, "Scope", "local");
	json_put_string(json, "Driver", "macvlan");
	json_put_bool(json, "EnableIPv6", network->ipv6 != NETWORK_IPV6_NONE);
	put_ipam(json, network);
	json_put_bool(json, "Internal", network->internal);
	put_containers(json, endpoints);
	put_options(json, network);
	put_labels(json, network);
	json_close_object(json);
}

/* HOST is NULL where there is no RUN, and so no endpoint. */
static int inspect(struct cli *cli, int dir, struct host *host, const char *word,
	struct json_writer *json, struct error *err)
{
	struct endpoints endpoints cleanup(endpoints_free) = { 0 };
	cleanup(network_free) struct network *network = NULL;
	char name[NETWORK_NAME_MAX + 1];
	int r = networks_resolve(dir, word, name, err);

	if (r == 0)
		r = network_load(dir, name, &network, err);
	if (r == 0 && host)
		r = endpoints_collect(cli, host, name, &endpoints, err);
	if (r == 0)
		put_network(json, network, &endpoints);
	return r;
}

/**
 * cli_network_inspect() - the command network inspect
 * @cli: its arguments
 * @err: filled on failure
 *
 * What cannot be shown is said, and left out of the array.
 *
 * Return: 0; -EINVAL: misuse; -ENOMEM; what opening ETC and RUN gave.
 */
int cli_network_inspect(struct cli *cli, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *json = json_writer_new(true);
	struct host host cleanup(host_close) = HOST_CLOSED;
	const struct cli_option options[] = { { .name = NULL } };
	autoclose int dir = -1;
	bool open = false;
	int r = options_parse(cli, options, err);

	if (r == 0 && !json)
		r = error_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		r = networks_open(cli->etc, &dir, err);
	if (r == 0)
		r = cli_open_host(cli, &host, &open, err);
	if (r < 0)
		return r;
	json_open_array(json, NULL);
	for (int i = 0; i < cli->argc; i++)
		if (inspect(cli, dir, open ? &host : NULL, cli->argv[i], json, err) < 0)
			cli_report(cli, err);
	json_close_array(json);
	return cli_print_json(json, err);
}
