/* SPDX-License-Identifier: MIT */
#ifndef HOOK_RECONCILE_H
#define HOOK_RECONCILE_H

#include <stdbool.h>

struct error;
struct host;
struct record;
struct record_endpoint;

enum endpoint_state {
	ENDPOINT_LIVE, /* its link is there */
	ENDPOINT_LOST, /* its namespace lives, the link is gone */
	ENDPOINT_DEAD, /* nobody uses it any more, and it is not collected yet */
};

/* An endpoint and how it is. Returns 0 to go on, 1 to stop, -errno (err set) to fail. */
typedef int reconcile_endpoint_fn(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err);

/* One line for people: what was (or would be) freed, and why. */
typedef void reconcile_report_fn(void *arg, const char *line);

int reconcile_list(struct host *host, reconcile_endpoint_fn *found, void *arg, struct error *err);
int reconcile_all(
	struct host *host, bool dry_run, reconcile_report_fn *report, void *arg, struct error *err);
int reconcile_one(struct host *host, const char *id, bool *ret_freed, struct error *err);
int reconcile_holder(struct host *host, const char *holder, bool *ret_freed, struct error *err);
bool reconcile_made_room(struct host *host);

const char *endpoint_state_name(enum endpoint_state state);

#endif
