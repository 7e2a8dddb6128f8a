// SPDX-License-Identifier: MIT
/*
 * hook/machine.c: what is derived stays the same, tells apart what differs, and is a MAC that an
 * interface may have.
 */
#include "hook/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/unit/tap.h"

/* One of 16384 hashes begins like 02:42: so many keys do not all miss it (e^-9). */
#define KEYS 150000

static const uint8_t parent[MAC_SIZE] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other_parent[MAC_SIZE] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x57 };

/* The first line of /etc/machine-id, read in another way; "" where it is no id. */
static void read_id(char ret[64])
{
	FILE *file = fopen("/etc/machine-id", "re");

	ret[0] = '\0';
	if (!file)
		return;
	if (!fgets(ret, 64, file))
		ret[0] = '\0';
	fclose(file);
	ret[strcspn(ret, "\n")] = '\0';
	if (strlen(ret) != 32 || strspn(ret, "0123456789abcdef") != 32)
		ret[0] = '\0';
}

static void test_id(void)
{
	char id[MACHINE_ID_TEXT];
	char expected[64];

	memset(id, 'x', sizeof(id));
	read_id(expected);
	ok(machine_id(id) == id, "the machine's id");
	is_str(id, expected, "is that of machine-id(5), or none");
}

static void test_network_id(void)
{
	char id[64];
	char expected[HASH_HEX];
	char a[HASH_HEX];
	char b[HASH_HEX];
	struct utsname names;

	read_id(id);
	uname(&names);
	hash_strings_hex((const char *const[]){ "network", *id ? id : names.nodename, "lan", NULL },
		expected);
	ok(machine_network_id("lan", a) == a, "a network's id");
	is_str(a, expected, "is of the machine (%s) and the name", *id ? id : names.nodename);
	is_int(strlen(a), 64, "it has 64 digits");
	is_str(machine_network_id("lan", b), a, "the same again");
	ok(strcmp(machine_network_id("lan2", b), a) != 0, "another for another network");
}

static void test_endpoint_id(void)
{
	static const char *const others[][3] = {
		{ "c2", "lan", "eth0" },
		{ "c1", "lan2", "eth0" },
		{ "c1", "lan", "eth1" },
		{ "c1l", "an", "eth0" },
		{ "c1", "lane", "th0" },
		{ "lan", "c1", "eth0" },
	};
	char a[HASH_HEX];
	char b[HASH_HEX];

	is_str(machine_endpoint_id("c1", "lan", "eth0", a),
		"41c359a19346b010a3d91f028ee5ae480b8c0f08927c5105abc6c95948ae551b",
		"an endpoint's id is the same on every machine, in every version");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ok(strcmp(machine_endpoint_id(others[i][0], others[i][1], others[i][2], b), a) != 0,
			"another for %s %s %s", others[i][0], others[i][1], others[i][2]);
}

static void test_mac(void)
{
	char id[MACHINE_ID_TEXT];
	uint8_t a[MAC_SIZE];
	uint8_t b[MAC_SIZE];

	machine_mac("lan", "id", "c1", parent, a);
	machine_mac("lan", "id", "c1", parent, b);
	ok(!memcmp(a, b, MAC_SIZE), "the same MAC again");
	machine_mac("lan", "id", "c2", parent, b);
	ok(memcmp(a, b, MAC_SIZE) != 0, "another for another container");
	machine_mac("lan2", "id", "c1", parent, b);
	ok(memcmp(a, b, MAC_SIZE) != 0, "another in another network");
	machine_mac("lanc", "id", "1", parent, b);
	ok(memcmp(a, b, MAC_SIZE) != 0, "another for the same letters parted elsewhere");
	machine_mac("lan", "id", "c1", other_parent, b);
	machine_id(id);
	is_int(!memcmp(a, b, MAC_SIZE), *id != '\0',
		"another parent matters only where the machine has no id");
}

/* Among many: never what no interface may have, and all bytes are used. */
static void test_many_macs(void)
{
	unsigned wrong = 0;
	unsigned docker = 0;
	uint8_t seen[MAC_SIZE] = { 0 };
	uint8_t unseen[MAC_SIZE] = { 0 };

	for (unsigned i = 0; i < KEYS; i++) {
		char key[16];
		uint8_t mac[MAC_SIZE];

		snprintf(key, sizeof(key), "c%u", i);
		machine_mac("lan", "id", key, parent, mac);
		wrong += (mac[0] & 3) != 2;
		docker += mac[0] == 0x02 && mac[1] == 0x42;
		for (unsigned b = 0; b < MAC_SIZE; b++) {
			seen[b] |= mac[b];
			unseen[b] |= (uint8_t)~mac[b];
		}
	}
	is_int(wrong, 0, "every MAC is unicast and locally administered");
	is_int(docker, 0, "and none begins with 02:42");
	ok(!memcmp(seen, "\xfe\xff\xff\xff\xff\xff", MAC_SIZE), "every other bit is sometimes set");
	ok(!memcmp(unseen, "\xfd\xff\xff\xff\xff\xff", MAC_SIZE), "and sometimes not");
}

static void test_token(void)
{
	uint8_t a[MACHINE_TOKEN_SIZE];
	uint8_t b[MACHINE_TOKEN_SIZE];

	machine_token("lan", "id", "c1", parent, a);
	machine_token("lan", "id", "c1", parent, b);
	ok(!memcmp(a, b, sizeof(a)), "the same token again");
	machine_token("lan", "name", "c1", parent, b);
	ok(memcmp(a, b, sizeof(a)) != 0, "another for a container of this name");
	machine_mac("lan", "id", "c1", parent, b);
	ok(memcmp(a, b, MAC_SIZE) != 0, "and it is not the MAC");
	ok((a[0] & 3) == 1, "never zero, and not made of a MAC");
}

int main(void)
{
	test_id();
	test_network_id();
	test_endpoint_id();
	test_mac();
	test_many_macs();
	test_token();
	return tap_done();
}
