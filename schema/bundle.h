/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_BUNDLE_H
#define SCHEMA_BUNDLE_H

#include <limits.h>

#include "schema/annotations.h"

struct error;

/* The largest config.json that is read, in bytes, the longest host name (HOST_NAME_MAX), and the
 * longest SELinux label.
 */
#define BUNDLE_CONFIG_MAX (16 * 1024 * 1024)
#define BUNDLE_HOSTNAME_MAX 64
#define BUNDLE_LABEL_MAX 255

/* What we want to know of a container from its config.json; "": it does not say. */
struct bundle {
	char hostname[BUNDLE_HOSTNAME_MAX + 1];
	char root[PATH_MAX];			/* its root file system, absolute */
	char mount_label[BUNDLE_LABEL_MAX + 1]; /* the SELinux label of what is mounted into it */
};

int bundle_read(const char *bundle, struct bundle *ret, struct error *err);
int bundle_read_annotations(const char *bundle, struct annotations *ret, struct error *err);

#endif
