// SPDX-License-Identifier: MIT
/*
 * JSON documents out. What goes wrong in between (memory, a string that is not UTF-8) is kept, and
 * said once, when the text is asked for.
 */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/text.h"

struct json_writer {
	yajl_gen gen;
	yajl_gen_status status; /* the first failure */
	unsigned depth;
	bool is_too_deep; /* json_parse() would not read it */
};

static void keep(struct json_writer *writer, yajl_gen_status status)
{
	if (writer->status == yajl_gen_status_ok)
		writer->status = status;
}

static void put_text(struct json_writer *writer, const char *text)
{
	keep(writer, yajl_gen_string(writer->gen, (const unsigned char *)text, strlen(text)));
}

static void put_key(struct json_writer *writer, const char *key)
{
	if (key)
		put_text(writer, key);
}

static void go_down(struct json_writer *writer)
{
	if (++writer->depth > JSON_DEPTH_MAX)
		writer->is_too_deep = true;
}

/**
 * json_writer_new() - begin a document
 * @pretty: on many lines, with four blanks for each level
 *
 * Return: the writer, or NULL when memory is out.
 */
struct json_writer *json_writer_new(bool pretty)
{
	struct json_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->gen = yajl_gen_alloc(NULL);
	if (!writer->gen) {
		free(writer);
		return NULL;
	}
	yajl_gen_config(writer->gen, yajl_gen_validate_utf8, 1);
	yajl_gen_config(writer->gen, yajl_gen_beautify, pretty ? 1 : 0);
	yajl_gen_config(writer->gen, yajl_gen_indent_string, "    ");
	return writer;
}

/**
 * json_writer_free() - free a writer and its text; a destructor for cleanup()
 * @writer: a variable that holds a writer or NULL; NULL afterwards
 */
void json_writer_free(struct json_writer **writer)
{
	if (*writer) {
		yajl_gen_free((*writer)->gen);
		free(*writer);
	}
	*writer = NULL;
}

/**
 * json_open_object() - begin an object
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 */
void json_open_object(struct json_writer *writer, const char *key)
{
	put_key(writer, key);
	go_down(writer);
	keep(writer, yajl_gen_map_open(writer->gen));
}

/**
 * json_close_object() - end the object that was begun last
 * @writer: the writer
 */
void json_close_object(struct json_writer *writer)
{
	writer->depth--;
	keep(writer, yajl_gen_map_close(writer->gen));
}

/**
 * json_open_array() - begin an array
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 */
void json_open_array(struct json_writer *writer, const char *key)
{
	put_key(writer, key);
	go_down(writer);
	keep(writer, yajl_gen_array_open(writer->gen));
}

/**
 * json_close_array() - end the array that was begun last
 * @writer: the writer
 */
void json_close_array(struct json_writer *writer)
{
	writer->depth--;
	keep(writer, yajl_gen_array_close(writer->gen));
}

/**
 * json_put_string() - write a string
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 * @value:  the string
 */
void json_put_string(struct json_writer *writer, const char *key, const char *value)
{
	put_key(writer, key);
	put_text(writer, value);
}

/**
 * json_put_number() - write a number as it is given
 * @writer:  the writer
 * @key:     its name in the object that is open, or NULL
 * @literal: the number in JSON's form
 */
void json_put_number(struct json_writer *writer, const char *key, const char *literal)
{
	put_key(writer, key);
	keep(writer, yajl_gen_number(writer->gen, literal, strlen(literal)));
}

/**
 * json_put_uint() - write a whole number
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 * @value:  the number
 */
void json_put_uint(struct json_writer *writer, const char *key, uint64_t value)
{
	char literal[TEXT_UINT];

	json_put_number(writer, key, text_uint(value, literal));
}

/**
 * json_put_bool() - write true or false
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 * @value:  which
 */
void json_put_bool(struct json_writer *writer, const char *key, bool value)
{
	put_key(writer, key);
	keep(writer, yajl_gen_bool(writer->gen, value));
}

/* An array or an object with all that is in it. */
static void put_container(struct json_writer *writer, const char *key, const struct json *value)
{
	bool is_object = value->type == JSON_OBJECT;

	if (is_object)
		json_open_object(writer, key);
	else
		json_open_array(writer, key);
	json_for_each (member, value)
		json_put_value(writer, is_object ? member->key : NULL, member);
	if (is_object)
		json_close_object(writer);
	else
		json_close_array(writer);
}

/**
 * json_put_value() - write a value of a parsed document
 * @writer: the writer
 * @key:    its name in the object that is open, or NULL
 * @value:  the value; no deeper than json_parse() lets it be
 *
 * What is written, read and written again is the same text.
 */
void json_put_value(struct json_writer *writer, const char *key, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		put_key(writer, key);
		keep(writer, yajl_gen_null(writer->gen));
		break;
	case JSON_BOOLEAN:
		json_put_bool(writer, key, value->boolean);
		break;
	case JSON_NUMBER:
		json_put_number(writer, key, value->text);
		break;
	case JSON_STRING:
		json_put_string(writer, key, value->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		put_container(writer, key, value);
		break;
	}
}

/**
 * json_writer_text() - the document, when all that was begun has ended
 * @writer:   the writer
 * @ret:      its text, which lives as long as the writer
 * @ret_size: its size in bytes
 * @err:      filled on failure
 *
 * Return: 0, -EINVAL (a string that is not UTF-8), -E2BIG (nested too deep), -ENOMEM.
 */
int json_writer_text(
	struct json_writer *writer, const char **ret, size_t *ret_size, struct error *err)
{
	const unsigned char *text;

	if (writer->is_too_deep)
		return error_set(
			err, -E2BIG, "it is nested more than %d levels deep", JSON_DEPTH_MAX);
	if (writer->status == yajl_gen_invalid_string)
		return error_set(err, -EINVAL, "a string is not valid UTF-8");
	if (writer->status != yajl_gen_status_ok && writer->status != yajl_gen_generation_complete)
		return error_set(
			err, -EINVAL, "cannot write JSON (yajl status %d)", (int)writer->status);
	if (yajl_gen_get_buf(writer->gen, &text, ret_size) != yajl_gen_status_ok)
		return error_set(err, -ENOMEM, "out of memory");
	*ret = (const char *)text;
	return 0;
}

/**
 * json_writer_line() - the document as a file of ours has it: one line
 * @writer:   the writer
 * @ret:      its text with a line feed, and a NUL behind that; the caller frees it
 * @ret_size: its size in bytes without the NUL
 * @err:      filled on failure
 *
 * Return: as json_writer_text().
 */
int json_writer_line(struct json_writer *writer, char **ret, size_t *ret_size, struct error *err)
{
	const char *text;
	size_t size;
	char *copy;
	int r = json_writer_text(writer, &text, &size, err);

	if (r < 0)
		return r;
	copy = malloc(size + sizeof("\n"));
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	strcpy(mempcpy(copy, text, size), "\n");
	*ret = copy;
	*ret_size = size + 1;
	return 0;
}
