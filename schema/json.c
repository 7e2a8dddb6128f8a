// SPDX-License-Identifier: MIT
/*
 * JSON documents as trees. They come from outside and are hostile: the depth, the number of an
 * object's members and (by the caller) the size are bounded, names may not come twice, and no
 * string may hold a NUL, which would end it early for everybody else.
 *
 * yajl is known to the json files only. json_scan.c reads streams, json_write.c writes.
 */
#include "schema/json.h"

#include <stdlib.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json_yajl.h"

/* How much memory is asked for at first, and at most at a time: a state, a network or a record
 * seldom needs more than the first.
 */
#define CHUNK_FIRST 2048
#define CHUNK_SIZE 16384

/* Memory of a document: chunks that are freed together. */
struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char data[];
};

struct json_doc {
	struct chunk *chunks;
	struct json *root;
};

/* An object or array that has begun and not ended. */
struct level {
	struct json *container;
	struct json *last;
	unsigned members;
	const char *key; /* the name that the next value gets */
};

struct builder {
	struct json_doc *doc;
	unsigned depth;
	struct level levels[JSON_DEPTH_MAX];
	struct error *err; /* filled: why a callback stopped the parser */
	int code;
};

static void *doc_alloc(struct json_doc *doc, size_t size)
{
	struct chunk *chunk = doc->chunks;
	const size_t align = _Alignof(max_align_t);
	void *memory;

	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = chunk ? CHUNK_SIZE : CHUNK_FIRST;

		if (room < size)
			room = size;
		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){ .next = doc->chunks, .size = room };
		doc->chunks = chunk;
	}
	memory = chunk->data + chunk->used;
	chunk->used += size;
	return memory;
}

/* Remembers why, and makes the callback stop the parser. */
static int stop(struct builder *b, int code, const char *why)
{
	b->code = error_set(b->err, code, "%s", why);
	return 0;
}

static const char *copy_text(struct builder *b, const unsigned char *text, size_t length)
{
	char *copy;

	if (memchr(text, '\0', length)) {
		stop(b, -EINVAL, "a string holds a NUL character");
		return NULL;
	}
	copy = doc_alloc(b->doc, length + 1);
	if (!copy) {
		stop(b, -ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

/* Makes a value and hangs it where the parser stands. */
static struct json *add_value(struct builder *b, enum json_type type)
{
	struct json *value = doc_alloc(b->doc, sizeof(*value));
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;

	if (!value) {
		stop(b, -ENOMEM, "out of memory");
		return NULL;
	}
	*value = (struct json){ .type = type, .key = level ? level->key : NULL };
	if (!level)
		b->doc->root = value;
	else if (level->last)
		level->last->next = value;
	else
		level->container->child = value;
	if (level)
		level->last = value;
	return value;
}

static int on_null(void *arg)
{
	return add_value(arg, JSON_NULL) != NULL;
}

static int on_boolean(void *arg, int boolean)
{
	struct json *value = add_value(arg, JSON_BOOLEAN);

	if (value)
		value->boolean = boolean != 0;
	return value != NULL;
}

static int add_text(
	struct builder *b, enum json_type type, const unsigned char *text, size_t length)
{
	const char *copy = copy_text(b, text, length);
	struct json *value = copy ? add_value(b, type) : NULL;

	if (value)
		value->text = copy;
	return value != NULL;
}

static int on_number(void *arg, const char *text, size_t length)
{
	return add_text(arg, JSON_NUMBER, (const unsigned char *)text, length);
}

static int on_string(void *arg, const unsigned char *text, size_t length)
{
	return add_text(arg, JSON_STRING, text, length);
}

static int on_key(void *arg, const unsigned char *text, size_t length)
{
	struct builder *b = arg;
	struct level *level = &b->levels[b->depth - 1];
	const char *key = copy_text(b, text, length);

	if (!key)
		return 0;
	if (json_member(level->container, key)) {
		b->code = error_set(b->err, -EINVAL, "the key '%s' is there twice", key);
		return 0;
	}
	if (level->members++ == JSON_MEMBERS_MAX)
		return stop(b, -E2BIG, "an object has more than 4096 members");
	level->key = key;
	return 1;
}

static int begin(struct builder *b, enum json_type type)
{
	struct json *container;

	if (b->depth == JSON_DEPTH_MAX)
		return stop(b, -E2BIG, "it is nested more than 64 levels deep");
	container = add_value(b, type);
	if (container)
		b->levels[b->depth++] = (struct level){ .container = container };
	return container != NULL;
}

static int on_begin_object(void *arg)
{
	return begin(arg, JSON_OBJECT);
}

static int on_begin_array(void *arg)
{
	return begin(arg, JSON_ARRAY);
}

static int on_end(void *arg)
{
	((struct builder *)arg)->depth--;
	return 1;
}

static const yajl_callbacks tree_callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_begin_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_begin_array,
	.yajl_end_array = on_end,
};

static void doc_free(struct json_doc *doc)
{
	for (struct chunk *next, *chunk = doc->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(doc);
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

/**
 * json_parse() - read a document into a tree
 * @text: the document
 * @size: its size in bytes, bounded by the caller
 * @ret:  the tree; json_free() frees it
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG (a limit), -ENOMEM.
 */
int json_parse(const char *text, size_t size, struct json_doc **ret, struct error *err)
{
	struct json_doc *doc = calloc(1, sizeof(*doc));
	struct builder b = { .doc = doc, .err = err };
	yajl_handle parser;
	int r;

	if (!doc)
		return error_set(err, -ENOMEM, "out of memory");
	parser = yajl_alloc(&tree_callbacks, NULL, &b);
	if (!parser) {
		doc_free(doc);
		return error_set(err, -ENOMEM, "out of memory");
	}
	r = json_finish_parse(
		parser, yajl_parse(parser, (const unsigned char *)text, size), &b.code, err);
	yajl_free(parser);
	if (r <= 0 && !doc->root && is_blank(text, size))
		r = error_set(err, -EINVAL, "it is empty");
	if (r < 0) {
		doc_free(doc);
		return r;
	}
	*ret = doc;
	return 0;
}

/**
 * json_root() - the outermost value of a document
 * @doc: the document
 *
 * Return: the value; it lives as long as the document.
 */
const struct json *json_root(const struct json_doc *doc)
{
	return doc->root;
}

/**
 * json_free() - free a document; a destructor for cleanup()
 * @doc: a variable that holds a document or NULL; NULL afterwards
 */
void json_free(struct json_doc **doc)
{
	if (*doc)
		doc_free(*doc);
	*doc = NULL;
}

/**
 * json_member() - find a member of an object
 * @object: the object
 * @key:    its name
 *
 * Return: the member, or NULL.
 */
const struct json *json_member(const struct json *object, const char *key)
{
	json_for_each (member, object)
		if (member->key && !strcmp(member->key, key))
			return member;
	return NULL;
}

static const char *type_name(enum json_type type)
{
	switch (type) {
	case JSON_NULL:
		return "null";
	case JSON_BOOLEAN:
		return "true or false";
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
		return "a string";
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
		return "an object";
	}
	return "?";
}

/**
 * json_expect() - check a value's type
 * @value: the value
 * @type:  what it must be
 * @where: its place in the document, for the message
 * @err:   filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int json_expect(const struct json *value, enum json_type type, const char *where, struct error *err)
{
	if (value->type == type)
		return 0;
	return error_set(err, -EINVAL, "%s: must be %s, not %s", where, type_name(type),
		type_name(value->type));
}

/**
 * json_check_keys() - fail for a member that a document of ours does not have
 * @object: the object
 * @known:  the names it may have, ending with NULL
 * @where:  its place in the document, for the message; "" for the outermost
 * @err:    filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int json_check_keys(
	const struct json *object, const char *const known[], const char *where, struct error *err)
{
	json_for_each (member, object) {
		unsigned i = 0;

		while (known[i] && strcmp(known[i], member->key))
			i++;
		if (!known[i])
			return error_set(err, -EINVAL, "%s%sunknown key '%s'", where,
				*where ? ": " : "", member->key);
	}
	return 0;
}

/**
 * json_get_uint() - read a number that must be a whole one
 * @value: the value
 * @max:   the largest that is accepted
 * @where: its place in the document, for the message
 * @ret:   the number
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -ERANGE.
 */
int json_get_uint(
	const struct json *value, uint64_t max, const char *where, uint64_t *ret, struct error *err)
{
	uint64_t number = 0;
	int r = json_expect(value, JSON_NUMBER, where, err);

	if (r < 0)
		return r;
	for (const char *c = value->text; *c; c++) {
		unsigned digit = (unsigned)(*c - '0');

		if (*c < '0' || *c > '9')
			return error_set(err, -EINVAL, "%s: '%s' is not a whole number from 0",
				where, value->text);
		if (number > (UINT64_MAX - digit) / 10 || number * 10 + digit > max)
			return error_set(err, -ERANGE, "%s: '%s' is larger than %llu", where,
				value->text, (unsigned long long)max);
		number = number * 10 + digit;
	}
	*ret = number;
	return 0;
}
