/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_SELECTION_H
#define SCHEMA_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/ip.h"
#include "schema/name.h"

struct annotations;
struct error;

#define SELECTIONS_MAX 16
#define SELECTION_IPS_MAX 16
/* Next hops in default-route: one for each family. */
#define SELECTION_GATEWAYS_MAX 2

/* One network that a container asks for, and what it asks of it. */
struct selection {
	char network[NETWORK_NAME_MAX + 1];
	char interface[INTERFACE_NAME_MAX + 1]; /* "": eth0, eth1, ... */
	bool has_mac;
	uint8_t mac[MAC_SIZE];
	unsigned n_ips;
	struct cidr ips[SELECTION_IPS_MAX]; /* len SELECTION_LEN_NONE: no /len was given */
	bool has_default_route;		    /* with no gateways: no default route by this network */
	unsigned n_gateways;
	struct ip gateways[SELECTION_GATEWAYS_MAX];
};

#define SELECTION_LEN_NONE UINT8_MAX

struct selections {
	unsigned n;
	struct selection list[SELECTIONS_MAX];
};

int selections_add(struct selections *selections, const char *text, struct error *err);
int selections_apply(
	struct selections *selections, const struct annotations *annotations, struct error *err);

#endif
