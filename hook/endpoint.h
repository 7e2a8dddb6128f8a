/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ENDPOINT_H
#define HOOK_ENDPOINT_H

#include "hook/sysctl.h"
#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct host;
struct lan;
struct netns;
struct plan_item;
struct record;
struct record_endpoint;
struct rtnl_link;

/* An endpoint that is made. */
struct wiring {
	struct host *host;
	struct netns *netns; /* the container's namespace, in which the process is */
	const char *id;	     /* the container whose record it is in */
	const struct plan_item *item;
	struct record_endpoint *endpoint;
	int ifindex; /* of its link; the endpoint's own is filled in when it is done */
	char addr_gen_mode[SYSCTL_VALUE_MAX]; /* which it had before the trial */
};

const char *endpoint_temporary_name(
	const struct record_endpoint *endpoint, const char *id, char ret[INTERFACE_NAME_MAX + 1]);
int endpoint_wire(struct wiring *wiring, struct error *err);
int endpoint_try(struct wiring *wiring, struct error *err);
int endpoint_settle(struct wiring *wiring, const struct lan *lan, struct error *err);
int endpoint_find_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err);
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err);

#endif
