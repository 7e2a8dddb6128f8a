// SPDX-License-Identifier: MIT
/*
 * runc, as a worker of the storm calls it: it may fail only with what a kill explains.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/storm.h"

#define ARGUMENTS_MAX 8

/**
 * storm_count_kills() - how often the processes of a worker's container were killed, ever
 * @worker: the worker
 * @ret:    the numbers
 */
void storm_count_kills(const struct storm_worker *worker, unsigned ret[STORM_VICTIMS])
{
	for (unsigned i = 0; i < STORM_VICTIMS; i++)
		ret[i] = __atomic_load_n(
			&worker->storm->shared->shots[worker->id][i], __ATOMIC_SEQ_CST);
}

/**
 * storm_was_hit() - was somebody of the container killed since it was last in order
 * @worker: the worker
 * @ret:    how often who
 *
 * Return: whether.
 */
bool storm_was_hit(const struct storm_worker *worker, unsigned ret[STORM_VICTIMS])
{
	bool hit = false;

	storm_count_kills(worker, ret);
	for (unsigned i = 0; i < STORM_VICTIMS; i++) {
		ret[i] -= worker->kills[worker->id - worker->first][i];
		hit |= ret[i] > 0;
	}
	return hit;
}

static void complain(const struct storm_worker *worker, const char *what, const char *how,
	const struct storm_result *result, const unsigned kills[STORM_VICTIMS])
{
	storm_fail(worker->storm,
		"%s: runc %s %s, status %d (hit: runtime %u, hook %u, init %u): %s", worker->name,
		what, how, result->status, kills[STORM_RUNTIME], kills[STORM_HOOK],
		kills[STORM_INIT], result->output);
}

/**
 * storm_runc() - a run of runc that may fail only where a kill explains it
 * @worker: the worker
 * @words:  the command and its arguments up to NULL, at most 4
 *
 * Return: whether it has done its work.
 */
bool storm_runc(const struct storm_worker *worker, const char *const words[])
{
	char root[160];
	const char *argv[ARGUMENTS_MAX] = { "runc", root };
	unsigned kills[STORM_VICTIMS];
	struct storm_result result;

	snprintf(root, sizeof(root), "--root=%s/runc", worker->storm->dir);
	for (unsigned i = 0; words[i]; i++)
		argv[2 + i] = words[i];
	storm_run(worker->storm, worker->bundle, argv, &result);
	storm_was_hit(worker, kills);
	if (result.hung) {
		complain(worker, words[0], "hangs", &result, kills);
		return false;
	}
	if (WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGKILL &&
		kills[STORM_RUNTIME] > 0)
		return false;
	/* When poststop fails the runtime goes on, but says so. */
	if ((result.status != 0 || strstr(result.output, "hook")) &&
		!storm_excuse(worker->storm, result.output, kills))
		complain(worker, words[0], "failed", &result, kills);
	return result.status == 0;
}

/**
 * storm_delete() - delete a container, dead or alive
 * @worker: the worker
 *
 * Return: whether the runtime has done it.
 */
bool storm_delete(const struct storm_worker *worker)
{
	return storm_runc(worker, (const char *const[]){ "delete", "--force", worker->name, NULL });
}

/**
 * storm_init() - the init of a container that was started
 * @worker: the worker
 *
 * Return: its pid, or 0.
 */
pid_t storm_init(const struct storm_worker *worker)
{
	char path[PATH_MAX];
	char text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/pid", worker->bundle);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}
