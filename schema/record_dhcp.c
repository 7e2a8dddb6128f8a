// SPDX-License-Identifier: MIT
/*
 * The member "dhcp" of an endpoint in a record.
 */
#include <limits.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/members.h"
#include "schema/record.h"
#include "schema/record_parts.h"

static int read_hostname(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_dhcp *dhcp = ret;

	return members_copy_string(value, where, dhcp->hostname, sizeof(dhcp->hostname), err);
}

static int read_client_id(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_dhcp *dhcp = ret;

	return members_copy_string(value, where, dhcp->client_id, sizeof(dhcp->client_id), err);
}

static int read_probe_ms(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_dhcp *dhcp = ret;
	uint64_t milliseconds;
	int r = json_get_uint(value, INT_MAX, where, &milliseconds, err);

	if (r == 0)
		dhcp->probe_ms = (unsigned)milliseconds;
	return r;
}

/* What the server's word is taken for. */
static int add_given(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_dhcp *dhcp = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (!strcmp(value->text, "default-route"))
		dhcp->gives_default = true;
	else if (!strcmp(value->text, "dns"))
		dhcp->gives_dns = true;
	else if (!strcmp(value->text, "mtu"))
		dhcp->gives_mtu = true;
	else
		return error_set(err, -EINVAL, "%s: '%s' is not default-route, dns or mtu", where,
			value->text);
	return 0;
}

static int read_gives(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_given, where, ret, err);
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_dhcp *dhcp = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = ip_parse(value->text, &dhcp->gateway, err);
	if (r == 0 && dhcp->gateway.family != AF_INET)
		r = error_set(err, -EINVAL, "'%s' is not an IPv4 address", value->text);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

/* They are read where they are needed; here only whether they can be. */
static int read_routes(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_route routes[NETWORK_ROUTES_MAX];
	struct record_dhcp *dhcp = ret;
	unsigned n;
	int r = network_list_routes(value, routes, &n, err);

	dhcp->routes = value;
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_subnets(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct cidr subnets[NETWORK_SUBNETS_MAX];
	struct record_dhcp *dhcp = ret;
	unsigned n;
	int r = network_list_subnets(value, subnets, &n, err);

	dhcp->subnets = value;
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_service(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip service[NETWORK_SERVICE_MAX];
	struct record_dhcp *dhcp = ret;
	unsigned n;
	int r = network_list_service(value, service, &n, err);

	dhcp->service_addresses = value;
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static const struct member dhcp_members[] = {
	{ "hostname", read_hostname, false },
	{ "client_id", read_client_id, false },
	{ "probe_ms", read_probe_ms, true },
	{ "gives", read_gives, true },
	{ "gateway", read_gateway, false },
	{ "routes", read_routes, false },
	{ "subnets", read_subnets, false },
	{ "service_addresses", read_service, false },
	{ NULL, NULL, false },
};

/**
 * record_read_dhcp() - read what an endpoint has of DHCP
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct record_dhcp; parts of it point into the document
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -ERANGE, -ENAMETOOLONG, -E2BIG.
 */
int record_read_dhcp(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_object(value, dhcp_members, where, ret, err);
}
