/* SPDX-License-Identifier: MIT */
#ifndef HOOK_RTNL_PARTS_H
#define HOOK_RTNL_PARTS_H

#include <stdint.h>

struct nlmsghdr;

/* What requests about links share; only for rtnl*.c. */
struct nlmsghdr *rtnl_put_link(void *buffer, uint16_t type, int ifindex);
void rtnl_put_without_counters(struct nlmsghdr *request);
int rtnl_read_link(void *arg, const struct nlmsghdr *message);

#endif
