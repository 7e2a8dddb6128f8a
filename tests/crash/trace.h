/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_TRACE_H
#define TESTS_CRASH_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A program that is run, and what it said. */

#define TRACE_OUTPUT_MAX 65536

struct trace_command {
	const char *const *argv; /* a path first; NULL at the end */
	const char *input;	 /* stdin, or NULL: empty */
};

struct trace_result {
	unsigned n_calls; /* system calls that it asked for, its children aside */
	int status;	  /* as waitpid(2) gives it */
	double seconds;
	char out[TRACE_OUTPUT_MAX];
	char err[TRACE_OUTPUT_MAX];
};

/* A system call that is about to be made; the process is stopped. */
struct trace_call {
	unsigned process; /* 0: the program's; 1: of the first process that came of it, and so on */
	pid_t pid;
	unsigned n; /* of this process; 1: the first, which is the program's execve(2) */
	int nr;	    /* SYS_... */
	uint64_t args[6];
};

/* What becomes of a call. */
enum trace_what {
	TRACE_GO,
	TRACE_KILL, /* SIGKILL before the kernel has done anything of it */
	TRACE_FAIL, /* it fails with an errno, and nothing is done */
};

struct trace_verdict {
	enum trace_what what;
	int error; /* for TRACE_FAIL: the errno */
};

typedef struct trace_verdict trace_fn(void *arg, const struct trace_call *call);

void trace_run(
	const struct trace_command *command, trace_fn *judge, void *arg, struct trace_result *ret);

#endif
