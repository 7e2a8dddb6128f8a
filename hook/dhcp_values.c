// SPDX-License-Identifier: MIT
/*
 * What a DHCP server says, as its client hands it on: in environment variables. Anybody on the LAN
 * may be that server, so nothing of it is believed before it is checked. Without an address that
 * can be used there is no lease; of the rest, what cannot be used is left out.
 */
#include <stdlib.h>
#include <string.h>

#include "hook/dhcp_parts.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/resolv.h"
#include "schema/text.h"

/* The longest that is read of a value; the client's own is about 20 options of 255 bytes. */
#define VALUE_MAX 8192
#define BLANKS " \t\r\n"
/* RFC 791: every host takes as much. */
#define MTU_MIN 576

/* The value of a variable; "" where it is missing or too long to be one. */
static const char *get(char *const environment[], const char *name)
{
	size_t length = strlen(name);

	for (; *environment; environment++)
		if (!strncmp(*environment, name, length) && (*environment)[length] == '=' &&
			strlen(*environment + length + 1) < VALUE_MAX)
			return *environment + length + 1;
	return "";
}

static bool read_uint(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > max)
		return false;
	*ret = value;
	return true;
}

/* An IPv4 address that may be a machine's. */
static bool read_ip(const char *text, struct ip *ret)
{
	struct ip ip;

	if (ip_parse(text, &ip, NULL) < 0 || ip.family != AF_INET || !ip_is_assignable(&ip))
		return false;
	*ret = ip;
	return true;
}

/* Takes the next word away from a value; false at its end, or where it is too long. */
static bool next_word(const char **rest, char *ret, size_t size)
{
	size_t length;

	*rest += strspn(*rest, BLANKS);
	length = strcspn(*rest, BLANKS);
	if (length == 0 || length >= size)
		return false;
	memcpy(ret, *rest, length);
	ret[length] = '\0';
	*rest += length;
	return true;
}

/* The client counts bits; which ones they are it leaves to us. */
static bool is_netmask(const char *text, uint64_t len)
{
	struct ip ip;

	return ip_parse(text, &ip, NULL) == 0 && ip.family == AF_INET &&
	       ip_to_value(&ip) == (UINT32_MAX << (32 - len) & UINT32_MAX);
}

static int read_address(char *const environment[], struct cidr *ret, struct error *err)
{
	const char *ip = get(environment, "ip");
	const char *mask = get(environment, "mask");
	struct cidr cidr = { 0 };
	struct cidr subnet;
	uint64_t len;

	if (!read_ip(ip, &cidr.ip))
		return error_set(err, -EINVAL,
			"the DHCP server gives the address '%.64s', which no machine can have", ip);
	if (!read_uint(mask, 32, &len) || len == 0 || !is_netmask(get(environment, "subnet"), len))
		return error_set(err, -EINVAL,
			"the DHCP server gives the address '%.64s' with the netmask '%.64s'", ip,
			get(environment, "subnet"));
	cidr.len = (uint8_t)len;
	subnet = cidr_subnet(&cidr);
	if (cidr_reserves(&subnet, &cidr.ip))
		return error_set(err, -EINVAL,
			"the DHCP server gives '%.64s/%.64s', the subnet's own address or its "
			"broadcast address",
			ip, mask);
	*ret = cidr;
	return 0;
}

/* The next hop of a route: another machine's address, and no subnet's own or broadcast address. */
static bool read_hop(const char *text, const struct ip_config *config, struct ip *ret)
{
	const struct cidr own = cidr_subnet(&config->addresses[0]);
	struct ip hop;

	if (!read_ip(text, &hop) || ip_equal(&hop, &config->addresses[0].ip) ||
		(cidr_contains(&own, &hop) && cidr_reserves(&own, &hop)))
		return false;
	*ret = hop;
	return true;
}

static void add_route(struct ip_config *config, const struct cidr *dst, const struct ip *gateway)
{
	struct cidr own = cidr_subnet(&config->addresses[0]);

	if (dst->len == 0) {
		if (!config->gateway4.family)
			config->gateway4 = *gateway;
		return;
	}
	/* The kernel makes that one with the address. */
	if (dst->len == own.len && ip_equal(&dst->ip, &own.ip))
		return;
	if (config->n_routes < IP_CONFIG_ROUTES_MAX)
		config->routes[config->n_routes++] = (struct network_route){ *dst, *gateway };
}

/* Not a loopback or multicast address, nor a part of 0.0.0.0/8. */
static bool is_destination(const struct cidr *dst)
{
	return dst->ip.family == AF_INET &&
	       (ip_is_assignable(&dst->ip) || (dst->ip.bytes[0] == 0 && dst->len < 8));
}

/* Option 121, as pairs "NET/LEN GATEWAY"; a gateway of 0.0.0.0: on the link (RFC 3442). */
static void read_routes(const char *rest, struct ip_config *config)
{
	char net[CIDR_TEXT];
	char hop[IP_TEXT];

	while (next_word(&rest, net, sizeof(net)) && next_word(&rest, hop, sizeof(hop))) {
		struct ip gateway = { 0 };
		struct cidr dst;

		if (cidr_parse(net, &dst, NULL) < 0 || !is_destination(&dst))
			continue;
		if (strcmp(hop, "0.0.0.0") != 0 && !read_hop(hop, config, &gateway))
			continue;
		dst = cidr_subnet(&dst);
		add_route(config, &dst, &gateway);
	}
}

/* Option 121 takes the place of the router (RFC 3442), of which the first counts. */
static void read_gateway(char *const environment[], struct ip_config *config)
{
	const char *routes = get(environment, "staticroutes");
	const char *routers = get(environment, "router");
	char text[IP_TEXT];
	struct ip gateway;

	if (*routes) {
		read_routes(routes, config);
		return;
	}
	while (!config->gateway4.family && next_word(&routers, text, sizeof(text)))
		if (read_hop(text, config, &gateway))
			config->gateway4 = gateway;
}

static void read_servers(const char *rest, struct ip_config *config)
{
	char text[IP_TEXT];
	struct ip server;

	while (config->n_servers < IP_CONFIG_SERVERS_MAX && next_word(&rest, text, sizeof(text)))
		if (read_ip(text, &server) && resolv_is_usable(&server))
			config->servers[config->n_servers++] = server;
}

/* A domain's name: letters, digits, '-', '_' and dots. */
static bool is_domain(const char *word)
{
	for (const char *c = word; *c; c++)
		if ((*c < '0' || *c > '9') && (*c < 'a' || *c > 'z') && (*c < 'A' || *c > 'Z') &&
			!strchr("-_.", *c))
			return false;
	return *word != '-' && *word != '.' && *word;
}

static void read_domains(const char *rest, struct ip_config *config)
{
	char word[IP_CONFIG_WORD_SIZE];

	while (config->n_search < IP_CONFIG_WORDS_MAX && next_word(&rest, word, sizeof(word)))
		if (is_domain(word))
			strcpy(config->search[config->n_search++], word);
}

/* The search list, else the domain. */
static void read_search(char *const environment[], struct ip_config *config)
{
	read_domains(get(environment, "search"), config);
	if (config->n_search == 0)
		read_domains(get(environment, "domain"), config);
}

/**
 * dhcp_values_read() - read what a client hands its event script
 * @environment: its variables, "NAME=VALUE", and NULL
 * @ret:         the lease, of this moment
 * @err:         filled on failure
 *
 * Return: 0; -EINVAL: the server gives no address that can be used.
 */
int dhcp_values_read(char *const environment[], struct lease *ret, struct error *err)
{
	struct ip_config *config = &ret->config;
	uint64_t value;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = read_address(environment, &config->addresses[0], err);
	if (r < 0)
		return r;
	config->n_addresses = 1;
	ret->is_bound = true;
	ret->obtained_ms = lease_now_ms();
	ret->seconds = LEASE_FOR_EVER;
	if (read_uint(get(environment, "lease"), LEASE_FOR_EVER, &value))
		ret->seconds = (uint32_t)value;
	if (read_uint(get(environment, "mtu"), NETWORK_MTU_MAX, &value) && value >= MTU_MIN)
		config->mtu = (unsigned)value;
	read_ip(get(environment, "serverid"), &ret->server);
	read_gateway(environment, config);
	read_servers(get(environment, "dns"), config);
	read_search(environment, config);
	return 0;
}
