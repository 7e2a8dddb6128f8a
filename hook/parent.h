/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PARENT_H
#define HOOK_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct network;
struct nl;

/* The host's interface that a network's macvlans sit on. */
struct parent {
	char name[INTERFACE_NAME_MAX + 1]; /* its own, where the network says an alternative name */
	int ifindex;
	unsigned mtu;
	bool is_up;
	bool has_carrier;
	uint8_t mac[MAC_SIZE];
};

int parent_find(
	struct nl *nl, const struct network *network, struct parent *ret, struct error *err);

#endif
