/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_ACCESS_H
#define HOOK_HOST_ACCESS_H

struct error;
struct host;
struct netns;
struct plan;
struct record;
struct record_endpoint;

int host_access_prepare(struct plan *plan, struct error *err);
int host_access_add(struct host *host, struct netns *netns, const struct plan *plan,
	const struct record *record, struct error *err);
int host_access_remove(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err);
int host_access_release(struct host *host, const char *pool, const char *name, const char *owner,
	struct error *err);

#endif
