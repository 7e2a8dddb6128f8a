/* SPDX-License-Identifier: MIT */
#ifndef HOOK_IP_SET_H
#define HOOK_IP_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/ip.h"

/* Addresses; all zero: none. */
struct ip_set {
	size_t n;
	size_t room;
	bool is_sorted;
	struct ip *ips;
};

int ip_set_add(void *set, const struct ip *ip);
bool ip_set_has(struct ip_set *set, const struct ip *ip);
void ip_set_free(struct ip_set *set);

#endif
