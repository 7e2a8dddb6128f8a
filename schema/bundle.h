/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_BUNDLE_H
#define SCHEMA_BUNDLE_H

#include "schema/annotations.h"

struct error;

/* The largest config.json that is read, in bytes, and the longest host name (HOST_NAME_MAX). */
#define BUNDLE_CONFIG_MAX (16 * 1024 * 1024)
#define BUNDLE_HOSTNAME_MAX 64

int bundle_read_hostname(const char *bundle, char ret[BUNDLE_HOSTNAME_MAX + 1], struct error *err);
int bundle_read_annotations(const char *bundle, struct annotations *ret, struct error *err);

#endif
