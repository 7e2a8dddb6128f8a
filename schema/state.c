// SPDX-License-Identifier: MIT
/*
 * The OCI state that a runtime writes to a hook's stdin. Runtimes differ in layout and in keys
 * (crun adds "root", poststop has no pid or pid 0, Docker 20.10 has no annotations), so only what
 * we rely on is looked at. state.schema.json lists it.
 */
#include "schema/state.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/text.h"

static int read_id(const struct json *state, struct state *ret, struct error *err)
{
	const struct json *value = json_member(state, "id");
	int r;

	if (!value)
		return error_set(err, -EINVAL, "id: is missing");
	r = json_expect(value, JSON_STRING, "id", err);
	if (r < 0)
		return r;
	r = name_check_container_id(value->text, err);
	if (r < 0)
		return error_prefix(err, "id");
	strcpy(ret->id, value->text);
	return 0;
}

static int read_pid(const struct json *state, struct state *ret, struct error *err)
{
	const struct json *value = json_member(state, "pid");
	uint64_t pid = 0;
	int r = value ? json_get_uint(value, INT_MAX, "pid", &pid, err) : 0;

	if (r == 0)
		ret->pid = (pid_t)pid;
	return r;
}

static int read_bundle(const struct json *state, struct state *ret, struct error *err)
{
	const struct json *value = json_member(state, "bundle");
	int r;

	if (!value)
		return 0;
	r = json_expect(value, JSON_STRING, "bundle", err);
	if (r < 0)
		return r;
	if (value->text[0] != '/')
		return error_set(
			err, -EINVAL, "bundle: '%.128s' is not an absolute path", value->text);
	if (strlen(value->text) >= PATH_MAX)
		return error_set(err, -EINVAL, "bundle: has %zu bytes, at most %d are allowed",
			strlen(value->text), PATH_MAX - 1);
	ret->bundle = strdup(value->text);
	return ret->bundle ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int read_annotations(const struct json *state, struct state *ret, struct error *err)
{
	const struct json *value = json_member(state, "annotations");
	int r;

	if (!value || value->type == JSON_NULL)
		return 0;
	r = json_expect(value, JSON_OBJECT, "annotations", err);
	if (r < 0)
		return r;
	ret->has_annotations = true;
	json_for_each (annotation, value) {
		char where[128];

		text_join(where, sizeof(where), "annotation '", annotation->key, "'");
		r = json_expect(annotation, JSON_STRING, where, err);
		if (r == 0)
			r = annotations_set(
				&ret->annotations, annotation->key, annotation->text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Reads a state from text with READ, which fills what its caller needs of it. */
static int parse(const char *text, size_t size,
	int (*read)(const struct json *state, struct state *ret, struct error *err),
	struct state *ret, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	struct state state = { 0 };
	int r = json_parse(text, size, &doc, err);

	if (r == 0)
		r = json_expect(json_root(doc), JSON_OBJECT, "document", err);
	if (r == 0)
		r = read(json_root(doc), &state, err);
	if (r < 0) {
		state_free(&state);
		return error_prefix(err, "state on stdin");
	}
	*ret = state;
	return 0;
}

static int read_state(const struct json *state, struct state *ret, struct error *err)
{
	int r = read_id(state, ret, err);

	if (r == 0)
		r = read_pid(state, ret, err);
	if (r == 0)
		r = read_bundle(state, ret, err);
	if (r == 0)
		r = read_annotations(state, ret, err);
	return r;
}

/**
 * state_parse() - Read the state
 * @text:	what came on stdin; need not end with a NUL
 * @size:	of @text, in bytes
 * @ret:	the state; free with state_free()
 * @err:	filled on failure; the line starts with "state on stdin: "
 *
 * See: https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 *
 * Return: 0; -EINVAL: not JSON, or a member that we need is missing or wrong; -ENOMEM
 */
int state_parse(const char *text, size_t size, struct state *ret, struct error *err)
{
	return parse(text, size, read_state, ret, err);
}

/**
 * state_parse_id() - Read the container's id from the state, and nothing else
 * @text:	what came on stdin; need not end with a NUL
 * @size:	of @text, in bytes
 * @ret:	the state, with an id; free with state_free()
 * @err:	filled on failure; the line starts with "state on stdin: "
 *
 * For detach, which needs no more and must not fail for what it does not need.
 *
 * Return: 0; -EINVAL: not JSON, or without a valid id; -ENOMEM
 */
int state_parse_id(const char *text, size_t size, struct state *ret, struct error *err)
{
	return parse(text, size, read_id, ret, err);
}

/**
 * state_free() - Free what a state holds
 * @state:	the state; it has no bundle and no annotations afterwards
 */
void state_free(struct state *state)
{
	free(state->bundle);
	state->bundle = NULL;
	annotations_free(&state->annotations);
}
