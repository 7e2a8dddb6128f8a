/* SPDX-License-Identifier: MIT */
#ifndef HOOK_NL_H
#define HOOK_NL_H

#include <stdint.h>

struct error;
struct nlmsghdr;

/* A request's largest size (NETWORK_SOURCE_MACS_MAX in one need half of it), and the buffer of an
 * answer: the kernel's own for dumps.
 */
#define NL_REQUEST_MAX 2048
#define NL_ANSWER_MAX 32768

/* A route netlink socket: of the namespace in which it was opened, wherever the process is now. */
struct nl {
	int fd;
	uint32_t seq;
};

#define NL_CLOSED ((struct nl){ .fd = -1 })

/* A message of the answer, not the acknowledgement. Returns 0, or -errno to fail the request. */
typedef int nl_answer_fn(void *arg, const struct nlmsghdr *message);

int nl_open(struct nl *ret, struct error *err);
int nl_open_group(int group, struct nl *ret, struct error *err);
void nl_drain(const struct nl *nl);
void nl_close(struct nl *nl);
int nl_request(struct nl *nl, struct nlmsghdr *request, nl_answer_fn *answer, void *arg,
	struct error *err);
int nl_netns_cookie(const struct nl *nl, uint64_t *ret, struct error *err);

#endif
