// SPDX-License-Identifier: MIT
/*
 * schema/deadline.c: the time ends, by the clock or by a signal, and whatever waits comes back.
 * Each case is a child of its own, for the timer, the signals and the flag are the process's.
 */
#include "schema/deadline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define SHORT_MS 20
/* Has not passed in the next statement. */
#define NOT_PASSED_MS 200
/* Longer than anything here takes. */
#define LONG_MS 60000
/* A child that takes so long hangs. */
#define HANG_MS 10000

/* In a child: ends it with the line's number, which the parent shows. */
#define must(condition)                     \
	do {                                \
		if (!(condition))           \
			_exit_at(__LINE__); \
	} while (0)

static char lock_path[128];

/* Exit codes have 8 bits, so the place goes to stdout as a TAP comment. */
static _Noreturn void _exit_at(int line)
{
	printf("# child failed at %s:%d\n", __FILE__, line);
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

/* Runs a case in a child, which is killed when it hangs. */
static void run(void (*body)(void), const char *name)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		body();
		_exit(EXIT_SUCCESS);
	}
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	if (!ok(pidfd >= 0 && poll(&wait, 1, HANG_MS) == 1, "%s: it comes back", name))
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	is_int(status, 0, "%s", name);
}

static void await_deadline(void)
{
	while (!deadline_passed())
		pause(); /* the timer goes off again, so one that came before does no harm */
}

static void no_deadline(void)
{
	struct error err = { .code = 1 };

	must(!deadline_passed());
	must(deadline_check("waiting", &err) == 0);
	must(err.code == 1);
	must(deadline_remaining_ms() == -1);
}

static void not_yet(void)
{
	int first;

	deadline_start(LONG_MS);
	first = deadline_remaining_ms();
	must(first > LONG_MS / 2 && first <= LONG_MS + 1);
	must(!deadline_passed());
	must(deadline_check("waiting", NULL) == 0);
	poll(NULL, 0, 5);
	must(deadline_remaining_ms() < first);
	must(deadline_remaining_ms() > LONG_MS / 2);
}

static void by_clock(void)
{
	struct error err = { 0 };
	int remaining;

	deadline_start(SHORT_MS);
	remaining = deadline_remaining_ms();
	must(remaining <= SHORT_MS + 1);
	await_deadline();
	must(deadline_passed());
	must(deadline_remaining_ms() == 0);
	must(deadline_check("reading 'x'", &err) == -ETIME);
	must(err.code == -ETIME);
	must(!strcmp(err.text, "gave up reading 'x': the deadline has passed"));
	must(deadline_check("waiting", NULL) == -ETIME);
}

static void ended_by(int number)
{
	char expected[64];
	struct error err = { 0 };

	snprintf(expected, sizeof(expected), "gave up waiting: ended by signal %d", number);
	deadline_start(LONG_MS);
	must(!deadline_passed());
	kill(getpid(), number);
	must(deadline_passed());
	must(deadline_remaining_ms() == 0);
	must(deadline_check("waiting", &err) == -EINTR);
	must(err.code == -EINTR);
	must(!strcmp(err.text, expected));
}

static void by_sigterm(void)
{
	ended_by(SIGTERM);
}

static void by_sigint(void)
{
	ended_by(SIGINT);
}

static void by_sighup(void)
{
	ended_by(SIGHUP);
}

static void anew(void)
{
	deadline_start(1);
	await_deadline();
	deadline_start(LONG_MS);
	must(!deadline_passed());
	must(deadline_check("waiting", NULL) == 0);
	must(deadline_remaining_ms() > LONG_MS / 2);
	kill(getpid(), SIGTERM);
	must(deadline_check("waiting", NULL) == -EINTR);
	deadline_start(NOT_PASSED_MS);
	must(!deadline_passed());
	await_deadline();
	must(deadline_check("waiting", NULL) == -ETIME);
}

/* Waits for the lock that the parent holds. */
static int wait_for_lock(int command)
{
	autoclose int fd = open(lock_path, O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	must(fd >= 0);
	return fcntl(fd, command, &lock) < 0 ? -errno : 0;
}

static void lock_by_clock(void)
{
	must(wait_for_lock(F_SETLK) == -EAGAIN);
	deadline_start(SHORT_MS);
	must(wait_for_lock(F_SETLKW) == -EINTR);
	must(deadline_check("waiting", NULL) == -ETIME);
}

static void lock_ofd_by_clock(void)
{
	deadline_start(SHORT_MS);
	must(wait_for_lock(F_OFD_SETLKW) == -EINTR);
	must(deadline_check("waiting", NULL) == -ETIME);
}

/* The first signal comes before the wait begins: the next one ends it. */
static void lock_after_the_first_signal(void)
{
	deadline_start(1);
	await_deadline();
	must(wait_for_lock(F_SETLKW) == -EINTR);
}

static void read_by_clock(void)
{
	int pipes[2];
	char byte;

	must(pipe(pipes) == 0);
	deadline_start(SHORT_MS);
	must(read(pipes[0], &byte, 1) < 0 && errno == EINTR);
	must(deadline_passed());
}

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	must(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

static void blocked(void)
{
	sigset_t now;

	block_all();
	deadline_start(SHORT_MS);
	must(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	for (int number = 1; number < NSIG; number++)
		must(sigismember(&now, number) != 1);
	must(wait_for_lock(F_SETLKW) == -EINTR);
	must(deadline_check("waiting", NULL) == -ETIME);
}

static void blocked_and_pending(void)
{
	block_all();
	kill(getpid(), SIGTERM);
	deadline_start(LONG_MS);
	must(deadline_passed());
	must(deadline_check("waiting", NULL) == -EINTR);
}

static void ignored(void)
{
	must(signal(SIGALRM, SIG_IGN) != SIG_ERR);
	must(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	must(signal(SIGINT, SIG_IGN) != SIG_ERR);
	by_clock();
	by_sigterm();
	by_sigint();
}

int main(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	snprintf(lock_path, sizeof(lock_path), "%s/lock", tap_tempdir());
	autoclose int fd = open(lock_path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	ok(fcntl(fd, F_SETLK, &lock) == 0, "a lock is held");
	run(no_deadline, "without a start there is no deadline");
	run(not_yet, "before it, the time grows less");
	run(by_clock, "the clock ends it");
	run(by_sigterm, "SIGTERM ends it");
	run(by_sigint, "SIGINT ends it");
	run(by_sighup, "SIGHUP ends it");
	run(anew, "it can be started anew");
	run(lock_by_clock, "a lock that blocks is interrupted");
	run(lock_ofd_by_clock, "one of an open file description too");
	run(lock_after_the_first_signal, "also when the deadline had passed before");
	run(read_by_clock, "a read that blocks is interrupted");
	run(blocked, "all signals blocked at start are unblocked");
	run(blocked_and_pending, "one that is pending counts");
	run(ignored, "ignored signals are caught");
	return tap_done();
}
