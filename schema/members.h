/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_MEMBERS_H
#define SCHEMA_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct json;

/* The longest place in a document ("subnets[0].aux_addresses.printer"); a longer one is cut. */
#define MEMBERS_WHERE_MAX 160
/* How many keys a table may have. */
#define MEMBERS_MAX 24

/* Reads VALUE, which stands at WHERE, into what RET points to. Returns 0 or -errno (err set). */
typedef int members_read_fn(
	const struct json *value, const char *where, void *ret, struct error *err);

/* A key that an object may have; a table of them ends with a NULL key. */
struct member {
	const char *key;
	members_read_fn *read;
	bool required;
};

int members_read_object(const struct json *object, const struct member members[], const char *where,
	void *ret, struct error *err);
int members_read_array(const struct json *array, members_read_fn *read, const char *where,
	void *ret, struct error *err);
int members_read_map(const struct json *object, members_read_fn *read, const char *where, void *ret,
	struct error *err);
void members_put_where(char ret[MEMBERS_WHERE_MAX], const char *where, const char *key);
int members_copy_string(
	const struct json *value, const char *where, char *ret, size_t size, struct error *err);

#endif
