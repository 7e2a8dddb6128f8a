// SPDX-License-Identifier: MIT
/*
 * ipam/index.c: an owner's claims are all found, also those that came after the index was made;
 * nobody else's, and nothing that was released.
 */
#include "ipam/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define OWNERS 500
#define LATER 6000

static int new_pool(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tap_tempdir(), name);
	mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void take(int pool, const char *name, const char *owner)
{
	char holder[CLAIMS_OWNER_MAX + 1];

	if (claims_take(pool, name, owner, holder, NULL) < 0)
		ok(false, "cannot claim %s", name);
}

/* What is found. */
struct list {
	int pool;
	char all[ERROR_TEXT_MAX];
};

static int join(void *arg, const char *name, const char *owner, struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	struct list *list = arg;

	(void)err;
	if (claims_owner(list->pool, name, holder, NULL) == 0 && !strcmp(holder, owner))
		strcat(strcat(list->all, name), " ");
	return 0;
}

static const char *list_of(struct index *index, int pool, const char *owner)
{
	static struct list list;

	list = (struct list){ .pool = pool };
	return index_list(index, owner, join, &list, NULL) < 0 ? "cannot be listed" : list.all;
}

static void test_all_are_found(void)
{
	cleanup(index_free) struct index *index = NULL;
	int pool = new_pool("found");
	unsigned right = 0;

	for (unsigned n = 0; n < OWNERS; n++) {
		char owner[32];
		char name[32];

		snprintf(owner, sizeof(owner), "c%u/eth0", n);
		snprintf(name, sizeof(name), "a%u", n);
		take(pool, name, owner);
		snprintf(name, sizeof(name), "b%u", n);
		take(pool, name, owner);
	}
	is_int(index_new(pool, &index, NULL), 0, "an index of %d owners", OWNERS);
	for (unsigned n = 0; n < OWNERS; n++) {
		char owner[32];
		char one[64];
		char other[64];
		const char *got;

		snprintf(owner, sizeof(owner), "c%u/eth0", n);
		snprintf(one, sizeof(one), "a%u b%u ", n, n);
		snprintf(other, sizeof(other), "b%u a%u ", n, n);
		got = list_of(index, pool, owner);
		right += !strcmp(got, one) || !strcmp(got, other);
	}
	is_int(right, OWNERS, "each owner has his two");
	is_str(list_of(index, pool, "c1/eth1"), "", "another interface has none");
	is_str(list_of(index, pool, "c1"), "", "nor has a part of an owner");
	close(pool);
}

static void test_changes(void)
{
	cleanup(index_free) struct index *index = NULL;
	int pool = new_pool("changes");

	take(pool, "10.0.0.1", "a/eth0");
	is_int(index_new(pool, &index, NULL), 0, "an index");
	take(pool, "10.0.0.2", "a/eth0");
	take(pool, "10.0.0.3", "b/eth0");
	is_str(list_of(index, pool, "a/eth0"), "10.0.0.1 10.0.0.2 ",
		"what is claimed later is found");
	claims_release(pool, "10.0.0.1", "a/eth0", NULL);
	is_str(list_of(index, pool, "a/eth0"), "10.0.0.2 ", "what is released is not");
	take(pool, "10.0.0.1", "b/eth0");
	is_str(list_of(index, pool, "a/eth0"), "10.0.0.2 ", "nor what another has now");
	is_str(list_of(index, pool, "b/eth0"), "10.0.0.3 10.0.0.1 ", "who has it");
	renameat(pool, "10.0.0.3", pool, "10.0.0.4");
	is_str(list_of(index, pool, "b/eth0"), "10.0.0.1 10.0.0.4 ",
		"a claim that a person renamed");
	close(pool);
}

/* More than the kernel keeps for us (fs.inotify.max_queued_events), and than are kept unsorted. */
static void test_overflow(void)
{
	cleanup(index_free) struct index *index = NULL;
	int pool = new_pool("overflow");

	is_int(index_new(pool, &index, NULL), 0, "an index of nothing");
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned n = 0; n < LATER * (1 + 2 * round); n++) {
			char name[32];

			snprintf(name, sizeof(name), "%u-%u", round, n);
			take(pool, name, "a/eth0");
			claims_release(pool, name, "a/eth0", NULL);
		}
		take(pool, round ? "last" : "first", "b/eth0");
		is_str(list_of(index, pool, "b/eth0"), round ? "first last " : "first ",
			"found behind thousands of others");
	}
	close(pool);
}

int main(void)
{
	test_all_are_found();
	test_changes();
	test_overflow();
	return tap_done();
}
