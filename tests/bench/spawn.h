/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_SPAWN_H
#define TESTS_BENCH_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A whole process, timed from outside: from before vfork(2) until it is reaped. */

#define SPAWN_WORDS_MAX 64
#define SPAWN_TEXT_MAX 16384

/* What is run. */
struct spawn_command {
	char *argv[SPAWN_WORDS_MAX]; /* a path first; NULL at the end */
	char *envp[SPAWN_WORDS_MAX];
	const char *input; /* on stdin, from a pipe, as a runtime does it; NULL: none */
};

/* One that runs. */
struct spawn {
	pid_t pid;
	uint64_t start_ns;
};

/* One that has ended. */
struct spawn_result {
	int status; /* as wait4(2) gives it */
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

uint64_t spawn_clock(void);
int spawn_input(const char *input);
void spawn_start(const struct spawn_command *command, int log, struct spawn *ret);
pid_t spawn_wait(pid_t pid, uint64_t *ret_end_ns, struct spawn_result *ret);
void spawn_run(const struct spawn_command *command, int log, struct spawn_result *ret);

#endif
