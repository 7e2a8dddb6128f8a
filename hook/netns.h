/* SPDX-License-Identifier: MIT */
#ifndef HOOK_NETNS_H
#define HOOK_NETNS_H

#include <stdint.h>
#include <sys/types.h>

#include "hook/nl.h"

struct error;

/* The container's network namespace, held open, and the init that it was found by. */
struct netns {
	int fd;
	int pidfd;
	pid_t pid;
	uint64_t start;	 /* of init, clock ticks since boot */
	uint64_t cookie; /* SO_NETNS_COOKIE */
	struct nl nl;	 /* a socket inside */
};

#define NETNS_CLOSED ((struct netns){ .fd = -1, .pidfd = -1, .nl = { .fd = -1 } })

int netns_enter(pid_t pid, uint64_t own, struct netns *ret, struct error *err);
int netns_adopt(int fd, struct netns *ret, struct error *err);
int netns_make(struct netns *ret, struct error *err);
int netns_return(const struct netns *netns, struct error *err);
int netns_check_init(const struct netns *netns, struct error *err);
void netns_close(struct netns *netns);

#endif
