// SPDX-License-Identifier: MIT
/*
 * Behind the storm: all containers are ended, gc runs once, and then nothing is left of them: no
 * process, no claim, no record, no namespace id, no link.
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/kernel.h"
#include "tests/crash/storm.h"
#include "tests/unit/tap.h"

#define WAIT_MS 30000
#define PAUSE_MS 20
#define NSIDS_MAX 1024
#define DELETE_TRIES 3

/**
 * storm_look_before() - what is there before the storm
 * @ret: processes, and the host's network
 */
void storm_look_before(struct storm_before *ret)
{
	int nl = kernel_open_pid(getpid());

	ret->n_pids = storm_list_pids(ret->pids, STORM_PIDS_MAX);
	if (kernel_listing(nl, ret->host, sizeof(ret->host)) < 0)
		ret->host[0] = '\0';
	close(nl);
}

/**
 * storm_collect() - what a person or a timer does meanwhile: ps, and gc
 * @storm: the storm
 *
 * There is never a claim or a namespace's entry that no record leads to, so gc finds none.
 *
 * Return: whether all is well.
 */
bool storm_collect(const struct storm *storm)
{
	static const char *const commands[] = { "ps", "gc" };
	unsigned failures = storm->shared->failures;
	struct storm_result result;

	for (unsigned i = 0; i < 2; i++)
		if (!storm_cli(storm, commands[i], &result) ||
			strstr(result.output, "oci-macvlan: ") ||
			strstr(result.output, "no record of"))
			storm_fail(storm, "%s, status %d: %s", commands[i], result.status,
				result.output);
	storm->shared->gcs++;
	return storm->shared->failures == failures;
}

static void delete_all(const struct storm *storm)
{
	struct storm_worker worker = { .storm = storm };
	char path[PATH_MAX];

	for (unsigned id = 0; id < STORM_IDS; id++) {
		worker.id = worker.first = id;
		storm_name(id, worker.name);
		snprintf(worker.bundle, sizeof(worker.bundle), "%s", storm->dir);
		snprintf(path, sizeof(path), "%s/runc/%s", storm->dir, worker.name);
		for (unsigned i = 0; i < DELETE_TRIES && access(path, F_OK) == 0; i++)
			storm_delete(&worker);
	}
}

/* Waits for what the kernel and the processes do in their own time. */
static bool wait_until(
	bool (*condition)(const struct storm *storm, const struct storm_before *before),
	const struct storm *storm, const struct storm_before *before)
{
	for (unsigned i = 0; i < WAIT_MS / PAUSE_MS; i++) {
		if (condition(storm, before))
			return true;
		storm_nap_us(PAUSE_MS * 1000);
	}
	return false;
}

static bool was_there(const struct storm_before *before, pid_t pid)
{
	for (unsigned i = 0; i < before->n_pids; i++)
		if (before->pids[i] == pid)
			return true;
	return false;
}

static unsigned list_new_processes(const struct storm_before *before, pid_t *ret, unsigned max)
{
	unsigned n = storm_list_pids(ret, max);
	unsigned n_new = 0;

	for (unsigned i = 0; i < n; i++)
		if (!was_there(before, ret[i]))
			ret[n_new++] = ret[i];
	return n_new;
}

/* The watcher is still there. */
static bool processes_are_gone(const struct storm *storm, const struct storm_before *before)
{
	pid_t pids[STORM_PIDS_MAX];

	(void)storm;
	return list_new_processes(before, pids, STORM_PIDS_MAX) == 1;
}

static void print_processes(const struct storm_before *before)
{
	pid_t pids[STORM_PIDS_MAX];
	unsigned n = list_new_processes(before, pids, STORM_PIDS_MAX);

	for (unsigned i = 0; i < n; i++)
		storm_print_process(pids[i]);
}

/* In RUN only its own folders and files may be, and the hints. Returns 1 at what may not. */
static int check_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	const char *name = path + walk->base;

	(void)status;
	if (walk->level == 0 || (type == FTW_D && walk->level <= 2) ||
		(walk->level == 1 && (!strcmp(name, "lock") || !strcmp(name, "boot") ||
					     !strcmp(name, "errors"))) ||
		(walk->level == 3 && !strncmp(name, ".hint-", 6)))
		return 0;
	printf("# left: %s\n", path);
	return 1;
}

static bool run_is_empty(const struct storm *storm)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/run", storm->dir);
	return nftw(path, check_entry, 16, FTW_PHYS) == 0;
}

static bool is_same(const struct kernel_view *a, const struct kernel_view *b)
{
	if (a->n_links != b->n_links)
		return false;
	for (unsigned i = 0; i < a->n_links; i++)
		if (a->links[i].ifindex != b->links[i].ifindex ||
			strcmp(a->links[i].name, b->links[i].name) != 0 ||
			memcmp(a->links[i].mac, b->links[i].mac, sizeof(a->links[i].mac)) != 0)
			return false;
	return true;
}

/* The kernel gives a host's namespace an id in itself when a macvlan of it goes. */
static bool ids_are_gone(const struct storm *storm, const struct storm_before *before)
{
	int nsids[NSIDS_MAX];
	struct kernel_view host;
	struct kernel_view other;
	int nl = kernel_open_pid(getpid());
	int n = kernel_view(nl, KERNEL_HERE, &host) < 0 ? -1 : kernel_nsids(nl, nsids, NSIDS_MAX);
	bool gone = n >= 0;

	(void)storm;
	(void)before;
	for (int i = 0; gone && i < n; i++)
		gone = kernel_view(nl, nsids[i], &other) == 0 && is_same(&host, &other);
	close(nl);
	return gone;
}

/* A macvlan in mode passthru wants its parent for itself: the kernel refuses it while another one
 * is on the parent, in whatever namespace.
 */
static bool parent_is_free(const struct storm *storm, const struct storm_before *before)
{
	const char *argv[] = { "sh", "-ec",
		"ip link add probe link eth0 type macvlan mode passthru; ip link del probe", NULL };
	struct storm_result result;

	(void)before;
	storm_run(storm, "/", argv, &result);
	return result.status == 0;
}

static bool host_is_as_before(const struct storm_before *before)
{
	char now[STORM_LISTING_MAX];
	int nl = kernel_open_pid(getpid());
	int r = kernel_listing(nl, now, sizeof(now));

	close(nl);
	return r == 0 && *now && !strcmp(now, before->host);
}

/**
 * storm_end() - end what is left of the containers, and see that nothing is
 * @storm:  the storm; killers and workers have ended, the watcher has not
 * @before: what may be there
 */
void storm_end(const struct storm *storm, const struct storm_before *before)
{
	struct storm_result ps;
	bool done;

	delete_all(storm);
	storm_end_container(storm, STORM_ALL);
	if (!ok(wait_until(processes_are_gone, storm, before), "all processes have ended"))
		print_processes(before);
	ok(storm_collect(storm), "gc frees what the kills have left");
	done = storm_cli(storm, "ps", &ps);
	ok(done && strchr(ps.output, '\n') == strrchr(ps.output, '\n'), "ps shows none");
	ok(run_is_empty(storm), "no record, claim, namespace or temporary file is left");
	ok(wait_until(ids_are_gone, storm, before), "no namespace but the host's has an id");
	ok(wait_until(parent_is_free, storm, before), "no macvlan is left in any namespace");
	ok(host_is_as_before(before), "the host's links, addresses and routes are as before");
}
