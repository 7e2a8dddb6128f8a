/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_NETWORK_PARTS_H
#define SCHEMA_NETWORK_PARTS_H

#include "schema/members.h"

struct network;

/* The parts of a network file; only for network.c. */
members_read_fn network_read_subnets;
members_read_fn network_read_routes;
members_read_fn network_read_ipam;
members_read_fn network_read_dns;
members_read_fn network_read_service;
/* What is used where the file does not say. */
#define NETWORK_DHCP_TIMEOUT_MS 10000

int network_check_subnets(const struct network *network, struct error *err);
int network_check_routes(const struct network *network, struct error *err);
int network_check_service(const struct network *network, struct error *err);

#endif
