/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ENDPOINT_H
#define HOOK_ENDPOINT_H

#include <stdint.h>

#include "hook/ra.h"
#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct host;
struct netns;
struct plan_item;
struct record;
struct record_endpoint;
struct rtnl_link;

/* An endpoint that is made. */
struct wiring {
	struct host *host;
	struct netns *netns; /* the namespace that it is made in, in which the process is */
	const char *id;	     /* the container whose record it is in */
	struct plan_item *item;
	struct record *record;
	struct record_endpoint *endpoint;
	struct ra ra;
	int64_t lease_until; /* how long a first lease is waited for: CLOCK_MONOTONIC, ms */
	int ifindex;	     /* of its link; the endpoint's own is filled in when it is done */
};

/* How many indexes an endpoint's link may have: the first that is free. */
#define ENDPOINT_INDEXES 16

int endpoint_index(const struct record *record, const struct record_endpoint *endpoint, unsigned n);
int endpoint_wire(struct wiring *wiring, struct error *err);
int endpoint_await_ra(struct wiring *wiring, struct error *err);
int endpoint_wire_trial(struct wiring *wiring, struct error *err);
int endpoint_find_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err);
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err);

#endif
