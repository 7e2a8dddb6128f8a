// SPDX-License-Identifier: MIT
/*
 * fault BUILD [STEP [OFFSET [SCENARIO]]]: every system call fails once with every error that fits.
 *
 * Runs each scenario again and again, each time with one error at one call (calls.c says which).
 * Then either all is done as if nothing had happened, and it says nothing; or the exit status is 1,
 * there is one line that says why, and an attach has left nothing, while of the others nothing is
 * lost: called again, they finish. STEP, OFFSET and SCENARIO: as in crash_kill.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/calls.h"
#include "tests/crash/scenarios.h"
#include "tests/crash/world.h"
#include "tests/unit/tap.h"

#define CALLS_MAX 5000
#define FAILURES_MAX 20
/* What the dynamic loader exits with, if it does not crash, when it cannot load the program. */
#define EXIT_LOADER 127

struct walk {
	const struct lab *lab;
	unsigned step;
	unsigned at; /* counts the pairs of a call and an error */
	unsigned faults;
	unsigned survived; /* those in spite of which all was done */
};

/* The call that fails. */
struct fault {
	enum whom whom;
	unsigned n;
	unsigned which; /* of the errors that fit it */
	int nr;		/* the call; -1: the run has fewer */
	int error;	/* 0: fewer errors fit it */
	bool loading;	/* the program has not begun */
	bool silencing; /* it is the message itself that cannot be written */
};

static bool is_pipe(const struct trace_call *call, int fd)
{
	char path[64];
	char kind[16] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)call->pid, fd);
	return readlink(path, kind, sizeof(kind) - 1) > 0 && !strncmp(kind, "pipe:", 5);
}

/* Errors that need a circumstance which the call at hand does not have. */
static bool can_happen(const struct trace_call *call, int error)
{
	if (call->nr == SYS_openat && error == ENOSPC)
		return (call->args[2] & O_CREAT) != 0;
	/* To close a pipe always works. Who waits for its end would else wait for ever. */
	if (call->nr == SYS_close)
		return !is_pipe(call, (int)call->args[0]);
	/* brk(NULL) only asks. */
	return call->nr != SYS_brk || call->args[0] != 0;
}

static struct trace_verdict fail_there(void *arg, const struct trace_call *call)
{
	struct fault *fault = arg;
	const int *errors;

	if (call->process != fault->whom || call->n != fault->n)
		return (struct trace_verdict){ .what = TRACE_GO };
	fault->nr = call->nr;
	fault->silencing = call->nr == SYS_write && call->args[0] == STDERR_FILENO;
	errors = calls_errors(call->nr);
	for (unsigned i = 0; i < fault->which && *errors; i++)
		errors++;
	fault->error = *errors;
	if (!*errors || !can_happen(call, *errors))
		return (struct trace_verdict){ .what = TRACE_GO };
	return (struct trace_verdict){ .what = TRACE_FAIL, .error = *errors };
}

static bool check_one_line(struct world *world)
{
	const char *text = world->result.err;
	size_t length = strcspn(text, "\n");

	return check(world, length > 30 && text[length] == '\n' && !text[length + 1],
		"it does not say in one line what is wrong", text);
}

/* All done: what an undisturbed run leaves. */
static bool check_done(struct world *world)
{
	const struct scenario *scenario = world->scenario;

	if (!check(world, !*world->result.err, "it succeeds, but complains", world->result.err))
		return false;
	switch (scenario->op) {
	case OP_ATTACH:
		return check(world, !scenario->refused, "it is not refused", NULL) &&
		       check_whole(world, &world->a);
	case OP_DETACH:
		return check_left(world, &world->a);
	case OP_GC:
		return check_left(world, &world->a);
	case OP_REVIVE:
		return check_whole(world, &world->a) && check_client(world);
	case OP_RM:
		return check(world, !lab_has_network(world->lab, world_network(world)),
			"the network is still there", NULL);
	}
	return false;
}

/* A fault in the undo of an attach that is refused anyway: when init is dead, gc finishes that. */
static bool check_undone(struct world *world, const char *before)
{
	static const char *const gc[] = { "gc", NULL };
	static char state[LAB_TEXT];

	if (world->scenario->refused) {
		box_kill(&world->a);
		if (!world_cli(world, gc))
			return false;
	}
	/* RUN may be there by now; in the end it is. */
	if (world->scenario->place == PLACE_FIRST)
		return check_left(world, &world->a);
	lab_list_state(world->lab, state);
	return check_same_text(world, state, before, "it failed, but left something") &&
	       check_left(world, &world->a);
}

/* Exit status 1, and one line. The dynamic loader has its own ways. */
static bool check_said(struct world *world, const struct fault *fault)
{
	int status = world->result.status;

	if (fault->loading && (WIFSIGNALED(status) || WEXITSTATUS(status) == EXIT_LOADER))
		return true;
	return check(world, WIFEXITED(status), "it crashed", world->result.err) &&
	       check(world, WEXITSTATUS(status) == 1, "its exit status is not 1",
		       world->result.err) &&
	       (fault->silencing || check_one_line(world));
}

static bool check_failed(struct world *world, const struct fault *fault, const char *before)
{
	if (!check_said(world, fault))
		return false;
	if (world->scenario->op == OP_ATTACH)
		return check_undone(world, before);
	world_do(world, NULL, NULL);
	if (world->scenario->op == OP_RM && !lab_has_network(world->lab, world_network(world)) &&
		check(world, lab_succeeded(&world->result), "a second try failed",
			world->result.err))
		return true;
	return check(world,
		       WIFEXITED(world->result.status) && WEXITSTATUS(world->result.status) == 0,
		       "a second try failed", world->result.err) &&
	       check_done(world);
}

/* Begins again with a clean RUN. */
static void recover(struct world *world)
{
	unsigned failures = world->n_failures;
	bool begun;

	world_end(world);
	begun = world_begin(world, world->lab, world->scenario);
	world->n_failures += begun ? failures : FAILURES_MAX;
}

static bool check_outcome(
	struct walk *walk, struct world *world, const struct fault *fault, const char *before)
{
	bool passed;

	if (WIFEXITED(world->result.status) && WEXITSTATUS(world->result.status) == 0) {
		walk->survived++;
		passed = check_done(world);
	} else {
		passed = check_failed(world, fault, before);
	}
	/* Whoever comes next makes RUN, where the first did not get so far. */
	if (world->scenario->place == PLACE_FIRST)
		passed = passed && world_start_b(world);
	return check_shared(world) && world_finish_all(world) && passed && check_base(world);
}

/* One fault. Sets what it was. */
static void fail_at(struct walk *walk, struct world *world, struct fault *fault)
{
	static char before[LAB_TEXT];
	bool passed;

	snprintf(world->where, sizeof(world->where), "before call %u", fault->n);
	passed = world_prepare(world);
	lab_list_state(world->lab, before);
	world_do(world, fail_there, fault);
	if (fault->nr < 0 || fault->error == 0) {
		world_finish_all(world);
		return;
	}
	walk->faults++;
	snprintf(world->where, sizeof(world->where), "%s fails in call %u (%s)",
		strerrorname_np(fault->error), fault->n, calls_name(fault->nr));
	if (!check_outcome(walk, world, fault, before) || !passed)
		recover(world);
}

static unsigned count_errors(int nr)
{
	const int *errors = calls_errors(nr);
	unsigned n = 0;

	while (errors[n])
		n++;
	return n;
}

/* The calls of an undisturbed run. Up to the last mprotect(2), which makes constant data read-only,
 * they are the dynamic loader's.
 */
struct script {
	enum whom whom;
	bool is_other; /* another program than ours: the DHCP client */
	unsigned n;
	unsigned n_loading;
	int nr[CALLS_MAX];
};

static struct trace_verdict note_call(void *arg, const struct trace_call *call)
{
	struct script *script = arg;

	if (call->process != script->whom || script->is_other)
		return (struct trace_verdict){ .what = TRACE_GO };
	script->is_other = script->whom == WHOM_CLIENT && call->nr == SYS_execve;
	if (script->n < CALLS_MAX)
		script->nr[script->n++] = call->nr;
	if (call->nr == SYS_mprotect)
		script->n_loading = script->n;
	return (struct trace_verdict){ .what = TRACE_GO };
}

static void walk_calls(struct walk *walk, struct world *world, const struct script *script)
{
	/* Not the first, execve(2): that is the runtime's to fail with. */
	for (unsigned n = 2; n <= script->n; n++)
		for (unsigned which = 0; which < count_errors(script->nr[n - 1]); which++) {
			struct fault fault = { .whom = world->scenario->whom,
				.n = n,
				.which = which,
				.nr = -1,
				.loading = n <= script->n_loading };

			if (walk->at++ % walk->step)
				continue;
			if (world->n_failures >= FAILURES_MAX)
				return;
			fail_at(walk, world, &fault);
		}
}

static void walk_scenario(struct walk *walk, const struct scenario *scenario)
{
	static struct script script;
	static struct world world;
	unsigned before = walk->faults;
	/* A sample may have nothing of it. */
	bool is_short = scenario->whom != WHOM_PROGRAM && walk->step > 1;

	script = (struct script){ .whom = scenario->whom };
	if (world_begin(&world, walk->lab, scenario)) {
		snprintf(world.where, sizeof(world.where), "undisturbed");
		world_prepare(&world);
		world_do(&world, note_call, &script);
		world_finish_all(&world);
		walk_calls(walk, &world, &script);
	}
	world_end(&world);
	ok(world.n_failures == 0 && (walk->faults > before || is_short), "%s: %u faults",
		scenario->name, walk->faults - before);
}

int main(int argc, char *argv[])
{
	static struct lab lab;
	struct walk walk = { .lab = &lab, .step = 1 };
	const char *only = argc > 4 ? argv[4] : "";

	if (argc < 2) {
		fprintf(stderr, "usage: fault BUILD [STEP [OFFSET [SCENARIO]]]\n");
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
	printf("# sum %u faults in a system call\n", walk.faults);
	printf("# sum %u faults in spite of which all was done\n", walk.survived);
	return tap_done();
}
