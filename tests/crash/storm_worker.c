// SPDX-License-Identifier: MIT
/*
 * A worker of the storm: it starts a container, lets it live a while, stops it in one of several
 * ways, and starts the next one: often the same, which comes straight back. It has ids of its own,
 * so that whatever befalls one of them is its own doing, or a kill's.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/crash/storm.h"

#define LIFE_US_MAX 1500000
#define SETTLE_TRIES 50
#define DEATH_TRIES 2000
#define DEATH_PAUSE_US 5000

static void use_id(struct storm_worker *worker, unsigned id)
{
	worker->id = id;
	storm_name(id, worker->name);
	snprintf(worker->bundle, sizeof(worker->bundle), "%s/bundles/%s", worker->storm->dir,
		worker->name);
}

static bool start(const struct storm_worker *worker)
{
	struct storm_shared *shared = worker->storm->shared;
	char temporary[256];
	char pid_file[256];

	/* A runtime that was hit while it wrote the pid file leaves this, and then refuses it. */
	snprintf(temporary, sizeof(temporary), "%s/.pid", worker->bundle);
	unlink(temporary);
	snprintf(pid_file, sizeof(pid_file), "--pid-file=%s/pid", worker->bundle);
	__atomic_fetch_add(&shared->runs, 1, __ATOMIC_RELAXED);
	if (!storm_runc(worker,
		    (const char *const[]){ "run", "--detach", pid_file, worker->name, NULL }))
		return false;
	__atomic_fetch_add(&shared->starts, 1, __ATOMIC_RELAXED);
	if (!shared->started[worker->id]) { /* nobody else starts it */
		shared->started[worker->id] = true;
		__atomic_fetch_add(&shared->different, 1, __ATOMIC_RELAXED);
	}
	return true;
}

static void wait_for_death(const struct storm_worker *worker, pid_t init)
{
	for (unsigned try = 0; try < DEATH_TRIES; try++) {
		if (storm_is_dead(init))
			return;
		storm_nap_us(DEATH_PAUSE_US);
	}
	storm_fail(worker->storm, "%s: its init (pid %d) does not die", worker->name, (int)init);
}

/* As a patient engine does it, one step after the other. */
static bool stop_step_by_step(const struct storm_worker *worker, pid_t init)
{
	if (!storm_runc(worker, (const char *const[]){ "kill", worker->name, "KILL", NULL }))
		return false;
	wait_for_death(worker, init);
	return storm_runc(worker, (const char *const[]){ "delete", worker->name, NULL });
}

/* Returns whether the runtime has deleted it. */
static bool stop(struct storm_worker *worker)
{
	pid_t init = storm_init(worker);

	switch (init > 0 ? storm_random(&worker->random, 8) : 7) {
	case 0:
	case 1:
		return stop_step_by_step(worker, init);
	case 2:
	case 3:
		kill(init, SIGKILL);
		return storm_delete(worker);
	case 4:
		/* Nobody tells the hook, until the container comes back. */
		kill(init, SIGKILL);
		wait_for_death(worker, init);
		return false;
	default:
		return storm_delete(worker);
	}
}

/* Until the runtime does not know the container, and nothing that it has ever been is alive; so
 * that from here on only another kill explains a failure.
 */
static void settle(struct storm_worker *worker)
{
	for (unsigned try = 0; try < SETTLE_TRIES; try++) {
		unsigned kills[STORM_VICTIMS];
		unsigned before[STORM_VICTIMS];

		storm_count_kills(worker, before);
		if (!storm_delete(worker))
			continue;
		if (storm_was_hit(worker, kills) &&
			!storm_end_container(worker->storm, (int)worker->id))
			storm_fail(worker->storm, "%s: its processes do not end", worker->name);
		storm_count_kills(worker, kills);
		if (memcmp(kills, before, sizeof(kills)) == 0) {
			memcpy(worker->kills[worker->id - worker->first], kills, sizeof(kills));
			return;
		}
	}
	storm_fail(worker->storm, "%s cannot be deleted", worker->name);
}

/* One life of a container, or the attempt. Returns whether all is in order behind it. */
static bool live(struct storm_worker *worker)
{
	unsigned kills[STORM_VICTIMS];

	if (!start(worker))
		return false;
	storm_look_at_network(worker);
	storm_nap_us(storm_random(&worker->random, LIFE_US_MAX));
	storm_look_at_network(worker);
	if (!stop(worker) || storm_was_hit(worker, kills))
		return false;
	storm_look_at_rest(worker);
	return true;
}

/**
 * storm_work() - start and stop containers until it is enough
 * @storm:  the storm
 * @number: which worker this is
 */
void storm_work(const struct storm *storm, unsigned number)
{
	struct storm_worker worker = {
		.storm = storm,
		.random = storm->seed * STORM_WORKERS + number,
		.first = number * STORM_IDS_EACH,
	};
	unsigned kills[STORM_VICTIMS];
	bool in_order[STORM_IDS_EACH];
	unsigned i = 0;

	memset(in_order, true, sizeof(in_order));
	while (!__atomic_load_n(&storm->shared->workers_stop, __ATOMIC_RELAXED)) {
		use_id(&worker, worker.first + i);
		if (!in_order[i])
			settle(&worker);
		storm_count_kills(&worker, worker.kills[i]);
		in_order[i] = live(&worker);
		/* It may come straight back, though nobody has cleaned up. */
		if (!in_order[i] && storm_was_hit(&worker, kills) &&
			storm_random(&worker.random, 2))
			in_order[i] = live(&worker);
		if (storm_random(&worker.random, 3))
			i = (i + 1) % STORM_IDS_EACH;
	}
}
