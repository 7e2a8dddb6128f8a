/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_PODMAN_CONF_H
#define HOOK_CLI_PODMAN_CONF_H

#include <limits.h>

/* How many folders of hooks are looked at. */
#define PODMAN_FOLDERS_MAX 8

/* Where podman, run by root, looks for hooks. */
struct podman_folders {
	unsigned n;
	char paths[PODMAN_FOLDERS_MAX][PATH_MAX];
};

void podman_conf_read(struct podman_folders *ret);

#endif
