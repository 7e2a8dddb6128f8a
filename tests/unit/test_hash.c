// SPDX-License-Identifier: MIT
/*
 * schema/hash.c against vectors of another implementation: Python's hashlib over the strings with a
 * NUL behind each, as in hashlib.sha256(b"ab\0c\0").hexdigest().
 */
#include "schema/hash.h"

#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "tests/unit/tap.h"

#define STRINGS_MAX 5

static void test_lists(void)
{
	static const struct {
		const char *strings[STRINGS_MAX];
		const char *hex;
	} lists[] = {
		{ { NULL }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ { "" }, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ { "", "" }, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7" },
		{ { "abc" }, "dc1114cd074914bd872cc1f9a23ec910ea2203bc79779ab2e17da25782a624fc" },
		{ { "ab", "c" },
			"629c2f14f654f026086f2aefe1855533d0897f49df86a19073be17b237361b09" },
		{ { "a", "bc" },
			"aa795aa4bbb6117911ef062e271bcb05ccfd58ea439da7d46a44e3a3fcefa790" },
		{ { "abc", "" },
			"0616290e0a45001015ac04f49716fbec564e5bd3301a9e8871c422ef5a691fc1" },
		{ { "", "abc" },
			"fd357b81c2fa2818e49c4627dcadcdb1667ddcc505621a675d6a02b6bcd195f3" },
		{ { "endpoint", "c1", "lan", "eth0" },
			"41c359a19346b010a3d91f028ee5ae480b8c0f08927c5105abc6c95948ae551b" },
		{ { "\xc3\xa4\xe2\x82\xac" },
			"1f0472ee80c1f535d6a248a719d739581aedcb69a007c4319b91ffec268ae898" },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char hex[HASH_HEX];

		ok(hash_strings_hex(lists[i].strings, hex) == hex, "list %zu", i);
		is_str(hex, lists[i].hex, "has this digest");
	}
}

/* A string of LENGTH times 'a': padding and blocks of all kinds. */
static void test_lengths(void)
{
	static const struct {
		size_t length;
		const char *hex;
	} lengths[] = {
		{ 1, "ffe9aaeaa2a2d5048174df0b80599ef0197ec024c4b051bc9860cff58ef7f9f3" },
		{ 54, "2a901cf2cb51c2e1ba621f03ade0fbb4e2d6c0f4168121612b7abec027294c20" },
		{ 55, "a67ae5729ad66f3ff35f3fdc16a95201f855a6dcaefcec78e86d711ccb08fe48" },
		{ 56, "f723aff5256fab4bd2e176328d6676b9418c0f67b087e20b981c79308c1f6fbe" },
		{ 62, "e4cfd7dcc4076ba9f56a1b7c3a5d9aed9fb94ee655d3a21008a86bbb2ec04ee0" },
		{ 63, "e273060a5481988f9efaa18997d080e0543f58f2ee5df896baa048cd05680c4f" },
		{ 64, "597756d4e75277b687fb68b19d52bffc45d496357a969f283d0678de21e9b0b4" },
		{ 65, "b96079c0ddb07e3d5e2249876d0005705ccc81fce395eb2d0d0e22b1bec81890" },
		{ 118, "8a78f16b02a22befc5e7b7979605bd7ddd8f52015892111af45c0aaa142cf2fe" },
		{ 119, "d142b674249ff719b06da8eaea9830b1fb80117f22ed9d30aaad9d60c5f11223" },
		{ 120, "fdd6af0eaac81debc1a0c3954bedab61c1ba1e0556f8d735f3d4d9e6722c97e6" },
		{ 126, "17038ff14410b4c1b9ad467a9fa5c447a1b37dfc814dd600d6365ffc3a710d11" },
		{ 127, "85bbe7d0b3f0e83383685b3dba9ad582998e0ab4864866e1549f4be0b2acd8d8" },
		{ 128, "506abb4ad8d6a2b6cadf74d59c8dc0fd566733130682b48c985af78d7d4ba0c5" },
		{ 1000, "8e047e94af2b183a25cfd0e46f0b77315a05232f5e92d60af255d1cd2066f965" },
		{ 999999, "1c27ef8401aa79ae828ed9aa2f9991a3340dfbbc829a032480d8709ded8080c9" },
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		autofree char *text = calloc(1, lengths[i].length + 1);
		char hex[HASH_HEX];

		memset(text, 'a', lengths[i].length);
		is_str(hash_strings_hex((const char *const[]){ text, NULL }, hex), lengths[i].hex,
			"%zu bytes and a NUL", lengths[i].length);
	}
}

/* Every byte value, so that none is taken for a negative number. */
static void test_bytes(void)
{
	char text[256] = "";
	char hex[HASH_HEX];

	for (unsigned i = 0; i < 255; i++)
		text[i] = (char)(unsigned char)(i + 1);
	is_str(hash_strings_hex((const char *const[]){ text, NULL }, hex),
		"9bc038d0a0fb391f3b33618dcf08b6553560ef0ae0f7ad557871598f27b7194b",
		"all bytes from 1 to 255");
}

static void test_forms(void)
{
	static const uint8_t abc[HASH_SIZE] = { 0xdc, 0x11, 0x14, 0xcd, 0x07, 0x49, 0x14, 0xbd,
		0x87, 0x2c, 0xc1, 0xf9, 0xa2, 0x3e, 0xc9, 0x10, 0xea, 0x22, 0x03, 0xbc, 0x79, 0x77,
		0x9a, 0xb2, 0xe1, 0x7d, 0xa2, 0x57, 0x82, 0xa6, 0x24, 0xfc };
	const char *const strings[] = { "abc", NULL };
	uint8_t digest[HASH_SIZE + 1];

	digest[HASH_SIZE] = 0x5a;
	hash_strings(strings, digest);
	ok(!memcmp(digest, abc, HASH_SIZE), "the digest as bytes");
	is_int(digest[HASH_SIZE], 0x5a, "no more than 32 of them");
	ok(hash_strings_u64(strings) == 0xdc1114cd074914bd, "its first 64 bits, the highest first");
	ok(hash_strings_u64(strings) == hash_strings_u64(strings), "always the same");
}

/* FNV-1a, from its authors' list of test vectors. */
static void test_quick(void)
{
	ok(hash_quick("") == 0xcbf29ce484222325, "nothing");
	ok(hash_quick("a") == 0xaf63dc4c8601ec8c, "a letter");
	ok(hash_quick("foobar") == 0x85944171f73967e8, "a word");
	ok(hash_quick("\xff") == 0xaf64724c8602eb6e, "a byte with its highest bit set");
	ok(hash_quick_strings((const char *const[]){ "ab", "c", NULL }) !=
			hash_quick_strings((const char *const[]){ "a", "bc", NULL }),
		"a list is more than its letters");
}

int main(void)
{
	test_lists();
	test_lengths();
	test_bytes();
	test_forms();
	test_quick();
	return tap_done();
}
