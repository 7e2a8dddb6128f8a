// SPDX-License-Identifier: MIT
/*
 * hook/parent*.c: what needs no kernel. The rest is in tests/integration/parents.bats, vlan.bats.
 */
#include "hook/parent.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/rtnl.h"
#include "tests/unit/tap.h"

static void test_wireless(void)
{
	const char *classes = tap_tempdir();
	int dir = open(classes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mkdirat(dir, "eth0", 0700);
	mkdirat(dir, "wlan0", 0700);
	mkdirat(dir, "wlan0/phy80211", 0700);
	mkdirat(dir, "ra0", 0700);
	mkdirat(dir, "ra0/wireless", 0700);
	close(dir);
	ok(parent_is_wireless(classes, "wlan0"), "cfg80211's");
	ok(parent_is_wireless(classes, "ra0"), "an older driver's");
	ok(!parent_is_wireless(classes, "eth0"), "a wired one");
	ok(!parent_is_wireless(classes, "eth1"), "one that is not there");
}

static bool has_alias(const char *alias)
{
	struct rtnl_link link = { 0 };

	strcpy(link.alias, alias);
	return parent_is_ours(&link);
}

static void test_mark(void)
{
	ok(has_alias(PARENT_MARK), "our mark");
	ok(has_alias(PARENT_MARK " for"), "with more behind it");
	ok(!has_alias(PARENT_MARK "s"), "another word");
	ok(!has_alias("made by oci"), "a part of it");
	ok(!has_alias(""), "none");
}

static bool is_temporary(const char *name, const char *kind)
{
	struct rtnl_link link = { 0 };

	strcpy(link.name, name);
	strcpy(link.kind, kind);
	return parent_is_temporary(&link);
}

static void test_temporary(void)
{
	char name[INTERFACE_NAME_MAX + 1];
	char other[INTERFACE_NAME_MAX + 1];

	parent_temporary_name("eth0.10", name);
	ok(strcmp(name, parent_temporary_name("eth0.11", other)) != 0, "each has its own");
	is_str(parent_temporary_name("eth0.10", other), name, "and always the same");
	ok(is_temporary(name, "vlan") && is_temporary(name, "dummy"), "it is one");
	ok(!is_temporary(name, "veth") && !is_temporary(name, ""), "not of another kind");
	ok(!is_temporary("omv-0123456789a", "dummy"), "an isolated parent is none");
	ok(!is_temporary("omv-t123456789", "vlan"), "nor a shorter name");
	ok(!is_temporary("omv-t12345678g0", "vlan"), "nor one with other letters");
	ok(!is_temporary("eth0.10", "vlan"), "nor any other");
}

int main(void)
{
	test_wireless();
	test_mark();
	test_temporary();
	return tap_done();
}
