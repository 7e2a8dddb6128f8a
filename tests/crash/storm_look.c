// SPDX-License-Identifier: MIT
/*
 * What a worker of the storm sees of its own container, between the kills: one that runs is on the
 * network, and one that is deleted has left nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/kernel.h"
#include "tests/crash/storm.h"

#define LOOK_TRIES 50
#define LOOK_PAUSE_US 10000

static DIR *open_pool(const struct storm_worker *worker)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/pools/eth0", worker->storm->dir);
	return opendir(path);
}

static bool is_own_claim(const struct storm_worker *worker, int pool, const char *address)
{
	char wanted[STORM_NAME_SIZE + 8];
	char owner[64];
	ssize_t n;

	snprintf(wanted, sizeof(wanted), "%s/eth0", worker->name);
	n = readlinkat(pool, address, owner, sizeof(owner) - 1);
	owner[n > 0 ? n : 0] = '\0';
	return !strcmp(owner, wanted);
}

/* One link, up, with an address of each family that is claimed for this container. */
static const char *judge_network(
	const struct storm_worker *worker, int pool, const struct kernel_view *view)
{
	unsigned families = 0;

	for (unsigned i = 0; i < view->n_addresses; i++) {
		const struct kernel_address *address = &view->addresses[i];
		const struct kernel_link *link = kernel_link_of(view, address->ifindex);

		if (address->link_local || !link || strcmp(link->kind, "macvlan") != 0)
			continue;
		if (strcmp(link->name, "eth0") != 0 || !link->up)
			return "its link is not up, or not eth0";
		if (!is_own_claim(worker, pool, address->text))
			return "one of its addresses is not claimed for it";
		families |= address->family == AF_INET ? 1U : 2U;
		if (families == 3)
			return NULL;
	}
	return "it has not an address of each family";
}

static const char *read_network(const struct storm_worker *worker, pid_t init)
{
	const char *wrong = "its network cannot be read";
	int nl = init > 0 ? kernel_open_pid(init) : -1;
	DIR *pool = open_pool(worker);
	struct kernel_view view;

	if (pool && nl >= 0 && kernel_view(nl, KERNEL_HERE, &view) == 0)
		wrong = judge_network(worker, dirfd(pool), &view);
	if (nl >= 0)
		close(nl);
	if (pool)
		closedir(pool);
	return wrong;
}

/**
 * storm_look_at_network() - a container that lives has a link and addresses that are claimed for it
 * @worker: the worker
 *
 * Whoever was killed for it: only its init excuses it. One that dies gives up its namespace a
 * little before one sees that it is dead.
 */
void storm_look_at_network(const struct storm_worker *worker)
{
	pid_t init = storm_init(worker);
	const char *wrong = read_network(worker, init);

	for (unsigned try = 0; wrong && !storm_is_dead(init); try++) {
		if (try == LOOK_TRIES) {
			storm_fail(worker->storm, "%s lives (pid %d), but %s", worker->name,
				(int)init, wrong);
			return;
		}
		storm_nap_us(LOOK_PAUSE_US);
		wrong = read_network(worker, init);
	}
	if (!wrong)
		__atomic_fetch_add(&worker->storm->shared->looks, 1, __ATOMIC_RELAXED);
}

static bool has_file(const struct storm_worker *worker, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/containers/%s.%s", worker->storm->dir, worker->name,
		suffix);
	return access(path, F_OK) == 0;
}

static bool has_claim(const struct storm_worker *worker)
{
	DIR *pool = open_pool(worker);
	const struct dirent *entry;
	bool found = false;

	while (pool && !found && (entry = readdir(pool)))
		found = is_own_claim(worker, dirfd(pool), entry->d_name);
	if (pool)
		closedir(pool);
	return found;
}

static const char *find_rest(const struct storm_worker *worker)
{
	return has_file(worker, "json")	 ? "a record"
	       : has_file(worker, "tmp") ? "a temporary file"
	       : has_claim(worker)	 ? "a claim"
					 : NULL;
}

/**
 * storm_look_at_rest() - a container that was deleted in peace has left nothing, without any gc
 * @worker: the worker
 *
 * A hook of a runtime that was killed may come late and begin to attach what is dead: it undoes
 * that itself, and so is waited for.
 */
void storm_look_at_rest(const struct storm_worker *worker)
{
	const char *wrong = find_rest(worker);

	for (unsigned try = 0; wrong && try < LOOK_TRIES; try++) {
		bool is_hook = storm_has_hook(worker->storm, (int)worker->id);

		/* Looked at again after that: the hook may have ended in between. */
		wrong = find_rest(worker);
		if (!is_hook)
			break;
		storm_nap_us(LOOK_PAUSE_US);
	}
	if (wrong)
		storm_fail(worker->storm, "%s is deleted, but has left %s", worker->name, wrong);
}
