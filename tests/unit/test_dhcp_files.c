// SPDX-License-Identifier: MIT
/*
 * hook/dhcp_files.c: whose file is it, and which process is the client.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/dhcp_parts.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static const char *const suffixes[] = { DHCP_EVENT, DHCP_CLIENT, DHCP_LEASE, DHCP_APPLIED };

#define N_SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

static void expect_there_and_back(const char *id, const char *interface)
{
	for (size_t i = 0; i < N_SUFFIXES; i++) {
		char name[DHCP_NAME_MAX];
		char got_id[CONTAINER_ID_MAX + 1] = "";
		char got_interface[INTERFACE_NAME_MAX + 1] = "";
		const char *suffix = dhcp_file_parse(
			dhcp_file_name(id, interface, suffixes[i], name), got_id, got_interface);

		ok(strlen(name) == strlen(id) + strlen(interface) + strlen(suffixes[i]) + 1,
			"%.40s... is whole", name);
		ok(strlen(name) + 1 <= NAME_MAX, "and so is what its temporary file is called");
		is_str(suffix, suffixes[i], "its suffix");
		is_str(got_id, id, "its container");
		is_str(got_interface, interface, "its interface");
	}
}

static void test_names(void)
{
	static const char *const ids[] = { "c0", "a:b", ":", "::", "a.b", "a.lease", "x:eth0.lease",
		"...", "-rf", "%s" };
	static const char *const interfaces[] = { "eth0", "eth0.10", "lan.lease", ".event", "...",
		"e", "123456789012345" };
	char longest[CONTAINER_ID_MAX + 1] = "";

	memset(longest, ':', CONTAINER_ID_MAX);
	for (size_t k = 0; k < sizeof(interfaces) / sizeof(interfaces[0]); k++) {
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			expect_there_and_back(ids[i], interfaces[k]);
		expect_there_and_back(longest, interfaces[k]);
	}
}

static void test_others(void)
{
	static const char *const names[] = { "", ".", "..", ":", ".lease", "c0", "c0.lease",
		"c0:eth0", "c0:eth0.", "c0:eth0.leas", "c0:eth0.leases", "c0:eth0.lease.tmp",
		"c0:.lease", ":eth0.lease", "c0:..lease", "c0:...lease", ".:eth0.lease",
		"..:eth0.lease", "c0:1234567890123456.lease", "c 0:eth0.lease", "c0:eth 0.lease",
		"c0:e%d.lease", "c0\xff:eth0.lease", "../x:eth0.lease", "c0:eth0.LEASE",
		"c0.lease:eth0" };
	char id[CONTAINER_ID_MAX + 1];
	char interface[INTERFACE_NAME_MAX + 1];
	char name[2 * CONTAINER_ID_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok(!dhcp_file_parse(names[i], id, interface), "'%s' is none of ours", names[i]);
	snprintf(name, sizeof(name), "%0*u:eth0.lease", CONTAINER_ID_MAX, 0U);
	ok(dhcp_file_parse(name, id, interface), "the longest id");
	snprintf(name, sizeof(name), "%0*u:eth0.lease", CONTAINER_ID_MAX + 1, 0U);
	ok(!dhcp_file_parse(name, id, interface), "one longer");
	/* A temporary file is taken for that of another id, which has no record. */
	ok(dhcp_file_parse(".c0:eth0.lease", id, interface) && !strcmp(id, ".c0"),
		"a dot belongs to the id");
}

static void test_client(void)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dhcp_process client = { .pid = INT_MAX, .start = UINT64_MAX };
	struct dhcp_process got = { 0 };
	struct error err = { 0 };

	is_int(dhcp_file_get_client(dir, "c:eth0.client", &got, &err), -ENOENT, "none: %s",
		err.text);
	is_int(dhcp_file_put_client(dir, "c:eth0.client", &client, &err), 0, "a client is noted");
	is_int(dhcp_file_get_client(dir, "c:eth0.client", &got, &err), 0, "and read");
	ok(got.pid == client.pid && got.start == client.start, "the same");
	client = (struct dhcp_process){ .pid = 2, .start = 0 };
	is_int(dhcp_file_put_client(dir, "c:eth0.client", &client, &err), 0, "another");
	is_int(dhcp_file_get_client(dir, "c:eth0.client", &got, &err), 0, "takes its place");
	ok(got.pid == 2 && got.start == 0, "it is that one");
}

static void test_garbage(void)
{
	static const char *const targets[] = { "1 5", "0 5", "-1 5", "2", "2 ", "x", "2 5 ", "2 5x",
		"2 5 6", " ", "99999999999 5", "4294967298 5", "2 -1", "2 99999999999999999999",
		"+2 5", " 2 5", "2  5", "/proc/self", "$(id)", "2 x" };
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char longest[4000] = "";
	struct dhcp_process got = { .pid = 77 };
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		unlinkat(dir, "g:eth0.client", 0);
		ok(symlinkat(targets[i], dir, "g:eth0.client") == 0, "a link to '%s'", targets[i]);
		is_int(dhcp_file_get_client(dir, "g:eth0.client", &got, &err), -EINVAL,
			"names none: %s", err.text);
	}
	memset(longest, '7', sizeof(longest) - 1);
	unlinkat(dir, "g:eth0.client", 0);
	ok(symlinkat(longest, dir, "g:eth0.client") == 0, "a link to a long number");
	is_int(dhcp_file_get_client(dir, "g:eth0.client", &got, &err), -EINVAL, "names none");
	unlinkat(dir, "g:eth0.client", 0);
	mknodat(dir, "g:eth0.client", S_IFREG | 0600, 0);
	is_int(dhcp_file_get_client(dir, "g:eth0.client", &got, &err), -EINVAL, "nor does a file");
	is_int(got.pid, 77, "and nothing is returned");
	ok(dhcp_file_put_client(dir, "g:eth0.client", &got, &err) == 0, "it is replaced");
}

static void test_remove(void)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[DHCP_NAME_MAX];
	struct error err = { 0 };

	for (size_t i = 0; i < N_SUFFIXES; i++) {
		dhcp_file_name("r", "eth0", suffixes[i], name);
		mknodat(dir, name, S_IFREG | 0600, 0);
		dhcp_file_name("r", "eth1", suffixes[i], name);
		mknodat(dir, name, S_IFREG | 0600, 0);
	}
	mknodat(dir, "r:eth0.lease.new", S_IFREG | 0600, 0);
	is_int(dhcp_files_remove(dir, "r", "eth0", &err), 0, "all are removed");
	for (size_t i = 0; i < N_SUFFIXES; i++) {
		dhcp_file_name("r", "eth0", suffixes[i], name);
		ok(faccessat(dir, name, F_OK, 0) < 0, "%s has gone", name);
		dhcp_file_name("r", "eth1", suffixes[i], name);
		ok(faccessat(dir, name, F_OK, 0) == 0, "%s has not", name);
	}
	ok(faccessat(dir, "r:eth0.lease.new", F_OK, 0) < 0, "nor is a killed save's left");
	is_int(dhcp_files_remove(dir, "r", "eth0", &err), 0, "and once more");
}

int main(void)
{
	test_names();
	test_others();
	test_client();
	test_garbage();
	test_remove();
	return tap_done();
}
