/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_STATE_H
#define SCHEMA_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "schema/annotations.h"
#include "schema/name.h"

struct error;

/* The largest state that is read, in bytes. */
#define STATE_SIZE_MAX (1024 * 1024)

/* What the runtime says on stdin (OCI runtime-spec, runtime.md#state). */
struct state {
	char id[CONTAINER_ID_MAX + 1];
	pid_t pid;	      /* of init, in our pid namespace; 0: not told */
	char *bundle;	      /* an absolute path; NULL: not told */
	bool has_annotations; /* the state has an annotations member (Docker 20.10's has none) */
	struct annotations annotations;
};

int state_parse(const char *text, size_t size, struct state *ret, struct error *err);
int state_parse_id(const char *text, size_t size, struct state *ret, struct error *err);
void state_free(struct state *state);

#endif
