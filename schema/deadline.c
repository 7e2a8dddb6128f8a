// SPDX-License-Identifier: MIT
/*
 * One deadline for the whole process. The runtimes set none by default, and their way to enforce
 * one is SIGKILL, which leaves no time to undo; so the hook ends itself first. SIGTERM, SIGINT
 * and SIGHUP count as a deadline that has come, so that both roads lead through the same undo.
 *
 * An interval timer goes off again and again from then on: a system call that blocks (a lock, a
 * read) returns EINTR even if the first signal came just before it began to wait.
 */
#include "schema/deadline.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#include "schema/error.h"

#define AGAIN_MS 50

/* What a signal handler may write; the deadline itself is the timer's. */
static volatile sig_atomic_t passed;
static volatile sig_atomic_t ended_by;

static void on_signal(int number)
{
	const struct itimerval again = { .it_value = { 0, AGAIN_MS * 1000 },
		.it_interval = { 0, AGAIN_MS * 1000 } };

	/* What is about to block must be interrupted too. Only a system call: safe in a handler. */
	setitimer(ITIMER_REAL, &again, NULL);
	if (!passed)
		ended_by = number; /* the first says why */
	passed = 1;
}

static void catch (int number)
{
	struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: EINTR is wanted */

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/**
 * deadline_start() - start, or start anew, the time that the process has
 * @milliseconds: how much
 *
 * Unblocks all signals (crun starts hooks with every signal blocked) and has SIGALRM, SIGTERM,
 * SIGINT and SIGHUP end the time. A process that never calls this has no deadline.
 */
void deadline_start(unsigned milliseconds)
{
	struct itimerval timer = {
		.it_value = { milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000 },
		.it_interval = { 0, AGAIN_MS * 1000 },
	};
	sigset_t none;

	passed = 0;
	ended_by = 0;
	catch (SIGALRM);
	catch (SIGTERM);
	catch (SIGINT);
	catch (SIGHUP);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/**
 * deadline_passed() - is the time over
 *
 * Return: true from then on.
 */
bool deadline_passed(void)
{
	return passed;
}

/**
 * deadline_check() - fail when the time is over
 * @what: what would be waited for, for the message
 * @err:  filled on failure
 *
 * Return: 0, -ETIME, or -EINTR when a signal ended it.
 */
int deadline_check(const char *what, struct error *err)
{
	if (!passed)
		return 0;
	if (ended_by == SIGALRM)
		return error_set(err, -ETIME, "gave up %s: the deadline has passed", what);
	return error_set(err, -EINTR, "gave up %s: ended by signal %d", what, (int)ended_by);
}

/**
 * deadline_remaining_ms() - how long one may still wait, as poll() wants it
 *
 * Return: milliseconds, at least 1 while the time is not over; 0 when it is; -1: no deadline.
 */
int deadline_remaining_ms(void)
{
	struct itimerval timer = { { 0, 0 }, { 0, 0 } };

	if (passed)
		return 0;
	getitimer(ITIMER_REAL, &timer);
	if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0)
		return -1;
	return (int)(timer.it_value.tv_sec * 1000 + timer.it_value.tv_usec / 1000) + 1;
}

/**
 * deadline_clock_ms() - the time in which waits are measured
 *
 * Return: CLOCK_MONOTONIC in milliseconds.
 */
int64_t deadline_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
