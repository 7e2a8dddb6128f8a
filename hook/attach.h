/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ATTACH_H
#define HOOK_ATTACH_H

#include <sys/types.h>

#include "schema/selection.h"

struct error;
struct host;

/* What a container asks for. */
struct attach_request {
	const char *id;
	const char *name;   /* io.oci-macvlan.name; NULL: none */
	const char *bundle; /* where config.json is, for the host name; NULL: not told */
	pid_t pid;	    /* of init */
	const struct selections *selections;
};

int attach(struct host *host, const struct attach_request *request, struct error *err);

#endif
