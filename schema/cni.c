// SPDX-License-Identifier: MIT
/*
 * What a CNI IPAM plugin answers, by the CNI specification 1.1.0: a result of version 0.3.0 to
 * 1.1.0, or an error object. cni.schema.json says what is read of a result; keys that are not used
 * are passed over. A plugin is a stranger's program: so all of it is checked.
 */
#include "schema/cni.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/cni_parts.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/members.h"

/* How much of an error's texts is shown; there is a line of ERROR_TEXT_MAX bytes for all. */
#define SHOWN_MAX 440

/* A result on its way. Gateways of addresses are the next hops of routes that name none. */
struct result {
	struct ip_config *config;
	struct ip hop4;
	struct ip hop6;
};

static int read_version(const struct json *value, const char *where, void *ret, struct error *err)
{
	static const char *const known[] = { "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0" };
	int r = json_expect(value, JSON_STRING, where, err);

	(void)ret;
	/* As libcni has it: one that is not said is the one that was asked for. */
	if (r < 0 || !*value->text)
		return r;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(value->text, known[i]))
			return 0;
	return error_set(err, -EPROTONOSUPPORT,
		"%s: '%.32s' is not understood, only results of 0.3.0, 0.3.1, 0.4.0, 1.0.0 and "
		"1.1.0 are: use a newer plugin",
		where, value->text);
}

static int read_cidr(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct cidr *address = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = cidr_parse(value->text, address, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (!ip_is_assignable(&address->ip) || address->len == 0)
		return error_set(err, -EINVAL, "%s: '%s' is not an address that a host can have",
			where, value->text);
	if (cidr_reserves(address, &address->ip))
		return error_set(err, -EINVAL,
			"%s: '%s' is the %s address of its subnet, which no host can have", where,
			value->text,
			address->ip.family == AF_INET6 ? "subnet-router anycast"
						       : "network or broadcast");
	return 0;
}

/* A next hop: a router of the link, maybe by its link-local address. */
static int read_hop(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip *hop = ret;
	int r;

	if (value->type == JSON_STRING && !*value->text)
		return 0;
	r = json_expect(value, JSON_STRING, where, err);
	if (r < 0)
		return r;
	r = ip_parse(value->text, hop, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (!ip_is_assignable(hop) && !ip_is_link_local(hop))
		return error_set(err, -EINVAL, "%s: '%s' is not the address of a router", where,
			value->text);
	return 0;
}

/* One of "ips". */
struct address {
	struct cidr cidr;
	struct ip gateway;
};

static int read_address(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct address *address = ret;

	return read_cidr(value, where, &address->cidr, err);
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct address *address = ret;

	return read_hop(value, where, &address->gateway, err);
}

static const struct member address_members[] = {
	{ "address", read_address, true },
	{ "gateway", read_gateway, false },
	{ NULL, NULL, false },
};

static int refuse_twice(const struct ip_config *config, const struct cidr *added, const char *where,
	struct error *err)
{
	const struct cidr subnet = cidr_subnet(added);
	char one[IP_TEXT];
	char other[CIDR_TEXT];

	for (unsigned i = 0; i < config->n_addresses; i++) {
		const struct cidr before = cidr_subnet(&config->addresses[i]);

		if (cidr_overlaps(&subnet, &before))
			return error_set(err, -EINVAL,
				"%s: '%s' is in the same subnet as '%s': one at most", where,
				cidr_format(added, other),
				ip_format(&config->addresses[i].ip, one));
	}
	return 0;
}

static int add_address(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct result *result = ret;
	struct ip_config *config = result->config;
	struct address address = { 0 };
	char text[IP_TEXT];
	struct ip *hop;
	int r = cni_read_members(value, address_members, where, &address, err);

	if (r < 0)
		return r;
	if (config->n_addresses == NETWORK_SUBNETS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d addresses", where, NETWORK_SUBNETS_MAX);
	if (address.gateway.family && address.gateway.family != address.cidr.ip.family)
		return error_set(
			err, -EINVAL, "%s.gateway: is of another family than the address", where);
	if (ip_equal(&address.gateway, &address.cidr.ip))
		return error_set(err, -EINVAL, "%s: '%s' is its own gateway", where,
			ip_format(&address.cidr.ip, text));
	r = refuse_twice(config, &address.cidr, where, err);
	if (r < 0)
		return r;
	config->addresses[config->n_addresses++] = address.cidr;
	hop = address.cidr.ip.family == AF_INET ? &result->hop4 : &result->hop6;
	if (!hop->family)
		*hop = address.gateway;
	return 0;
}

static int read_addresses(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_address, where, ret, err);
}

/* One of "routes". */
struct route {
	struct network_route route;
	bool is_on_link; /* it has no next hop, whatever gateways addresses have */
};

static int read_dst(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct route *route = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = cidr_parse_subnet(value->text, &route->route.dst, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_gw(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct route *route = ret;

	return read_hop(value, where, &route->route.gateway, err);
}

/* Of 1.1.0. A route of another table is not for all packets. */
static int read_table(const struct json *value, const char *where, void *ret, struct error *err)
{
	uint64_t table;
	int r = json_get_uint(value, UINT32_MAX, where, &table, err);

	(void)ret;
	if (r == 0 && table != RT_TABLE_UNSPEC && table != RT_TABLE_MAIN)
		r = error_set(err, -EINVAL,
			"%s: is %s, but containers have routes in the main table (%d) only", where,
			value->text, RT_TABLE_MAIN);
	return r;
}

/* Of 1.1.0. */
static int read_scope(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct route *route = ret;
	uint64_t scope;
	int r = json_get_uint(value, UINT32_MAX, where, &scope, err);

	if (r == 0 && scope != RT_SCOPE_UNIVERSE && scope != RT_SCOPE_LINK)
		r = error_set(err, -EINVAL, "%s: is %s, but 0 (global) and %d (link) are possible",
			where, value->text, RT_SCOPE_LINK);
	if (r == 0)
		route->is_on_link = scope == RT_SCOPE_LINK;
	return r;
}

static const struct member route_members[] = {
	{ "dst", read_dst, true },
	{ "gw", read_gw, false },
	{ "table", read_table, false },
	{ "scope", read_scope, false },
	{ NULL, NULL, false },
};

static int add_default(const struct network_route *route, const char *where,
	struct ip_config *config, struct error *err)
{
	struct ip *gateway =
		route->dst.ip.family == AF_INET ? &config->gateway4 : &config->gateway6;

	if (!route->gateway.family)
		return error_set(err, -EINVAL,
			"%s: a default route has no gw, and no address of its family a gateway: add "
			"one",
			where);
	/* The first is the one that a kernel would use, too. */
	if (!gateway->family)
		*gateway = route->gateway;
	return 0;
}

static int add_route(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct result *result = ret;
	struct ip_config *config = result->config;
	struct route read = { 0 };
	struct network_route route;
	int r = cni_read_members(value, route_members, where, &read, err);

	if (r < 0)
		return r;
	route = read.route;
	if (!route.gateway.family && !read.is_on_link)
		route.gateway = route.dst.ip.family == AF_INET ? result->hop4 : result->hop6;
	if (route.gateway.family && route.gateway.family != route.dst.ip.family)
		return error_set(
			err, -EINVAL, "%s.gw: is of another family than the destination", where);
	if (route.dst.len == 0)
		return add_default(&route, where, config, err);
	if (config->n_routes == IP_CONFIG_ROUTES_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d routes", where, IP_CONFIG_ROUTES_MAX);
	config->routes[config->n_routes++] = route;
	return 0;
}

static int read_routes(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_route, where, ret, err);
}

static int read_dns(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct result *result = ret;

	return cni_read_dns(value, where, result->config, err);
}

/* The gateways of addresses come before the routes that need them. */
static const struct member result_members[] = {
	{ "cniVersion", read_version, false },
	{ "ips", read_addresses, false },
	{ "routes", read_routes, false },
	{ "dns", read_dns, false },
	{ NULL, NULL, false },
};

/**
 * cni_read_members() - read the members of an object that are known, and pass over the others
 * @object:  the value, of any type
 * @members: the keys that are read, in this order; ends with a NULL key
 * @where:   its place in the document; "": it is the document
 * @ret:     passed to the functions of the table
 * @err:     filled on failure
 *
 * One that is null is one that is missing: programs in Go write it so.
 *
 * Return: 0; -EINVAL: no object, or a required key is missing; what a function returned.
 */
int cni_read_members(const struct json *object, const struct member members[], const char *where,
	void *ret, struct error *err)
{
	int r = json_expect(object, JSON_OBJECT, *where ? where : "the answer", err);

	for (const struct member *member = members; r == 0 && member->key; member++) {
		const struct json *value = json_member(object, member->key);
		char place[MEMBERS_WHERE_MAX];

		members_put_where(place, where, member->key);
		if (value && value->type != JSON_NULL)
			r = member->read(value, place, ret, err);
		else if (member->required)
			r = error_set(err, -EINVAL, "%s: is missing", place);
	}
	return r;
}

/* Who has a router's address is not reached through it. */
static int refuse_routers(const struct result *result, struct error *err)
{
	const struct ip_config *config = result->config;
	char text[IP_TEXT];

	for (unsigned i = 0; i < config->n_addresses; i++) {
		const struct ip *ip = &config->addresses[i].ip;
		bool is_router = ip_equal(ip, &config->gateway4) ||
				 ip_equal(ip, &config->gateway6) || ip_equal(ip, &result->hop4) ||
				 ip_equal(ip, &result->hop6);

		for (unsigned j = 0; j < config->n_routes; j++)
			is_router = is_router || ip_equal(ip, &config->routes[j].gateway);
		if (is_router)
			return error_set(err, -EINVAL,
				"ips[%u].address: '%s' is a gateway's address in it, too", i,
				ip_format(ip, text));
	}
	return 0;
}

/**
 * cni_read_result() - read the result of ADD
 * @answer: the answer
 * @ret:    what it says: at least one address, at most one a subnet
 * @err:    filled on failure; the line begins with the key
 *
 * Whether the addresses may be used in a network is not asked here.
 *
 * Return: 0; -EPROTONOSUPPORT: a version that is not understood; -EINVAL; -E2BIG: over a limit.
 */
int cni_read_result(const struct json *answer, struct ip_config *ret, struct error *err)
{
	struct result result = { .config = ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = cni_read_members(answer, result_members, "", &result, err);
	if (r == 0 && ret->n_addresses == 0)
		r = error_set(err, -EINVAL, "there is no address in it");
	return r == 0 ? refuse_routers(&result, err) : r;
}

/**
 * cni_parse_result() - cni_read_result() of a text
 * @text: the document; need not end with a NUL
 * @size: its size in bytes, bounded by the caller
 * @ret:  what it says
 * @err:  filled on failure
 *
 * Return: as json_parse() and cni_read_result().
 */
int cni_parse_result(const char *text, size_t size, struct ip_config *ret, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	int r = json_parse(text, size, &doc, err);

	return r < 0 ? r : cni_read_result(json_root(doc), ret, err);
}

static const char *text_of(const struct json *answer, const char *key)
{
	const struct json *value = json_member(answer, key);

	return value && (value->type == JSON_STRING || value->type == JSON_NUMBER) ? value->text
										   : "";
}

/**
 * cni_read_error() - is an answer an error object, and what does it say
 * @answer: the answer
 * @err:    filled with its message and details, if it is
 *
 * Return: true when it is.
 */
bool cni_read_error(const struct json *answer, struct error *err)
{
	const char *code;
	const char *details;

	if (answer->type != JSON_OBJECT || !json_member(answer, "code") ||
		!json_member(answer, "msg"))
		return false;
	code = text_of(answer, "code");
	details = text_of(answer, "details");
	error_set(err, -EREMOTEIO, "%.*s%s%.*s (code %.16s)", SHOWN_MAX, text_of(answer, "msg"),
		*details ? ": " : "", SHOWN_MAX, details, code);
	return true;
}
