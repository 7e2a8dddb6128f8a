// SPDX-License-Identifier: MIT
/*
 * JSON documents as streams, for the few values that one wants of a large one (config.json).
 */
#include <stdio.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/json_yajl.h"

/* How much is read at a time. */
#define CHUNK_SIZE 4096

/* yajl's own words, which end with a newline. */
static int set_parse_error(yajl_handle parser, struct error *err)
{
	unsigned char *text = yajl_get_error(parser, 0, NULL, 0);
	size_t at = yajl_get_bytes_consumed(parser);

	if (text)
		text[strcspn((char *)text, "\n")] = '\0';
	error_set(err, -EINVAL, "not valid JSON near byte %zu: %s", at,
		text ? (const char *)text : "parse error");
	if (text)
		yajl_free_error(parser, text);
	return -EINVAL;
}

/**
 * json_finish_parse() - tell the parser that the document ends, and say how it went
 * @parser: the parser
 * @status: what the last yajl_parse() gave
 * @code:   what a callback that stopped the parser has set: 0 or -errno (then err is filled)
 * @err:    filled on failure
 *
 * Return: 0, *@code, or -EINVAL.
 */
int json_finish_parse(yajl_handle parser, yajl_status status, const int *code, struct error *err)
{
	if (status == yajl_status_ok)
		status = yajl_complete_parse(parser);
	if (status == yajl_status_client_canceled)
		return *code;
	if (status != yajl_status_ok)
		return set_parse_error(parser, err);
	return 0;
}

/* Where a scan stands: the open containers, and the names of the outermost of them. */
struct scanner {
	json_scan_fn *found;
	void *arg;
	struct error *err;
	int code;
	unsigned depth;
	char keys[JSON_PATH_MAX][256];
	bool has_key[JSON_PATH_MAX];
	bool is_object[JSON_DEPTH_MAX];
};

/* Reports a value, unless it stands too deep to be of interest. */
static int report(struct scanner *s, enum json_type type, const char *text)
{
	struct json_path path = { .depth = s->depth };
	int r;

	if (s->depth > JSON_PATH_MAX)
		return 1;
	for (unsigned i = 0; i < s->depth; i++)
		path.key[i] = s->is_object[i] && s->has_key[i] ? s->keys[i] : NULL;
	r = s->found(s->arg, &path, type, text, s->err);
	s->code = r < 0 ? r : 0;
	return r == 0;
}

static int scan_null(void *arg)
{
	return report(arg, JSON_NULL, NULL);
}

static int scan_boolean(void *arg, int boolean)
{
	return report(arg, JSON_BOOLEAN, boolean ? "true" : "false");
}

static int report_text(struct scanner *s, enum json_type type, const void *text, size_t length)
{
	autofree char *copy = NULL;

	if (s->depth > JSON_PATH_MAX)
		return 1;
	if (memchr(text, '\0', length)) {
		s->code = error_set(s->err, -EINVAL, "a string holds a NUL character");
		return 0;
	}
	copy = strndup(text, length);
	if (!copy) {
		s->code = error_set(s->err, -ENOMEM, "out of memory");
		return 0;
	}
	return report(s, type, copy);
}

static int scan_number(void *arg, const char *text, size_t length)
{
	return report_text(arg, JSON_NUMBER, text, length);
}

static int scan_string(void *arg, const unsigned char *text, size_t length)
{
	return report_text(arg, JSON_STRING, text, length);
}

/* A name that does not fit, or holds a NUL, is none that anybody looks for. */
static int scan_key(void *arg, const unsigned char *text, size_t length)
{
	struct scanner *s = arg;
	unsigned i = s->depth - 1;

	if (i >= JSON_PATH_MAX)
		return 1;
	s->has_key[i] = length < sizeof(s->keys[i]) && !memchr(text, '\0', length);
	if (s->has_key[i]) {
		memcpy(s->keys[i], text, length);
		s->keys[i][length] = '\0';
	}
	return 1;
}

static int scan_begin(struct scanner *s, enum json_type type)
{
	if (s->depth == JSON_DEPTH_MAX) {
		s->code = error_set(
			s->err, -E2BIG, "it is nested more than %d levels deep", JSON_DEPTH_MAX);
		return 0;
	}
	if (!report(s, type, NULL))
		return 0;
	s->is_object[s->depth++] = type == JSON_OBJECT;
	return 1;
}

static int scan_begin_object(void *arg)
{
	return scan_begin(arg, JSON_OBJECT);
}

static int scan_begin_array(void *arg)
{
	return scan_begin(arg, JSON_ARRAY);
}

static int scan_end(void *arg)
{
	((struct scanner *)arg)->depth--;
	return 1;
}

static const yajl_callbacks scan_callbacks = {
	.yajl_null = scan_null,
	.yajl_boolean = scan_boolean,
	.yajl_number = scan_number,
	.yajl_string = scan_string,
	.yajl_start_map = scan_begin_object,
	.yajl_map_key = scan_key,
	.yajl_end_map = scan_end,
	.yajl_start_array = scan_begin_array,
	.yajl_end_array = scan_end,
};

/* Feeds the file to the parser piece by piece. */
static int feed(yajl_handle parser, int fd, size_t max, yajl_status *ret, struct error *err)
{
	unsigned char buffer[CHUNK_SIZE];
	size_t total = 0;
	ssize_t n;

	*ret = yajl_status_ok;
	while (*ret == yajl_status_ok && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, "cannot read it");
		total += (size_t)n;
		if (total > max)
			return error_set(err, -EFBIG, "it is larger than %zu bytes", max);
		*ret = yajl_parse(parser, buffer, (size_t)n);
	}
	return 0;
}

/**
 * json_scan() - read a document as a stream, for the few values that one wants of a large one
 * @fd:    where it is read from, to its end or until @found stops
 * @max:   the largest size that is accepted, in bytes
 * @found: called for each value that stands at most JSON_PATH_MAX deep
 * @arg:   handed to @found
 * @err:   filled on failure
 *
 * Return: 0, also when @found stopped; -EINVAL, -E2BIG, -EFBIG, -ENOMEM, what read(2) gave, or
 * what @found failed with.
 */
int json_scan(int fd, size_t max, json_scan_fn *found, void *arg, struct error *err)
{
	struct scanner s = { .found = found, .arg = arg, .err = err };
	yajl_handle parser = yajl_alloc(&scan_callbacks, NULL, &s);
	yajl_status status;
	int r;

	if (!parser)
		return error_set(err, -ENOMEM, "out of memory");
	r = feed(parser, fd, max, &status, err);
	if (r == 0)
		r = json_finish_parse(parser, status, &s.code, err);
	yajl_free(parser);
	return r;
}
