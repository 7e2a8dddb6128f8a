/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ROUTES_H
#define HOOK_ROUTES_H

#include <stdbool.h>

#include "hook/rtnl.h"

struct error;
struct netns;
struct plan;
struct plan_item;
struct record;

/* Our default routes that go before others, by family; of family 0: none does. */
struct routes_first {
	struct rtnl_route route[2];
};

bool routes_by_dhcp(const struct plan *plan, const struct plan_item *item,
	const struct record *record, struct ip *ret);
bool routes_by_ra(const struct plan *plan, const struct plan_item *item);
int routes_add(struct netns *netns, const struct plan *plan, const struct record *record,
	struct routes_first *ret_first, struct error *err);
void routes_settle(struct netns *netns, const struct routes_first *first);
void routes_undo(struct netns *netns, const struct routes_first *first);

#endif
