// SPDX-License-Identifier: MIT
/*
 * schema/ip.c: text to value and back, and the arithmetic at its edges: /0, /31, /32, /127, /128.
 */
#include "schema/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "schema/error.h"
#include "tests/unit/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An address that must be one. */
static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	if (ip_parse(text, &ip, NULL) < 0)
		ok(false, "'%s' is no address", text);
	return ip;
}

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr = { 0 };

	if (cidr_parse(text, &cidr, NULL) < 0)
		ok(false, "'%s' is not ADDRESS/LENGTH", text);
	return cidr;
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		const char *canonical;
		sa_family_t family;
	} good[] = {
		{ "0.0.0.0", "0.0.0.0", AF_INET },
		{ "10.1.2.255", "10.1.2.255", AF_INET },
		{ "255.255.255.255", "255.255.255.255", AF_INET },
		{ "::", "::", AF_INET6 },
		{ "::1", "::1", AF_INET6 },
		{ "FD00:0:0::00AB", "fd00::ab", AF_INET6 },
		{ "2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1", AF_INET6 },
		{ "fd00::10.0.0.1", "fd00::a00:1", AF_INET6 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6 },
	};

	for (size_t i = 0; i < COUNT(good); i++) {
		struct error err = { 0 };
		struct ip ip = { .bytes = {
					 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
		char text[IP_TEXT];

		is_int(ip_parse(good[i].text, &ip, &err), 0, "%s", good[i].text);
		is_int(ip.family, good[i].family, "its family");
		ok(ip_format(&ip, text) == text, "is written");
		is_str(text, good[i].canonical, "in canonical form");
		for (unsigned b = ip_bits(ip.family) / 8; b < sizeof(ip.bytes); b++)
			is_int(ip.bytes[b], 0, "byte %u is zero", b);
	}
}

static void test_parse_bad(void)
{
	static const char *const bad[] = { "", " ", "10", "10.0", "10.0.0", "10.0.0.0.0",
		"10.0.0.256", "10.0.0.-1", "10.0.0.01", "010.0.0.1", "0x0a.0.0.1", "10.0.0.1 ",
		" 10.0.0.1", "10.0.0.1\n", "10.0.0.1/24", "10..0.1", "10.0.0.", "1e1.0.0.1",
		"\xd9\xa1.0.0.1", "localhost", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1::2::3", "12345::", "g::", "fe80::1%eth0", "[::1]", "::1/64", "::ffff:10.0.0.1",
		"::ffff:a00:1", "0:0:0:0:0:FFFF::", "%s%n", "\x1b[2J" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ip ip = { .family = 99 };
		struct error err = { 0 };

		is_int(ip_parse(bad[i], &ip, &err), -EINVAL, "bad address %zu", i);
		ok(ip.family == 99 && err.code == -EINVAL && *err.text,
			"with a line, and nothing is returned: %s", err.text);
	}
	is_int(ip_parse("x", &(struct ip){ 0 }, NULL), -EINVAL, "nobody needs the message");
}

static void test_format(void)
{
	char text[CIDR_TEXT] = "before";

	is_str(ip_format(&(struct ip){ 0 }, text), "", "no address is no text");
	is_str(cidr_format(&(struct cidr){ .ip = ip_of("10.0.0.4"), .len = 32 }, text),
		"10.0.0.4/32", "an IPv4 address with its prefix length");
	is_str(cidr_format(&(struct cidr){ .ip = ip_of("1111:2222:3333:4444:5555:6666:7777:8888"),
				   .len = 128 },
		       text),
		"1111:2222:3333:4444:5555:6666:7777:8888/128", "the longest");
	ok(ip_bits(AF_INET) == 32 && ip_bits(AF_INET6) == 128, "the lengths of addresses");
}

static void test_values(void)
{
	static const char *const texts[] = { "0.0.0.0", "1.2.3.4", "255.255.255.255",
		"::", "1:2:3:4:5:6:7:8", "8000::", "::8000:0:0:0", "::1:0:0:0:0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	const struct ip v4 = ip_of("1.2.3.4");
	const struct ip v6 = ip_of("0102:0304:0506:0708:090a:0b0c:0d0e:0f10");
	struct ip ip;

	ok(ip_to_value(&v4) == 0x01020304, "an IPv4 address as a number");
	ok(ip_to_value(&v6) == ((ip_value)0x0102030405060708 << 64 | 0x090a0b0c0d0e0f10),
		"an IPv6 address as a number");
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct ip back;

		ip = ip_of(texts[i]);
		back = ip_from_value(ip.family, ip_to_value(&ip));
		ok(ip_equal(&ip, &back), "%s to its number and back", texts[i]);
	}
	ip = ip_of("::ffff:ffff:ffff:ffff");
	ip = ip_from_value(AF_INET6, ip_to_value(&ip) + 1);
	ok(ip_equal(&ip, &(struct ip){ AF_INET6, { [7] = 1 } }), "a carry from the lower 64 bits");
	ip = ip_from_value(AF_INET, (ip_value)1 << 32 | 5);
	ok(ip_equal(&ip, &(struct ip){ AF_INET, { [3] = 5 } }), "IPv4 has 32 bits and no more");
}

static void test_equal(void)
{
	const struct ip a = ip_of("10.0.0.1");
	const struct ip b = ip_of("10.0.0.2");
	const struct ip same_bytes = { AF_INET6, { 10, 0, 0, 1 } };

	ok(ip_equal(&a, &(struct ip){ AF_INET, { 10, 0, 0, 1 } }), "the same address");
	ok(!ip_equal(&a, &b), "another");
	ok(!ip_equal(&a, &same_bytes), "another family with the same bytes");
}

static void test_assignable(void)
{
	static const char *const yes[] = { "1.0.0.0", "10.0.0.1", "126.255.255.255", "128.0.0.0",
		"169.254.0.1", "192.168.1.255", "223.255.255.255", "::2", "2001:db8::1", "fd00::1",
		"fe7f::1", "fec0::1", "feff::1" };
	static const char *const no[] = { "0.0.0.0", "0.255.255.255", "127.0.0.1",
		"127.255.255.255", "224.0.0.0", "239.1.1.1", "240.0.0.0", "255.255.255.255",
		"::", "::1", "fe80::", "fe80::1", "febf:ffff::1", "ff00::", "ff02::1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };

	for (size_t i = 0; i < COUNT(yes); i++) {
		const struct ip ip = ip_of(yes[i]);

		ok(ip_is_assignable(&ip), "%s can be given", yes[i]);
	}
	for (size_t i = 0; i < COUNT(no); i++) {
		const struct ip ip = ip_of(no[i]);

		ok(!ip_is_assignable(&ip), "%s cannot", no[i]);
	}
	ok(!ip_is_assignable(&(struct ip){ 0 }), "nor can none");
	ok(ip_is_link_local(&(struct ip){ AF_INET6, { 0xfe, 0xbf } }), "febf:: is link-local");
	ok(!ip_is_link_local(&(struct ip){ AF_INET6, { 0xfe, 0xc0 } }), "fec0:: is not");
	ok(!ip_is_link_local(&(struct ip){ AF_INET, { 0xfe, 0x80 } }), "nor is any of IPv4");
}

static void test_cidr_parse(void)
{
	static const char *const good[] = { "10.0.0.4/24", "0.0.0.0/0", "10.0.0.4/31",
		"10.0.0.4/32", "::/0", "fd00::4/64", "fd00::4/127", "fd00::4/128",
		"1111:2222:3333:4444:5555:6666:7777:8888/99" };
	static const char *const bad[] = { "", "/", "/24", "10.0.0.4", "10.0.0.4/", "10.0.0.4/33",
		"10.0.0.4/-1", "10.0.0.4/+1", "10.0.0.4/ 1", "10.0.0.4/1 ", "10.0.0.4/01",
		"10.0.0.4/00", "10.0.0.4/0x8", "10.0.0.4/24/24", "10.0.0.4/255.255.255.0",
		"10.0.0.4/256", "10.0.0.4/4294967320", "10.0.0.4/18446744073709551640", "10.0.0/24",
		"fd00::/129", "fd00::/1000", "::ffff:10.0.0.0/104", "10.0.0.4 /24",
		"1111:2222:3333:4444:5555:6666:7777:88888/64",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64",
		"00000:0000:0000:0000:0000:0000:255.255.255.255/64",
		"00000:0000:0000:0000:0000:0000:255.255.255.255/",
		"//////////////////////////////////////////////////////////" };

	for (size_t i = 0; i < COUNT(good); i++) {
		struct cidr cidr = { 0 };
		char text[CIDR_TEXT];

		is_int(cidr_parse(good[i], &cidr, NULL), 0, "%s", good[i]);
		is_str(cidr_format(&cidr, text), good[i], "and back");
	}
	is_int(cidr_parse("0000:0000:0000:0000:0000:0000:255.255.255.255/64", &(struct cidr){ 0 },
		       NULL),
		0, "the longest address");
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct cidr cidr = { .len = 99 };
		struct error err = { 0 };

		is_int(cidr_parse(bad[i], &cidr, &err), -EINVAL, "bad: '%s'", bad[i]);
		ok(cidr.len == 99 && err.code == -EINVAL && *err.text,
			"with a line, and nothing is returned: %s", err.text);
	}
}

static void test_cidr_subnet(void)
{
	static const struct {
		const char *text;
		const char *meant; /* NULL: it is a subnet */
	} cases[] = {
		{ "0.0.0.0/0", NULL },
		{ "10.0.0.4/30", NULL },
		{ "10.0.0.5/32", NULL },
		{ "::/0", NULL },
		{ "8000::/1", NULL },
		{ "fd00::5/128", NULL },
		{ "10.0.0.4/24", "10.0.0.0/24" },
		{ "10.0.0.5/31", "10.0.0.4/31" },
		{ "128.0.0.0/0", "0.0.0.0/0" },
		{ "fd00::5/127", "fd00::4/127" },
		{ "fd00:0:0:1:8000::/64", "fd00:0:0:1::/64" },
		{ "8000::/0", "::/0" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *meant = cases[i].meant;
		struct cidr cidr = { .len = 99 };
		struct error err = { 0 };

		is_int(cidr_parse_subnet(cases[i].text, &cidr, &err), meant ? -EINVAL : 0, "%s %s",
			cases[i].text, meant ? "is not a subnet" : "is a subnet");
		ok(meant ? cidr.len == 99 && strstr(err.text, meant) != NULL : cidr.len != 99,
			"and what was meant: %s", err.text);
	}
	is_int(cidr_parse_subnet("x/1", &(struct cidr){ 0 }, NULL), -EINVAL, "no address at all");
}

static void test_first_last(void)
{
	static const struct {
		const char *cidr, *first, *last;
	} cases[] = {
		{ "10.0.0.77/24", "10.0.0.0", "10.0.0.255" },
		{ "10.0.0.77/0", "0.0.0.0", "255.255.255.255" },
		{ "10.0.0.77/1", "0.0.0.0", "127.255.255.255" },
		{ "10.0.0.77/31", "10.0.0.76", "10.0.0.77" },
		{ "10.0.0.77/32", "10.0.0.77", "10.0.0.77" },
		{ "fd00::1/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "fd00::1/1", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "fd00:1:2:3:4:5:6:7/63", "fd00:1:2:2::", "fd00:1:2:3:ffff:ffff:ffff:ffff" },
		{ "fd00:1:2:3:4:5:6:7/64", "fd00:1:2:3::", "fd00:1:2:3:ffff:ffff:ffff:ffff" },
		{ "fd00:1:2:3:4:5:6:7/65", "fd00:1:2:3::", "fd00:1:2:3:7fff:ffff:ffff:ffff" },
		{ "fd00::5/127", "fd00::4", "fd00::5" },
		{ "fd00::5/128", "fd00::5", "fd00::5" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cidr cidr = cidr_of(cases[i].cidr);
		const struct cidr subnet = cidr_subnet(&cidr);
		const struct ip first = cidr_first(&cidr);
		const struct ip last = cidr_last(&cidr);
		char text[IP_TEXT];

		is_str(ip_format(&first, text), cases[i].first, "the first of %s", cases[i].cidr);
		is_str(ip_format(&last, text), cases[i].last, "the last of %s", cases[i].cidr);
		ok(ip_equal(&subnet.ip, &first) && subnet.len == cidr.len, "its subnet");
	}
}

static void test_contains(void)
{
	static const struct {
		const char *a, *b;
		bool contains, overlaps;
	} cases[] = {
		{ "10.0.0.0/24", "10.0.0.0/32", true, true },
		{ "10.0.0.0/24", "10.0.0.255/32", true, true },
		{ "10.0.0.0/24", "10.0.1.0/32", false, false },
		{ "10.0.0.0/24", "9.255.255.255/32", false, false },
		{ "10.0.0.0/31", "10.0.0.1/32", true, true },
		{ "10.0.0.0/31", "10.0.0.2/31", false, false },
		{ "10.0.0.1/32", "10.0.0.1/32", true, true },
		{ "10.0.0.1/32", "10.0.0.0/31", false, true },
		{ "10.0.1.0/24", "10.0.0.0/16", false, true },
		{ "0.0.0.0/0", "255.255.255.255/32", true, true },
		{ "0.0.0.0/0", "::/0", false, false },
		{ "::/0", "0.0.0.0/0", false, false },
		{ "::/0", "ffff::/16", true, true },
		{ "fd00::/64", "fd00::ffff:ffff:ffff:ffff/128", true, true },
		{ "fd00::/64", "fd00:0:0:1::/64", false, false },
		{ "fd00::/127", "fd00::1/128", true, true },
		{ "fd00::/127", "fd00::2/127", false, false },
		{ "fd00::1/128", "fd00::1/128", true, true },
		{ "fd00::1/128", "fd00::/128", false, false },
		{ "a00::/8", "10.0.0.0/8", false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cidr a = cidr_of(cases[i].a);
		const struct cidr b = cidr_of(cases[i].b);

		is_int(cidr_contains(&a, &b.ip), cases[i].contains, "%s contains the address of %s",
			cases[i].a, cases[i].b);
		is_int(cidr_overlaps(&a, &b), cases[i].overlaps, "they overlap");
		is_int(cidr_overlaps(&b, &a), cases[i].overlaps, "both ways");
	}
}

static void test_reserves(void)
{
	static const struct {
		const char *subnet, *ip;
		bool reserved;
	} cases[] = {
		{ "10.0.0.0/24", "10.0.0.0", true },
		{ "10.0.0.0/24", "10.0.0.1", false },
		{ "10.0.0.0/24", "10.0.0.254", false },
		{ "10.0.0.0/24", "10.0.0.255", true },
		{ "10.0.0.0/16", "10.0.0.255", false },
		{ "10.0.0.0/16", "10.0.1.0", false },
		{ "10.0.0.4/30", "10.0.0.4", true },
		{ "10.0.0.4/30", "10.0.0.5", false },
		{ "10.0.0.4/30", "10.0.0.7", true },
		{ "10.0.0.4/31", "10.0.0.4", false },
		{ "10.0.0.4/31", "10.0.0.5", false },
		{ "10.0.0.4/32", "10.0.0.4", false },
		{ "0.0.0.0/0", "0.0.0.0", true },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "10.0.0.0", false },
		{ "fd00::/64", "fd00::", true },
		{ "fd00::/64", "fd00::1", false },
		{ "fd00::/64", "fd00::ffff:ffff:ffff:ffff", false },
		{ "fd00::4/126", "fd00::4", true },
		{ "fd00::4/126", "fd00::7", false },
		{ "fd00::4/127", "fd00::4", false },
		{ "fd00::4/127", "fd00::5", false },
		{ "fd00::4/128", "fd00::4", false },
		{ "::/0", "::", true },
		{ "::/0", "fd00::", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cidr subnet = cidr_of(cases[i].subnet);
		const struct ip ip = ip_of(cases[i].ip);

		is_int(cidr_reserves(&subnet, &ip), cases[i].reserved, "%s %s %s", cases[i].subnet,
			cases[i].reserved ? "reserves" : "does not reserve", cases[i].ip);
	}
}

static void test_mac(void)
{
	static const struct {
		const char *text, *canonical;
	} good[] = {
		{ "02:42:ac:11:00:02", "02:42:ac:11:00:02" },
		{ "FE:DC:BA:98:76:54", "fe:dc:ba:98:76:54" },
		{ "0a-1B-2c-3D-4e-5F", "0a:1b:2c:3d:4e:5f" },
		{ "00:00:00:00:00:01", "00:00:00:00:00:01" },
		{ "fe:ff:ff:ff:ff:ff", "fe:ff:ff:ff:ff:ff" },
	};
	uint8_t mac[MAC_SIZE] = { 0 };
	char text[MAC_TEXT];

	for (size_t i = 0; i < COUNT(good); i++) {
		is_int(mac_parse(good[i].text, mac, NULL), 0, "%s", good[i].text);
		ok(mac_format(mac, text) == text, "is written");
		is_str(text, good[i].canonical, "with small letters and colons");
	}
	is_int(mac_parse("01:23:45:67:89:aB", mac, NULL), -EINVAL, "no multicast");
	is_int(mac_parse("00:23:45:67:89:aB", mac, NULL), 0, "every digit");
	ok(!memcmp(mac, "\x00\x23\x45\x67\x89\xab", MAC_SIZE), "has its value");
	is_int(mac_parse("cC:Dd:eE:fF:01:23", mac, NULL), 0, "and every letter");
	ok(!memcmp(mac, "\xcc\xdd\xee\xff\x01\x23", MAC_SIZE), "has its value");
}

static void test_mac_bad(void)
{
	static const char *const bad[] = { "", "0", "02", "02:42:ac:11:00", "02:42:ac:11:00:0",
		"02:42:ac:11:00:02:", "02:42:ac:11:00:023", "02:42:ac:11:00:02 ",
		" 2:42:ac:11:00:02", "+2:42:ac:11:00:02", "0x:42:ac:11:00:02", "02:42:ac:11:00:0g",
		"02:42:ac-11:00:02", "02-42:ac:11:00:02", "02:42:ac:11:00-02", "02.42.ac.11.00.02",
		"0242.ac11.0002ABC", "024:2:ac:11:00:02", "02::42ac:11:00:02", "02 42 ac 11 00 02",
		"02042:ac:11:00:02", "02a42aaca11a00a02", "02:42:ac:11:00:0\n",
		"02:42:ac:11:00:\xb2\xff",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"%s%s%s%s%s%s%s%s%", "01:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "03:42:ac:11:00:02",
		"00:00:00:00:00:00", "00-00-00-00-00-00" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t mac[MAC_SIZE] = { 1, 2, 3, 4, 5, 6 };
		struct error err = { 0 };

		is_int(mac_parse(bad[i], mac, &err), -EINVAL, "bad MAC %zu", i);
		ok(!memcmp(mac, "\1\2\3\4\5\6", MAC_SIZE) && err.code == -EINVAL && *err.text,
			"with a line, and nothing is returned: %s", err.text);
	}
}

/* Against inet_ntop(3): every pattern of zero groups, and of those that make it an IPv4 address. */
static void test_format_all(void)
{
	static const uint8_t values[][2] = { { 0, 0 }, { 0xff, 0xff }, { 0, 7 }, { 0x12, 0x30 } };
	char expected[INET6_ADDRSTRLEN];
	char text[IP_TEXT];
	unsigned wrong = 0;

	for (unsigned pattern = 0; pattern < 1U << 16; pattern++) {
		struct ip ip = { .family = AF_INET6 };

		for (unsigned i = 0; i < 8; i++)
			memcpy(ip.bytes + (size_t)(2 * i), values[pattern >> 2 * i & 3], 2);
		inet_ntop(AF_INET6, ip.bytes, expected, sizeof(expected));
		wrong += strcmp(ip_format(&ip, text), expected) != 0;
		ip.family = AF_INET;
		inet_ntop(AF_INET, ip.bytes, expected, sizeof(expected));
		wrong += strcmp(ip_format(&ip, text), expected) != 0;
	}
	is_int(wrong, 0, "65,536 addresses of each family are written as inet_ntop(3) does");
}

int main(void)
{
	test_format_all();
	test_parse();
	test_parse_bad();
	test_format();
	test_values();
	test_equal();
	test_assignable();
	test_cidr_parse();
	test_cidr_subnet();
	test_first_last();
	test_contains();
	test_reserves();
	test_mac();
	test_mac_bad();
	return tap_done();
}
