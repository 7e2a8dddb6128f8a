/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_NETWORK_DRAFT_H
#define HOOK_CLI_NETWORK_DRAFT_H

#include <stdbool.h>

#include "hook/cli/network_options.h"
#include "hook/cli/options.h"
#include "schema/network.h"

struct error;
struct json_writer;

/* A network as it is told on the command line. */
struct network_flags {
	const char *name;
	const char *driver;
	struct option_values subnets;
	struct option_values gateways;
	struct option_values ranges;
	struct option_values aux;     /* NAME=IP */
	struct option_values options; /* KEY=VALUE */
	bool ipv6;
	bool internal;
	struct option_values labels; /* KEY=VALUE, or KEY alone */
	const char *ipam_driver;
	struct option_values ipam_options; /* KEY=VALUE */
};

struct draft_subnet {
	struct cidr subnet;
	struct ip gateway; /* family 0: none */
	struct cidr range; /* family 0: none */
};

/* Its subnets, each with what belongs to it. */
struct network_draft {
	const struct network_flags *flags;
	struct network_options options;
	unsigned n_subnets;
	struct draft_subnet subnets[NETWORK_SUBNETS_MAX];
	unsigned aux_subnet[OPTION_VALUES_MAX]; /* of each of the flags' aux */
};

int network_draft_make(
	const struct network_flags *flags, struct network_draft *ret, struct error *err);
int network_draft_write(
	const struct network_draft *draft, struct json_writer *writer, struct error *err);

#endif
