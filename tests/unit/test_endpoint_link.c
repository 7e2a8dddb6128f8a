// SPDX-License-Identifier: MIT
/*
 * hook/endpoint_link.c, what needs no kernel: the indexes that an endpoint's link may have.
 */
#include "hook/endpoint.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/record.h"
#include "tests/unit/tap.h"

#define COOKIES 2000

static struct record *new_record(void)
{
	struct record *record = NULL;

	if (record_new("c0", &record, NULL) < 0)
		exit(EXIT_FAILURE);
	record->netns_cookie = 4097;
	snprintf(record_add_endpoint(record)->interface, sizeof(record->endpoints[0].interface),
		"eth0");
	return record;
}

static int first_of(const struct record *record)
{
	return endpoint_index(record, &record->endpoints[0], 0);
}

/* An attach that was killed by one version is found by the next. */
static void test_stays(void)
{
	struct record *record = new_record();

	is_int(first_of(record), 26297, "an index stays what it was");
	is_int(endpoint_index(record, &record->endpoints[0], 1), 5544, "and so does the next");
	record_free(&record);
}

static void test_carries(void)
{
	struct record *record = new_record();
	int index = first_of(record);

	record->netns_cookie++;
	ok(first_of(record) != index, "another namespace's is another");
	record->netns_cookie--;
	strcpy(record->id, "c1");
	ok(first_of(record) != index, "another container's is another");
	strcpy(record->id, "c0");
	strcpy(record->endpoints[0].interface, "eth1");
	ok(first_of(record) != index, "another interface's is another");
	strcpy(record->endpoints[0].interface, "eth0");
	is_int(first_of(record), index, "the same again is the same");
	record_free(&record);
}

static void test_series(void)
{
	struct record *record = new_record();
	bool is_same = false;

	for (unsigned i = 0; i < ENDPOINT_INDEXES; i++)
		for (unsigned j = 0; j < i; j++)
			is_same |= endpoint_index(record, &record->endpoints[0], i) ==
				   endpoint_index(record, &record->endpoints[0], j);
	ok(!is_same, "no index of a series is there twice");
	record_free(&record);
}

static void test_range(void)
{
	struct record *record = new_record();
	int least = INT32_MAX;
	int most = 0;

	for (unsigned i = 0; i < COOKIES; i++) {
		record->netns_cookie = i;
		for (unsigned n = 0; n < ENDPOINT_INDEXES; n++) {
			int index = endpoint_index(record, &record->endpoints[0], n);

			least = index < least ? index : least;
			most = index > most ? index : most;
		}
	}
	ok(least >= 4096 && least < 4200, "from above the kernel's own, %d", least);
	ok(most <= INT16_MAX && most > INT16_MAX - 100, "to what 16 bits hold, %d", most);
	record_free(&record);
}

int main(void)
{
	test_stays();
	test_carries();
	test_series();
	test_range();
	return tap_done();
}
