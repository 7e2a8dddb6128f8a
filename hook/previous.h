/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PREVIOUS_H
#define HOOK_PREVIOUS_H

struct error;
struct host;
struct netns;
struct record;

int previous_settle(
	struct host *host, const struct netns *netns, const char *id, struct error *err);
int previous_find_owner(struct host *host, const struct netns *netns, const char *id,
	struct record **ret, struct error *err);

#endif
