// SPDX-License-Identifier: MIT
/*
 * Races: contestants take turns, in each round in another order, so that what else goes on in the
 * machine meets all of them alike, and each round gives ratios of its own.
 * Nothing but the whole process is in the measured time; containers are made before, what came of
 * it is looked up in the kernel afterwards, and the next round begins when the kernel is at rest.
 */
#include "tests/bench/race.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/spawn.h"
#include "tests/bench/trace.h"
#include "tests/lab/kernel.h"

#define SENTINEL "settle"
#define PAUSE_NS 200000
#define LOG_SHOWN 4096
#define CALM_NS 20000000000U

/* Ids are never used twice: a container that comes back would have its last address looked up. */
static unsigned long n_boxes;

/* A turn of a contestant. */
struct turn {
	const struct contestant *contestant;
	unsigned number;
	struct box box;
	struct order order;
	struct spawn spawn;
};

static void fail(const struct race *race, const char *name, const char *what)
{
	char text[LOG_SHOWN + 1] = "";
	ssize_t n = pread(race->log, text, LOG_SHOWN, 0);

	text[n > 0 ? n : 0] = '\0';
	fprintf(stderr, "bench: %s: %s %s\n%s", race->question, name, what, text);
	exit(EXIT_FAILURE);
}

/**
 * race_enter() - enter contestants
 * @race:  the race
 * @names: theirs, separated by spaces
 */
void race_enter(struct race *race, const char *names)
{
	char copy[256];
	char *rest = copy;
	char *name;

	snprintf(copy, sizeof(copy), "%s", names);
	race->n = 0;
	while ((name = strtok_r(rest, " ", &rest))) {
		if (race->n == RACE_CONTESTANTS_MAX)
			fail(race, name, "is one too many");
		race->contestants[race->n++] = contestant_find(name);
	}
}

static void start_box(struct box *box)
{
	char id[sizeof(box->id)];

	*box = BOX_NONE;
	snprintf(id, sizeof(id), "bench%lu", n_boxes++);
	box_start(box, id, "", NULL);
	box_set_lo_up(box);
}

static void begin_turn(struct turn *turn, const struct contestant *contestant, unsigned number)
{
	turn->contestant = contestant;
	turn->number = number;
	start_box(&turn->box);
}

static void order(const struct race *race, struct turn *turn, const char *command, const char *env,
	const char *input)
{
	struct place place = *race->place;

	place.kase = race->kase;
	contestant_order(&place, &turn->box, turn->number, command, env, input, &turn->order);
}

static void order_attach(const struct race *race, struct turn *turn)
{
	const struct contestant *contestant = turn->contestant;

	order(race, turn, contestant->attach, contestant->attach_env, contestant->attach_input);
}

static void report(const struct race *race, const char *question, const char *name, unsigned round,
	uint64_t wall_ns, uint64_t cpu_ns)
{
	printf("%s,%s,%s,%u,%.1f,%.1f\n", question, race->kase, name, round, (double)wall_ns / 1000,
		(double)cpu_ns / 1000);
}

static void check_status(const struct race *race, const struct turn *turn, int status)
{
	if (status != 0)
		fail(race, turn->contestant->name, "failed");
}

/* Runs what was ordered. */
static void run_turn(const struct race *race, struct turn *turn, struct spawn_result *ret)
{
	spawn_run(&turn->order.command, race->log, ret);
	check_status(race, turn, ret->status);
}

static void look(const struct race *race, const struct turn *turn, struct kernel_view *ret)
{
	int nl = kernel_open(turn->box.netns);

	if (nl < 0 || kernel_view(nl, KERNEL_HERE, ret) < 0)
		fail(race, turn->contestant->name, "cannot be looked at");
	close(nl);
}

static bool has_address(const struct kernel_view *view, int ifindex, sa_family_t family)
{
	for (unsigned i = 0; i < view->n_addresses; i++)
		if (view->addresses[i].ifindex == ifindex && view->addresses[i].family == family &&
			!view->addresses[i].link_local)
			return true;
	return false;
}

/* Has it done what it is measured for? */
static void check_attached(const struct race *race, const struct turn *turn)
{
	struct kernel_view view;

	if (turn->contestant->makes_nothing)
		return;
	look(race, turn, &view);
	for (unsigned i = 0; i < view.n_links; i++) {
		const struct kernel_link *link = &view.links[i];

		if (!strcmp(link->name, "eth0") && !strcmp(link->kind, "macvlan") && link->up &&
			has_address(&view, link->ifindex, AF_INET) &&
			(!turn->contestant->has_ip6 || has_address(&view, link->ifindex, AF_INET6)))
			return;
	}
	fail(race, turn->contestant->name, "did not make the endpoint");
}

static void check_detached(const struct race *race, const struct turn *turn)
{
	struct kernel_view view;

	look(race, turn, &view);
	for (unsigned i = 0; i < view.n_links; i++)
		if (!strcmp(view.links[i].kind, "macvlan"))
			fail(race, turn->contestant->name, "did not delete the link");
}

/* Waits until the kernel has taken down every namespace that nobody holds any more. It does so in
 * the order in which they ended: so one more is made, whose end can be seen from here.
 */
static void settle(const struct race *race)
{
	struct turn turn = { .contestant = contestant_find("empty") };
	struct spawn_result result;

	start_box(&turn.box);
	order(race, &turn, "/bin/ip link add " SENTINEL " type veth peer name s netns @pid@", NULL,
		NULL);
	run_turn(race, &turn, &result);
	box_kill(&turn.box);
	box_unpin(&turn.box);
	while (if_nametoindex(SENTINEL) != 0)
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

static unsigned count_processes(void)
{
	const struct dirent *entry;
	unsigned n = 0;
	DIR *proc = opendir("/proc");

	if (!proc)
		return 0;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			n++;
	closedir(proc);
	return n;
}

/* Waits for what engines leave to be done when they have ended: until there are no more than N
 * processes again, and no namespace that the kernel takes down.
 */
static void calm_down(const struct race *race, const struct turn *turn, unsigned n)
{
	uint64_t end = spawn_clock() + CALM_NS;

	while (count_processes() > n) {
		if (spawn_clock() > end)
			fail(race, turn->contestant->name, "left processes behind");
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	settle(race);
}

/* In which order they have their turns: another in each round, as whoever comes next finds caches
 * as the one before has left them. The same in each run: rand_r(3) of a fixed seed.
 */
static void shuffle(struct race *race, unsigned ret[RACE_CONTESTANTS_MAX])
{
	for (unsigned i = 0; i < race->n; i++) {
		unsigned j = (unsigned)rand_r(&race->seed) % (i + 1);

		ret[i] = ret[j];
		ret[j] = i;
	}
}

/* What is left of a container that has ended. */
static void clean_up(const struct race *race, struct turn *turn)
{
	const struct contestant *contestant = turn->contestant;
	struct spawn_result result;

	box_kill(&turn->box);
	box_unpin(&turn->box);
	if (!contestant->detach)
		return;
	order(race, turn, contestant->detach, contestant->detach_env, contestant->detach_input);
	run_turn(race, turn, &result);
}

/**
 * race_attach() - how long it takes to attach a container, one at a time
 * @race: the race
 *
 * Whole containers end within their turn. What that leaves to the kernel and to processes of the
 * engine is not to be paid by whoever comes next, so it is waited for.
 */
void race_attach(struct race *race)
{
	static struct turn turns[RACE_CONTESTANTS_MAX];
	unsigned whose[RACE_CONTESTANTS_MAX];
	struct spawn_result result;
	unsigned processes;

	for (unsigned round = 0; round < race->rounds; round++) {
		for (unsigned i = 0; i < race->n; i++)
			begin_turn(&turns[i], race->contestants[i], i + 1);
		processes = count_processes();
		shuffle(race, whose);
		for (unsigned i = 0; i < race->n; i++) {
			struct turn *turn = &turns[whose[i]];

			order_attach(race, turn);
			run_turn(race, turn, &result);
			report(race, race->question, turn->contestant->name, round, result.wall_ns,
				result.cpu_ns);
			if (race->whole)
				calm_down(race, turn, processes);
		}
		for (unsigned i = 0; i < race->n; i++)
			check_attached(race, &turns[i]);
		for (unsigned i = 0; i < race->n; i++)
			clean_up(race, &turns[i]);
		settle(race);
	}
}

/* One whose init is dead, and whose namespace is as the question has it. */
static void begin_detach(struct race *race, struct turn *turn, bool alive)
{
	struct spawn_result result;

	order_attach(race, turn);
	run_turn(race, turn, &result);
	check_attached(race, turn);
	box_kill(&turn->box);
	if (!alive)
		box_unpin(&turn->box);
}

static void order_detach(const struct race *race, struct turn *turn, bool alive)
{
	const struct contestant *contestant = turn->contestant;
	const char *command = contestant->detach;

	if (alive && contestant->delete)
		command = contestant->delete;
	if (!command)
		fail(race, contestant->name, "cannot do that");
	order(race, turn, command, contestant->detach_env, contestant->detach_input);
}

/**
 * race_detach() - how long it takes to take a container's network down, after its end
 * @race:  the race
 * @alive: is its namespace there still?
 */
void race_detach(struct race *race, bool alive)
{
	static struct turn turns[RACE_CONTESTANTS_MAX];
	unsigned whose[RACE_CONTESTANTS_MAX];
	struct spawn_result result;

	for (unsigned round = 0; round < race->rounds; round++) {
		for (unsigned i = 0; i < race->n; i++) {
			begin_turn(&turns[i], race->contestants[i], i + 1);
			begin_detach(race, &turns[i], alive);
		}
		settle(race);
		shuffle(race, whose);
		for (unsigned i = 0; i < race->n; i++) {
			struct turn *turn = &turns[whose[i]];

			order_detach(race, turn, alive);
			run_turn(race, turn, &result);
			report(race, race->question, turn->contestant->name, round, result.wall_ns,
				result.cpu_ns);
			if (alive)
				check_detached(race, turn);
		}
		for (unsigned i = 0; i < race->n; i++)
			box_unpin(&turns[i].box);
		settle(race);
	}
}

static void report_trace(const struct race *race, const char *kase, const char *name,
	unsigned round, unsigned long amount)
{
	printf("%s,%s,%s,%u,%lu,0\n", race->question, kase, name, round, amount);
}

/**
 * race_trace() - what attaching a container takes, other than time
 * @race: the race
 * @work: system calls and page faults (cases "calls" and "faults"), not memory ("resident", "own")
 *
 * Prints their number, or KiB, in the place of the time.
 */
void race_trace(struct race *race, bool work)
{
	static struct turn turn;

	for (unsigned round = 0; round < race->rounds; round++)
		for (unsigned i = 0; i < race->n; i++) {
			const char *name = race->contestants[i]->name;
			struct trace trace;
			int status = 0;

			begin_turn(&turn, race->contestants[i], i + 1);
			order_attach(race, &turn);
			trace_run(&turn.order.command, race->log, &status, &trace);
			check_status(race, &turn, status);
			check_attached(race, &turn);
			report_trace(race, work ? "calls" : "resident", name, round,
				work ? trace.calls : trace.resident);
			report_trace(race, work ? "faults" : "own", name, round,
				work ? trace.faults : trace.own);
			clean_up(race, &turn);
			settle(race);
		}
}

static struct turn *find_turn(struct turn *turns, unsigned n, pid_t pid)
{
	for (unsigned i = 0; i < n; i++)
		if (turns[i].spawn.pid == pid)
			return &turns[i];
	return NULL;
}

/* Keeps AT_ONCE of them running until all have ended. */
static void run_parallel(
	struct race *race, struct turn *turns, unsigned total, unsigned at_once, unsigned round)
{
	uint64_t start = spawn_clock();
	uint64_t end = start;
	uint64_t cpu = 0;
	unsigned started = 0;
	unsigned ended = 0;

	while (ended < total) {
		struct spawn_result result;
		const struct turn *turn;

		while (started < total && started - ended < at_once) {
			struct turn *next = &turns[started++];

			spawn_start(&next->order.command, race->log, &next->spawn);
		}
		turn = find_turn(turns, started, spawn_wait(-1, &end, &result));
		if (!turn)
			fail(race, "a container", "ended too early");
		check_status(race, turn, result.status);
		report(race, race->question, turn->contestant->name, round,
			end - turn->spawn.start_ns, result.cpu_ns);
		cpu += result.cpu_ns;
		ended++;
	}
	report(race, "parallel-total", turns[0].contestant->name, round, (end - start) / total,
		cpu / total);
}

/**
 * race_parallel() - how long it takes when many are attached at once
 * @race:    the race
 * @at_once: so many
 * @total:   how many are attached in a contestant's turn
 *
 * Prints one more line for each turn, "parallel-total": the time of all, divided by their number.
 */
void race_parallel(struct race *race, unsigned at_once, unsigned total)
{
	struct turn *turns = calloc(total, sizeof(*turns));
	unsigned whose[RACE_CONTESTANTS_MAX];

	if (!turns)
		fail(race, "calloc", "failed");
	for (unsigned round = 0; round < race->rounds; round++) {
		shuffle(race, whose);
		for (unsigned i = 0; i < race->n; i++) {
			const struct contestant *contestant = race->contestants[whose[i]];

			for (unsigned j = 0; j < total; j++) {
				begin_turn(&turns[j], contestant, j + 1);
				order_attach(race, &turns[j]);
			}
			run_parallel(race, turns, total, at_once, round);
			for (unsigned j = 0; j < total; j++)
				check_attached(race, &turns[j]);
			for (unsigned j = 0; j < total; j++)
				clean_up(race, &turns[j]);
			settle(race);
		}
	}
	free(turns);
}

/**
 * race_gather_crowd() - have that many endpoints on the parent, besides those that race
 * @race: the race
 * @n:    how many; containers of ours, each in a namespace of its own
 */
void race_gather_crowd(struct race *race, unsigned n)
{
	static struct turn turn;
	struct spawn_result result;

	for (; race->crowd_n < n; race->crowd_n++) {
		begin_turn(&turn, contestant_find("ours"), race->crowd_n);
		order_attach(race, &turn);
		run_turn(race, &turn, &result);
		box_unpin(&turn.box);
		race->crowd[race->crowd_n] = turn.box;
	}
}

/**
 * race_end() - end all that is left, and wait until it is gone
 * @race: the race
 */
void race_end(struct race *race)
{
	for (unsigned i = 0; i < race->crowd_n; i++)
		box_kill(&race->crowd[i]);
	settle(race);
}
