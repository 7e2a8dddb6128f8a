/* SPDX-License-Identifier: MIT */
#ifndef IPAM_CLAIMS_H
#define IPAM_CLAIMS_H

#include "schema/name.h"

struct error;

/* The longest owner: CONTAINER/INTERFACE. */
#define CLAIMS_OWNER_MAX (CONTAINER_ID_MAX + 1 + INTERFACE_NAME_MAX)

int claims_take(int dir, const char *name, const char *owner, char ret_holder[CLAIMS_OWNER_MAX + 1],
	struct error *err);
int claims_owner(int dir, const char *name, char ret[CLAIMS_OWNER_MAX + 1], struct error *err);
int claims_release(int dir, const char *name, const char *owner, struct error *err);

/* One claim. Returns 0 to go on, 1 to stop, -errno (err set) to fail. */
typedef int claims_list_fn(void *arg, const char *name, const char *owner, struct error *err);

int claims_list(int dir, claims_list_fn *found, void *arg, struct error *err);

#endif
