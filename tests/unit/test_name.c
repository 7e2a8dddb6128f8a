// SPDX-License-Identifier: MIT
/*
 * schema/name.c: what becomes a file name, a link's target or an interface.
 */
#include "schema/name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "schema/error.h"
#include "tests/unit/tap.h"

typedef int check_fn(const char *name, struct error *err);

static const struct kind {
	check_fn *check;
	size_t max;
	const char *what;
} kinds[] = {
	{ name_check_container_id, CONTAINER_ID_MAX, "container id" },
	{ name_check_container_name, CONTAINER_NAME_MAX, "container name" },
	{ name_check_network, NETWORK_NAME_MAX, "network name" },
	{ name_check_interface, INTERFACE_NAME_MAX, "interface name" },
	{ name_check_hostname, HOSTNAME_MAX, "host name" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void test_lengths(const struct kind *kind)
{
	char name[8192];
	struct error err = { 0 };

	is_int(kind->check("", &err), -EINVAL, "%s: not empty", kind->what);
	ok(strstr(err.text, "is empty"), "which it says: %s", err.text);
	is_int(kind->check("a", &err), 0, "one letter");
	memset(name, 'a', sizeof(name));
	name[kind->max] = '\0';
	is_int(kind->check(name, &err), 0, "the longest");
	name[kind->max] = 'a';
	name[kind->max + 1] = '\0';
	is_int(kind->check(name, &err), -ENAMETOOLONG, "one longer");
	is_int(err.code, -ENAMETOOLONG, "the error is filled");
	name[kind->max + 1] = 'a';
	name[sizeof(name) - 1] = '\0';
	is_int(kind->check(name, &err), -ENAMETOOLONG, "much longer");
	ok(!strncmp(err.text, kind->what, strlen(kind->what)) && strstr(err.text, "aaa") &&
			strlen(err.text) < 128,
		"in a short line: %s", err.text);
	is_int(kind->check("a/b", NULL), -EINVAL, "nobody needs to want the message");
}

/* What may stand at the ends, beside letters and digits, and within. */
struct bytes {
	const char *first;
	const char *last;
	const char *within;
};

/* What must hold for every byte, first, last and within. */
static void test_bytes(const struct kind *kind, const struct bytes *allowed)
{
	unsigned wrong = 0;

	for (unsigned c = 1; c < 256; c++) {
		const char byte = (char)(unsigned char)c;
		const char first[] = { byte, 'a', '\0' };
		const char last[] = { 'a', byte, '\0' };
		const char within[] = { 'a', byte, 'b', '\0' };
		bool word =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		wrong += (kind->check(first, NULL) == 0) != (word || strchr(allowed->first, byte));
		wrong += (kind->check(last, NULL) == 0) != (word || strchr(allowed->last, byte));
		wrong +=
			(kind->check(within, NULL) == 0) != (word || strchr(allowed->within, byte));
	}
	is_int(wrong, 0, "%s: every byte, at the beginning, the end and within", kind->what);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		int expected[KINDS]; /* as in kinds */
	} names[] = {
		{ ".", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "..", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "...", { 0, -EINVAL, -EINVAL, 0, -EINVAL } },
		{ ".hidden", { 0, -EINVAL, -EINVAL, 0, -EINVAL } },
		{ "-rf", { 0, -EINVAL, -EINVAL, 0, -EINVAL } },
		{ "_x", { 0, -EINVAL, -EINVAL, 0, -EINVAL } },
		{ "../x", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "x/..", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "/", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "eth%d", { 0, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "eth0:1", { 0, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "eth0.100", { 0, 0, 0, 0, 0 } },
		{ "eth0@if2", { 0, -EINVAL, -EINVAL, 0, -EINVAL } },
		{ "pod_a-b.c", { 0, 0, 0, 0, -EINVAL } },
		{ "gr\xc3\xbc\xc3\x9f", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ " a", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "a ", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
		{ "a-", { 0, 0, 0, 0, -EINVAL } },
		{ "a.", { 0, 0, 0, 0, -EINVAL } },
		{ "a-b.c", { 0, 0, 0, 0, 0 } },
		{ "1", { 0, 0, 0, 0, 0 } },
		{ "a\n", { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < KINDS; k++) {
			struct error err = { 0 };
			int r = kinds[k].check(names[i].name, &err);

			is_int(r, names[i].expected[k], "%s, name %zu", kinds[k].what, i);
			ok(err.code == r && (r == 0) == !*err.text && !strchr(err.text, '\n'),
				"with a line when it is refused: %s", err.text);
		}
}

int main(void)
{
	char id_bytes[128] = "";
	char interface_bytes[128] = "";

	for (char c = '!'; c < 0x7f; c++) {
		if (c != '/')
			strncat(id_bytes, &c, 1);
		if (c != '/' && c != ':' && c != '%')
			strncat(interface_bytes, &c, 1);
	}
	for (size_t k = 0; k < KINDS; k++)
		test_lengths(&kinds[k]);
	test_bytes(&kinds[0], &(struct bytes){ id_bytes, id_bytes, id_bytes });
	test_bytes(&kinds[1], &(struct bytes){ "", "_.-", "_.-" });
	test_bytes(&kinds[2], &(struct bytes){ "", "_.-", "_.-" });
	test_bytes(&kinds[3], &(struct bytes){ interface_bytes, interface_bytes, interface_bytes });
	test_bytes(&kinds[4], &(struct bytes){ "", "", ".-" });
	test_names();
	return tap_done();
}
