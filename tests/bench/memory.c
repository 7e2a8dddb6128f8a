// SPDX-License-Identifier: MIT
/*
 * How much memory a program has had at most, and each of those that it starts. Not getrusage(2): a
 * process begins with the size of the one that started it, which is more than ours has. So it is
 * stopped as it ends (ptrace(2)), while /proc/PID/status still tells.
 */
#include "tests/bench/memory.h"

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
		PTRACE_O_EXITKILL)

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "bench: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Of the program that it has become, not of the one before. */
static struct memory read_memory(pid_t pid)
{
	unsigned long anonymous = 0;
	unsigned long shared = 0;
	struct memory memory = { 0 };
	char path[32];
	char line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	must(file != NULL, "read a process's status");
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "VmHWM: %lu kB", &memory.resident);
		sscanf(line, "RssAnon: %lu kB", &anonymous);
		sscanf(line, "RssShmem: %lu kB", &shared);
	}
	fclose(file);
	memory.own = anonymous + shared;
	return memory;
}

static void keep_largest(struct memory *largest, pid_t pid)
{
	struct memory memory = read_memory(pid);

	if (memory.resident > largest->resident)
		largest->resident = memory.resident;
	if (memory.own > largest->own)
		largest->own = memory.own;
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

static bool is_exit_stop(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
}

/* The signal that it stopped for and has to get; 0: it stopped for us. */
static int signal_of(int status)
{
	int signal = WSTOPSIG(status);

	return signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

/**
 * memory_run() - run a program, and those that it starts, to their end
 * @command:    the program
 * @log:        where its stdout and stderr go
 * @ret_status: how it ended
 * @ret:        the memory that the largest of them had
 */
void memory_run(const struct spawn_command *command, int log, int *ret_status, struct memory *ret)
{
	pid_t first = start(command, log);
	int status;
	pid_t pid;

	*ret = (struct memory){ 0 };
	must(waitpid(first, &status, 0) == first, "wait for a program");
	must(ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)OPTIONS) == 0, "trace a program");
	must(ptrace(PTRACE_CONT, first, NULL, NULL) == 0, "trace a program");
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status) && pid == first) {
			*ret_status = status;
			return;
		}
		if (!WIFSTOPPED(status))
			continue;
		if (is_exit_stop(status))
			keep_largest(ret, pid);
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal_of(status));
	}
	must(false, "wait for a program");
}
