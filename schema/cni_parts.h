/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_CNI_PARTS_H
#define SCHEMA_CNI_PARTS_H

#include "schema/members.h"

struct ip_config;

/* What the cni*.c files share, and nobody else includes. */
int cni_read_members(const struct json *object, const struct member members[], const char *where,
	void *ret, struct error *err);
int cni_read_dns(
	const struct json *value, const char *where, struct ip_config *ret, struct error *err);

#endif
