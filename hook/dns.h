/* SPDX-License-Identifier: MIT */
#ifndef HOOK_DNS_H
#define HOOK_DNS_H

#include <stddef.h>

struct collection;
struct config;
struct error;
struct host;
struct ip_config;
struct netns;
struct plan;
struct plan_item;
struct record;

/* The container that gets a resolv.conf. */
struct dns_request {
	const char *id;
	const struct plan *plan;
	const struct netns *netns; /* it tells init */
	struct config *config;
};

const struct plan_item *dns_item(const struct plan *plan);
void dns_write(struct host *host, const struct dns_request *request);
void dns_rewrite(const struct host *host, const struct record *record, const struct ip_config *old,
	const struct ip_config *config);
int dns_remove(const struct host *host, const char *id, struct error *err);
int dns_sweep(struct collection *collection, struct error *err);

#endif
