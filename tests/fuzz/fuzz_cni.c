// SPDX-License-Identifier: MIT
/*
 * Fuzzes what a CNI IPAM plugin prints: as a result whatever is accepted is within the limits and
 * can be used; as an error object it is told in one line.
 */
#include <string.h>

#include "schema/cleanup.h"
#include "schema/cni.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/resolv.h"
#include "tests/fuzz/fuzz.h"

static void check_words(const char words[][IP_CONFIG_WORD_SIZE], unsigned n)
{
	must(n <= IP_CONFIG_WORDS_MAX);
	for (unsigned i = 0; i < n; i++) {
		must(*words[i] && strlen(words[i]) < IP_CONFIG_WORD_SIZE);
		for (const char *c = words[i]; *c; c++)
			must(*c > ' ' && *c <= '~');
	}
}

static void check_addresses(const struct ip_config *config)
{
	must(config->n_addresses > 0 && config->n_addresses <= NETWORK_SUBNETS_MAX);
	for (unsigned i = 0; i < config->n_addresses; i++) {
		const struct cidr *address = &config->addresses[i];

		must(ip_is_assignable(&address->ip) && address->len > 0);
		must(address->len <= ip_bits(address->ip.family));
		must(!cidr_reserves(address, &address->ip));
	}
}

static void check_routes(const struct ip_config *config)
{
	must(config->gateway4.family == 0 || config->gateway4.family == AF_INET);
	must(config->gateway6.family == 0 || config->gateway6.family == AF_INET6);
	must(config->n_routes <= IP_CONFIG_ROUTES_MAX);
	for (unsigned i = 0; i < config->n_routes; i++) {
		const struct network_route *route = &config->routes[i];

		must(route->dst.len > 0);
		must(!route->gateway.family || route->gateway.family == route->dst.ip.family);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	struct ip_config config;
	struct error err = { 0 };
	int r = cni_parse_result((const char *)data, size, &config, &err);

	if (r < 0) {
		must_be_told(r, &err);
	} else {
		check_addresses(&config);
		check_routes(&config);
		must(config.n_servers <= IP_CONFIG_SERVERS_MAX);
		for (unsigned i = 0; i < config.n_servers; i++)
			must(resolv_is_usable(&config.servers[i]));
		check_words(config.search, config.n_search);
		check_words(config.options, config.n_options);
	}
	if (json_parse((const char *)data, size, &doc, &err) == 0 &&
		cni_read_error(json_root(doc), &err))
		must_be_told(err.code, &err);
	return 0;
}
