/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_ENDPOINTS_H
#define HOOK_CLI_ENDPOINTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hook/reconcile.h"
#include "schema/record.h"

struct cli;
struct error;
struct host;

/* Room for all addresses of an endpoint in a comma list. */
#define ENDPOINT_ADDRESSES_TEXT ((size_t)NETWORK_SUBNETS_MAX * CIDR_TEXT)

/* Room for the time that a lease still holds. */
#define ENDPOINT_LEASE_TEXT 16

/* An endpoint as it was found: what of its record people are shown. */
struct endpoint {
	char id[CONTAINER_ID_MAX + 1];
	char name[CONTAINER_NAME_MAX + 1];
	pid_t pid; /* 0: nobody uses it */
	struct record_endpoint endpoint;
	enum endpoint_state state;
	uint32_t lease_seconds; /* by DHCP: how long its lease still holds, LEASE_FOR_EVER; 0: none
				 */
};

/* Sorted by container, then interface. */
struct endpoints {
	size_t n;
	struct endpoint *all;
};

int endpoints_collect(struct cli *cli, struct host *host, const char *network,
	struct endpoints *ret, struct error *err);
void endpoints_free(struct endpoints *endpoints);
const char *endpoint_mac(const struct endpoint *endpoint, char ret[MAC_TEXT]);
const char *endpoint_lease(const struct endpoint *endpoint, char ret[ENDPOINT_LEASE_TEXT]);
const char *endpoint_addresses(const struct endpoint *endpoint, char ret[ENDPOINT_ADDRESSES_TEXT]);

#endif
