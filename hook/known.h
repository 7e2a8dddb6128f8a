/* SPDX-License-Identifier: MIT */
#ifndef HOOK_KNOWN_H
#define HOOK_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record;

/* What the records lead to. A zeroed one is empty. */
struct known {
	uint64_t *hashes;
	size_t n;
	size_t room;
	bool is_sorted;
};

void known_add_record(struct known *known, const struct record *record);
bool known_has(struct known *known, const char *container, const char *name);
void known_free(struct known *known);

#endif
