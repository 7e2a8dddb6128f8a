// SPDX-License-Identifier: MIT
/*
 * Checks of a network's resolvers: are there any for its containers, and can they reach them.
 */
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"
#include "hook/host_resolv.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"

static bool is_loopback(const struct ip *ip)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (ip->family == AF_INET)
		return ip->bytes[0] == 127;
	return !memcmp(ip->bytes, loopback6, sizeof(loopback6));
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

/* A network whose containers get a resolver. */
struct server_check {
	struct check *check;
	const struct check_network *on;
};

static int check_listed_server(void *arg, const struct ip *ip)
{
	const struct server_check *server = arg;

	check_server(server->check, server->on, ip);
	return 0;
}

static void check_host(struct check *check, const struct check_network *on)
{
	struct server_check server = { check, on };
	autofree char *text = NULL;
	struct error err;
	size_t size = 0;

	if (host_resolv_read(&text, &size, &err) < 0) {
		check_say(check, CHECK_WARNING, "network '%s': containers get no resolver: %s",
			on->network->name, err.text);
		return;
	}
	resolv_list(text, size, check_listed_server, &server);
}

/* What the DHCP server or the plugin will say is not known, and the host's are there for when it
 * says nothing: they need not fit.
 */
static void check_given(struct check *check, const struct check_network *on)
{
	autofree char *text = NULL;
	struct error err;
	size_t size = 0;

	if (host_resolv_read(&text, &size, &err) < 0)
		check_say(check, CHECK_NOTE,
			"network '%s': containers get a resolver only when whoever gives the "
			"addresses names one: %s",
			on->network->name, err.text);
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
	case NETWORK_DNS_GIVEN:
		check_given(check, on);
		break;
	case NETWORK_DNS_STATIC:
		check_static(check, on);
		break;
	case NETWORK_DNS_NONE:
		break;
	}
}
