/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ENDPOINT_H
#define HOOK_ENDPOINT_H

#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct host;
struct netns;
struct plan_item;
struct record;
struct record_endpoint;
struct rtnl_link;

const char *endpoint_temporary_name(
	const struct record_endpoint *endpoint, const char *id, char ret[INTERFACE_NAME_MAX + 1]);
int endpoint_wire(struct host *host, struct netns *netns, const char *id,
	const struct plan_item *item, struct record_endpoint *endpoint, struct error *err);
int endpoint_find_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct rtnl_link *ret, struct error *err);
int endpoint_delete_link(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err);

#endif
