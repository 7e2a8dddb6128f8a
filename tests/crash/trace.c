// SPDX-License-Identifier: MIT
/*
 * Runs a program and decides about each of its system calls before the kernel does anything of it:
 * go on, fail, or kill -9. By seccomp's user notification (seccomp_unotify(2)), which is the same
 * on every architecture: the process waits in the call until it is judged.
 *
 * The filter goes on to whatever comes of the program, and stays when the program ends; without a
 * supervisor each call would fail. So one is left behind, which judges nothing, for as long as any
 * of these processes lives.
 */
#include "tests/crash/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 6.6: process and supervisor take turns on one CPU, which is faster; younger than some headers. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* A program that makes more calls than this does not end. */
#define CALLS_MAX 2000000
#define PROCESSES_MAX 256

/* What the process and its supervisor share: memory, as any call of the process would be judged. */
struct handshake {
	volatile int listener;
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "trace: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int memory_file(const char *content)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	size_t size = content ? strlen(content) : 0;

	must(fd >= 0, "make a file in memory");
	must(write(fd, content, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0,
		"write to a file in memory");
	return fd;
}

/* As a runtime does it: the state and then the end. */
static int input_pipe(const char *content)
{
	size_t size = content ? strlen(content) : 0;
	int ends[2];

	must(pipe2(ends, O_CLOEXEC) == 0, "make a pipe");
	must(write(ends[1], content, size) == (ssize_t)size, "write to a pipe");
	close(ends[1]);
	return ends[0];
}

static void read_back(int fd, char ret[TRACE_OUTPUT_MAX])
{
	ssize_t n = pread(fd, ret, TRACE_OUTPUT_MAX - 1, 0);

	must(n >= 0, "read what the program said");
	ret[n] = '\0';
	close(fd);
}

static void become(const struct trace_command *command, const int fds[3], struct handshake *shake)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	struct sock_fprog filter = { 1, &all };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(126);
	if (shake)
		shake->listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	syscall(SYS_execve, command->argv[0], command->argv, environ);
	_exit(126);
}

/* A program under supervision. */
struct target {
	int pidfd;
	int listener;
	bool has_forked;
	unsigned n; /* processes: the program, and what has come of it */
	struct {
		pid_t pid;
		unsigned n_calls;
	} processes[PROCESSES_MAX];
};

/* The listener as a descriptor of ours. */
static int take_listener(int pidfd, const struct handshake *shake)
{
	int listener;

	while (shake->listener == 0)
		sched_yield();
	must(shake->listener > 0, "install a seccomp filter");
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, shake->listener, 0);
	must(listener >= 0, "get the seccomp listener");
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return listener;
}

static void answer(int listener, uint64_t id, const struct trace_verdict *verdict)
{
	struct seccomp_notif_resp response = { .id = id };

	if (verdict->what == TRACE_GO) {
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	} else {
		response.error = -verdict->error;
	}
	/* ENOENT: a signal took it out of the call; it comes again. */
	must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT,
		"answer a system call");
}

/* brk(2) as the kernel has it tells a failure by the old break, not by an errno. */
static void answer_brk(int listener, uint64_t id)
{
	struct seccomp_notif_resp response = { .id = id, .val = 0 };

	must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT,
		"answer a system call");
}

/* Whose call it is. */
static unsigned find_process(struct target *target, pid_t pid)
{
	unsigned i = 0;

	while (i < target->n && target->processes[i].pid != pid)
		i++;
	must(i < PROCESSES_MAX, "follow so many processes");
	if (i == target->n)
		target->processes[target->n++].pid = pid;
	return i;
}

static bool is_fork(int nr)
{
#ifdef SYS_fork
	if (nr == SYS_fork || nr == SYS_vfork)
		return true;
#endif
	return nr == SYS_clone || nr == SYS_clone3;
}

/* Judges one call. Returns false when the program has ended. */
static bool judge_next(struct target *target, trace_fn *judge, void *arg)
{
	struct pollfd wait[] = {
		{ .fd = target->listener, .events = POLLIN },
		{ .fd = target->pidfd, .events = POLLIN },
	};
	struct seccomp_notif request = { 0 };
	struct trace_verdict verdict;
	struct trace_call call;

	must(poll(wait, 2, -1) > 0, "wait for a system call");
	/* What is left of it is not judged, and has a supervisor of its own. */
	if (wait[1].revents || !(wait[0].revents & POLLIN))
		return false;
	if (ioctl(target->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return errno == ENOENT || errno == EINTR;
	call = (struct trace_call){ .nr = request.data.nr, .pid = (pid_t)request.pid };
	call.process = find_process(target, call.pid);
	call.n = ++target->processes[call.process].n_calls;
	memcpy(call.args, request.data.args, sizeof(call.args));
	target->has_forked = target->has_forked || is_fork(call.nr);
	verdict = judge(arg, &call);
	if (verdict.what == TRACE_KILL) {
		kill(call.pid, SIGKILL);
		return call.process != 0;
	}
	if (verdict.what == TRACE_FAIL && call.nr == SYS_brk)
		answer_brk(target->listener, request.id);
	else
		answer(target->listener, request.id, &verdict);
	return true;
}

/* Until nobody has the filter any more. */
static void let_all_go(int listener)
{
	const struct trace_verdict go = { .what = TRACE_GO };
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	while (poll(&wait, 1, -1) > 0 && wait.revents & POLLIN) {
		struct seccomp_notif request = { 0 };

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0)
			answer(listener, request.id, &go);
	}
}

/* A process of its own, which is nobody's child and has nothing open that others wait for. */
static void leave_behind(int listener)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid > 0) {
		must(waitpid(pid, NULL, 0) == pid, "wait for a fork");
		return;
	}
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? 1 : 0);
	if (dup2(listener, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
		_exit(1);
	let_all_go(STDIN_FILENO);
	_exit(0);
}

static unsigned supervise(pid_t pid, const struct handshake *shake, trace_fn *judge, void *arg)
{
	struct target target = { .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
		.n = 1,
		.processes = { { .pid = pid } } };

	must(target.pidfd >= 0, "watch the program");
	target.listener = take_listener(target.pidfd, shake);
	while (judge_next(&target, judge, arg))
		must(target.processes[0].n_calls < CALLS_MAX, "see the program end");
	if (target.has_forked)
		leave_behind(target.listener);
	close(target.listener);
	close(target.pidfd);
	return target.processes[0].n_calls;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/**
 * trace_run() - run a program to its end
 * @command: the program
 * @judge:   asked before each system call of it and of what comes of it, or NULL: all run freely;
 *           not asked any more when the program has ended
 * @arg:     for @judge
 * @ret:     how it ended, and what it said; n_calls is 0 without @judge
 *
 * What the harness itself cannot do ends it.
 */
void trace_run(
	const struct trace_command *command, trace_fn *judge, void *arg, struct trace_result *ret)
{
	const int fds[] = { input_pipe(command->input), memory_file(NULL), memory_file(NULL) };
	struct handshake *shake = mmap(
		NULL, sizeof(*shake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double start = now();
	pid_t pid;

	must(shake != MAP_FAILED, "share memory");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0)
		become(command, fds, judge ? shake : NULL);
	ret->n_calls = judge ? supervise(pid, shake, judge, arg) : 0;
	must(waitpid(pid, &ret->status, 0) == pid, "wait for the program");
	ret->seconds = now() - start;
	munmap(shake, sizeof(*shake));
	close(fds[0]);
	read_back(fds[1], ret->out);
	read_back(fds[2], ret->err);
}
