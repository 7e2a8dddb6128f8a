// SPDX-License-Identifier: MIT
/*
 * schema/resolv.c: what is left of the host's resolv.conf, and what a network's dns becomes.
 */
#include "schema/resolv.h"

#include <stdio.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/network.h"
#include "tests/unit/tap.h"

static void expect(const char *text, const char *expected, bool expect_usable)
{
	autofree char *kept = NULL;
	size_t size = 0;
	bool usable = !expect_usable;
	struct error err = { 0 };

	is_int(resolv_filter(text, strlen(text), &kept, &size, &usable, &err), 0, "is read");
	ok(size == strlen(expected) && !memcmp(kept, expected, size), "%zu of %zu bytes are left",
		size, strlen(text));
	is_int(usable, expect_usable, "whether it has a server");
}

static void test_kept(void)
{
	expect("nameserver 10.0.0.1\n", "nameserver 10.0.0.1\n", true);
	expect("nameserver 10.0.0.1", "nameserver 10.0.0.1\n", true);
	expect("  nameserver\t2001:db8::53 x\n", "  nameserver\t2001:db8::53 x\n", true);
	expect("domain a\nsearch a b\noptions ndots:1\nsortlist 10.0.0.0\nnameserver 1.1.1.1\n",
		"domain a\nsearch a b\noptions ndots:1\nsortlist 10.0.0.0\nnameserver 1.1.1.1\n",
		true);
	expect("nameserver ::2\n", "nameserver ::2\n", true);
}

static void test_left_out(void)
{
	static const char *const servers[] = { "127.0.0.53", "127.0.0.1", "127.255.255.254", "::1",
		"::", "0.0.0.0", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "fe80::1", "fe80::1%eth0",
		"febf::1", "localhost", "10.0.0.1/24", "10.0.0.256", "",
		"1111111111111111111111111111111111111111111111111111111111111111111111" };

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text), "nameserver %s\nsearch lan\n", servers[i]);
		expect(text, "search lan\n", false);
	}
	expect("", "", false);
	expect("\n\n", "", false);
	expect("# nameserver 10.0.0.1\n; x\nlookup file bind\nnameserverx 10.0.0.1\n", "", false);
	expect("nameserver 127.0.0.1\nnameserver 10.0.0.1\n", "nameserver 10.0.0.1\n", true);
	expect("search \x1b[0m\nsearch \xc3\xa4\n", "", false);
}

static void test_nul(void)
{
	static const char text[] = "nameserver 10.0.0.1\0\nsearch a\0b\nnameserver 10.0.0.2";
	autofree char *kept = NULL;
	struct error err = { 0 };
	size_t size = 0;
	bool usable = false;

	is_int(resolv_filter(text, sizeof(text) - 1, &kept, &size, &usable, &err), 0, "NULs");
	ok(usable && size == 20 && !memcmp(kept, "nameserver 10.0.0.2\n", size),
		"a line with one is left out");
}

#define HEAD "{\"name\":\"a\",\"parent\":\"eth0\",\"ipam\":{\"driver\":\"none\"},\"dns\":"

static void expect_static(const char *text, const char *expected)
{
	cleanup(network_free) struct network *network = NULL;
	autofree char *formatted = NULL;
	struct error err = { 0 };
	size_t size = 0;

	is_int(network_parse(text, strlen(text), &network, &err), 0, "is a network: %s", err.text);
	is_int(resolv_format(&network->dns, &formatted, &size, &err), 0, "is written");
	is_int((long long)size, (long long)strlen(expected), "its size");
	is_str(formatted, expected, "its text");
}

static void test_static(void)
{
	expect_static(
		HEAD "{\"mode\":\"static\",\"servers\":[\"10.0.0.1\"]}}", "nameserver 10.0.0.1\n");
	expect_static(HEAD "{\"mode\":\"static\",\"servers\":[\"10.0.0.1\",\"2001:db8::1\"],"
			   "\"search\":[\"a\",\"b.c\"],\"options\":[\"ndots:1\",\"edns0\"]}}",
		"nameserver 10.0.0.1\nnameserver 2001:db8::1\nsearch a b.c\noptions ndots:1 "
		"edns0\n");
}

static void test_default(void)
{
	cleanup(network_free) struct network *network = NULL;
	const char *text = "{\"name\":\"a\",\"parent\":\"eth0\",\"ipam\":{\"driver\":\"none\"}}";
	struct error err = { 0 };

	is_int(network_parse(text, strlen(text), &network, &err), 0, "a network without dns");
	is_int(network->dns.mode, NETWORK_DNS_HOST, "has the host's resolvers");
}

static void expect_given(const struct ip_config *config, const char *expected)
{
	autofree char *text = NULL;
	struct error err = { 0 };
	size_t size = 0;

	is_int(resolv_format_given(config, &text, &size, &err), 0, "is written");
	is_str(text, expected, "its text");
	is_int((long long)size, (long long)strlen(expected), "its size");
}

static void test_given(void)
{
	struct ip_config config = { 0 };

	expect_given(&config, "");
	config.servers[config.n_servers++] = (struct ip){ AF_INET, { 10, 0, 0, 7 } };
	expect_given(&config, "nameserver 10.0.0.7\n");
	config.servers[config.n_servers++] =
		(struct ip){ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	strcpy(config.search[config.n_search++], "lan");
	strcpy(config.search[config.n_search++], "a.example");
	expect_given(
		&config, "nameserver 10.0.0.7\nnameserver 2001:db8::1\nsearch lan a.example\n");
	strcpy(config.options[config.n_options++], "ndots:1");
	config.n_servers = 0;
	expect_given(&config, "search lan a.example\noptions ndots:1\n");
}

static void test_usable(void)
{
	static const struct {
		const char *text;
		bool is_usable;
	} servers[] = { { "10.0.0.1", true }, { "126.255.255.255", true }, { "128.0.0.1", true },
		{ "2001:db8::1", true }, { "fec0::1", true }, { "::2", true },
		{ "127.0.0.1", false }, { "127.255.255.255", false }, { "0.0.0.0", false },
		{ "::", false }, { "::1", false }, { "fe80::1", false }, { "febf::1", false } };
	struct ip ip;

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		ip_parse(servers[i].text, &ip, NULL);
		is_int(resolv_is_usable(&ip), servers[i].is_usable, "%s", servers[i].text);
	}
}

int main(void)
{
	test_kept();
	test_left_out();
	test_nul();
	test_static();
	test_default();
	test_given();
	test_usable();
	return tap_done();
}
