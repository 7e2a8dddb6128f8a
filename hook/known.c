// SPDX-License-Identifier: MIT
/*
 * What the records lead to: the claims of their interfaces and the links of their namespaces, noted
 * while the records are read for another reason, so that sweep need not read one for each claim.
 *
 * It only says where nothing has to be done. What is not in it is looked at under the owner's lock.
 */
#include "hook/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ipam/claims.h"
#include "schema/hash.h"
#include "schema/record.h"

#define GROW 1024

/* An interface has no '/' in its name, nor has an id. */
static uint64_t hash_of(const char *container, const char *name)
{
	char text[CLAIMS_OWNER_MAX + 24];

	snprintf(text, sizeof(text), "%s/%s", container, name);
	return hash_quick(text);
}

/* Where there is no memory for it, it is not known: that costs time, and nothing else. */
static void add(struct known *known, const char *container, const char *name)
{
	if (known->n == known->room) {
		size_t room = known->room ? 2 * known->room : GROW;
		uint64_t *hashes = reallocarray(known->hashes, room, sizeof(*hashes));

		if (!hashes)
			return;
		known->hashes = hashes;
		known->room = room;
	}
	known->hashes[known->n++] = hash_of(container, name);
	known->is_sorted = false;
}

/**
 * known_add_record() - note what an owner's record leads to
 * @known:  what is known
 * @record: the record, as it stays
 */
void known_add_record(struct known *known, const struct record *record)
{
	char cookie[24];

	snprintf(cookie, sizeof(cookie), "%" PRIu64, record->netns_cookie);
	add(known, record->id, cookie);
	for (unsigned i = 0; i < record->n_endpoints; i++)
		add(known, record->id, record->endpoints[i].interface);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *one = a;
	const uint64_t *other = b;

	return *one < *other ? -1 : *one > *other;
}

/**
 * known_has() - is it known that a container's record leads to something
 * @known:     what is known
 * @container: its id
 * @name:      an interface, or a namespace's cookie
 *
 * Return: true when it is.
 */
bool known_has(struct known *known, const char *container, const char *name)
{
	uint64_t hash = hash_of(container, name);

	if (known->n == 0)
		return false;
	if (!known->is_sorted)
		qsort(known->hashes, known->n, sizeof(hash), compare);
	known->is_sorted = true;
	return bsearch(&hash, known->hashes, known->n, sizeof(hash), compare) != NULL;
}

/**
 * known_free() - forget all; a destructor for cleanup()
 * @known: empty afterwards
 */
void known_free(struct known *known)
{
	free(known->hashes);
	*known = (struct known){ 0 };
}
