// SPDX-License-Identifier: MIT
/*
 * The killer of the storm: kill -9, now and then, of a runtime, a hook or an init. It looks for
 * them in /proc, which shows this pid namespace only, and kills only whose container it can tell:
 * the count of that container goes up before the signal is sent, so that whoever sees a failure
 * finds its cause.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/crash/storm.h"

/* How often it looks for a victim of the wanted kind: a hook lives a few milliseconds. */
#define HUNT_TRIES 200
/* A hook is found when it begins; to hit it anywhere, wait up to so long. */
#define HOOK_DELAY_US 4000
/* So many kills for 100 runs at most: on a slow machine too most attaches have to succeed. */
#define KILLS_MAX 60

static bool is_victim(const struct storm *storm, pid_t pid, enum storm_victim kind)
{
	char comm[STORM_NAME_SIZE];

	storm_comm(pid, comm);
	switch (kind) {
	case STORM_RUNTIME:
		return !strncmp(comm, "runc", 4);
	case STORM_HOOK:
		return !strcmp(comm, STORM_HOOK_COMM);
	case STORM_INIT:
		return strncmp(comm, "runc", 4) != 0 && *comm &&
		       storm_id_of_cgroup(storm, pid) >= 0;
	case STORM_VICTIMS:
		break;
	}
	return false;
}

/* One of them, by chance; 0: there is none. */
static pid_t choose(const struct storm *storm, enum storm_victim kind, uint64_t *random)
{
	pid_t pids[STORM_PIDS_MAX];
	unsigned n = storm_list_pids(pids, STORM_PIDS_MAX);
	unsigned n_victims = 0;

	for (unsigned i = 0; i < n; i++)
		if (is_victim(storm, pids[i], kind) && !storm_is_dead(pids[i]))
			pids[n_victims++] = pids[i];
	return n_victims ? pids[storm_random(random, n_victims)] : 0;
}

/* The descriptor is opened before the last look, so that it is this process which dies. */
static bool kill_one(const struct storm *storm, pid_t pid, enum storm_victim kind, uint64_t *random)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool killed;
	int id;

	if (pidfd < 0)
		return false;
	if (kind == STORM_HOOK)
		storm_nap_us(storm_random(random, HOOK_DELAY_US));
	id = storm_id_of(storm, pid);
	if (id < 0 || !is_victim(storm, pid, kind)) {
		close(pidfd);
		return false;
	}
	__atomic_fetch_add(&storm->shared->shots[id][kind], 1, __ATOMIC_SEQ_CST);
	killed = syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
	if (killed)
		storm->shared->kills[kind]++;
	close(pidfd);
	return killed;
}

static bool is_enough(const struct storm_shared *shared)
{
	uint64_t kills = 0;

	for (unsigned i = 0; i < STORM_VICTIMS; i++)
		kills += shared->kills[i];
	return kills * 100 >= (uint64_t)shared->runs * KILLS_MAX;
}

/**
 * storm_kill() - kill now and then, until it is enough
 * @storm: the storm
 */
void storm_kill(const struct storm *storm)
{
	uint64_t random = ~storm->seed;

	while (!__atomic_load_n(&storm->shared->killer_stops, __ATOMIC_RELAXED)) {
		enum storm_victim kind = storm_random(&random, STORM_VICTIMS);

		storm_nap_us(storm_random(&random, 2 * storm->kill_ms * 1000));
		for (unsigned try = 0; try < HUNT_TRIES && !is_enough(storm->shared); try++) {
			pid_t pid = choose(storm, kind, &random);

			if (pid && kill_one(storm, pid, kind, &random))
				break;
		}
	}
}
