// SPDX-License-Identifier: MIT
/*
 * Fuzzes leases: one that is read can be written, and is the same when it is read again.
 */
#include <string.h>

#include "schema/cleanup.h"
#include "schema/lease.h"
#include "tests/fuzz/fuzz.h"

static void check_lease(const struct lease *lease)
{
	const struct ip_config *config = &lease->config;

	if (!lease->is_bound) {
		must(*lease->problem && config->n_addresses == 0);
		return;
	}
	must(config->n_addresses == 1 && config->addresses[0].ip.family == AF_INET);
	must(config->n_routes <= IP_CONFIG_ROUTES_MAX);
	must(config->n_servers <= IP_CONFIG_SERVERS_MAX);
	must(config->n_search <= IP_CONFIG_WORDS_MAX && config->n_options == 0);
	must(config->mtu <= NETWORK_MTU_MAX);
	for (unsigned i = 0; i < config->n_search; i++)
		must(*config->search[i] && !strpbrk(config->search[i], " \t\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = NULL;
	autofree char *second = NULL;
	struct lease lease;
	struct lease again;
	struct error err = { 0 };
	size_t text_size;
	size_t second_size;
	int r = lease_parse((const char *)data, size, &lease, &err);

	if (r < 0) {
		must_be_told(r, &err);
		return 0;
	}
	check_lease(&lease);
	must(lease_format(&lease, &text, &text_size, &err) == 0);
	must(text_size <= LEASE_FILE_MAX);
	must(lease_parse(text, text_size, &again, &err) == 0);
	must(lease_is_same(&lease, &again));
	must(lease_format(&again, &second, &second_size, &err) == 0);
	must(text_size == second_size && !strcmp(text, second));
	return 0;
}
