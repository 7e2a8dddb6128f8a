// SPDX-License-Identifier: MIT
/*
 * The watcher of the storm. It reads the links and addresses of all network namespaces that have an
 * id in ours, over and over, and knows four things that must not be: an address in two places, a
 * MAC in two places, an address that nobody has claimed, and one that is reserved.
 *
 * Two reads are not one: what is seen of a namespace may be gone when the next is read. So what
 * looks wrong is looked at again, A, B and A: only where A has it before and after B has it, both
 * have it at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/kernel.h"
#include "tests/crash/storm.h"

#define NSIDS_MAX 1024
#define THINGS_MAX 4096
#define TEXT_SIZE 56

/* An address or a MAC, and where it was seen. */
struct thing {
	int nsid;
	int ifindex;
	char text[TEXT_SIZE];
};

struct things {
	unsigned n;
	struct thing all[THINGS_MAX];
};

/* All that one scan has seen. */
struct sight {
	struct things addresses;
	struct things macs;
};

static void add(struct things *things, int nsid, int ifindex, const char *text)
{
	struct thing *thing = &things->all[things->n];

	if (things->n == THINGS_MAX)
		abort();
	things->n++;
	*thing = (struct thing){ .nsid = nsid, .ifindex = ifindex };
	snprintf(thing->text, sizeof(thing->text), "%s", text);
}

static const char *mac_text(const struct kernel_link *link, char ret[TEXT_SIZE])
{
	const uint8_t *mac = link->mac;

	snprintf(ret, TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	return ret;
}

/* What of a namespace counts: global addresses of macvlans, and the MACs of those that are up. */
static void take_in(struct sight *sight, int nsid, const struct kernel_view *view)
{
	char text[TEXT_SIZE];

	for (unsigned i = 0; i < view->n_links; i++)
		if (!strcmp(view->links[i].kind, "macvlan") && view->links[i].up)
			add(&sight->macs, nsid, view->links[i].ifindex,
				mac_text(&view->links[i], text));
	for (unsigned i = 0; i < view->n_addresses; i++) {
		const struct kernel_link *link = kernel_link_of(view, view->addresses[i].ifindex);

		if (link && !strcmp(link->kind, "macvlan") && !view->addresses[i].link_local)
			add(&sight->addresses, nsid, link->ifindex, view->addresses[i].text);
	}
}

/* Reads a namespace. Returns false when it is gone. */
static bool view(struct storm_watch *watch, int nsid, struct kernel_view *ret)
{
	int r = kernel_view(watch->nl, nsid, ret);

	watch->views++;
	if (r < 0 && r != -EINVAL && r != -ENOENT && r != -EINTR)
		storm_fail(
			watch->storm, "watcher: cannot read namespace %d: %s", nsid, strerror(-r));
	return r == 0;
}

/* Is it still there? */
static bool has(struct storm_watch *watch, const struct thing *thing, bool is_mac)
{
	struct kernel_view now;
	struct sight *sight = calloc(1, sizeof(*sight));
	const struct things *things;
	bool found = false;

	if (!sight)
		abort();
	if (view(watch, thing->nsid, &now))
		take_in(sight, thing->nsid, &now);
	things = is_mac ? &sight->macs : &sight->addresses;
	for (unsigned i = 0; !found && i < things->n; i++)
		found = things->all[i].ifindex == thing->ifindex &&
			!strcmp(things->all[i].text, thing->text);
	free(sight);
	return found;
}

static void report(struct storm_watch *watch, enum storm_finding finding, const char *what,
	const struct thing *a, const struct thing *b)
{
	watch->found[finding]++;
	if (watch->expected)
		return;
	storm_fail(watch->storm, "watcher: %s: %s: namespace %d, link %d; namespace %d, link %d",
		what, a->text, a->nsid, a->ifindex, b->nsid, b->ifindex);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct thing *)a)->text, ((const struct thing *)b)->text);
}

static void find_doubles(struct storm_watch *watch, struct things *things, bool is_mac)
{
	qsort(things->all, things->n, sizeof(things->all[0]), compare);
	for (unsigned i = 1; i < things->n; i++) {
		const struct thing *a = &things->all[i - 1];
		const struct thing *b = &things->all[i];

		if (strcmp(a->text, b->text) != 0)
			continue;
		if (has(watch, a, is_mac) && has(watch, b, is_mac) && has(watch, a, is_mac))
			report(watch, is_mac ? STORM_SAME_MAC : STORM_SAME_ADDRESS,
				is_mac ? "a MAC twice" : "an address twice", a, b);
	}
}

static bool is_claimed(const struct storm_watch *watch, const char *address)
{
	char path[PATH_MAX];
	char owner[8];

	snprintf(path, sizeof(path), "%s/run/pools/eth0/%s", watch->storm->dir, address);
	return readlink(path, owner, sizeof(owner)) > 0;
}

static void find_unclaimed(struct storm_watch *watch, const struct things *addresses)
{
	for (unsigned i = 0; i < addresses->n; i++) {
		const struct thing *address = &addresses->all[i];

		if (is_claimed(watch, address->text))
			continue;
		if (has(watch, address, false) && !is_claimed(watch, address->text) &&
			has(watch, address, false))
			report(watch, STORM_UNCLAIMED, "an address that nobody has claimed",
				address, address);
	}
}

static void find_reserved(struct storm_watch *watch, const struct things *addresses)
{
	for (unsigned i = 0; i < addresses->n; i++)
		for (unsigned j = 0; j < watch->n_reserved; j++)
			if (!strcmp(addresses->all[i].text, watch->reserved[j]))
				report(watch, STORM_RESERVED, "a reserved address",
					&addresses->all[i], &addresses->all[i]);
}

/* A line each, in the form of inet_ntop(3). */
static void read_reserved(struct storm_watch *watch)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/reserved", watch->storm->dir);
	file = fopen(path, "re");
	while (file && watch->n_reserved < sizeof(watch->reserved) / sizeof(watch->reserved[0]) &&
		fgets(watch->reserved[watch->n_reserved], sizeof(watch->reserved[0]), file)) {
		char *line = watch->reserved[watch->n_reserved++];

		line[strcspn(line, "\n")] = '\0';
	}
	if (!file || !feof(file))
		storm_fail(watch->storm, "watcher: cannot read '%s' whole", path);
	if (file)
		fclose(file);
}

/**
 * storm_watch_open() - make ready to watch
 * @storm: the storm
 * @ret:   the watch
 */
void storm_watch_open(const struct storm *storm, struct storm_watch *ret)
{
	*ret = (struct storm_watch){ .storm = storm, .nl = kernel_open_pid(getpid()) };
	if (ret->nl < 0)
		storm_fail(storm, "watcher: no netlink socket: %s", strerror(-ret->nl));
	read_reserved(ret);
}

/**
 * storm_watch_scan() - read all namespaces once, and look for what must not be
 * @watch: the watch; what is found is counted in it
 */
void storm_watch_scan(struct storm_watch *watch)
{
	struct sight *sight = calloc(1, sizeof(*sight));
	int nsids[NSIDS_MAX];
	int n = kernel_nsids(watch->nl, nsids, NSIDS_MAX);

	if (n < 0)
		storm_fail(watch->storm, "watcher: cannot list namespaces: %s", strerror(-n));
	if (!sight)
		abort();
	for (int i = 0; i < n; i++) {
		struct kernel_view now;

		if (view(watch, nsids[i], &now))
			take_in(sight, nsids[i], &now);
	}
	find_unclaimed(watch, &sight->addresses);
	find_reserved(watch, &sight->addresses);
	find_doubles(watch, &sight->addresses, false);
	find_doubles(watch, &sight->macs, true);
	watch->scans++;
	free(sight);
}

/**
 * storm_watch_close() - end a watch
 * @watch: the watch
 */
void storm_watch_close(struct storm_watch *watch)
{
	if (watch->nl >= 0)
		close(watch->nl);
}

/**
 * storm_watch() - watch until it is enough
 * @storm: the storm
 */
void storm_watch(const struct storm *storm)
{
	struct storm_shared *shared = storm->shared;
	struct storm_watch watch;

	storm_watch_open(storm, &watch);
	while (!__atomic_load_n(&shared->watcher_stops, __ATOMIC_RELAXED)) {
		storm_watch_scan(&watch);
		shared->scans = watch.scans;
		shared->views = watch.views;
		memcpy(shared->findings, watch.found, sizeof(watch.found));
	}
}
