// SPDX-License-Identifier: MIT
/*
 * schema/json_scan.c: what a stream reports, where, and when it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "tests/unit/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NO_LIMIT (16 * 1024 * 1024)

/* What was reported, as "TYPE key/key=text " each; and when to stop. */
struct log {
	char text[4096];
	unsigned calls;
	const char *stop_at; /* a value's text, or NULL */
	int stop_with;
};

static int log_value(void *arg, const struct json_path *path, enum json_type type, const char *text,
	struct error *err)
{
	struct log *log = arg;
	size_t used = strlen(log->text);
	FILE *to = fmemopen(log->text + used, sizeof(log->text) - used, "w");

	log->calls++;
	putc("ztnsao"[type], to);
	for (unsigned i = 0; i < path->depth; i++)
		fprintf(to, "/%s", path->key[i] ? path->key[i] : "*");
	if (text)
		fprintf(to, "=%s", text);
	putc(' ', to);
	fclose(to);
	if (!log->stop_at || !text || strcmp(text, log->stop_at) != 0)
		return 0;
	return log->stop_with < 0 ? error_set(err, log->stop_with, "stopped") : log->stop_with;
}

static int scan(const char *text, size_t size, size_t max, struct log *log, struct error *err)
{
	autoclose int fd = memfd_create("json", MFD_CLOEXEC);

	*err = (struct error){ 0 };
	if (pwrite(fd, text, size, 0) != (ssize_t)size)
		ok(false, "cannot write the document");
	return json_scan(fd, max, log_value, log, err);
}

static int scan_text(const char *text, struct log *log, struct error *err)
{
	return scan(text, strlen(text), NO_LIMIT, log, err);
}

static void test_paths(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "{}", "o " },
		{ "[]", "a " },
		{ "\"x\"", "s=x " },
		{ "-1.5e3", "n=-1.5e3 " },
		{ "{\"a\":null,\"b\":true,\"c\":false,\"d\":\"\"}",
			"o z/a t/b=true t/c=false s/d= " },
		{ "{\"a\":{\"b\":{\"c\":1}}}", "o o/a o/a/b n/a/b/c=1 " },
		{ "{\"a\":{\"b\":{\"c\":{\"d\":1},\"e\":2}},\"f\":3}",
			"o o/a o/a/b o/a/b/c n/a/b/e=2 n/f=3 " },
		{ "[1,[2,[3,[4]]]]", "a n/*=1 a/* n/*/*=2 a/*/* n/*/*/*=3 a/*/*/* " },
		{ "{\"a\":[{\"b\":1},2],\"c\":[3]}", "o a/a o/a/* n/a/*/b=1 n/a/*=2 a/c n/c/*=3 " },
		{ "[{\"a\":1},[2],{\"b\":3}]", "a o/* n/*/a=1 a/* n/*/*=2 o/* n/*/b=3 " },
		{ "{\"a\":1,\"a\":2}", "o n/a=1 n/a=2 " },
		{ "{\"\\u0061\":\"\\u00e4\"}", "o s/a=\xc3\xa4 " },
		{ "{\"\":1}", "o n/=1 " },
		{ "{\"a\\u0000b\":1}", "o n/*=1 " },
		{ "{\"a\":{\"b\":{\"c\":{\"\\u0000\":\"\\u0000\"}}}}", "o o/a o/a/b o/a/b/c " },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct log log = { 0 };
		struct error err;

		is_int(scan_text(cases[i].text, &log, &err), 0, "%s", cases[i].text);
		is_str(log.text, cases[i].expected, "what is reported");
	}
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "{", "not valid JSON" },
		{ "{\"a\":1", "not valid JSON" },
		{ "{\"a\":1}}", "not valid JSON" },
		{ "{} {}", "not valid JSON" },
		{ "{\"a\":\"\xff\"}", "not valid JSON" },
		{ "{\"a\":{\"b\":{\"c\":{\"d\":[x]}}}}", "not valid JSON" },
		{ "\x7f\x45\x4c\x46", "not valid JSON" },
		{ "{\"a\":\"x\\u0000\"}", "NUL" },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct log log = { 0 };
		struct error err;

		is_int(scan_text(bad[i].text, &log, &err), -EINVAL, "bad document %zu", i);
		ok(err.code == -EINVAL && strstr(err.text, bad[i].why), "says so: %s", err.text);
	}
}

static void test_stop(void)
{
	static const char text[] = "{\"a\":1,\"b\":\"here\",\"c\":3}";
	struct log log = { .stop_at = "here", .stop_with = 1 };
	struct error err;

	is_int(scan_text(text, &log, &err), 0, "a stop is a success");
	is_str(log.text, "o n/a=1 s/b=here ", "nothing is reported after it");
	ok(!*err.text, "and no line");
	log = (struct log){ .stop_at = "here", .stop_with = 1 };
	is_int(scan_text("[\"here\", garbage", &log, &err), 0, "what is behind it does not matter");
	is_int(log.calls, 2, "nor is it reported");
	log = (struct log){ .stop_at = "here", .stop_with = -EPERM };
	is_int(scan_text(text, &log, &err), -EPERM, "a failure is handed on");
	is_str(err.text, "stopped", "with its line");
	is_str(log.text, "o n/a=1 s/b=here ", "nothing is reported after it");
}

static void test_limits(void)
{
	static const char text[] = "{\"a\":\"here\"}";
	struct log log = { 0 };
	struct error err;

	is_int(scan(text, strlen(text), strlen(text), &log, &err), 0, "as large as can be");
	is_int(scan(text, strlen(text), strlen(text) - 1, &log, &err), -EFBIG, "one byte more");
	ok(strstr(err.text, "larger than 11 bytes"), "says so: %s", err.text);
	is_int(json_scan(-1, NO_LIMIT, log_value, &log, &err), -EBADF, "no file");
	is_int(err.code, -EBADF, "says so: %s", err.text);
}

/* A value at the end of a document of many reads, with pieces that end within strings. */
static void test_long(void)
{
	enum { LENGTH = 200000 };
	autofree char *text = calloc(1, LENGTH + 64);
	struct log log = { 0 };
	struct error err;
	char *at = stpcpy(text, "{\"k\":{\"k\":{\"k\":{\"long\":\"");
	size_t length;

	memset(at, 'x', LENGTH);
	strcpy(at + LENGTH, "\"}}},\"last\":\"here\"}");
	length = strlen(text);
	is_int(scan(text, length, length, &log, &err), 0, "a long document");
	is_str(log.text, "o o/k o/k/k o/k/k/k s/last=here ", "is read to its end");
	is_int(scan(text, length, length - 1, &log, &err), -EFBIG, "and no further than allowed");
	for (unsigned i = 0; i < 4; i++) {
		memset(text, ' ', LENGTH); /* the value lies across the end of the first read */
		strcpy(text + 16384 - 3 - i, "{\"key\":\"here\"}");
		log = (struct log){ 0 };
		is_int(scan_text(text, &log, &err), 0, "a value in two reads");
		is_str(log.text, "o s/key=here ", "is whole");
	}
	log = (struct log){ .stop_at = "here", .stop_with = 1 };
	memset(text, ' ', LENGTH);
	memcpy(text, "[\"here\"", 7);
	is_int(scan(text, LENGTH, 20000, &log, &err), 0, "after a stop no more is read");
}

static void test_depth(void)
{
	char text[3 * JSON_DEPTH_MAX] = "";
	struct log log = { 0 };
	struct error err;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	is_int(scan_text(text, &log, &err), 0, "as deep as can be");
	is_int(log.calls, JSON_PATH_MAX + 1, "the outermost are reported");
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	is_int(scan_text(text, &log, &err), -E2BIG, "one deeper");
	ok(strstr(err.text, "nested more than 64 levels"), "says so: %s", err.text);
}

static void test_long_keys(void)
{
	char text[512];
	char expected[512];
	struct log log = { 0 };
	struct error err;

	snprintf(text, sizeof(text), "{\"%0255d\":1}", 0);
	snprintf(expected, sizeof(expected), "o n/%0255d=1 ", 0);
	is_int(scan_text(text, &log, &err), 0, "a key of 255 bytes");
	is_str(log.text, expected, "is reported");
	log = (struct log){ 0 };
	snprintf(text, sizeof(text), "{\"a\":0,\"%0256d\":1}", 0);
	is_int(scan_text(text, &log, &err), 0, "a key of 256 bytes");
	is_str(log.text, "o n/a=0 n/*=1 ", "is none, and not the one before");
}

static void test_empty(void)
{
	struct log log = { 0 };
	struct error err;

	is_int(scan_text("", &log, &err), -EINVAL, "an empty document");
	ok(err.code == -EINVAL && *err.text, "says so: %s", err.text);
	is_int(log.calls, 0, "nothing is reported");
}

int main(void)
{
	test_paths();
	test_bad();
	test_stop();
	test_limits();
	test_long();
	test_depth();
	test_long_keys();
	test_empty();
	return tap_done();
}
