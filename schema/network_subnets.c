// SPDX-License-Identifier: MIT
/*
 * The subnets of a network: their gateways, ranges and auxiliary addresses, and how they fit
 * together.
 */
#include "schema/network.h"

#include "schema/error.h"
#include "schema/json.h"
#include "schema/network_parts.h"

/* Where no subnet of a LAN lies. */
static const struct {
	struct cidr subnet;
	const char *what;
} forbidden[] = {
	{ { { AF_INET, { 0 } }, 8 }, "unspecified" },
	{ { { AF_INET, { 127 } }, 8 }, "loopback" },
	{ { { AF_INET, { 224 } }, 4 }, "multicast" },
	{ { { AF_INET, { 240 } }, 4 }, "reserved" },
	{ { { AF_INET6, { 0 } }, 128 }, "unspecified" },
	{ { { AF_INET6, { [15] = 1 } }, 128 }, "loopback" },
	{ { { AF_INET6, { [10] = 0xff, 0xff } }, 96 }, "IPv4-mapped" },
	{ { { AF_INET6, { 0xfe, 0x80 } }, 10 }, "link-local" },
	{ { { AF_INET6, { 0xff } }, 8 }, "multicast" },
};

static int check_subnet(const struct cidr *subnet, struct error *err)
{
	char text[CIDR_TEXT];
	char other[CIDR_TEXT];

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (cidr_overlaps(&forbidden[i].subnet, subnet))
			return error_set(err, -EINVAL,
				"'%s' overlaps with %s (%s): give a subnet of the LAN",
				cidr_format(subnet, text), cidr_format(&forbidden[i].subnet, other),
				forbidden[i].what);
	return 0;
}

/* A subnet while it is read: its keys go into the network and into its own entry. */
struct reading {
	struct network *network;
	struct network_subnet *subnet;
};

static int read_subnet(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct reading *reading = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = cidr_parse_subnet(value->text, &reading->subnet->subnet, err);
	if (r == 0)
		r = check_subnet(&reading->subnet->subnet, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_onlink(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct reading *reading = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		reading->subnet->onlink = value->boolean;
	return r;
}

static int check_gateway(const struct network_subnet *subnet, const struct ip *gateway,
	const char *where, struct error *err)
{
	const struct cidr *cidr = &subnet->subnet;
	char ip[IP_TEXT];
	char text[CIDR_TEXT];

	if (gateway->family != cidr->ip.family)
		return error_set(err, -EINVAL, "%s: '%s' is not of the family of %s", where,
			ip_format(gateway, ip), cidr_format(cidr, text));
	if (cidr_contains(cidr, gateway)) {
		if (!cidr_reserves(cidr, gateway))
			return 0;
		return error_set(err, -EINVAL, "%s: '%s' is no host's address in %s", where,
			ip_format(gateway, ip), cidr_format(cidr, text));
	}
	if (!subnet->onlink)
		return error_set(err, -EINVAL,
			"%s: '%s' is outside %s: correct it, or set \"onlink\": true", where,
			ip_format(gateway, ip), cidr_format(cidr, text));
	if (!ip_is_assignable(gateway) && !ip_is_link_local(gateway))
		return error_set(err, -EINVAL, "%s: '%s' is no host's address", where,
			ip_format(gateway, ip));
	return 0;
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct reading *reading = ret;
	struct ip gateway;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = ip_parse(value->text, &gateway, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	r = check_gateway(reading->subnet, &gateway, where, err);
	if (r == 0)
		reading->subnet->gateway = gateway;
	return r;
}

static int read_range(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct reading *reading = ret;
	struct network_subnet *subnet = reading->subnet;
	char text[CIDR_TEXT];
	struct cidr range;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = cidr_parse_subnet(value->text, &range, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (range.len < subnet->subnet.len || !cidr_contains(&subnet->subnet, &range.ip))
		return error_set(err, -EINVAL, "%s: '%s' is outside %s", where, value->text,
			cidr_format(&subnet->subnet, text));
	subnet->range = range;
	subnet->has_range = true;
	return 0;
}

static int read_aux(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct reading *reading = ret;
	struct network *network = reading->network;
	struct network_aux aux = { .name = value->key, .subnet = network->n_subnets };
	char text[CIDR_TEXT];
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (!*value->key)
		return error_set(err, -EINVAL, "%s: the name is empty", where);
	r = ip_parse(value->text, &aux.ip, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (!cidr_contains(&reading->subnet->subnet, &aux.ip))
		return error_set(err, -EINVAL, "%s: '%s' is outside %s", where, value->text,
			cidr_format(&reading->subnet->subnet, text));
	if (network->n_aux == NETWORK_AUX_MAX)
		return error_set(err, -E2BIG, "%s: more than %d auxiliary addresses", where,
			NETWORK_AUX_MAX);
	network->aux[network->n_aux++] = aux;
	return 0;
}

static int read_aux_addresses(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_map(value, read_aux, where, ret, err);
}

/* In this order: what comes later is checked against the subnet, the gateway by onlink too. */
static const struct member subnet_members[] = {
	{ "subnet", read_subnet, true },
	{ "onlink", read_onlink, false },
	{ "gateway", read_gateway, false },
	{ "ip_range", read_range, false },
	{ "aux_addresses", read_aux_addresses, false },
	{ NULL, NULL, false },
};

static int add_subnet(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	struct network_subnet subnet = { 0 };
	struct reading reading = { network, &subnet };
	int r;

	if (network->n_subnets == NETWORK_SUBNETS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d subnets", where, NETWORK_SUBNETS_MAX);
	r = members_read_object(value, subnet_members, where, &reading, err);
	if (r < 0)
		return r;
	if (json_member(value, "onlink") && !subnet.gateway.family)
		return error_set(
			err, -EINVAL, "%s.onlink: is about a gateway, and there is none", where);
	if (!subnet.has_range)
		subnet.range = subnet.subnet;
	network->subnets[network->n_subnets++] = subnet;
	return 0;
}

/**
 * network_read_subnets() - read the member "subnets"
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct network
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_read_subnets(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_subnet, where, ret, err);
}

/* With DHCP an IPv4 subnet says what leases may be, and nothing else: the rest is the server's. */
static int check_leased(const struct network *network, struct error *err)
{
	for (unsigned i = 0; i < network->n_subnets; i++) {
		const struct network_subnet *subnet = &network->subnets[i];

		if (subnet->subnet.ip.family == AF_INET &&
			(subnet->gateway.family || subnet->has_range))
			return error_set(err, -EINVAL,
				"subnets[%u].%s: is not used with ipam driver 'dhcp', whose server "
				"says it: remove it",
				i, subnet->has_range ? "ip_range" : "gateway");
	}
	return 0;
}

/* Which subnets the driver has a use for. */
static int check_driver(const struct network *network, struct error *err)
{
	switch (network->ipam) {
	case NETWORK_IPAM_LOCAL:
		if (network->n_subnets > 0)
			return 0;
		return error_set(err, -EINVAL,
			"subnets: ipam driver 'local' needs at least one: add it, or use 'none'");
	case NETWORK_IPAM_NONE:
		if (network->n_subnets == 0)
			return 0;
		return error_set(
			err, -EINVAL, "subnets: are not used with ipam driver 'none': remove them");
	case NETWORK_IPAM_DHCP:
		return check_leased(network, err);
	case NETWORK_IPAM_PLUGIN: /* its addresses are checked against them */
		break;
	}
	return 0;
}

/**
 * network_check_subnets() - do the subnets fit together
 * @network: the network, all of it read
 * @err:     filled on failure
 *
 * Return: 0, -EINVAL.
 */
int network_check_subnets(const struct network *network, struct error *err)
{
	char one[CIDR_TEXT];
	char other[CIDR_TEXT];

	for (unsigned i = 0; i < network->n_subnets; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct cidr *a = &network->subnets[i].subnet;
			const struct cidr *b = &network->subnets[j].subnet;

			if (cidr_overlaps(a, b))
				return error_set(err, -EINVAL,
					"subnets[%u].subnet: '%s' overlaps with '%s'", i,
					cidr_format(a, one), cidr_format(b, other));
		}
	return check_driver(network, err);
}

/* While a list of subnets is read for their prefixes alone. */
struct prefixes {
	unsigned n;
	struct cidr *cidrs; /* room for NETWORK_SUBNETS_MAX */
};

static int add_prefix(const struct json *value, const char *where, void *ret, struct error *err)
{
	const struct json *subnet;
	struct prefixes *prefixes = ret;
	int r = json_expect(value, JSON_OBJECT, where, err);

	if (r < 0)
		return r;
	if (prefixes->n == NETWORK_SUBNETS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d subnets", where, NETWORK_SUBNETS_MAX);
	subnet = json_member(value, "subnet");
	if (!subnet || subnet->type != JSON_STRING)
		return error_set(err, -EINVAL, "%s.subnet: is missing, or not a string", where);
	r = cidr_parse_subnet(subnet->text, &prefixes->cidrs[prefixes->n], err);
	if (r < 0)
		return error_prefix(err, "%s.subnet", where);
	prefixes->n++;
	return 0;
}

/**
 * network_list_subnets() - read the prefixes of subnets that have the form of a network's
 * @value: an array
 * @ret:   the prefixes
 * @ret_n: how many they are
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_list_subnets(const struct json *value, struct cidr ret[NETWORK_SUBNETS_MAX],
	unsigned *ret_n, struct error *err)
{
	struct prefixes prefixes = { .cidrs = ret };
	int r = members_read_array(value, add_prefix, "subnets", &prefixes, err);

	*ret_n = prefixes.n;
	return r;
}
