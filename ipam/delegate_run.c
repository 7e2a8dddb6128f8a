// SPDX-License-Identifier: MIT
/*
 * Runs a plugin: a stranger's program, which may hang, print without end or start others. It has
 * nothing of ours but three descriptors, and its time and output are bounded. When it ends, its
 * process group is killed, and when we are killed, it is, but not its group.
 */
#include "ipam/delegate_run.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"

/* How long a plugin may take, and what is left of our own time for the undo. */
#define TIMEOUT_MS 10000
#define RESERVE_MS 500
/* What a shell gives for a program that cannot be run. */
#define EXIT_NOT_RUN 127
/* The end of linux/close_range.h, which is newer than some systems' headers. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* A plugin that runs. */
struct run {
	const struct delegate_call *call;
	struct delegate_output *output;
	pid_t pid;
	int pidfd;
	int out; /* what it prints is read here; -1: it has closed that */
	int err;
	int64_t until; /* CLOCK_MONOTONIC, in milliseconds */
};

static int choose_timeout(void)
{
	int left = deadline_remaining_ms();

	if (left < 0 || left > TIMEOUT_MS + RESERVE_MS)
		return TIMEOUT_MS;
	return left > RESERVE_MS ? left - RESERVE_MS : 0;
}

/* A file, not a pipe: however long it is, and whether it is read or not, nobody waits for it. */
static int make_input(const char *text, int *ret, struct error *err)
{
	autoclose int fd = memfd_create("cni", MFD_CLOEXEC);
	size_t size = strlen(text);
	size_t done = 0;

	if (fd < 0)
		return error_set_errno(err, "cannot make its input");
	while (done < size) {
		ssize_t n = write(fd, text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(err, "cannot write its input");
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, "cannot write its input");
	*ret = steal_fd(&fd);
	return 0;
}

/* The rest is said by a shell's status, and on stderr, as if the plugin had done it. */
__attribute__((noreturn)) static void end_child(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s", what, strerror(errno));
	_exit(EXIT_NOT_RUN);
}

/* Signals that were caught are so no more after execve(2), but ignored ones stay so. */
static void settle_signals(void)
{
	sigset_t none;

	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Plugins run in the host's network namespace, wherever we are. */
static int go_home(int home)
{
	int netns = ioctl(home, SIOCGSKNS);

	return netns < 0 ? netns : setns(netns, CLONE_NEWNET);
}

__attribute__((noreturn)) static void run_child(
	const struct delegate_call *call, pid_t parent, const int fds[3])
{
	char *const arguments[] = { strdup(call->program), NULL };

	/* We may have been killed before this was set. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_NOT_RUN);
	setpgid(0, 0);
	settle_signals();
	/* None of them is one of 0 to 2: those are open (settle_process() in main.c). */
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(EXIT_NOT_RUN);
	if (go_home(call->home) < 0)
		end_child("cannot go into the host's network namespace");
	if (chdir("/") < 0)
		end_child("cannot go to '/'");
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		end_child("cannot close descriptors");
	umask(022);
	execve(call->program, arguments, call->environment);
	end_child("cannot run it");
}

/* Reads what is there. False when that was the end. */
static bool read_some(int fd, char *to, size_t room, size_t *ret)
{
	ssize_t n = read(fd, to, room);

	*ret = n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int read_out(struct run *run, size_t *ret, struct error *err)
{
	struct delegate_output *output = run->output;

	if (!read_some(run->out, output->text + output->size, sizeof(output->text) - output->size,
		    ret))
		run->out = -1;
	output->size += *ret;
	if (output->size < sizeof(output->text))
		return 0;
	return error_set(err, -EFBIG, "it printed more than %d bytes", CNI_ANSWER_MAX);
}

/* The beginning is kept; the rest is read all the same, for who waits until it is. */
static void read_err(struct run *run, size_t *ret)
{
	struct delegate_output *output = run->output;
	char text[4096];
	size_t room = sizeof(output->said) - 1 - output->said_size;

	if (!read_some(run->err, text, sizeof(text), ret))
		run->err = -1;
	if (*ret < room)
		room = *ret;
	memcpy(output->said + output->said_size, text, room);
	output->said_size += room;
}

/* One look at what it does. Returns 1 when it has ended. */
static int look(struct run *run, struct error *err)
{
	struct pollfd fds[] = { { .fd = run->out, .events = POLLIN },
		{ .fd = run->err, .events = POLLIN }, { .fd = run->pidfd, .events = POLLIN } };
	int64_t left = run->until - deadline_clock_ms();
	size_t n;
	int r = 0;

	/* Also when the time is over: it may have ended before, while this process waited its turn.
	 */
	if (poll(fds, 3, left > 0 ? (int)left : 0) < 0)
		return errno == EINTR ? deadline_check("waiting for it", err)
				      : error_set_errno(err, "cannot wait for it");
	if (fds[0].revents)
		r = read_out(run, &n, err);
	if (r == 0 && fds[1].revents)
		read_err(run, &n);
	if (r == 0 && fds[2].revents)
		return 1;
	return r == 0 && left <= 0 ? error_set(err, -ETIME, "it did not end in time") : r;
}

/* What it printed last; others of its group may have the pipe, and do not count. */
static int drain(struct run *run, struct error *err)
{
	size_t n = 1;
	int r = 0;

	while (r == 0 && run->out >= 0 && n > 0)
		r = read_out(run, &n, err);
	for (n = 1; run->err >= 0 && n > 0 && run->output->said_size < DELEGATE_SAID_MAX - 1;)
		read_err(run, &n);
	return r;
}

static int wait_until_ended(struct run *run, struct error *err)
{
	int r = 0;

	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pidfd < 0)
		return error_set_errno(err, "cannot watch it");
	while (r == 0)
		r = look(run, err);
	close(run->pidfd);
	return r == 1 ? 0 : r;
}

/* As long as it is not reaped its group is no other's. */
static int reap(const struct run *run, struct error *err)
{
	kill(-run->pid, SIGKILL);
	kill(run->pid, SIGKILL);
	while (waitpid(run->pid, &run->output->status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(err, "cannot tell how it ended");
	return 0;
}

static int start(struct run *run, const int fds[3], struct error *err)
{
	pid_t parent = getpid();

	run->pid = fork();
	if (run->pid < 0)
		return error_set_errno(err, "cannot start it");
	if (run->pid == 0)
		run_child(run->call, parent, fds);
	/* Here as well, or it may be killed before it has a group. */
	setpgid(run->pid, run->pid);
	return 0;
}

static int make_pipe(int ret[2], struct error *err)
{
	if (pipe2(ret, O_CLOEXEC) < 0)
		return error_set_errno(err, "cannot make a pipe");
	if (fcntl(ret[0], F_SETFL, O_NONBLOCK) < 0)
		return error_set_errno(err, "cannot set up a pipe");
	return 0;
}

static int run_with(struct run *run, int input, int pipes[2][2], struct error *err)
{
	struct error later;
	int r = start(run, (const int[]){ input, pipes[0][1], pipes[1][1] }, err);
	int reaped;

	if (r < 0)
		return r;
	close(pipes[0][1]);
	close(pipes[1][1]);
	pipes[0][1] = -1;
	pipes[1][1] = -1;
	run->out = pipes[0][0];
	run->err = pipes[1][0];
	r = wait_until_ended(run, err);
	reaped = reap(run, r == 0 ? err : &later);
	if (r == 0)
		r = reaped;
	return r == 0 ? drain(run, err) : r;
}

/**
 * delegate_run() - run a plugin to its end
 * @call: what is run
 * @ret:  what came of it; not all of it is cleared
 * @err:  filled on failure
 *
 * Return: 0: it has ended, in whatever way; -ETIME: it was killed, as its time was over; -EINTR;
 * -EFBIG: it was killed, as it printed too much; what the failed system call gave.
 */
int delegate_run(const struct delegate_call *call, struct delegate_output *ret, struct error *err)
{
	struct run run = {
		.call = call, .output = ret, .until = deadline_clock_ms() + choose_timeout()
	};
	int pipes[2][2] = { { -1, -1 }, { -1, -1 } };
	autoclose int input = -1;
	int r = make_input(call->input, &input, err);

	ret->size = 0;
	ret->said_size = 0;
	ret->status = 0;
	if (r == 0)
		r = make_pipe(pipes[0], err);
	if (r == 0)
		r = make_pipe(pipes[1], err);
	if (r == 0)
		r = run_with(&run, input, pipes, err);
	for (unsigned i = 0; i < 4; i++)
		cleanup_close(&pipes[i / 2][i % 2]);
	if (r < 0)
		return r;
	ret->text[ret->size] = '\0';
	ret->said[ret->said_size] = '\0';
	return 0;
}
