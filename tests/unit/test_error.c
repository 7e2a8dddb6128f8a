// SPDX-License-Identifier: MIT
/*
 * schema/error.c: always one printable line that fits, whatever a message quotes.
 */
#include "schema/error.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/tap.h"

static void test_set(void)
{
	struct error err = { .code = -1, .text = "before" };

	is_int(error_set(&err, -EINVAL, "key '%s' has %d", "k", 7), -EINVAL, "the code comes back");
	is_int(err.code, -EINVAL, "and is kept");
	is_str(err.text, "key 'k' has 7", "the message is formatted");
	is_int(error_set(&err, -ERANGE, "%s", ""), -ERANGE, "an empty message");
	is_str(err.text, "", "replaces the one before");
	is_int(error_set(NULL, -EPERM, "%d", 1), -EPERM, "nobody needs to want it");
}

static void test_errno(void)
{
	char expected[128];
	struct error err = { 0 };

	errno = ENOENT;
	is_int(error_set_errno(&err, "cannot open '%s'", "f"), -ENOENT, "errno comes back");
	is_int(err.code, -ENOENT, "and is kept");
	snprintf(expected, sizeof(expected), "cannot open 'f': %s", strerror(ENOENT));
	is_str(err.text, expected, "the system's words stand behind the message");
	errno = EBUSY;
	is_int(error_set_errno(NULL, "x"), -EBUSY, "nobody needs to want it");
}

static void test_prefix(void)
{
	struct error err = { 0 };

	error_set(&err, -EEXIST, "inner");
	is_int(error_prefix(&err, "middle %d", 1), -EEXIST, "the code comes back");
	is_int(error_prefix(&err, "%s", "outer"), -EEXIST, "twice");
	is_int(err.code, -EEXIST, "and is kept");
	is_str(err.text, "outer: middle 1: inner", "contexts stand outermost first");
	is_int(error_prefix(NULL, "x"), -EINVAL, "nobody needs to want it");
	error_set(&err, -EINVAL, "a");
	error_prefix(&err, "<%s>", err.text);
	is_str(err.text, "<a>: a", "the context may quote the error itself");
}

static void test_printable(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "a\nb", "a\\x0ab" },
		{ "\r\t", "\\x0d\\x09" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "\x01\x1f\x7f", "\\x01\\x1f\\x7f" },
		{ " ~", " ~" },
		{ "\\x0a\\n", "\\x0a\\n" },
		{ "100%s%n", "100%s%n" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3" },
	};
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char prefixed[128];

		error_set(&err, -EINVAL, "%s", cases[i].text);
		is_str(err.text, cases[i].expected, "one line in a message");
		snprintf(
			prefixed, sizeof(prefixed), "%s: %s", cases[i].expected, cases[i].expected);
		error_prefix(&err, "%s", cases[i].text);
		is_str(err.text, prefixed, "one line in a context, and nothing escaped twice");
	}
}

/* What a cut line must be: the beginning of the whole one, then "...". */
static bool is_cut(const char *got, const char *whole)
{
	size_t length = strnlen(got, ERROR_TEXT_MAX);

	return length < ERROR_TEXT_MAX && length > 3 && !strcmp(got + length - 3, "...") &&
	       !strncmp(got, whole, length - 3);
}

/* Messages of all lengths around the limit, ending with what needs an escape. */
static void test_long(void)
{
	char text[ERROR_TEXT_MAX + 64];
	char escaped[sizeof(text) + 16];
	unsigned wrong = 0;
	struct error err = { 0 };

	for (size_t n = ERROR_TEXT_MAX - 32; n < sizeof(text) - 4; n++) {
		memset(text, 'a', n);
		strcpy(text + n, "\nb\n");
		snprintf(escaped, sizeof(escaped), "%.*s\\x0ab\\x0a", (int)n, text);
		error_set(&err, -EINVAL, "%s", text);
		if (strcmp(err.text, escaped) != 0)
			wrong += n + 9 < ERROR_TEXT_MAX - 4 || !is_cut(err.text, escaped);
		wrong += strchr(err.text, '\\') && !strstr(err.text, "\\x0a");
	}
	is_int(wrong, 0, "long lines are whole or cut with dots, never within an escape");
}

static void test_very_long(void)
{
	char text[4 * ERROR_TEXT_MAX];
	struct error err = { 0 };

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, -EINVAL, "%s", text);
	ok(strspn(err.text, "\\x0a.") == strlen(err.text) && strlen(err.text) < ERROR_TEXT_MAX,
		"a message that grows by its escapes is cut");
	memset(text, 'b', sizeof(text) - 1);
	error_set(&err, -EINVAL, "%s", text);
	ok(is_cut(err.text, text), "so is one that is four times too long");
	errno = EIO;
	is_int(error_set_errno(&err, "%s", text), -EIO, "errno is not lost with it");
	ok(is_cut(err.text, text), "it is cut too");
	error_set(&err, -EINVAL, "short");
	error_prefix(&err, "%s", text);
	ok(is_cut(err.text, text), "and a context");
	for (unsigned i = 0; i < 1000; i++)
		error_prefix(&err, "level %u", i);
	ok(!strncmp(err.text, "level 999: level 998: ", 22) && strlen(err.text) < ERROR_TEXT_MAX,
		"a thousand contexts: the outermost stay");
}

/* Only what is UTF-8 and prints stays as it is. */
static void test_utf8(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\x9b[2J", "\\x9b[2J" },	       /* CSI in one byte */
		{ "\xc2\x9b[2J", "\\xc2\\x9b[2J" },    /* and as UTF-8 */
		{ "\xc0\xaf", "\\xc0\\xaf" },	       /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xe2\x82", "\\xe2\\x82" },	       /* cut short */
		{ "\xff", "\\xff" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err;

		error_set(&err, -EINVAL, "%s", cases[i].text);
		is_str(err.text, cases[i].expected, "case %u of UTF-8", i);
	}
}

int main(void)
{
	test_set();
	test_errno();
	test_prefix();
	test_printable();
	test_long();
	test_very_long();
	test_utf8();
	return tap_done();
}
