// SPDX-License-Identifier: MIT
/*
 * Starts programs with vfork(2) and execve(2), the cheapest way there is, so that what is measured
 * is the program and not how large the one is that started it.
 */
#include "tests/bench/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "bench: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/**
 * spawn_clock() - the time
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t spawn_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/**
 * spawn_input() - a descriptor that gives a text and then its end
 * @input: the text, no more than a pipe takes without a reader; NULL: none
 *
 * Return: the descriptor; the caller closes it.
 */
int spawn_input(const char *input)
{
	size_t size = input ? strlen(input) : 0;
	int ends[2];

	if (!input)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	must(pipe2(ends, O_CLOEXEC) == 0 && write(ends[1], input, size) == (ssize_t)size,
		"write a pipe");
	close(ends[1]);
	return ends[0];
}

/**
 * spawn_start() - start a program
 * @command: the program
 * @log:     where its stdout and stderr go
 * @ret:     what spawn_wait() takes the time from
 */
void spawn_start(const struct spawn_command *command, int log, struct spawn *ret)
{
	int input = spawn_input(command->input);

	ret->start_ns = spawn_clock();
	/* The child only makes system calls until it is another program: what vfork() is for. */
	/* cppcheck-suppress vforkCalled */
	ret->pid = vfork();
	if (ret->pid == 0) {
		if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
			_exit(126);
		execve(command->argv[0], command->argv, command->envp);
		_exit(127);
	}
	must(ret->pid > 0, "start a program");
	close(input);
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000U + (uint64_t)time->tv_usec * 1000U;
}

/**
 * spawn_wait() - wait for the end of a program
 * @pid:        which; -1: the next that ends
 * @ret_end_ns: when that was
 * @ret:        how; wall_ns is left to who knows when it started
 *
 * Return: its pid.
 */
pid_t spawn_wait(pid_t pid, uint64_t *ret_end_ns, struct spawn_result *ret)
{
	struct rusage usage;
	pid_t ended = wait4(pid, &ret->status, 0, &usage);

	*ret_end_ns = spawn_clock();
	must(ended > 0, "wait for a program");
	ret->cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
	return ended;
}

/**
 * spawn_run() - run a program to its end
 * @command: the program
 * @log:     where its stdout and stderr go
 * @ret:     how it ended
 */
void spawn_run(const struct spawn_command *command, int log, struct spawn_result *ret)
{
	struct spawn spawn;
	uint64_t end_ns;

	spawn_start(command, log, &spawn);
	spawn_wait(spawn.pid, &end_ns, ret);
	ret->wall_ns = end_ns - spawn.start_ns;
}
