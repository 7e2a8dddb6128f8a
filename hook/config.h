/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CONFIG_H
#define HOOK_CONFIG_H

#include "schema/bundle.h"
#include "schema/name.h"

struct attach_request;

/* The container's config.json, which is read when something of it is needed, and once. */
struct config {
	const struct attach_request *request;
	enum { CONFIG_UNREAD, CONFIG_READ, CONFIG_UNREADABLE } state;
	struct bundle bundle; /* with CONFIG_READ */
};

const struct bundle *config_read(struct config *config);
void config_name(struct config *config, char ret[CONTAINER_NAME_MAX + 1]);

#endif
