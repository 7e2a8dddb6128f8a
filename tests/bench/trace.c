// SPDX-License-Identifier: MIT
/*
 * What a program takes, and each of those that it starts: memory, system calls, page faults. It is
 * stopped at each call, and as it ends, while /proc still tells of it (ptrace(2)). Not
 * getrusage(2): a process begins with the size of the one that started it, which is more than ours
 * has.
 */
#include "tests/bench/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                \
	(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
/* A stop for a system call, where PTRACE_O_TRACESYSGOOD is set. */
#define SYSCALL_STOP (SIGTRAP | 0x80)

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "bench: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	must(file != NULL, "read of a process");
	return file;
}

/* Of the program that it has become, not of the one before. */
static void keep_larger_memory(pid_t pid, struct trace *largest)
{
	unsigned long anonymous = 0;
	unsigned long resident = 0;
	unsigned long shared = 0;
	FILE *file = open_proc(pid, "status");
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "VmHWM: %lu kB", &resident);
		sscanf(line, "RssAnon: %lu kB", &anonymous);
		sscanf(line, "RssShmem: %lu kB", &shared);
	}
	fclose(file);
	if (resident > largest->resident)
		largest->resident = resident;
	if (anonymous + shared > largest->own)
		largest->own = anonymous + shared;
}

static unsigned long read_faults(pid_t pid)
{
	FILE *file = open_proc(pid, "stat");
	unsigned long faults = 0;

	must(fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %lu", &faults) == 1,
		"read of a process's faults");
	fclose(file);
	return faults;
}

static pid_t start(const struct spawn_command *command, int log)
{
	int input = spawn_input(command->input);
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid > 0) {
		close(input);
		return pid;
	}
	if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
		ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
		_exit(126);
	execve(command->argv[0], command->argv, command->envp);
	_exit(127);
}

/* Each call stops it twice. */
static bool is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info; /* glibc's name of it */

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

static void count(pid_t pid, int status, struct trace *trace)
{
	if (WSTOPSIG(status) == SYSCALL_STOP) {
		trace->calls += is_entry(pid);
	} else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
		keep_larger_memory(pid, trace);
		trace->faults += read_faults(pid);
	}
}

/* The signal that it stopped for and has to get; 0: it stopped for us. */
static int signal_of(int status)
{
	int signal = WSTOPSIG(status);

	return signal == SIGTRAP || signal == SIGSTOP || signal == SYSCALL_STOP ? 0 : signal;
}

/**
 * trace_run() - run a program, and those that it starts, to their end
 * @command:    the program
 * @log:        where its stdout and stderr go
 * @ret_status: how it ended
 * @ret:        what it took
 */
void trace_run(const struct spawn_command *command, int log, int *ret_status, struct trace *ret)
{
	pid_t first = start(command, log);
	int status;
	pid_t pid;

	*ret = (struct trace){ 0 };
	must(waitpid(first, &status, 0) == first, "wait for a program");
	must(ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)OPTIONS) == 0, "trace a program");
	must(ptrace(PTRACE_SYSCALL, first, NULL, NULL) == 0, "trace a program");
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status) && pid == first) {
			*ret_status = status;
			return;
		}
		if (!WIFSTOPPED(status))
			continue;
		count(pid, status, ret);
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal_of(status));
	}
	must(false, "wait for a program");
}
