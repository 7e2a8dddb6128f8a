/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_USES_H
#define HOOK_HOST_USES_H

#include <stddef.h>

struct error;
struct ip;
struct ipam_use;
struct nl;
struct rtnl_route;

/* Addresses of others that the host relies on: its next hops and its resolvers. All zero: none. */
struct host_uses {
	size_t n;
	size_t room;
	struct ipam_use *list;
};

int host_uses_load(struct nl *nl, struct host_uses *ret, struct error *err);
int host_uses_add_route(void *uses, const struct rtnl_route *route);
int host_uses_add_others(struct host_uses *uses, struct nl *nl, struct error *err);
const char *host_uses_find(const struct host_uses *uses, const struct ip *ip);
void host_uses_free(struct host_uses *uses);

#endif
