// SPDX-License-Identifier: MIT
/*
 * What the storm's bundles have for a hook: the real one, with its time taken. Standard streams,
 * arguments, environment and working directory are handed on as they are, and so is the end: an
 * exit status, or death by the same signal. Some are late, before their time is taken: where the
 * runtime is killed meanwhile, the hook comes when its container is long gone, or back.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/storm.h"

/* One of so many hooks is late, by so much at most. */
#define LATE_ONE_OF 4
#define LATE_US_MAX 300000

static void be_late_perhaps(void)
{
	uint64_t random = storm_now_us() ^ (uint64_t)getpid() << 32;

	if (storm_random(&random, LATE_ONE_OF) == 0)
		storm_nap_us(storm_random(&random, LATE_US_MAX));
}

static void count_attach(struct storm_shared *shared, int status, uint64_t us)
{
	uint64_t step = us / STORM_STEP_US;
	unsigned max = __atomic_load_n(&shared->attached_us_max, __ATOMIC_RELAXED);

	__atomic_fetch_add(&shared->attaches, 1, __ATOMIC_RELAXED);
	if (status != 0)
		return;
	__atomic_fetch_add(&shared->attached, 1, __ATOMIC_RELAXED);
	if (step >= STORM_STEPS)
		step = STORM_STEPS - 1;
	__atomic_fetch_add(&shared->attached_steps[step], 1, __ATOMIC_RELAXED);
	while (us > max && !__atomic_compare_exchange_n(&shared->attached_us_max, &max,
				   (unsigned)us, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/**
 * storm_hook() - run a hook and take its time
 * @argc: the number of arguments
 * @argv: the file of the counters, "--", the hook's program, its arguments; the last is the stage
 *
 * Return: what the hook returned.
 */
int storm_hook(int argc, char *argv[])
{
	struct storm_shared *shared = argc > 3 ? storm_map(argv[0], false) : NULL;
	uint64_t start;
	int status = 0;
	pid_t pid;

	be_late_perhaps();
	start = storm_now_us();
	if (!shared || posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
		waitpid(pid, &status, 0) != pid) {
		perror("storm hook");
		return EXIT_FAILURE;
	}
	if (!strcmp(argv[argc - 1], "poststop"))
		__atomic_fetch_add(&shared->poststops, 1, __ATOMIC_RELAXED);
	else
		count_attach(shared, status, storm_now_us() - start);
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	return WEXITSTATUS(status);
}
