/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_ACCESS_H
#define HOOK_HOST_ACCESS_H

struct error;
struct host;
struct netns;
struct nl;
struct plan;
struct record;
struct record_endpoint;

int host_access_prepare(struct plan *plan, struct error *err);
int host_access_add(struct host *host, struct netns *netns, const struct plan *plan,
	const struct record *record, struct error *err);
/* An endpoint that is there, and gets another address. */
struct host_access_late {
	int settings6;				/* as host_access_open_settings6() gave it */
	struct nl *container;			/* a socket in the container's namespace */
	const char *id;				/* whose record it is in; its lock is held */
	const struct record_endpoint *endpoint; /* with that address alone */
};

int host_access_open_settings6(int *ret, struct error *err);
int host_access_add_late(struct host *host, const struct host_access_late *late, struct error *err);
int host_access_remove(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err);
int host_access_release(struct host *host, const char *pool, const char *name, const char *owner,
	struct error *err);

#endif
