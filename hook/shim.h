/* SPDX-License-Identifier: MIT */
#ifndef HOOK_SHIM_H
#define HOOK_SHIM_H

#include <stdbool.h>

#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct nl;
struct parent;
struct rtnl_link;

/* What the names of shims begin with: 10 hex digits follow. */
#define SHIM_PREFIX "omv-h"

const char *shim_name(const char *parent, char ret[INTERFACE_NAME_MAX + 1]);
bool shim_is_name(const char *name);
int shim_make(struct nl *nl, int settings6, const struct parent *parent, struct rtnl_link *ret,
	struct error *err);
int shim_find(struct nl *nl, const char *name, struct rtnl_link *ret, struct error *err);
int shim_delete(struct nl *nl, const char *name, struct error *err);
struct ip shim_link_local(const struct rtnl_link *shim);

#endif
