// SPDX-License-Identifier: MIT
/*
 * Fuzzes what a DHCP server says, a variable of the client's environment in each line: it is no
 * lease, or one that can be saved, loaded and put into a resolv.conf.
 */
#include <string.h>

#include "hook/dhcp_parts.h"
#include "schema/cleanup.h"
#include "schema/lease.h"
#include "schema/resolv.h"
#include "tests/fuzz/fuzz.h"

#define VARIABLES_MAX 64

static void check_hop(const struct ip_config *config, const struct ip *hop)
{
	must(!hop->family || hop->family == AF_INET);
	must(!hop->family || (ip_is_assignable(hop) && !ip_equal(hop, &config->addresses[0].ip)));
}

static void check_config(const struct ip_config *config)
{
	const struct cidr *address = &config->addresses[0];
	struct cidr subnet = cidr_subnet(address);

	must(config->n_addresses == 1 && address->ip.family == AF_INET && address->len > 0);
	must(ip_is_assignable(&address->ip) && !cidr_reserves(&subnet, &address->ip));
	must(config->mtu == 0 || (config->mtu >= 576 && config->mtu <= NETWORK_MTU_MAX));
	check_hop(config, &config->gateway4);
	for (unsigned i = 0; i < config->n_routes; i++)
		check_hop(config, &config->routes[i].gateway);
	for (unsigned i = 0; i < config->n_servers; i++)
		must(resolv_is_usable(&config->servers[i]));
}

/* No line and no word of the file is anything but what it is meant to be. */
static void check_resolv(const struct ip_config *config)
{
	autofree char *text = NULL;
	size_t size;
	unsigned lines = 0;

	must(resolv_format_given(config, &text, &size, NULL) == 0);
	for (const char *c = text; *c; c++) {
		must(*c == '\n' || (*c >= ' ' && *c <= '~'));
		lines += *c == '\n';
	}
	must(lines == config->n_servers + (config->n_search > 0));
}

static void check_lease(const struct lease *lease)
{
	autofree char *text = NULL;
	struct lease again;
	size_t size;

	must(lease_format(lease, &text, &size, NULL) == 0 && size <= LEASE_FILE_MAX);
	must(lease_parse(text, size, &again, NULL) == 0);
	must(lease_is_same(lease, &again) && again.seconds == lease->seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *environment[VARIABLES_MAX + 1] = { NULL };
	autofree char *text = malloc(size + 1);
	char *rest = text;
	struct lease lease;
	struct error err = { 0 };
	int r;

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (unsigned i = 0; rest && i < VARIABLES_MAX; i++)
		environment[i] = strsep(&rest, "\n");
	r = dhcp_values_read(environment, &lease, &err);
	if (r < 0) {
		must_be_told(r, &err);
		must(!lease.is_bound);
		return 0;
	}
	must(lease.is_bound);
	check_config(&lease.config);
	check_resolv(&lease.config);
	check_lease(&lease);
	return 0;
}
