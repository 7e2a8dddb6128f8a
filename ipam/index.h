/* SPDX-License-Identifier: MIT */
#ifndef IPAM_INDEX_H
#define IPAM_INDEX_H

#include "ipam/claims.h"

struct error;
struct index;

int index_new(int pool, struct index **ret, struct error *err);
void index_free(struct index **index);
int index_list(struct index *index, const char *owner, claims_list_fn *found, void *arg,
	struct error *err);

#endif
