/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_NETWORKS_H
#define HOOK_CLI_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/name.h"

struct error;

/* NAME.json, in the folder of ETC. */
#define NETWORKS_FOLDER "networks"
#define NETWORKS_SUFFIX ".json"
#define NETWORKS_FILE_MAX (sizeof(NETWORKS_SUFFIX) + NETWORK_NAME_MAX)

/* Names of networks, or of files that only look like one, sorted. */
struct networks {
	size_t n;
	char **names;
};

int networks_open(const char *etc, int *ret, struct error *err);
int networks_list(int dir, struct networks *ret, struct error *err);
void networks_free(struct networks *networks);
int networks_resolve(int dir, const char *word, char ret[NETWORK_NAME_MAX + 1], struct error *err);
void networks_file(const char *name, char ret[NETWORKS_FILE_MAX]);
bool networks_has(int dir, const char *name);

#endif
