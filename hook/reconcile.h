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

/* Who hears of it: of what was (or would be) freed, in a line for people, and of what could not be
 * looked at. Either may be NULL.
 */
struct reconcile_output {
	void (*freed)(void *arg, const char *line);
	void (*failed)(void *arg, const struct error *err);
	void *arg;
};

int reconcile_list(struct host *host, reconcile_endpoint_fn *found, void *arg,
	const struct reconcile_output *output, struct error *err);
int reconcile_all(
	struct host *host, bool dry_run, const struct reconcile_output *output, struct error *err);
int reconcile_one(struct host *host, const char *id, bool *ret_freed, struct error *err);
int reconcile_holder(struct host *host, const char *holder, bool *ret_freed, struct error *err);
bool reconcile_made_room(struct host *host);

const char *endpoint_state_name(enum endpoint_state state);

#endif
