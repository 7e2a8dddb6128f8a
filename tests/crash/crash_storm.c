// SPDX-License-Identifier: MIT
/*
 * The storm: hundreds of real containers, started and stopped by 32 workers in a pool of 200
 * addresses, while a killer ends runtimes, hooks and inits with kill -9, and a watcher reads from
 * the kernel that no address and no MAC is ever in two places. tests/crash/storm.sh builds the lab
 * for it.
 *
 *	storm DIR BUILD SECONDS SEED KILL_MS
 *	storm hook COUNTERS -- HOOK ARG...	what the bundles have for a hook
 *
 * A seed decides what workers and killer do, but not when; it helps, but a storm is never twice the
 * same.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/storm.h"
#include "tests/unit/tap.h"

/* What a storm must have been, however short it was meant to be. */
#define STARTS_MIN 300
#define DIFFERENT_MIN 300
/* For these, so much longer at most. */
#define EXTRA_S 180
/* When so much has failed, there is nothing more to learn. */
#define FAILURES_MAX 50
/* How long a worker may need for what it has begun. */
#define END_S 150
/* Between two calls of gc. */
#define LOOK_MS 2000
/* So many attaches of 100 must succeed, else kills are all that is tested. */
#define ATTACHED_MIN 60

/* The bound on the slowest attach: from the hook's start to its end, with 32 at once on however
 * few processors, beside whatever else the machine does.
 */
#define ATTACH_MAX_MS 5000

/* The processes of the storm. */
struct children {
	pid_t killer;
	pid_t watcher;
	pid_t workers[STORM_WORKERS];
};

static pid_t start(
	const struct storm *storm, void (*work)(const struct storm *storm), unsigned worker)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	if (work)
		work(storm);
	else
		storm_work(storm, worker);
	_exit(EXIT_SUCCESS);
}

static void start_all(const struct storm *storm, struct children *children)
{
	children->watcher = start(storm, storm_watch, 0);
	children->killer = start(storm, storm_kill, 0);
	for (unsigned i = 0; i < STORM_WORKERS; i++)
		children->workers[i] = start(storm, NULL, i);
}

/* Waits for the end of one, which has been told to. */
static void end(const struct storm *storm, const char *who, pid_t pid, uint64_t limit)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (storm_now_us() > limit) {
			storm_fail(storm, "a %s does not end", who);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		storm_nap_us(20000);
	}
	if (status != 0)
		storm_fail(storm, "a %s has ended with status %d", who, status);
}

static void rage(const struct storm *storm, unsigned seconds)
{
	const struct storm_shared *shared = storm->shared;
	uint64_t enough = storm_now_us() + seconds * UINT64_C(1000000);
	uint64_t limit = enough + EXTRA_S * UINT64_C(1000000);

	while (storm_now_us() < limit && shared->failures < FAILURES_MAX) {
		if (storm_now_us() >= enough && shared->starts >= STARTS_MIN &&
			shared->different >= DIFFERENT_MIN)
			break;
		storm_nap_us(LOOK_MS * 1000);
		storm_collect(storm);
	}
}

/* First the killer: what the workers have begun they end in peace. */
static void calm(const struct storm *storm, const struct children *children)
{
	uint64_t limit = storm_now_us() + END_S * UINT64_C(1000000);

	__atomic_store_n(&storm->shared->killer_stops, true, __ATOMIC_RELAXED);
	end(storm, "killer", children->killer, limit);
	__atomic_store_n(&storm->shared->workers_stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < STORM_WORKERS; i++)
		end(storm, "worker", children->workers[i], limit);
}

static double attach_ms(const struct storm_shared *shared, unsigned percent)
{
	uint64_t wanted = (uint64_t)shared->attached * percent / 100;
	uint64_t seen = 0;

	for (unsigned i = 0; i < STORM_STEPS; i++) {
		seen += shared->attached_steps[i];
		if (seen > wanted)
			return (i + 1) * (STORM_STEP_US / 1000.0);
	}
	return 0;
}

static void judge_attaches(const struct storm_shared *shared)
{
	ok(shared->attached * 100ULL >= shared->attaches * (unsigned long long)ATTACHED_MIN,
		"attaches: %u of %u succeed, at least %d %%", shared->attached, shared->attaches,
		ATTACHED_MIN);
	ok(shared->attached > 0 && shared->attached_us_max <= ATTACH_MAX_MS * 1000,
		"the slowest attach takes %.1f ms, at most %d ms (p50 %.1f ms, p99 %.1f ms)",
		shared->attached_us_max / 1000.0, ATTACH_MAX_MS, attach_ms(shared, 50),
		attach_ms(shared, 99));
}

static void judge(const struct storm *storm)
{
	const struct storm_shared *shared = storm->shared;
	const unsigned *kills = shared->kills;

	ok(shared->starts >= STARTS_MIN && shared->different >= DIFFERENT_MIN,
		"containers: %u started, %u different ones, in %u runs, beside %u runs of gc",
		shared->starts, shared->different, shared->runs, shared->gcs);
	ok(kills[STORM_RUNTIME] && kills[STORM_HOOK] && kills[STORM_INIT],
		"killed: %u runtimes, %u hooks, %u inits", kills[STORM_RUNTIME], kills[STORM_HOOK],
		kills[STORM_INIT]);
	judge_attaches(shared);
	ok(shared->looks > 0,
		"whoever lives has the addresses claimed for it, from beginning to end: %u looks",
		shared->looks);
	ok(shared->scans > 0 && !shared->findings[STORM_SAME_ADDRESS] &&
			!shared->findings[STORM_SAME_MAC],
		"never a duplicate: %lu scans, %lu views of a namespace", shared->scans,
		shared->views);
	ok(!shared->findings[STORM_UNCLAIMED] && !shared->findings[STORM_RESERVED],
		"never an address that is not claimed, or reserved");
	ok(shared->failures == 0, "nothing fails but what a kill explains");
	printf("# sum %u containers of the storm\n", shared->starts);
	printf("# sum %u runtimes, hooks and inits of the storm that were killed\n",
		kills[STORM_RUNTIME] + kills[STORM_HOOK] + kills[STORM_INIT]);
	printf("# max %.0f ms for an attach in the storm\n", shared->attached_us_max / 1000.0);
}

static void run(const struct storm *storm, unsigned seconds)
{
	struct storm_before before;
	struct children children;

	printf("# seed %llu, a kill every %u ms\n", (unsigned long long)storm->seed,
		storm->kill_ms);
	storm_prove_watcher(storm);
	storm_look_before(&before);
	start_all(storm, &children);
	rage(storm, seconds);
	calm(storm, &children);
	storm_end(storm, &before);
	__atomic_store_n(&storm->shared->watcher_stops, true, __ATOMIC_RELAXED);
	end(storm, "watcher", children.watcher, storm_now_us() + END_S * UINT64_C(1000000));
	judge(storm);
	storm_print_failures(storm);
	storm_print_excuses(storm);
}

int main(int argc, char *argv[])
{
	struct storm storm = { .cgroup = getenv("OCI_MACVLAN_CGROUP") };
	char counters[160];
	char cli[PATH_MAX];

	if (argc > 2 && !strcmp(argv[1], "hook"))
		return storm_hook(argc - 2, argv + 2);
	if (argc != 6 || !storm.cgroup || !getenv("OCI_MACVLAN_ISOLATED")) {
		fprintf(stderr, "%s is for tests/crash/storm.sh\n", argv[0]);
		return EXIT_FAILURE;
	}
	snprintf(storm.dir, sizeof(storm.dir), "%s", argv[1]);
	snprintf(cli, sizeof(cli), "%s/oci-macvlan", argv[2]);
	storm.cli = cli;
	storm.seed = strtoull(argv[4], NULL, 10);
	storm.kill_ms = (unsigned)strtoul(argv[5], NULL, 10);
	snprintf(counters, sizeof(counters), "%s/counters", storm.dir);
	storm.shared = storm_map(counters, true);
	if (!storm.shared || storm.kill_ms == 0) {
		perror(counters);
		return EXIT_FAILURE;
	}
	run(&storm, (unsigned)strtoul(argv[3], NULL, 10));
	return tap_done();
}
