/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_ACCESS_PARTS_H
#define HOOK_HOST_ACCESS_PARTS_H

#include <stdbool.h>

#include "hook/rtnl.h"
#include "schema/ip.h"

struct error;
struct host;
struct nl;
struct record_endpoint;

/* Of the parent's addresses these are enough; others are passed over. */
#define HOST_IPS_MAX 32

/* The addresses that the host has on a parent. */
struct host_ips {
	unsigned n;
	struct ip ips[HOST_IPS_MAX];
};

/* What the host's side of an endpoint is made of; only for host_access.c. */
struct host_side {
	struct rtnl_link shim;
	struct host_ips ips;
};

int host_ips_load(struct nl *nl, int parent, struct host_ips *ret, struct error *err);
bool host_ips_have(const struct host_ips *ips, sa_family_t family);

int host_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err);
int host_side_remove(struct nl *nl, int shim, const struct ip *ip, struct error *err);
int host_side_mend(struct host *host, int pool, const struct host_side *side, const char *own,
	struct error *err);
int container_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err);

#endif
