// SPDX-License-Identifier: MIT
/*
 * Checks of a network's resolvers: are there any for its containers, and can they reach them.
 */
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"

#define RESOLV_MAX ((size_t)64 * 1024)
#define SERVERS_MAX 16
#define BLANKS " \t"

/* Where the host's resolvers are written down: the first file that has one which is not on a
 * loopback address counts. Behind the first are those that a stub there asks.
 */
static const char *const files[] = {
	"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
	"/run/NetworkManager/resolv.conf",
};

struct servers {
	unsigned n; /* those that are too many are left out */
	struct ip ips[SERVERS_MAX];
};

static bool is_loopback(const struct ip *ip)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (ip->family == AF_INET)
		return ip->bytes[0] == 127;
	return !memcmp(ip->bytes, loopback6, sizeof(loopback6));
}

/* "nameserver ADDRESS", which ends at a blank; resolv.conf(5). */
static void read_line(char *line, struct servers *servers)
{
	const char keyword[] = "nameserver";
	char *word = line + sizeof(keyword) - 1;
	struct ip ip;

	if (strncmp(line, keyword, sizeof(keyword) - 1) != 0 || !strspn(word, BLANKS))
		return;
	word += strspn(word, BLANKS);
	word[strcspn(word, BLANKS "\r#;")] = '\0';
	if (ip_parse(word, &ip, NULL) < 0 || is_loopback(&ip) || servers->n == SERVERS_MAX)
		return;
	servers->ips[servers->n++] = ip;
}

/* Servers in the file that are not on a loopback address. */
static void read_file(const char *path, struct servers *servers)
{
	autofree char *text = NULL;
	char *rest;
	char *line;
	size_t size;

	if (check_load(path, RESOLV_MAX, &text, &size, NULL) < 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n"));)
		read_line(line, servers);
}

static bool has_route(const struct network *network, const struct ip *ip)
{
	if (network_subnet_of(network, ip))
		return true;
	for (unsigned i = 0; i < network->n_routes; i++)
		if (network->routes[i].dst.ip.family == ip->family &&
			cidr_contains(&network->routes[i].dst, ip))
			return true;
	for (unsigned i = 0; !network->internal && i < network->n_subnets; i++)
		if (network->subnets[i].gateway.family == ip->family)
			return true;
	return false;
}

static void check_server(struct check *check, const struct check_network *on, const struct ip *ip)
{
	const struct network *network = on->network;
	char text[IP_TEXT];

	ip_format(ip, text);
	if (is_loopback(ip))
		check_say(check, CHECK_WARNING,
			"network '%s': resolver %s is a loopback address, which is the container "
			"itself: name the LAN's resolver in dns.servers",
			network->name, text);
	else if (check_is_host_ip(check, ip) && !network->host_access)
		check_say(check, CHECK_WARNING,
			"network '%s': resolver %s is this host, which containers cannot reach "
			"through a macvlan of '%s': set host_access, or name another in "
			"dns.servers with dns.mode static",
			network->name, text, on->parent.name);
	else if (network->n_subnets > 0 && !has_route(network, ip))
		check_say(check, CHECK_NOTE,
			"network '%s': resolver %s lies outside of it, and it gives no route "
			"there: a container needs another network, a gateway or a route for it",
			network->name, text);
}

static void check_static(struct check *check, const struct check_network *on)
{
	struct ip ip;

	if (!on->network->dns.servers)
		return;
	json_for_each (server, on->network->dns.servers)
		if (server->type == JSON_STRING && ip_parse(server->text, &ip, NULL) == 0)
			check_server(check, on, &ip);
}

static void check_host(struct check *check, const struct check_network *on)
{
	struct servers servers = { 0 };

	for (size_t i = 0; servers.n == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		read_file(files[i], &servers);
	if (servers.n == 0)
		check_say(check, CHECK_WARNING,
			"network '%s': '%s' names no resolver that a container can reach, nor is "
			"it known whom a stub on a loopback address asks: containers get none: "
			"set dns.mode to static",
			on->network->name, files[0]);
	for (unsigned i = 0; i < servers.n; i++)
		check_server(check, on, &servers.ips[i]);
}

/**
 * check_dns() - can containers reach the resolvers that they get
 * @check: the check
 * @on:    the network and its parent
 */
void check_dns(struct check *check, const struct check_network *on)
{
	switch (on->network->dns.mode) {
	case NETWORK_DNS_HOST:
		check_host(check, on);
		break;
	case NETWORK_DNS_STATIC:
		check_static(check, on);
		break;
	case NETWORK_DNS_NONE:
		break;
	}
}
