// SPDX-License-Identifier: MIT
/* schema/text.c against the C library's printf(3). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schema/text.h"
#include "tests/unit/tap.h"

static void test_join(void)
{
	char text[8];

	ok(text_join(text, sizeof(text), NULL) == text, "nothing");
	is_str(text, "", "is empty");
	is_str(text_join(text, sizeof(text), "ab", "", "c"), "abc", "three strings");
	is_str(text_join(text, sizeof(text), "1234", "567"), "1234567", "as much as fits");
	is_str(text_join(text, sizeof(text), "1234", "5678", "9"), "1234567", "too much");
	is_str(text_join(text, 1, "a"), "", "no room");
}

static void test_uint(void)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 65535, UINT32_MAX,
		UINT64_C(10000000000000000000), UINT64_MAX };
	char expected[32];
	char text[TEXT_UINT];

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(expected, sizeof(expected), "%" PRIu64, values[i]);
		is_str(text_uint(values[i], text), expected, "%s", expected);
	}
}

static void test_hex(void)
{
	static const unsigned values[] = { 0, 1, 0xf, 0x10, 0xab, 0x100, 0xffff, 0x12345,
		0xffffffff };
	char expected[32];
	char text[32];

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (int digits = 1; digits <= 4; digits++) {
			snprintf(expected, sizeof(expected), "%0*x", digits, values[i]);
			*text_put_hex(text, values[i], (unsigned)digits) = '\0';
			is_str(text, expected, "%s", expected);
		}
}

int main(void)
{
	test_join();
	test_uint();
	test_hex();
	return tap_done();
}
