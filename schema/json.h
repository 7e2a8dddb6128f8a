/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_JSON_H
#define SCHEMA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* How deep a document may nest; the deepest one in use, config.json, has 9 levels. */
#define JSON_DEPTH_MAX 64
/* How many members an object may have: a duplicate is looked for among them all. */
#define JSON_MEMBERS_MAX 4096
/* How deep json_scan() looks for values to report. */
#define JSON_PATH_MAX 3

enum json_type {
	JSON_NULL,
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* One value of a parsed document. */
struct json {
	enum json_type type;
	const char *key;	  /* its name in the object that holds it, else NULL */
	const char *text;	  /* JSON_STRING: the string; JSON_NUMBER: as written */
	bool boolean;		  /* JSON_BOOLEAN */
	const struct json *child; /* JSON_ARRAY, JSON_OBJECT: the first member */
	const struct json *next;  /* the next member of what holds it */
};

struct json_doc;

int json_parse(const char *text, size_t size, struct json_doc **ret, struct error *err);
const struct json *json_root(const struct json_doc *doc);
void json_free(struct json_doc **doc);

const struct json *json_member(const struct json *object, const char *key);
int json_expect(
	const struct json *value, enum json_type type, const char *where, struct error *err);
int json_check_keys(
	const struct json *object, const char *const known[], const char *where, struct error *err);
int json_get_uint(const struct json *value, uint64_t max, const char *where, uint64_t *ret,
	struct error *err);

#define json_for_each(member, container) \
	for (const struct json *member = (container)->child; member; member = member->next)

/* Where in a scanned document a value stands; deeper ones than JSON_PATH_MAX are not reported. */
struct json_path {
	unsigned depth;			/* 1: a member of the document's own object */
	const char *key[JSON_PATH_MAX]; /* the names on the way; NULL: an array's element */
};

/* A value was read, or an array or object begins (then text is NULL). Returns 0 to go on, 1 to stop
 * with success, -errno (err set) to fail.
 */
typedef int json_scan_fn(void *arg, const struct json_path *path, enum json_type type,
	const char *text, struct error *err);

int json_scan(int fd, size_t max, json_scan_fn *found, void *arg, struct error *err);

struct json_writer;

struct json_writer *json_writer_new(bool pretty);
void json_writer_free(struct json_writer **writer);
void json_open_object(struct json_writer *writer, const char *key);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *key);
void json_close_array(struct json_writer *writer);
void json_put_string(struct json_writer *writer, const char *key, const char *value);
void json_put_uint(struct json_writer *writer, const char *key, uint64_t value);
void json_put_number(struct json_writer *writer, const char *key, const char *literal);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
void json_put_value(struct json_writer *writer, const char *key, const struct json *value);
int json_writer_line(struct json_writer *writer, char **ret, size_t *ret_size, struct error *err);
int json_writer_text(
	struct json_writer *writer, const char **ret, size_t *ret_size, struct error *err);

#endif
