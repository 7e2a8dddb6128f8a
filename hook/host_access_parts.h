/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_ACCESS_PARTS_H
#define HOOK_HOST_ACCESS_PARTS_H

#include <stdbool.h>

#include "hook/host_reach.h"
#include "hook/rtnl.h"
#include "ipam/claims.h"
#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct host;
struct nl;
struct record_endpoint;

/* What the files of host access share. */

/* One shim at work, by whoever has its lock. */
struct host_access {
	struct host *host;
	char name[INTERFACE_NAME_MAX + 1]; /* the shim's, and its pool's */
	int pool;			   /* -1: there is none */
};

/* host_access.c */
void host_access_owner(char ret[CLAIMS_OWNER_MAX + 1], const char *id, const char *interface);
int host_access_lock(const struct host_access *access, const char *parent, struct error *err);
void host_access_unlock(const struct host_access *access);

/* What the host's side of an endpoint is made of. */
struct host_side {
	struct rtnl_link shim;
	struct host_reach reach;
};

/* host_side.c */
void host_side_free(struct host_side *side);
int host_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err);
int host_side_remove(struct nl *nl, int shim, const struct ip *ip, struct error *err);
int host_side_mend(
	struct host *host, int pool, struct host_side *side, const char *own, struct error *err);
int container_side_add(struct nl *nl, const struct host_side *side,
	const struct record_endpoint *endpoint, struct error *err);

#endif
