/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ROUTES_H
#define HOOK_ROUTES_H

#include "hook/rtnl.h"

struct error;
struct netns;
struct plan;
struct record;

/* The default routes that ours replaced, of both families. */
struct routes_replaced {
	struct rtnl_saved saved[2];
};

int routes_add(struct netns *netns, const struct plan *plan, const struct record *record,
	struct routes_replaced *ret_replaced, struct error *err);
void routes_settle(struct netns *netns, const struct routes_replaced *replaced);
void routes_put_back(struct netns *netns, const struct routes_replaced *replaced);

#endif
