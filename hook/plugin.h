/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PLUGIN_H
#define HOOK_PLUGIN_H

#include <sys/types.h>

struct error;
struct host;
struct ip_config;
struct json_doc;
struct record;
struct record_endpoint;

/* An endpoint that a plugin is to give addresses. */
struct plugin_request {
	struct host *host;
	const struct record *record; /* which is written, with the endpoint as an intent */
	struct record_endpoint *endpoint;
	pid_t pid; /* the container's init */
};

int plugin_ask(const struct plugin_request *request, struct json_doc **ret_answer,
	struct ip_config *ret, struct error *err);
int plugin_give_back(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err);

#endif
