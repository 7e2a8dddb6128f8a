/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_REACH_H
#define HOOK_HOST_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "hook/host_uses.h"
#include "hook/ip_set.h"
#include "schema/ip.h"
#include "schema/network.h"

struct error;
struct nl;
struct record_dhcp;

/* Of the parent's addresses these are enough; others are passed over. */
#define HOST_IPS_MAX 32
#define HOST_REACH_TEXT 160

/* What decides to which addresses of containers on a parent the host gets a way. All zero: none. */
struct host_reach {
	int parent; /* its index */
	unsigned n_ips;
	struct cidr ips[HOST_IPS_MAX]; /* the host's own on the parent that are good for routes */
	size_t n_prefixes;
	size_t room;
	struct cidr *prefixes; /* that the kernel has on the parent */
	struct ip_set own;     /* the host's addresses on all interfaces */
	struct host_uses uses;
};

/* What a network says of that. */
struct host_reach_rules {
	unsigned n_subnets;
	unsigned n_service;
	struct cidr subnets[NETWORK_SUBNETS_MAX];
	struct ip service[NETWORK_SERVICE_MAX];
};

int host_reach_load(struct nl *nl, int parent, struct host_reach *ret, struct error *err);
void host_reach_free(struct host_reach *reach);
bool host_reach_has(const struct host_reach *reach, sa_family_t family);
void host_reach_rules_of(const struct network *network, struct host_reach_rules *ret);
void host_reach_rules_of_dhcp(const struct record_dhcp *dhcp, struct host_reach_rules *ret);
bool host_reach_refuses(struct host_reach *reach, const struct host_reach_rules *rules,
	const struct cidr *address, char ret_why[HOST_REACH_TEXT]);

#endif
