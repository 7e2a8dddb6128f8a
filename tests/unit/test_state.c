// SPDX-License-Identifier: MIT
/*
 * schema/state.c: what the runtimes really write, and what nobody should.
 */
#include "schema/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static int parse(const char *text, struct state *ret, struct error *err)
{
	*err = (struct error){ 0 };
	return state_parse(text, strlen(text), ret, err);
}

static void test_runc(void)
{
	cleanup(state_free) struct state state = { 0 };
	struct error err;

	is_int(parse("{\"ociVersion\":\"1.0.2-dev\",\"id\":\"c1\",\"status\":\"creating\",\"pid\":"
		     "9595,"
		     "\"bundle\":\"/b1\",\"annotations\":{\"com.example.rt/net\":\"10.0.0.0/24\","
		     "\"empty\":\"\",\"io.oci-macvlan.networks\":\"macvlan0\"}}",
		       &state, &err),
		0, "runc at createRuntime");
	is_str(state.id, "c1", "its id");
	is_int(state.pid, 9595, "its pid");
	is_str(state.bundle, "/b1", "its bundle");
	ok(state.has_annotations, "it has annotations");
	is_str(state.annotations.networks, "macvlan0", "ours among them");
	ok(!state.annotations.ip, "no other of ours");
}

static void test_crun(void)
{
	cleanup(state_free) struct state state = { 0 };
	struct error err;

	is_int(parse("{\n  \"ociVersion\": \"1.0\",\n  \"id\": \"c\\u0031\",\n  \"pid\": 0,\n"
		     "  \"root\": \"rootfs\",\n  \"bundle\": \"\\/\",\n  \"status\": \"stopped\" "
		     "}\n",
		       &state, &err),
		0, "crun at poststop, printed on many lines with escapes");
	is_str(state.id, "c1", "its id");
	is_int(state.pid, 0, "it has no pid");
	is_str(state.bundle, "/", "its bundle");
	ok(!state.has_annotations, "it has no annotations");
}

static void test_optional(void)
{
	cleanup(state_free) struct state state = { .pid = 5 };
	struct error err;

	is_int(parse("{\"id\":\"c1\"}", &state, &err), 0, "an id is enough");
	is_int(state.pid, 0, "no pid");
	ok(!state.bundle, "no bundle");
	ok(!state.has_annotations, "no annotations member");
	is_int(parse("{\"id\":\"c1\",\"annotations\":null}", &state, &err), 0, "null annotations");
	ok(!state.has_annotations, "are like none");
	is_int(parse("{\"id\":\"c1\",\"annotations\":{}}", &state, &err), 0, "empty annotations");
	ok(state.has_annotations, "are there");
	is_int(parse("{\"id\":\"c1\",\"pid\":2147483647,\"x\":{\"id\":[1,{}]}}", &state, &err), 0,
		"the largest pid, and keys that we do not know");
	is_int(state.pid, 2147483647, "its pid");
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		const char *why; /* in the message */
	} bad[] = {
		{ "", "" },
		{ "   ", "" },
		{ "\x01\x02\xff\xfe", "" },
		{ "{\"id\":\"c1\"", "" },
		{ "{\"id\":\"c1\"}x", "" },
		{ "{\"id\":\"c1\"}{\"id\":\"c1\"}", "" },
		{ "{\"id\":\"c\xff\"}", "" },
		{ "{\"id\":\"c\\u0000\"}", "NUL" },
		{ "null", "must be an object, not null" },
		{ "[]", "must be an object, not an array" },
		{ "\"c1\"", "must be an object" },
		{ "{}", "id: is missing" },
		{ "{\"id\":\"c1\",\"id\":\"c1\"}", "the key 'id' is there twice" },
		{ "{\"id\":\"c1\",\"pid\":1,\"pid\":1}", "the key 'pid' is there twice" },
		{ "{\"id\":\"c1\",\"annotations\":{\"io.oci-macvlan.ip\":\"10.0.0.4\","
		  "\"io.oci-macvlan.ip\":\"10.0.0.5\"}}",
			"is there twice" },
		{ "{\"id\":null}", "id: must be a string" },
		{ "{\"id\":7}", "id: must be a string" },
		{ "{\"id\":\"\"}", "id: container id is empty" },
		{ "{\"id\":\".\"}", "'.' is not valid" },
		{ "{\"id\":\"..\"}", "'..' is not valid" },
		{ "{\"id\":\"a/b\"}", "'a/b' is not valid" },
		{ "{\"id\":\"../a\"}", "is not valid" },
		{ "{\"id\":\"a\\nb\"}", "'a\\x0ab' is not valid" },
		{ "{\"id\":\"a\\u001bb\"}", "'a\\x1bb' is not valid" },
		{ "{\"id\":\"c1\",\"pid\":-1}", "pid: '-1'" },
		{ "{\"id\":\"c1\",\"pid\":1.5}", "pid: '1.5'" },
		{ "{\"id\":\"c1\",\"pid\":2147483648}", "pid: '2147483648' is larger" },
		{ "{\"id\":\"c1\",\"pid\":\"1\"}", "pid: must be a number" },
		{ "{\"id\":\"c1\",\"pid\":99999999999999999999999}", "is larger" },
		{ "{\"id\":\"c1\",\"bundle\":\"b\"}", "'b' is not an absolute path" },
		{ "{\"id\":\"c1\",\"bundle\":\"\"}", "is not an absolute path" },
		{ "{\"id\":\"c1\",\"bundle\":[]}", "bundle: must be a string" },
		{ "{\"id\":\"c1\",\"annotations\":[]}", "annotations: must be an object" },
		{ "{\"id\":\"c1\",\"annotations\":\"x\"}", "annotations: must be an object" },
		{ "{\"id\":\"c1\",\"annotations\":{\"a\":1}}",
			"annotation 'a': must be a string, not a number" },
		{ "{\"id\":\"c1\",\"annotations\":{\"io.oci-macvlan.netwroks\":\"x\"}}",
			"unknown annotation 'io.oci-macvlan.netwroks'" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct state state = { .pid = 42 };
		struct error err;
		int r = parse(bad[i].text, &state, &err);

		ok(r == -EINVAL || r == -ERANGE, "refused: %s", err.text);
		ok(!strncmp(err.text, "state on stdin: ", 16) && strstr(err.text, bad[i].why) &&
				state.pid == 42,
			"with the reason, and nothing is returned");
	}
}

/* {"id":"AAAA..."}, with a bundle of the given length behind it. */
static int parse_long(size_t id_length, size_t bundle_length, struct error *err)
{
	cleanup(state_free) struct state state = { 0 };
	size_t size = id_length + bundle_length + 64;
	autofree char *text = malloc(size);
	autofree char *letters = malloc(size);

	memset(letters, 'a', size);
	snprintf(text, size, "{\"id\":\"%.*s\",\"bundle\":\"/%.*s\"}", (int)id_length, letters,
		(int)bundle_length - 1, letters);
	return parse(text, &state, err);
}

static void test_limits(void)
{
	struct error err;

	is_int(parse_long(CONTAINER_ID_MAX, 10, &err), 0, "the longest id");
	is_int(parse_long(CONTAINER_ID_MAX + 1, 10, &err), -ENAMETOOLONG, "one longer");
	is_int(parse_long(5000, 10, &err), -ENAMETOOLONG, "5000 characters");
	ok(strlen(err.text) < 200 && strstr(err.text, "longer than 200"), "in a short line: %s",
		err.text);
	is_int(parse_long(1, PATH_MAX - 1, &err), 0, "the longest bundle");
	is_int(parse_long(1, PATH_MAX, &err), -EINVAL, "one longer");
	ok(strstr(err.text, "bundle: has 4096 bytes, at most 4095"), "and said so: %s", err.text);
}

static void test_deep(void)
{
	char text[100100] = "{\"id\":\"c1\",\"x\":";
	struct state state = { 0 };
	struct error err;

	memset(text + strlen(text), '[', 100000);
	is_int(parse(text, &state, &err), -E2BIG, "nested 100000 deep");
	ok(!strncmp(err.text, "state on stdin: ", 16) && strstr(err.text, "deep"),
		"and said so: %s", err.text);
}

/* Every beginning of a state is refused, and only with a line. */
static void test_truncated(void)
{
	static const char text[] = "{\"id\":\"c1\",\"pid\":1,\"bundle\":\"/b\",\"annotations\":{"
				   "\"io.oci-macvlan.ip\":\"10.0.0.4\",\"a\":\"\\u00e4\"}}";
	size_t refused = 0;

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		autofree char *copy = memcpy(malloc(size + 1), text, size);
		struct state state = { 0 };
		struct error err = { 0 };

		refused += state_parse(copy, size, &state, &err) < 0 && err.text[0];
	}
	is_int(refused, sizeof(text) - 1, "every truncated state is refused");
}

static int parse_id(const char *text, struct state *ret, struct error *err)
{
	*err = (struct error){ 0 };
	return state_parse_id(text, strlen(text), ret, err);
}

/* Detach must not fail for what it does not need. */
static void test_id_only(void)
{
	static const char *const good[] = {
		"{\"id\":\"c1\"}",
		"{\"id\":\"c1\",\"pid\":7,\"bundle\":\"/b\",\"annotations\":{\"a\":\"b\"}}",
		"{\"id\":\"c1\",\"pid\":-1}",
		"{\"id\":\"c1\",\"pid\":\"x\"}",
		"{\"id\":\"c1\",\"pid\":99999999999999999999}",
		"{\"id\":\"c1\",\"bundle\":\"relative\"}",
		"{\"id\":\"c1\",\"bundle\":[]}",
		"{\"annotations\":[],\"id\":\"c1\"}",
		"{\"id\":\"c1\",\"annotations\":{\"a\":1}}",
		"{\"id\":\"c1\",\"annotations\":{\"io.oci-macvlan.netwroks\":\"x\"}}",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cleanup(state_free) struct state state = { .pid = 5 };
		struct error err;

		is_int(parse_id(good[i], &state, &err), 0, "only the id of %s", good[i]);
		is_str(state.id, "c1", "is read");
		ok(!state.pid && !state.bundle && !state.has_annotations && !*err.text,
			"and nothing else");
	}
}

static void test_id_only_bad(void)
{
	static const struct {
		const char *text;
		const char *why; /* in the message */
	} bad[] = {
		{ "", "" },
		{ "{\"id\":\"c1\"", "" },
		{ "[\"c1\"]", "must be an object" },
		{ "{}", "id: is missing" },
		{ "{\"pid\":7,\"bundle\":\"/b\"}", "id: is missing" },
		{ "{\"annotations\":{\"id\":\"c1\"}}", "id: is missing" },
		{ "{\"id\":7}", "id: must be a string" },
		{ "{\"id\":\"\"}", "id: container id is empty" },
		{ "{\"id\":\"..\"}", "'..' is not valid" },
		{ "{\"id\":\"a/b\"}", "'a/b' is not valid" },
		{ "{\"id\":\"c\\u0000\"}", "NUL" },
		{ "{\"id\":\"c1\",\"id\":\"c2\"}", "the key 'id' is there twice" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct state state = { .id = "before", .pid = 42 };
		struct error err;

		is_int(parse_id(bad[i].text, &state, &err), -EINVAL, "no id: %s", err.text);
		ok(!strncmp(err.text, "state on stdin: ", 16) && strstr(err.text, bad[i].why) &&
				state.pid == 42 && !strcmp(state.id, "before"),
			"with the reason, and nothing is returned");
	}
}

int main(void)
{
	test_runc();
	test_crun();
	test_optional();
	test_bad();
	test_limits();
	test_deep();
	test_truncated();
	test_id_only();
	test_id_only_bad();
	return tap_done();
}
