// SPDX-License-Identifier: MIT
/*
 * A network definition, what ETC/networks/NAME.json holds, and questions to it. network.schema.json
 * says what a file may hold; here is checked besides what a schema cannot say.
 */
#include "schema/network.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/json.h"
#include "schema/network_parts.h"

#define LABELS_MAX 64
/* How long a new address is probed for, and how long at most. */
#define CONFLICT_DETECTION_DEFAULT_MS 200
#define CONFLICT_DETECTION_MAX_MS 10000
/* RFC 8200 section 5: a link with a smaller MTU cannot have IPv6. */
#define IPV6_MTU_MIN 1280

static const char *const mode_names[] = {
	[NETWORK_BRIDGE] = "bridge",
	[NETWORK_PRIVATE] = "private",
	[NETWORK_VEPA] = "vepa",
	[NETWORK_PASSTHRU] = "passthru",
	[NETWORK_SOURCE] = "source",
};

/**
 * network_mode_name() - the name of a macvlan mode
 * @mode: the mode
 *
 * Return: the name, as in the file.
 */
const char *network_mode_name(enum network_mode mode)
{
	return mode_names[mode];
}

/**
 * network_mode_parse() - read the name of a macvlan mode
 * @text: the name
 * @ret:  the mode
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL.
 */
int network_mode_parse(const char *text, enum network_mode *ret, struct error *err)
{
	for (unsigned i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++)
		if (!strcmp(mode_names[i], text)) {
			*ret = (enum network_mode)i;
			return 0;
		}
	return error_set(err, -EINVAL,
		"'%.64s' is not a mode: use bridge, private, vepa, passthru or source", text);
}

static int read_name(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = name_check_network(value->text, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	network->name = value->text;
	return 0;
}

static int read_parent(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = name_check_parent(value->text, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	network->parent = value->text;
	return 0;
}

static int read_mode(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = network_mode_parse(value->text, &network->mode, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_source_mac(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	uint8_t mac[MAC_SIZE];
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (network->n_source_macs == NETWORK_SOURCE_MACS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d addresses", where, NETWORK_SOURCE_MACS_MAX);
	r = mac_parse(value->text, mac, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	for (unsigned i = 0; i < network->n_source_macs; i++)
		if (!memcmp(network->source_macs[i], mac, MAC_SIZE))
			return error_set(err, -EINVAL, "%s: '%s' is there twice: remove one", where,
				value->text);
	memcpy(network->source_macs[network->n_source_macs++], mac, MAC_SIZE);
	return 0;
}

static int read_source_macs(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	const struct network *network = ret;
	int r = members_read_array(value, read_source_mac, where, ret, err);

	if (r == 0 && network->n_source_macs == 0)
		r = error_set(err, -EINVAL, "%s: is empty: list the addresses to allow", where);
	return r;
}

static int read_internal(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		network->internal = value->boolean;
	return r;
}

static int read_mtu(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	uint64_t mtu;
	int r = json_get_uint(value, NETWORK_MTU_MAX, where, &mtu, err);

	if (r < 0)
		return r;
	if (mtu < NETWORK_MTU_MIN)
		return error_set(err, -ERANGE, "%s: %s is less than %d", where, value->text,
			NETWORK_MTU_MIN);
	network->mtu = (unsigned)mtu;
	return 0;
}

/* "static" needs a subnet to take the addresses from, or a plugin, which has its own; the others go
 * without one.
 */
static int check_ipv6(const struct network *network, const struct json *value, const char *where,
	struct error *err)
{
	bool is_static = !strcmp(value->text, "static");
	bool has_subnet = network_has_family(network, AF_INET6);

	if (is_static && !has_subnet && network->ipam != NETWORK_IPAM_PLUGIN)
		return error_set(err, -EINVAL, "%s: 'static' needs an IPv6 subnet: add one", where);
	if (!is_static && has_subnet)
		return error_set(err, -EINVAL, "%s: '%s' with an IPv6 subnet: remove one of them",
			where, value->text);
	return 0;
}

static int read_ipv6(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (!strcmp(value->text, "ra"))
		network->ipv6 = NETWORK_IPV6_RA;
	else if (!strcmp(value->text, "static"))
		network->ipv6 = NETWORK_IPV6_STATIC;
	else if (!strcmp(value->text, "none"))
		network->refuses_ipv6 = true;
	else
		return error_set(
			err, -EINVAL, "%s: '%.64s' is not static, ra or none", where, value->text);
	return check_ipv6(network, value, where, err);
}

static int read_conflict_detection(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	uint64_t milliseconds;
	int r = json_get_uint(value, CONFLICT_DETECTION_MAX_MS, where, &milliseconds, err);

	if (r == 0)
		network->conflict_detection_ms = (unsigned)milliseconds;
	return r;
}

static int read_host_access(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		network->host_access = value->boolean;
	return r;
}

static int read_label(const struct json *value, const char *where, void *ret, struct error *err)
{
	unsigned *count = ret;

	if (++*count > LABELS_MAX)
		return error_set(err, -E2BIG, "%s: more than %d labels", where, LABELS_MAX);
	return json_expect(value, JSON_STRING, where, err);
}

static int read_labels(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	unsigned count = 0;
	int r = members_read_map(value, read_label, where, &count, err);

	if (r == 0)
		network->labels = value;
	return r;
}

/* What others are checked against comes before them. */
static const struct member network_members[] = {
	{ "name", read_name, true },
	{ "ipam", network_read_ipam, false },
	{ "parent", read_parent, false },
	{ "mode", read_mode, false },
	{ "source_macs", read_source_macs, false },
	{ "subnets", network_read_subnets, false },
	{ "service_addresses", network_read_service, false },
	{ "routes", network_read_routes, false },
	{ "internal", read_internal, false },
	{ "mtu", read_mtu, false },
	{ "labels", read_labels, false },
	{ "ipv6", read_ipv6, false },
	{ "conflict_detection_ms", read_conflict_detection, false },
	{ "host_access", read_host_access, false },
	{ "dns", network_read_dns, false },
	{ NULL, NULL, false },
};

static int check_parent(const struct network *network, struct error *err)
{
	if (network->parent &&
		!strncmp(network->parent, NETWORK_PARENT_PREFIX, strlen(NETWORK_PARENT_PREFIX)))
		return error_set(err, -EINVAL,
			"parent: '%s' is a name of our own interfaces: without a parent the network gets one of its own",
			network->parent);
	if (!network->parent && network->ipv6 == NETWORK_IPV6_RA)
		return error_set(err, -EINVAL,
			"ipv6: 'ra' needs a parent: there is no router on a network of its own");
	if (!network->parent && network->ipam == NETWORK_IPAM_DHCP)
		return error_set(err, -EINVAL,
			"ipam.driver: 'dhcp' needs a parent: there is no server on a network of its "
			"own");
	return 0;
}

/* The host's own macvlan on the parent has to hear the containers', and needs addresses of theirs
 * to make routes of.
 */
static int check_host_access(const struct network *network, struct error *err)
{
	if (!network->host_access)
		return 0;
	if (network->mode != NETWORK_BRIDGE)
		return error_set(err, -EINVAL,
			"host_access: needs mode bridge, but the mode is %s: its macvlans hear "
			"nothing of the host's",
			network_mode_name(network->mode));
	if (!network->parent)
		return error_set(err, -EINVAL,
			"host_access: needs a parent: the host has no address on a network of its "
			"own");
	if (network->ipam == NETWORK_IPAM_NONE && network->ipv6 != NETWORK_IPV6_RA)
		return error_set(err, -EINVAL,
			"host_access: needs addresses to route to, but ipam.driver is none");
	return 0;
}

static int check_network(const struct network *network, struct error *err)
{
	int r = check_parent(network, err);

	if (r == 0)
		r = network_check_subnets(network, err);
	if (r == 0)
		r = network_check_routes(network, err);
	if (r == 0)
		r = network_check_service(network, err);
	if (r < 0)
		return r;
	if (network->mode == NETWORK_SOURCE && network->n_source_macs == 0)
		return error_set(err, -EINVAL, "source_macs: mode source needs it: add the list");
	if (network->mode != NETWORK_SOURCE && network->n_source_macs > 0)
		return error_set(err, -EINVAL,
			"source_macs: is for mode source, but the mode is %s",
			network_mode_name(network->mode));
	if (network->mtu && network->mtu < IPV6_MTU_MIN &&
		(network->ipv6 != NETWORK_IPV6_NONE || network_has_family(network, AF_INET6)))
		return error_set(err, -EINVAL, "mtu: %u is too small for IPv6, which needs %d",
			network->mtu, IPV6_MTU_MIN);
	return check_host_access(network, err);
}

/**
 * network_parse() - read a network definition
 * @text: the document; need not end with a NUL
 * @size: of @text, in bytes
 * @ret:  the network; free with network_free()
 * @err:  filled on failure; the line begins with the key ("subnets[0].gateway: ")
 *
 * Return: 0; -EINVAL, -ERANGE, -ENAMETOOLONG: wrong; -E2BIG: over a limit; -ENOMEM.
 */
int network_parse(const char *text, size_t size, struct network **ret, struct error *err)
{
	cleanup(network_free) struct network *network = malloc(sizeof(*network));
	int r;

	if (!network)
		return error_set(err, -ENOMEM, "out of memory");
	memset(network, 0, offsetof(struct network, subnets));
	network->conflict_detection_ms = CONFLICT_DETECTION_DEFAULT_MS;
	r = json_parse(text, size, &network->doc, err);
	if (r == 0)
		r = members_read_object(json_root(network->doc), network_members, "", network, err);
	if (r == 0)
		r = check_network(network, err);
	if (r < 0)
		return r;
	if (network->ipv6 == NETWORK_IPV6_NONE && network_has_family(network, AF_INET6))
		network->ipv6 = NETWORK_IPV6_STATIC;
	if (!network->parent) {
		network->is_isolated = true;
		network->parent = network_isolated_parent(network->name, network->isolated_parent);
	}
	*ret = network;
	network = NULL;
	return 0;
}

/**
 * network_free() - free a network; a destructor for cleanup()
 * @network: a variable that holds a network or NULL; NULL afterwards
 */
void network_free(struct network **network)
{
	if (*network)
		json_free(&(*network)->doc);
	free(*network);
	*network = NULL;
}

/**
 * network_subnet_of() - which subnet an address lies in
 * @network: the network
 * @ip:      the address
 *
 * Return: the subnet, or NULL.
 */
const struct network_subnet *network_subnet_of(const struct network *network, const struct ip *ip)
{
	for (unsigned i = 0; i < network->n_subnets; i++)
		if (cidr_contains(&network->subnets[i].subnet, ip))
			return &network->subnets[i];
	return NULL;
}

/**
 * network_first_subnet() - the subnet that automatic addresses of a family come from
 * @network: the network
 * @family:  AF_INET or AF_INET6
 *
 * Return: the subnet, or NULL.
 */
const struct network_subnet *network_first_subnet(const struct network *network, sa_family_t family)
{
	for (unsigned i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].subnet.ip.family == family)
			return &network->subnets[i];
	return NULL;
}

/**
 * network_has_family() - has the network a subnet of a family
 * @network: the network
 * @family:  AF_INET or AF_INET6
 *
 * Return: true when it has.
 */
bool network_has_family(const struct network *network, sa_family_t family)
{
	return network_first_subnet(network, family) != NULL;
}

/**
 * network_isolated_parent() - the parent of a network that names none
 * @name: the network's name
 * @ret:  the interface's name: the same at each call
 *
 * Return: @ret.
 */
const char *network_isolated_parent(const char *name, char ret[INTERFACE_NAME_MAX + 1])
{
	uint64_t hash = hash_strings_u64((const char *const[]){ "isolated", name, NULL });

	snprintf(ret, INTERFACE_NAME_MAX + 1, NETWORK_PARENT_PREFIX "%011llx",
		(unsigned long long)(hash >> 20));
	return ret;
}
