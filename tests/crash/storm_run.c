// SPDX-License-Identifier: MIT
/*
 * Programs that the storm runs to their end, with what they say in a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/storm.h"

/* A hook gives up after 30 s, and its runtime after 40. */
#define PATIENCE_MS 60000
#define ARGUMENTS_MAX 15

/* The child, up to its program. A file takes its output: a container keeps it open. */
static void exec_program(const char *cwd, const char *output, const char *argv[])
{
	char *arguments[ARGUMENTS_MAX + 1] = { NULL };
	int in = open("/dev/null", O_RDONLY);
	int out = open(output, O_RDWR | O_CREAT | O_EXCL, 0600);
	size_t n = 0;

	while (n < ARGUMENTS_MAX && argv[n])
		n++;
	if (n == 0)
		_exit(127);
	memcpy(arguments, argv, n * sizeof(argv[0]));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in >= 0 && out >= 0 && chdir(cwd) == 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 &&
		dup2(out, 2) == 2 && syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		execvp(argv[0], arguments);
	perror(argv[0]);
	_exit(127);
}

static void wait_for(pid_t pid, struct storm_result *ret)
{
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	uint64_t limit = storm_now_us() + PATIENCE_MS * 1000;
	int r;

	do
		r = poll(&ended, 1, PATIENCE_MS);
	while (r < 0 && errno == EINTR && storm_now_us() < limit);
	ret->hung = r == 0;
	if (ret->hung)
		kill(pid, SIGKILL);
	waitpid(pid, &ret->status, 0);
	close(ended.fd);
}

static void read_output(const char *path, struct storm_result *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret->output, sizeof(ret->output) - 1);

	ret->output[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/**
 * storm_run() - run a program to its end
 * @storm: the storm
 * @cwd:   its working directory
 * @argv:  the program and its arguments, up to NULL
 * @ret:   how it ended, and what it said
 */
void storm_run(
	const struct storm *storm, const char *cwd, const char *argv[], struct storm_result *ret)
{
	char output[PATH_MAX];
	pid_t pid;

	snprintf(output, sizeof(output), "%s/output-%d", storm->dir, (int)getpid());
	unlink(output); /* what a killed program has left behind may still write to it */
	pid = fork();
	if (pid == 0)
		exec_program(cwd, output, argv);
	if (pid < 0) {
		perror("fork");
		abort();
	}
	wait_for(pid, ret);
	read_output(output, ret);
}

/**
 * storm_cli() - run a command of oci-macvlan
 * @storm:   the storm
 * @command: the command
 * @ret:     how it ended, and what it said
 *
 * Return: whether it succeeded.
 */
bool storm_cli(const struct storm *storm, const char *command, struct storm_result *ret)
{
	char etc[160];
	char run[160];
	const char *argv[] = { storm->cli, "--etc", etc, "--run", run, command, NULL };

	snprintf(etc, sizeof(etc), "%s/etc", storm->dir);
	snprintf(run, sizeof(run), "%s/run", storm->dir);
	storm_run(storm, "/", argv, ret);
	return ret->status == 0;
}
