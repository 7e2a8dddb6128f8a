// SPDX-License-Identifier: MIT
/*
 * hook/known.c: what is known is found, nothing else is, however much it is.
 */
#include "hook/known.h"

#include <stdio.h>

#include "schema/error.h"
#include "schema/record.h"
#include "tests/unit/tap.h"

#define MANY 3000

static void add(struct known *known, unsigned n)
{
	struct record *record = NULL;
	char id[32];

	snprintf(id, sizeof(id), "c%u", n);
	if (record_new(id, &record, NULL) < 0)
		return;
	record->netns_cookie = 1000 + n;
	record->n_endpoints = 2;
	snprintf(record->endpoints[0].interface, sizeof(record->endpoints[0].interface), "eth0");
	snprintf(record->endpoints[1].interface, sizeof(record->endpoints[1].interface), "eth1");
	known_add_record(known, record);
	record_free(&record);
}

int main(void)
{
	struct known known = { 0 };
	unsigned found = 0;
	unsigned wrong = 0;

	ok(!known_has(&known, "c0", "eth0"), "nothing is known at first");
	add(&known, 0);
	ok(known_has(&known, "c0", "eth0") && known_has(&known, "c0", "eth1"), "its interfaces");
	ok(known_has(&known, "c0", "1000"), "its namespace");
	ok(!known_has(&known, "c0", "eth2"), "no other interface");
	ok(!known_has(&known, "c1", "eth0"), "no other container's");
	for (unsigned n = 1; n < MANY; n++)
		add(&known, n);
	for (unsigned n = 0; n < MANY; n++) {
		char id[32];
		char cookie[32];

		snprintf(id, sizeof(id), "c%u", n);
		snprintf(cookie, sizeof(cookie), "%u", 1000 + n);
		found += known_has(&known, id, "eth0") && known_has(&known, id, "eth1") &&
			 known_has(&known, id, cookie);
		snprintf(cookie, sizeof(cookie), "%u", 1001 + n);
		wrong += known_has(&known, id, cookie) || known_has(&known, id, "eth2");
	}
	is_int(found, MANY, "all that were added after a look");
	is_int(wrong, 0, "and nothing else");
	known_free(&known);
	ok(!known_has(&known, "c0", "eth0"), "nothing is known when it is freed");
	return tap_done();
}
