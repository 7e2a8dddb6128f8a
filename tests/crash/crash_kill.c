// SPDX-License-Identifier: MIT
/*
 * kill BUILD [STEP [OFFSET [SCENARIO]]]: kill -9 before every system call, and whatever may follow.
 *
 * Runs each scenario again and again; the process is killed before its first system call, then
 * before its second, and so on to its last, and after each kill follows each thing that may follow
 * (scenarios.c). STEP > 1 takes a sample: one in STEP of the pairs of a call and what follows,
 * beginning with OFFSET. SCENARIO: only those whose name begins so; behind a
 * '-': only the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/crash/calls.h"
#include "tests/crash/scenarios.h"
#include "tests/crash/world.h"
#include "tests/unit/tap.h"

/* More calls than that in one run are no walk that ends. */
#define CALLS_MAX 5000
/* After so many failures a scenario is given up. */
#define FAILURES_MAX 20

struct walk {
	const struct lab *lab;
	unsigned step;
	unsigned at; /* counts the pairs */
	unsigned kills;
	double slowest;
};

/* The call to kill at. */
struct victim {
	enum whom whom;
	unsigned n;
	int nr; /* which call it was; -1: the run has fewer */
};

static struct trace_verdict kill_there(void *arg, const struct trace_call *call)
{
	struct victim *victim = arg;

	if (call->process != victim->whom || call->n != victim->n)
		return (struct trace_verdict){ .what = TRACE_GO };
	victim->nr = call->nr;
	return (struct trace_verdict){ .what = TRACE_KILL };
}

/* Begins again with a clean RUN. */
static bool recover(struct world *world)
{
	unsigned failures = world->n_failures;
	double slowest = world->slowest;
	bool begun;

	world_end(world);
	begun = world_begin(world, world->lab, world->scenario);
	world->n_failures += failures;
	world->slowest = slowest;
	return begun && world->n_failures < FAILURES_MAX;
}

/* Killed, or it came to an end in spite of the kill: with all done, or with nothing. */
static bool check_end(struct world *world)
{
	int status = world->result.status;

	if (world->scenario->whom == WHOM_PROGRAM)
		return check(world, WIFSIGNALED(status), "it was not killed", NULL);
	lab_settle(world->lab);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return check_whole(world, &world->a);
	return check(world, WIFEXITED(status) && WEXITSTATUS(status) == 1 && *world->result.err,
		       "it did not fail as it should", world->result.err) &&
	       check_left(world, &world->a);
}

/* One kill and what follows. Returns false when the run has no such call. */
static bool kill_at(struct walk *walk, struct world *world, unsigned n, enum after after)
{
	struct victim victim = { world->scenario->whom, n, -1 };
	bool passed;

	snprintf(world->where, sizeof(world->where), "before call %u", n);
	passed = world_prepare(world);
	world_do(world, kill_there, &victim);
	if (victim.nr < 0) {
		world_finish_all(world);
		return false;
	}
	walk->kills++;
	snprintf(world->where, sizeof(world->where), "kill -9 before call %u (%s), %s", n,
		calls_name(victim.nr), after_name(after));
	passed = check_end(world) && passed && after_kill(world, after);
	return passed || recover(world) || world->n_failures < FAILURES_MAX;
}

static void walk_calls(struct walk *walk, struct world *world)
{
	for (unsigned n = 1; n < CALLS_MAX && world->n_failures < FAILURES_MAX; n++)
		for (enum after after = 0; after < AFTER_MAX; after++) {
			if (!after_fits(world->scenario, after) || walk->at++ % walk->step)
				continue;
			if (!kill_at(walk, world, n, after))
				return;
		}
}

static void walk_scenario(struct walk *walk, const struct scenario *scenario)
{
	static struct world world;
	unsigned before = walk->kills;
	/* A sample may have nothing of it. */
	bool is_short = scenario->whom != WHOM_PROGRAM && walk->step > 1;

	if (world_begin(&world, walk->lab, scenario))
		walk_calls(walk, &world);
	world_end(&world);
	ok(world.n_failures == 0 && (walk->kills > before || is_short), "%s: %u kills",
		scenario->name, walk->kills - before);
	if (world.slowest > walk->slowest)
		walk->slowest = world.slowest;
}

int main(int argc, char *argv[])
{
	static struct lab lab;
	struct walk walk = { .lab = &lab, .step = 1 };
	const char *only = argc > 4 ? argv[4] : "";

	if (argc < 2) {
		fprintf(stderr, "usage: kill BUILD [STEP [OFFSET [SCENARIO]]]\n");
		return 2;
	}
	if (argc > 2)
		walk.step = (unsigned)strtoul(argv[2], NULL, 10);
	if (walk.step == 0)
		walk.step = 1;
	if (argc > 3)
		walk.at = (unsigned)strtoul(argv[3], NULL, 10);
	lab_setup(&lab, argv[1]);
	for (unsigned i = 0; i < n_scenarios; i++)
		if (scenario_is_meant(&scenarios[i], only))
			walk_scenario(&walk, &scenarios[i]);
	printf("# sum %u kills before a system call, all survived\n", walk.kills);
	printf("# max %.0f ms for another container's attach after a kill\n", walk.slowest * 1000);
	return tap_done();
}
