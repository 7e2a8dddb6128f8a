/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_NETWORK_PARENTS_H
#define HOOK_CLI_NETWORK_PARENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/name.h"

struct error;
struct network;
struct nl;

/* A network and its parent, under the parent's own name where there is one. */
struct network_parent {
	char network[NETWORK_NAME_MAX + 1];
	char parent[PARENT_NAME_MAX + 1];
	bool is_passthru;
};

struct network_parents {
	size_t n;
	struct network_parent *all;
	bool is_incomplete; /* a file cannot be read: it may name any parent */
};

int network_parents_load(int dir, struct nl *nl, struct network_parents *ret, struct error *err);
void network_parents_free(struct network_parents *parents);
bool network_parents_name(void *parents, const char *name);
int network_parents_check_mode(const struct network_parents *parents, const struct network *network,
	const char *parent, struct error *err);

#endif
