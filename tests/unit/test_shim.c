// SPDX-License-Identifier: MIT
/*
 * hook/shim.c, what needs no kernel: names, and the link-local address.
 */
#include "hook/shim.h"

#include <string.h>

#include "hook/rtnl.h"
#include "tests/unit/tap.h"

static void test_names(void)
{
	char name[INTERFACE_NAME_MAX + 1];
	char other[INTERFACE_NAME_MAX + 1];
	const char *const bad[] = { "", "eth0", "omv-h", "omv-h84917433", "omv-h849174338fa",
		"omv-h849174338g", "omv-849174338f0", "xomv-h84917433" };

	shim_name("eth0", name);
	is_str(name, "omv-h849174338f", "a name stays what it was");
	ok(shim_is_name(name), "and is one");
	ok(strcmp(name, shim_name("eth1", other)) != 0, "another parent's is another");
	shim_name("fifteen-letters", other);
	ok(shim_is_name(other), "a long name's fits");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!shim_is_name(bad[i]), "'%s' is none", bad[i]);
}

static void test_link_local(void)
{
	const struct rtnl_link shim = { .mac = { 0x96, 0xe6, 0x09, 0x78, 0xda, 0x6b } };
	const struct ip ip = shim_link_local(&shim);
	char text[IP_TEXT];

	is_str(ip_format(&ip, text), "fe80::94e6:9ff:fe78:da6b", "its MAC is in it");
}

int main(void)
{
	test_names();
	test_link_local();
	return tap_done();
}
