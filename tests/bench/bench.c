// SPDX-License-Identifier: MIT
/*
 * bench BUILD SCRIPTS DIR QUESTION ROUNDS
 *
 * Puts one question to the contestants and prints what each of their processes took, as CSV. DIR
 * has etc/ with the network "bench" and bundle/; everything is written there. tests/bench/run.sh
 * prepares all that.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/allocate.h"
#include "tests/bench/race.h"

#define CROWD_MAX 4000
#define PARALLEL_TOTAL 192

static const char attach_names[] =
	"empty floor floor-announce ours ours-config netavark cni ip-batch pipework";

static void ask_attach(struct race *race)
{
	race->kase = "1";
	race_enter(race, attach_names);
	race_attach(race);
}

/* Without peers, and fast: for the gate. */
static void ask_attach_quick(struct race *race)
{
	race->question = "attach";
	race->kase = "1";
	race_enter(race, "empty floor ours ours-config");
	race_attach(race);
}

static void ask_dual(struct race *race)
{
	race->kase = "1";
	race_enter(race, "ours cni-dual");
	race_attach(race);
}

static void ask_detach_gone(struct race *race)
{
	race->kase = "gone";
	race_enter(race, "empty ours cni");
	race_detach(race, false);
}

static void ask_detach_alive(struct race *race)
{
	race->kase = "alive";
	race_enter(race, "floor ours netavark cni ip-batch");
	race_detach(race, true);
}

static void ask_endpoints(struct race *race)
{
	static const struct {
		const char *name;
		unsigned n;
	} crowds[] = { { "1", 1 }, { "100", 100 }, { "1000", 1000 }, { "4000", CROWD_MAX } };

	race_enter(race, "floor floor-announce ours ours-config netavark cni");
	for (unsigned i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		race_gather_crowd(race, crowds[i].n);
		race->kase = crowds[i].name;
		race_attach(race);
	}
}

static void ask_parallel(struct race *race)
{
	race_enter(race, "floor floor-announce ours ours-config netavark cni");
	race->kase = "1";
	race_parallel(race, 1, PARALLEL_TOTAL);
	race->kase = "8";
	race_parallel(race, 8, PARALLEL_TOTAL);
	race->kase = "64";
	race_parallel(race, 64, PARALLEL_TOTAL);
}

static void ask_parallel_quick(struct race *race)
{
	race->question = "parallel";
	race->kase = "64";
	race_enter(race, "floor floor-announce ours ours-config");
	race_parallel(race, 64, PARALLEL_TOTAL);
}

static void ask_allocation(struct race *race)
{
	allocate_race(race, true);
}

/* Without the peer, whose allocations take a third of a second each in a pool that is nearly full.
 */
static void ask_allocation_quick(struct race *race)
{
	allocate_race(race, false);
}

static void ask_memory(struct race *race)
{
	race_enter(race, "empty floor ours ours-config netavark cni ip-batch pipework");
	race_trace(race, false);
}

/* What is the same on each machine: for the gate. */
static void ask_work(struct race *race)
{
	race_enter(race, "empty floor ours ours-config");
	race_trace(race, true);
}

/* What a hook adds to a runtime's container. To put a process into a cgroup takes up to 20 ms, as
 * the kernel waits for its RCU: a hook is easier to see without.
 */
static void ask_runtimes(struct race *race)
{
	static const char *const runtimes[] = { "crun", "crun --cgroup-manager=disabled", "runc" };

	race->whole = true;
	race_enter(race, "empty floor run-none run-empty run-ours");
	for (unsigned i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		race->kase = runtimes[i];
		race_attach(race);
	}
}

static void ask_containers(struct race *race)
{
	race->whole = true;
	race->kase = "podman";
	race_enter(race, "podman-none podman-macvlan podman-ours");
	race_attach(race);
	race->kase = "docker";
	race_enter(race, "docker-none docker-macvlan");
	race_attach(race);
}

static const struct {
	const char *name;
	void (*ask)(struct race *race);
} questions[] = {
	{ "attach", ask_attach },
	{ "attach-quick", ask_attach_quick },
	{ "dual", ask_dual },
	{ "detach-gone", ask_detach_gone },
	{ "detach-alive", ask_detach_alive },
	{ "endpoints", ask_endpoints },
	{ "parallel", ask_parallel },
	{ "parallel-quick", ask_parallel_quick },
	{ "allocation", ask_allocation },
	{ "allocation-quick", ask_allocation_quick },
	{ "memory", ask_memory },
	{ "work", ask_work },
	{ "runtimes", ask_runtimes },
	{ "containers", ask_containers },
};

/* Each container of the crowd is a process of ours, and each that races holds a namespace. */
static void raise_limits(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NPROC, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NPROC, &limit);
}

int main(int argc, char *argv[])
{
	static struct box crowd[CROWD_MAX];
	char bench[PATH_MAX];
	char log[PATH_MAX];
	struct place place = { .bench = bench };
	struct race race = { .place = &place, .crowd = crowd };

	if (argc != 6)
		return 2;
	place.build = argv[1];
	place.scripts = argv[2];
	place.dir = argv[3];
	race.question = argv[4];
	race.rounds = (unsigned)strtoul(argv[5], NULL, 10);
	snprintf(bench, sizeof(bench), "%s/bench", place.build);
	snprintf(log, sizeof(log), "%s/log", place.dir);
	race.log = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (race.log < 0) {
		perror(log);
		return EXIT_FAILURE;
	}
	raise_limits();
	for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(questions[i].name, argv[4]) != 0)
			continue;
		questions[i].ask(&race);
		race_end(&race);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "bench: there is no question '%s'\n", argv[4]);
	return 2;
}
