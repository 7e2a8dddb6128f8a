/* SPDX-License-Identifier: MIT */
#ifndef HOOK_MACHINE_H
#define HOOK_MACHINE_H

#include <stdint.h>

#include "schema/hash.h"
#include "schema/ip.h"

/* 32 hex digits and the end. */
#define MACHINE_ID_TEXT 33

const char *machine_id(char ret[MACHINE_ID_TEXT]);
const char *machine_network_id(const char *network, char ret[HASH_HEX]);
const char *machine_endpoint_id(
	const char *container, const char *network, const char *interface, char ret[HASH_HEX]);
/* The lower half of an IPv6 address. */
#define MACHINE_TOKEN_SIZE 8

void machine_mac(const char *network, const char *kind, const char *key,
	const uint8_t parent[MAC_SIZE], uint8_t ret[MAC_SIZE]);
void machine_token(const char *network, const char *kind, const char *key,
	const uint8_t parent[MAC_SIZE], uint8_t ret[MACHINE_TOKEN_SIZE]);

#endif
