/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PLAN_H
#define HOOK_PLAN_H

#include <stddef.h>

#include "hook/host_uses.h"
#include "hook/parent.h"
#include "schema/network.h"
#include "schema/selection.h"

struct attach_request;
struct error;
struct host;
struct ip_config;
struct json_doc;
struct nl;
struct record;
struct record_endpoint;

/* The host's own addresses that lie in a subnet of a network that is asked for, or that are asked
 * for themselves.
 */
#define PLAN_HOST_IPS_MAX 1024

/* One selection with everything that it names, read and checked. */
struct plan_item {
	const struct selection *selection;
	struct network *network;
	struct parent parent;
	char interface[INTERFACE_NAME_MAX + 1]; /* its name in the container */
	unsigned occurrence;	 /* 0: this network is selected here the first time */
	bool joined;		 /* another container of the pod has it already: nothing to make */
	unsigned endpoint;	 /* its place in the record */
	struct json_doc *plugin; /* what its plugin is run with, as a record has it, */
	struct json_doc *answer; /* and what that has answered; NULL: nothing yet */
	/* What a DHCP server or a plugin says of it, when it has spoken; else NULL. */
	struct ip_config *given;
};

/* All that an attach will do, before it does anything. */
struct plan {
	unsigned n;
	struct plan_item items[SELECTIONS_MAX];
	int host_settings6; /* where host_access.c finds the settings of the host's links, else -1
			     */
	struct host_uses uses; /* of the host; only where an address is asked for or given */
	size_t n_host;
	struct ip host[PLAN_HOST_IPS_MAX];
};

int plan_load(struct host *host, const struct attach_request *request, struct plan *ret,
	struct error *err);
int plan_plugins(struct plan *plan, struct error *err);
int plan_interfaces(struct plan *plan, struct nl *nl, struct error *err);
int plan_join(struct plan *plan, const struct record *owner, struct error *err);
void plan_free(struct plan *plan);

#endif
