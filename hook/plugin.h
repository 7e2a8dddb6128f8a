/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PLUGIN_H
#define HOOK_PLUGIN_H

#include <stdbool.h>
#include <sys/types.h>

struct delegate;
struct error;
struct host;
struct ipam_request;
struct plan_item;
struct record;
struct record_endpoint;

/* An endpoint that a plugin is to give addresses. */
struct plugin_request {
	struct host *host;
	const struct record *record; /* which is written, with the endpoint as an intent */
	struct record_endpoint *endpoint;
	struct plan_item *item;
	struct ipam_request *ipam;
	pid_t pid; /* the container's init */
};

/* plugin_ask.c */
int plugin_ask(const struct plugin_request *request, struct error *err);
int plugin_ask_again(
	const struct plugin_request *request, const struct error *why, struct error *err);

/* plugin.c */
struct delegate plugin_delegate(const struct host *host, const struct record *record,
	const struct record_endpoint *endpoint);
bool plugin_is_refusal(int r);
int plugin_del(struct host *host, const struct delegate *delegate, struct error *err);
int plugin_give_back(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err);

#endif
