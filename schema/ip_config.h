/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_IP_CONFIG_H
#define SCHEMA_IP_CONFIG_H

#include <stdbool.h>

#include "schema/ip.h"
#include "schema/network.h"

#define IP_CONFIG_ROUTES_MAX NETWORK_ROUTES_MAX
#define IP_CONFIG_SERVERS_MAX 8
#define IP_CONFIG_WORDS_MAX 8
/* The longest domain name as text (RFC 1035 section 2.3.4), and a NUL. */
#define IP_CONFIG_WORD_SIZE 254

/* What others say how an interface is to be set up: a DHCP server, a CNI IPAM plugin. All of it is
 * checked when it is read, so that nothing of it can surprise.
 */
struct ip_config {
	unsigned n_addresses;
	unsigned n_routes;
	unsigned n_servers;
	unsigned n_search;
	unsigned n_options;
	unsigned mtu; /* bytes; 0: nothing is said */
	struct cidr addresses[NETWORK_SUBNETS_MAX];
	struct ip gateway4; /* the next hop of the default route; family 0: there is none */
	struct ip gateway6;
	struct network_route routes[IP_CONFIG_ROUTES_MAX]; /* all others */
	struct ip servers[IP_CONFIG_SERVERS_MAX];	   /* of DNS */
	char search[IP_CONFIG_WORDS_MAX][IP_CONFIG_WORD_SIZE];
	char options[IP_CONFIG_WORDS_MAX][IP_CONFIG_WORD_SIZE]; /* of resolv.conf(5) */
};

static inline const struct ip *ip_config_gateway(const struct ip_config *config, sa_family_t family)
{
	return family == AF_INET ? &config->gateway4 : &config->gateway6;
}

#endif
