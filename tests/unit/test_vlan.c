// SPDX-License-Identifier: MIT
/*
 * hook/vlan.c: which names are names of VLANs.
 */
#include "hook/vlan.h"

#include <string.h>

#include "tests/unit/tap.h"

static void expect(const char *name, const char *lower, unsigned id)
{
	struct vlan vlan = { 0 };

	ok(vlan_parse(name, &vlan), "'%s' is a VLAN", name);
	is_str(vlan.lower, lower, "on it");
	is_int(vlan.id, id, "its id");
}

static void refuse(const char *name)
{
	struct vlan vlan = { .id = 7 };

	ok(!vlan_parse(name, &vlan), "'%s' is none", name);
	is_int(vlan.id, 7, "untouched");
}

static void test_long(void)
{
	char name[PARENT_NAME_MAX + 16];

	memset(name, 'x', sizeof(name));
	strcpy(name + PARENT_NAME_MAX - 2, ".1");
	expect(name, memcpy((char[PARENT_NAME_MAX + 1]){ 0 }, name, PARENT_NAME_MAX - 2), 1);
	memset(name, 'x', sizeof(name));
	strcpy(name + PARENT_NAME_MAX + 1, ".1");
	refuse(name);
}

int main(void)
{
	expect("eth0.10", "eth0", 10);
	expect("eth0.1", "eth0", 1);
	expect("eth0.4094", "eth0", 4094);
	expect("eth0.10.20", "eth0.10", 20);
	expect("a.b.7", "a.b", 7);
	refuse("eth0");
	refuse("");
	refuse(".10");
	refuse("eth0.");
	refuse("eth0.0");
	refuse("eth0.4095");
	refuse("eth0.010");
	refuse("eth0.10a");
	refuse("eth0.-1");
	refuse("eth0.+1");
	refuse("eth0. 1");
	refuse("eth0.99999999999999999999");
	refuse("eth0.10.x");
	test_long();
	ok(vlan_is_on("eth0.10", "eth0.10"), "it is itself");
	ok(vlan_is_on("eth0.10.20", "eth0.10"), "a VLAN on it");
	ok(vlan_is_on("eth0.10.20", "eth0"), "and on what is below that");
	ok(!vlan_is_on("eth0.100", "eth0.10"), "a longer number is another");
	ok(!vlan_is_on("eth0", "eth0.10"), "not the other way");
	return tap_done();
}
