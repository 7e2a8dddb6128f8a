// SPDX-License-Identifier: MIT
/*
 * hook/dhcp_values.c: what a server says becomes a lease, and nothing of it that is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/dhcp_parts.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "tests/unit/tap.h"

/* Each line is a variable. */
static int read_values(const char *text, struct lease *ret, struct error *err)
{
	char *environment[64] = { NULL };
	autofree char *lines = strdup(text);
	char *rest = lines;

	for (unsigned n = 0; rest && n < 63; n++)
		environment[n] = strsep(&rest, "\n");
	return dhcp_values_read(environment, ret, err);
}

#define MASK "mask=24\nsubnet=255.255.255.0\n"
#define ADDRESS "ip=10.0.0.5\n" MASK

/* The lease as it would be saved, without its times. */
static const char *lease_of(const char *text)
{
	static char formatted[LEASE_FILE_MAX];
	autofree char *whole = NULL;
	struct error err = { 0 };
	struct lease lease;
	size_t size;
	int r = read_values(text, &lease, &err);

	is_int(r, 0, "%.40s...: %s", text, err.text);
	if (r < 0 || lease_format(&lease, &whole, &size, &err) < 0)
		return "";
	snprintf(formatted, sizeof(formatted), "%.*s",
		(int)(strstr(whole, ",\"obtained_ms\"") - whole), whole);
	return formatted;
}

/* The member KEY of the lease, as JSON. */
static void expect(const char *text, const char *key, const char *expected)
{
	char values[16 * 1024];
	char member[64];
	char got[LEASE_FILE_MAX] = "";
	const char *at;

	snprintf(values, sizeof(values), ADDRESS "%s", text);
	snprintf(member, sizeof(member), "\"%s\":", key);
	at = strstr(lease_of(values), member);
	if (at) {
		bool is_list = at[strlen(member)] == '[';

		at += strlen(member);
		snprintf(got, sizeof(got), "%.*s",
			(int)(is_list ? strcspn(at, "]") + 1 : strcspn(at, ",")), at);
	}
	is_str(got, expected, "%s", key);
}

static void expect_gateway(const char *text, const char *expected)
{
	char values[256];
	char gateway[IP_TEXT] = "";
	struct lease lease;

	snprintf(values, sizeof(values), ADDRESS "%s", text);
	is_int(read_values(values, &lease, NULL), 0, "%s", text);
	if (lease.config.gateway4.family)
		ip_format(&lease.config.gateway4, gateway);
	is_str(gateway, expected, "its gateway");
}

static void test_all(void)
{
	struct lease lease;
	uint64_t before = lease_now_ms();

	is_str(lease_of("interface=eth0\nip=10.0.0.5\nsubnet=255.255.255.0\nmask=24\n"
			"router=10.0.0.1 10.0.0.2\ndns=10.0.0.7 10.0.0.8\ndomain=lan\nmtu=1400\n"
			"lease=3600\nserverid=10.0.0.1"),
		"{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\",\"routes\":[],\"mtu\":1400,"
		"\"servers\":[\"10.0.0.7\",\"10.0.0.8\"],\"search\":[\"lan\"]",
		"all that a server says");
	read_values(ADDRESS "lease=3600\nserverid=10.0.0.1", &lease, NULL);
	ok(lease.is_bound && lease.obtained_ms >= before && lease.obtained_ms <= lease_now_ms(),
		"it is of this moment");
	is_int(lease.seconds, 3600, "for that long");
	ok(lease.server.family == AF_INET && lease.server.bytes[3] == 1, "by that server");
	is_str(lease_of(ADDRESS),
		"{\"address\":\"10.0.0.5/24\",\"routes\":[],\"servers\":[],\"search\":[]",
		"an address is enough");
	is_str(lease_of("xip=1\nip=10.0.0.5\nip=10.0.0.6\n" MASK "IP=10.0.0.7\nipx=1\nip"),
		"{\"address\":\"10.0.0.5/24\",\"routes\":[],\"servers\":[],\"search\":[]",
		"a name is the whole name, and the first counts");
}

static void refuse(const char *text, const char *why)
{
	struct lease lease;
	struct error err = { 0 };

	is_int(read_values(text, &lease, &err), -EINVAL, "%.40s is refused", text);
	ok(strstr(err.text, why), "says '%s': %s", why, err.text);
	ok(!lease.is_bound, "and is no lease");
}

static void test_address(void)
{
	static const char *const ips[] = { "", "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1",
		"255.255.255.255", "240.0.0.1", "10.0.0.256", "10.0.0", "10.0.0.5/24", " 10.0.0.5",
		"10.0.0.5 ", "10.0.0.5 10.0.0.6", "010.0.0.5", "0x0a.0.0.5", "2001:db8::5",
		"::ffff:10.0.0.5", "$(id)", "\x1b[0m", "\xff" };
	static const char *const masks[] = { "", "0", "33", "-1", "+24", "24 ", " 24", "0x18",
		"255.255.255.0", "24.0", "18446744073709551640", "a" };
	/* With holes, of another length, and none. */
	static const char *const subnets[] = { "mask=24",
		"mask=24\nsubnet=", "mask=16\nsubnet=255.0.255.0", "mask=24\nsubnet=0.255.255.255",
		"mask=24\nsubnet=255.255.0.0", "mask=1\nsubnet=0.0.0.1", "mask=24\nsubnet=/24",
		"mask=24\nsubnet=ffff:ff00::", "mask=24\nsubnet=255.255.255.0 ",
		"subnet=255.255.255.0" };
	char text[128];

	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		snprintf(text, sizeof(text), "ip=%s\n" MASK, ips[i]);
		refuse(text, "which no machine can have");
	}
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		snprintf(
			text, sizeof(text), "ip=10.0.0.5\nsubnet=255.255.255.0\nmask=%s", masks[i]);
		refuse(text, "with the netmask");
	}
	for (size_t i = 0; i < sizeof(subnets) / sizeof(subnets[0]); i++) {
		snprintf(text, sizeof(text), "ip=10.0.0.5\n%s", subnets[i]);
		refuse(text, "with the netmask");
	}
	refuse(MASK, "the address ''");
	refuse("ip=10.0.0.5", "netmask ''");
	refuse("", "the address ''");
	refuse("ip=10.0.0.0\n" MASK, "the subnet's own address");
	refuse("ip=10.0.0.255\n" MASK, "broadcast address");
	is_str(lease_of("ip=10.0.0.0\nmask=31\nsubnet=255.255.255.254"),
		"{\"address\":\"10.0.0.0/31\",\"routes\":[],\"servers\":[],\"search\":[]",
		"a /31 has neither");
	is_str(lease_of("ip=10.0.0.5\nmask=32\nsubnet=255.255.255.255\nrouter=10.0.0.1"),
		"{\"address\":\"10.0.0.5/32\",\"gateway\":\"10.0.0.1\",\"routes\":[],"
		"\"servers\":[],\"search\":[]",
		"a /32 with a router outside of it");
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} leases[] = { { "lease=0", 0 }, { "lease=1", 1 }, { "lease=4294967295", LEASE_FOR_EVER },
		{ "lease=4294967296", LEASE_FOR_EVER }, { "lease=-1", LEASE_FOR_EVER },
		{ "lease=", LEASE_FOR_EVER }, { "lease=60s", LEASE_FOR_EVER },
		{ "lease=99999999999999999999999", LEASE_FOR_EVER }, { "", LEASE_FOR_EVER } };
	char text[128];

	for (size_t i = 0; i < sizeof(leases) / sizeof(leases[0]); i++) {
		struct lease lease;

		snprintf(text, sizeof(text), ADDRESS "%s", leases[i].text);
		read_values(text, &lease, NULL);
		is_int(lease.seconds, leases[i].seconds, "'%s'", leases[i].text);
	}
	expect("mtu=576", "mtu", "576");
	expect("mtu=65535", "mtu", "65535");
	expect("mtu=575", "mtu", "");
	expect("mtu=0", "mtu", "");
	expect("mtu=65536", "mtu", "");
	expect("mtu=-1500", "mtu", "");
	expect("mtu=1500x", "mtu", "");
}

static void test_server(void)
{
	static const char *const none[] = { "serverid=0.0.0.0", "serverid=127.0.0.1",
		"serverid=", "serverid=::1", "serverid=router", "" };
	char text[64];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct lease lease;

		snprintf(text, sizeof(text), ADDRESS "%s", none[i]);
		read_values(text, &lease, NULL);
		is_int(lease.server.family, 0, "no server by '%s'", none[i]);
	}
}

static void test_router(void)
{
	expect_gateway("router=10.0.0.1", "10.0.0.1");
	expect_gateway("router=0.0.0.0 x 10.0.0.5 10.0.0.2", "10.0.0.2");
	expect_gateway("router=10.0.0.5", "");
	expect_gateway("router=", "");
	expect_gateway("router=2001:db8::1", "");
	expect_gateway("router=255.255.255.255 224.0.0.1 127.0.0.1", "");
}

static void test_static_routes(void)
{
	expect_gateway("router=10.0.0.1\nstaticroutes=0.0.0.0/0 10.0.0.9", "10.0.0.9");
	expect_gateway("router=10.0.0.1\nstaticroutes=10.9.0.0/16 10.0.0.9", "");
	expect_gateway("router=10.0.0.1\nstaticroutes=", "10.0.0.1");
	expect_gateway("router=10.0.0.1\nstaticroutes=x", "");
	expect_gateway("staticroutes=0.0.0.0/0 10.0.0.8 0.0.0.0/0 10.0.0.9", "10.0.0.8");
	expect("staticroutes=10.9.0.0/16 10.0.0.9 192.168.5.0/24 0.0.0.0", "routes",
		"[{\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.0.0.9\"},{\"dst\":\"192.168.5.0/24\"}]");
	/* What the kernel makes itself, what leads to the container, and pairs that are none. */
	expect("staticroutes=10.0.0.0/24 10.0.0.9", "routes", "[]");
	expect("staticroutes=10.9.0.0/16 10.0.0.5", "routes", "[]");
	expect("staticroutes=10.9.0.0/16", "routes", "[]");
	expect("staticroutes=10.9.0.0/33 10.0.0.1 2001:db8::/32 10.0.0.1 10.8.0.0/16 ::1", "routes",
		"[]");
	expect("staticroutes=127.0.0.0/8 10.0.0.9 127.0.0.1/32 10.0.0.9 224.0.0.0/4 10.0.0.9 "
	       "0.0.0.0/8 10.0.0.9 0.1.0.0/16 10.0.0.9 255.255.255.255/32 10.0.0.9",
		"routes", "[]");
	expect("staticroutes=0.0.0.0/1 10.0.0.9 128.0.0.0/1 10.0.0.9", "routes",
		"[{\"dst\":\"0.0.0.0/1\",\"gateway\":\"10.0.0.9\"},"
		"{\"dst\":\"128.0.0.0/1\",\"gateway\":\"10.0.0.9\"}]");
	expect("staticroutes=10.8.0.0 10.0.0.1 10.9.0.0/16\t 10.0.0.9", "routes",
		"[{\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.0.0.9\"}]");
}

/* "KEY=WORD WORD ...", N times. */
static const char *repeat(const char *key, unsigned n, const char *word)
{
	static char text[16 * 1024];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s=", key);

	for (unsigned i = 0; i < n && used < sizeof(text) - 1; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s", i ? " " : "", word);
	return text;
}

static void test_many(void)
{
	char text[16 * 1024];
	struct lease lease;

	snprintf(text, sizeof(text), ADDRESS "%s",
		repeat("staticroutes", 200, "10.9.0.0/16 10.0.0.9"));
	read_values(text, &lease, NULL);
	is_int(lease.config.n_routes, IP_CONFIG_ROUTES_MAX, "as many routes as there can be");
	snprintf(text, sizeof(text), ADDRESS "%s", repeat("dns", 200, "10.0.0.7"));
	read_values(text, &lease, NULL);
	is_int(lease.config.n_servers, IP_CONFIG_SERVERS_MAX, "and resolvers");
	snprintf(text, sizeof(text), ADDRESS "%s", repeat("search", 200, "lan"));
	read_values(text, &lease, NULL);
	is_int(lease.config.n_search, IP_CONFIG_WORDS_MAX, "and domains");
	snprintf(
		text, sizeof(text), ADDRESS "router=10.0.0.1\n%s", repeat("dns", 1000, "10.0.0.7"));
	read_values(text, &lease, NULL);
	is_int(lease.config.n_servers, 0, "a value over the limit is not read");
	ok(lease.config.gateway4.family == AF_INET, "the others are");
}

static void test_resolvers(void)
{
	expect("dns=10.0.0.7", "servers", "[\"10.0.0.7\"]");
	expect("dns=0.0.0.0 127.0.0.53 x 10.0.0.7 224.0.0.251 10.0.0.7/8", "servers",
		"[\"10.0.0.7\"]");
	expect("dns=2001:db8::1 fe80::1", "servers", "[]");
	expect("dns=", "servers", "[]");
}

static void test_domains(void)
{
	expect("domain=lan.example", "search", "[\"lan.example\"]");
	expect("search=a.example b.example\ndomain=lan", "search", "[\"a.example\",\"b.example\"]");
	expect("search=\ndomain=lan", "search", "[\"lan\"]");
	expect("search=$(id)\ndomain=lan", "search", "[\"lan\"]");
	expect("domain=a b", "search", "[\"a\",\"b\"]");
	expect("search=-a .b c;d e\\f g\"h \x1b[0m \xc3\xa4 j`k _ok-1.a", "search",
		"[\"_ok-1.a\"]");
	expect("search=a\rb\tc", "search", "[\"a\",\"b\",\"c\"]");
}

/* The longest domain is 253 characters. */
static void test_longest_domain(void)
{
	char word[IP_CONFIG_WORD_SIZE + 1] = "";
	char text[512];
	char expected[512];

	memset(word, 'a', IP_CONFIG_WORD_SIZE - 1);
	snprintf(text, sizeof(text), "domain=%s", word);
	snprintf(expected, sizeof(expected), "[\"%s\"]", word);
	expect(text, "search", expected);
	memset(word, 'a', IP_CONFIG_WORD_SIZE);
	snprintf(text, sizeof(text), "domain=%s", word);
	expect(text, "search", "[]");
}

int main(void)
{
	test_all();
	test_address();
	test_numbers();
	test_server();
	test_router();
	test_static_routes();
	test_many();
	test_resolvers();
	test_domains();
	test_longest_domain();
	return tap_done();
}
