/* SPDX-License-Identifier: MIT */
#ifndef IPAM_DELEGATE_H
#define IPAM_DELEGATE_H

#include <stdbool.h>
#include <sys/types.h>

struct error;
struct ip_config;
struct json_doc;
struct network;
struct record_endpoint;
struct selection;

/* An endpoint that has its addresses from a CNI IPAM plugin. */
struct delegate {
	const char *id; /* the container whose record holds the endpoint; its lock is held */
	const struct record_endpoint *endpoint;
	int home; /* a socket of the host's network namespace, which is where plugins run */
};

int delegate_find(const struct network *network, char **ret, struct error *err);
int delegate_plan(const struct network *network, const struct selection *selection,
	struct json_doc **ret, struct error *err);
int delegate_add(const struct delegate *delegate, pid_t pid, struct json_doc **ret_answer,
	struct ip_config *ret, struct error *err);
int delegate_del(const struct delegate *delegate, struct error *err);
int delegate_check(const struct delegate *delegate, pid_t pid, struct error *err);
bool delegate_is_gone(const struct record_endpoint *endpoint);

#endif
