// SPDX-License-Identifier: MIT
/*
 * schema/json.c and json_write.c: trees and what is written, with hostile documents at every limit.
 */
#include "schema/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Parses a copy with nothing behind it, so that a sanitizer sees a read too far. */
static int parse(const char *text, size_t size, struct json_doc **ret, struct error *err)
{
	autofree char *copy = memcpy(malloc(size + !size), text, size);

	*err = (struct error){ 0 };
	return json_parse(copy, size, ret, err);
}

static const struct json *parse_root(const char *text, struct json_doc **ret)
{
	static const struct json none = { .text = "(not parsed)" };
	struct error err;

	return parse(text, strlen(text), ret, &err) < 0 ? &none : json_root(*ret);
}

static void test_tree(void)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	const struct json *root = parse_root(
		" {\"s\":\"a\\u00e4\\n\\\"\",\"n\":-1.50e+3,\"t\":true,\"f\":false,\"z\":null,"
		"\"l\":[1,\"two\",[],{}],\"o\":{\"s\":\"inner\"},\"\":\"empty\"}\n",
		&doc);
	static const struct {
		const char *key, *text;
		enum json_type type;
	} members[] = {
		{ "s", "a\xc3\xa4\n\"", JSON_STRING },
		{ "n", "-1.50e+3", JSON_NUMBER },
		{ "t", NULL, JSON_BOOLEAN },
		{ "f", NULL, JSON_BOOLEAN },
		{ "z", NULL, JSON_NULL },
		{ "l", NULL, JSON_ARRAY },
		{ "o", NULL, JSON_OBJECT },
		{ "", "empty", JSON_STRING },
	};
	unsigned i = 0;

	is_int(root->type, JSON_OBJECT, "the root");
	ok(!root->key && !root->next, "has neither name nor neighbour");
	json_for_each (member, root) {
		if (i == COUNT(members))
			break;
		is_str(member->key, members[i].key, "member %u", i);
		is_int(member->type, members[i].type, "its type");
		ok(json_member(root, members[i].key) == member, "it is found by its name");
		if (members[i].text)
			is_str(member->text, members[i].text, "its text");
		else
			ok(!member->text, "it has no text");
		i++;
	}
	is_int(i, COUNT(members), "all members, in order");
	if (i != COUNT(members))
		return;
	ok(json_member(root, "t")->boolean && !json_member(root, "f")->boolean, "true and false");
	ok(!json_member(root, "two") && !json_member(root, "S"), "no other member");
	is_str(json_member(json_member(root, "o"), "s")->text, "inner", "a member's member");
	i = 0;
	json_for_each (element, json_member(root, "l")) {
		ok(!element->key, "element %u has no name", i);
		i++;
	}
	is_int(i, 4, "all elements");
	is_str(json_member(root, "l")->child->next->text, "two", "in order");
}

static void test_roots(void)
{
	static const char *const roots[] = { "null", "true", "1", "\"x\"", "[]", "{}" };

	for (size_t i = 0; i < COUNT(roots); i++) {
		cleanup(json_free) struct json_doc *doc = NULL;

		is_int(parse_root(roots[i], &doc)->type, i, "%s alone is a document", roots[i]);
	}
	json_free(&(struct json_doc *){ NULL });
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		size_t size; /* 0: up to its end */
		const char *why;
	} bad[] = {
		{ "", 0, "" },
		{ " \n\t", 0, "" },
		{ "{", 0, "not valid JSON" },
		{ "[1", 0, "not valid JSON" },
		{ "[1,]", 0, "not valid JSON" },
		{ "{\"a\":1,}", 0, "not valid JSON" },
		{ "{\"a\"}", 0, "not valid JSON" },
		{ "{a:1}", 0, "not valid JSON" },
		{ "{1:1}", 0, "not valid JSON" },
		{ "{'a':1}", 0, "not valid JSON" },
		{ "[1]]", 0, "not valid JSON" },
		{ "{} {}", 0, "not valid JSON" },
		{ "{}\n#", 0, "not valid JSON" },
		{ "[1] // x", 0, "not valid JSON" },
		{ "/**/[1]", 0, "not valid JSON" },
		{ "[01]", 0, "not valid JSON" },
		{ "[+1]", 0, "not valid JSON" },
		{ "[1.]", 0, "not valid JSON" },
		{ "[-]", 0, "not valid JSON" },
		{ "[NaN]", 0, "not valid JSON" },
		{ "[\"\\x\"]", 0, "not valid JSON" },
		{ "[\"\\u12g4\"]", 0, "not valid JSON" },
		{ "[\"a\nb\"]", 0, "not valid JSON" },
		{ "[\"\xff\"]", 0, "not valid JSON" },
		{ "[\"\xc3\"]", 0, "not valid JSON" },
		{ "{\"\xfe\":1}", 0, "not valid JSON" },
		{ "\xef\xbb\xbf{}", 0, "not valid JSON" },
		{ "\0", 1, "not valid JSON" },
		{ "{}\0", 3, "not valid JSON" },
		{ "[\"a\0b\"]", 7, "not valid JSON" },
		{ "[\"a\\u0000b\"]", 0, "NUL" },
		{ "[\"\\u0000\"]", 0, "NUL" },
		{ "{\"a\\u0000\":1}", 0, "NUL" },
		{ "{\"a\":1,\"b\":2,\"a\":1}", 0, "the key 'a' is there twice" },
		{ "{\"a\":1,\"\\u0061\":1}", 0, "the key 'a' is there twice" },
		{ "[{\"x\":{\"\":1,\"\":1}}]", 0, "the key '' is there twice" },
		{ "{\"a\\nb\":1,\"a\\nb\":1}", 0, "the key 'a\\x0ab' is there twice" },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct json_doc *doc = NULL;
		struct error err;
		size_t size = bad[i].size ? bad[i].size : strlen(bad[i].text);
		int r = parse(bad[i].text, size, &doc, &err);

		is_int(r, -EINVAL, "bad document %zu", i);
		ok(!doc && err.code == r && *err.text && strstr(err.text, bad[i].why),
			"says so: %s", err.text);
	}
	is_int(json_parse("{", 1, &(struct json_doc *){ NULL }, NULL), -EINVAL,
		"nobody needs the message");
}

/* The same name is a duplicate in one object only. */
static void test_same_names(void)
{
	cleanup(json_free) struct json_doc *doc = NULL;

	is_int(parse_root("{\"a\":{\"a\":[{\"a\":1},{\"a\":2}],\"b\":0},\"b\":{\"a\":3}}", &doc)
			->type,
		JSON_OBJECT, "the same name in several objects");
}

/* OPEN again and again, then CLOSE as often. */
static char *nested(unsigned depth, const char *opening, const char *closing)
{
	char *text = calloc(1, depth * (strlen(opening) + strlen(closing)) + 2);
	char *at = text;

	for (unsigned i = 0; i < depth; i++)
		at = stpcpy(at, opening);
	at = stpcpy(at, "1");
	for (unsigned i = 0; i < depth; i++)
		at = stpcpy(at, closing);
	return text;
}

static int parse_nested(unsigned depth, const char *opening, const char *closing, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	autofree char *text = nested(depth, opening, closing);

	return parse(text, strlen(text), &doc, err);
}

static void test_depth(void)
{
	struct error err;

	is_int(parse_nested(JSON_DEPTH_MAX, "[", "]", &err), 0, "arrays as deep as can be");
	is_int(parse_nested(JSON_DEPTH_MAX + 1, "[", "]", &err), -E2BIG, "one deeper");
	ok(strstr(err.text, "nested more than 64 levels"), "says so: %s", err.text);
	is_int(parse_nested(JSON_DEPTH_MAX, "{\"a\":", "}", &err), 0, "objects as deep");
	is_int(parse_nested(JSON_DEPTH_MAX + 1, "{\"a\":", "}", &err), -E2BIG, "one deeper");
	is_int(parse_nested(JSON_DEPTH_MAX / 2, "[{\"a\":", "}]", &err), 0, "both together");
	is_int(parse_nested(JSON_DEPTH_MAX / 2 + 1, "[{\"a\":", "}]", &err), -E2BIG, "deeper");
	is_int(parse_nested(100000, "[", "]", &err), -E2BIG, "very deep");
}

/* An object or array of so many members. */
static int parse_members(unsigned count, bool object, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	autofree char *text = calloc(count + 2, 16);
	char *at = stpcpy(text, object ? "{" : "[");

	for (unsigned i = 0; i < count; i++)
		at += object ? sprintf(at, "%s\"%u\":%u", i ? "," : "", i, i)
			     : sprintf(at, "%s%u", i ? "," : "", i);
	strcpy(at, object ? "}" : "]");
	return parse(text, strlen(text), &doc, err);
}

static void test_sizes(void)
{
	enum { LENGTH = 100000 };
	cleanup(json_free) struct json_doc *doc = NULL;
	autofree char *text = calloc(1, LENGTH + 5);
	const struct json *root;
	struct error err;

	is_int(parse_members(JSON_MEMBERS_MAX, true, &err), 0, "as many members as can be");
	is_int(parse_members(JSON_MEMBERS_MAX + 1, true, &err), -E2BIG, "one more");
	ok(strstr(err.text, "more than 4096 members"), "says so: %s", err.text);
	is_int(parse_members(3 * JSON_MEMBERS_MAX, false, &err), 0, "an array may have more");
	text[0] = '[';
	memset(text + 1, 'x', LENGTH + 2);
	text[1] = text[LENGTH + 2] = '"';
	text[LENGTH + 3] = ']';
	root = parse_root(text, &doc);
	ok(root->child && strlen(root->child->text) == LENGTH &&
			!strncmp(root->child->text, text + 2, LENGTH),
		"a long string is whole");
}

static void test_expect(void)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	const struct json *root = parse_root("[null,true,1,\"x\",[],{}]", &doc);
	static const char *const words[] = { "null", "true or false", "a number", "a string",
		"an array", "an object" };
	enum json_type type = JSON_NULL;

	json_for_each (value, root) {
		for (enum json_type other = JSON_NULL; other <= JSON_OBJECT; other++) {
			char expected[128] = "";
			struct error err = { 0 };
			int r = json_expect(value, other, "here", &err);

			is_int(r, other == type ? 0 : -EINVAL, "%s: %s is expected", words[type],
				words[other]);
			if (other != type)
				snprintf(expected, sizeof(expected), "here: must be %s, not %s",
					words[other], words[type]);
			is_str(err.text, expected, "the line");
		}
		type++;
	}
}

static void test_check_keys(void)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	const struct json *root = parse_root("{\"a\":1,\"bc\":2}", &doc);
	struct error err = { 0 };

	is_int(json_check_keys(root, (const char *const[]){ "x", "bc", "a", NULL }, "", &err), 0,
		"all keys are known");
	is_int(json_check_keys(root, (const char *const[]){ "a", "b", NULL }, "", &err), -EINVAL,
		"one is not");
	is_str(err.text, "unknown key 'bc'", "it is named");
	is_int(json_check_keys(root, (const char *const[]){ NULL }, "subnets[0]", &err), -EINVAL,
		"none is");
	is_str(err.text, "subnets[0]: unknown key 'a'", "the first is named, and where");
}

static void test_get_uint(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		int code;
		uint64_t number;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "1", 0, -ERANGE, 0 },
		{ "4094", 4094, 0, 4094 },
		{ "4095", 4094, -ERANGE, 0 },
		{ "40940", 4094, -ERANGE, 0 },
		{ "9", 5, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "18446744073709551617", 10, -ERANGE, 0 },
		{ "99999999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "-0", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "1.0", 10, -EINVAL, 0 },
		{ "1e0", 10, -EINVAL, 0 },
		{ "\"1\"", 10, -EINVAL, 0 },
		{ "null", 10, -EINVAL, 0 },
		{ "true", 10, -EINVAL, 0 },
		{ "[1]", 10, -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		cleanup(json_free) struct json_doc *doc = NULL;
		uint64_t number = 12345;
		struct error err = { 0 };
		int r = json_get_uint(
			parse_root(cases[i].text, &doc), cases[i].max, "vlan", &number, &err);

		is_int(r, cases[i].code, "%s of at most %llu", cases[i].text,
			(unsigned long long)cases[i].max);
		ok(number == (r == 0 ? cases[i].number : 12345), "its value, or untouched");
		ok((r == 0 && !*err.text) || !strncmp(err.text, "vlan: ", 6), "its place: %s",
			err.text);
	}
}

static void test_writer(void)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);
	const char *text = NULL;
	size_t size = 0;

	json_open_object(writer, NULL);
	json_put_string(writer, "s", "a\"\\\n\x01\x7f\xc3\xa4/");
	json_put_uint(writer, "max", UINT64_MAX);
	json_put_uint(writer, "zero", 0);
	json_put_number(writer, "n", "-1.5e3");
	json_put_bool(writer, "t", true);
	json_put_bool(writer, "f", false);
	json_open_array(writer, "l");
	json_put_string(writer, NULL, "");
	json_put_uint(writer, NULL, 1);
	json_open_object(writer, NULL);
	json_close_object(writer);
	json_close_array(writer);
	json_open_object(writer, "o");
	json_put_string(writer, "", "x");
	json_close_object(writer);
	json_close_object(writer);
	is_int(json_writer_text(writer, &text, &size, NULL), 0, "a document");
	is_str(text,
		"{\"s\":\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa4/\",\"max\":18446744073709551615,\"zero\":0,"
		"\"n\":-1.5e3,\"t\":true,\"f\":false,\"l\":[\"\",1,{}],\"o\":{\"\":\"x\"}}",
		"its text");
	is_int(size, strlen(text ? text : ""), "its size");
}

static void test_writer_pretty(void)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(true);
	const char *text = NULL;
	size_t size = 0;

	json_open_object(writer, NULL);
	json_open_array(writer, "l");
	json_put_uint(writer, NULL, 1);
	json_close_array(writer);
	json_put_bool(writer, "b", true);
	json_close_object(writer);
	is_int(json_writer_text(writer, &text, &size, NULL), 0, "a document on many lines");
	is_str(text, "{\n    \"l\": [\n        1\n    ],\n    \"b\": true\n}\n", "its text");
}

/* Every string that is UTF-8 comes back as it was. */
static void test_round_trip(void)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);
	cleanup(json_free) struct json_doc *doc = NULL;
	char all[256] = "\xe2\x82\xac\xf0\x9f\x90\xb3";
	const char *text = NULL;
	size_t size = 0;
	struct error err;

	for (char c = 1; c < 0x7f; c++)
		strncat(all, &c, 1);
	json_open_array(writer, NULL);
	json_put_string(writer, NULL, all);
	json_close_array(writer);
	json_writer_text(writer, &text, &size, NULL);
	is_int(parse(text, size, &doc, &err), 0, "what is written can be read");
	if (doc)
		is_str(json_root(doc)->child->text, all, "and is the same");
}

static void test_writer_bad(void)
{
	static const char *const bad[] = { "\xff", "a\xc3", "\x80", "\xe2\x82", "\xf0\x9f\x90" };
	const char *text = "untouched";
	size_t size = 7;

	for (size_t i = 0; i < COUNT(bad) * 2; i++) {
		cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);
		struct error err = { 0 };

		json_open_object(writer, NULL);
		json_put_string(writer, i % 2 ? bad[i / 2] : "key", i % 2 ? "x" : bad[i / 2]);
		json_put_string(writer, "after", "x");
		json_close_object(writer);
		is_int(json_writer_text(writer, &text, &size, &err), -EINVAL, "bad UTF-8 in a %s",
			i % 2 ? "key" : "value");
		is_str(err.text, "a string is not valid UTF-8", "the line");
		ok(!strcmp(text, "untouched") && size == 7, "nothing is returned");
	}
	cleanup(json_writer_free) struct json_writer *nameless = json_writer_new(false);

	json_open_object(nameless, NULL);
	json_put_uint(nameless, NULL, 1);
	is_int(json_writer_text(nameless, &text, &size, NULL), -EINVAL, "a member without a name");
	json_writer_free(&(struct json_writer *){ NULL });
}

int main(void)
{
	test_tree();
	test_roots();
	test_bad();
	test_same_names();
	test_depth();
	test_sizes();
	test_expect();
	test_check_keys();
	test_get_uint();
	test_writer();
	test_writer_pretty();
	test_round_trip();
	test_writer_bad();
	return tap_done();
}
