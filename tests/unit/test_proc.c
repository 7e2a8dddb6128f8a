// SPDX-License-Identifier: MIT
/*
 * hook/proc.c: alive, dead, a zombie, or another process with the same pid.
 */
#include "hook/proc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/error.h"
#include "tests/unit/tap.h"

/* Longer than anything here takes; a wait that long has failed. */
#define LONG_MS 20000

/* A child that ends after so many milliseconds (-1: when it is killed), or with the test. */
static pid_t start_child(int milliseconds)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	poll(NULL, 0, milliseconds);
	_exit(0);
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Waits until the child has ended, and leaves the zombie. */
static void await_zombie(pid_t pid)
{
	siginfo_t info;

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

/* Both can be told here, always. */
static bool is_alive(pid_t pid, uint64_t start)
{
	bool alive = false;

	is_int(proc_is_alive(pid, start, &alive, NULL), 0, "one can tell");
	return alive;
}

static bool outlives(pid_t pid, uint64_t start, int milliseconds)
{
	bool alive = false;

	is_int(proc_outlives(pid, start, milliseconds, &alive, NULL), 0, "one can tell");
	return alive;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_alive(void)
{
	struct error err = { 0 };
	uint64_t start = 0;
	uint64_t again = 0;
	long ticks = sysconf(_SC_CLK_TCK);
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	is_int(proc_start_time(getpid(), &start, &err), 0, "when this process started");
	ok(start > 0 && start / (uint64_t)ticks <= (uint64_t)boot.tv_sec,
		"was after the boot and before now");
	is_int(proc_start_time(getpid(), &again, NULL), 0, "once more");
	ok(start == again, "is the same");
	ok(is_alive(getpid(), start), "it is alive");
	ok(!is_alive(getpid(), start + 1), "one that started later had this pid before");
	ok(!is_alive(getpid(), start - 1), "so had one that started earlier");
	ok(!is_alive(getpid(), 0), "or never");
}

/* The name of a process stands in the line, and is his to choose. */
static void test_names(void)
{
	static const char *const names[] = { "x) Z 1 2 3 (y", ") Z 0 0 0 0", "a b c", "))))", "\n(",
		") Z", "" };
	uint64_t start = 0;

	proc_start_time(getpid(), &start, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t now = 0;

		prctl(PR_SET_NAME, names[i]);
		ok(proc_start_time(getpid(), &now, NULL) == 0 && now == start,
			"a hostile name does not change the start time");
		ok(is_alive(getpid(), start), "nor the state");
	}
}

static void test_zombie_and_dead(void)
{
	pid_t child = start_child(-1);
	struct error err = { 0 };
	uint64_t untouched = 99;
	uint64_t start = 0;

	is_int(proc_start_time(child, &start, &err), 0, "when a child started");
	ok(is_alive(child, start), "it is alive");
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	ok(is_alive(child, start), "stopped it is alive too");
	kill(child, SIGKILL);
	await_zombie(child);
	ok(kill(child, 0) == 0, "a zombie has its pid still");
	ok(!is_alive(child, start), "but is not alive");
	is_int(proc_start_time(child, &untouched, &err), -ESRCH, "and has no start time");
	waitpid(child, NULL, 0);
	ok(!is_alive(child, start), "reaped it is not alive");
	err = (struct error){ 0 };
	is_int(proc_start_time(child, &untouched, &err), -ESRCH, "and has no start time");
	ok(err.code == -ESRCH && strstr(err.text, "is dead"), "with a line: %s", err.text);
	ok(untouched == 99, "nothing is returned");
}

/* Without a descriptor left one cannot tell; that must not pass for dead, nor for alive. */
static void test_cannot_tell(void)
{
	struct rlimit before;
	struct rlimit none;
	struct error err = { 0 };
	bool alive = true;

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){ 0, before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	is_int(proc_is_alive(getpid(), 1, &alive, &err), -EMFILE, "one cannot tell");
	ok(strstr(err.text, "cannot read the state of process"), "with a line: %s", err.text);
	is_int(proc_outlives(getpid(), 1, LONG_MS, &alive, &err), -EMFILE, "nor wait");
	setrlimit(RLIMIT_NOFILE, &before);
	ok(alive, "nothing is returned");
}

static void test_no_process(void)
{
	static const pid_t pids[] = { 0, -1, 0x7fffffff, -0x7fffffff - 1 };
	uint64_t start;

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		is_int(proc_start_time(pids[i], &start, NULL), -ESRCH, "no process has pid %d",
			(int)pids[i]);
		ok(!is_alive(pids[i], 0), "it is not alive");
		ok(!outlives(pids[i], 0, LONG_MS), "nor will it be");
	}
}

static void test_outlives(void)
{
	pid_t child = start_child(-1);
	uint64_t start = 0;
	long began;

	proc_start_time(child, &start, NULL);
	began = now_ms();
	ok(outlives(child, start, 20), "a child that lives on");
	ok(now_ms() - began >= 19, "was watched for that time");
	ok(outlives(child, start, 0), "or just looked at");
	began = now_ms();
	ok(!outlives(child, start + 1, LONG_MS), "another process had this pid");
	ok(now_ms() - began < LONG_MS / 2, "which is said at once");
	kill(child, SIGKILL);
	await_zombie(child);
	ok(!outlives(child, start, LONG_MS), "a zombie outlives nothing");
	reap(child);
	ok(!outlives(child, start, LONG_MS), "nor does a dead one");
	ok(now_ms() - began < LONG_MS / 2, "which is said at once");
}

static void test_outlives_dying(void)
{
	pid_t child = start_child(30);
	uint64_t start = 0;
	long began = now_ms();

	is_int(proc_start_time(child, &start, NULL), 0, "a child that is about to end");
	ok(!outlives(child, start, LONG_MS), "does not live on");
	ok(now_ms() - began < LONG_MS / 2, "which is said when it ends, not later");
	reap(child);
}

static void *wait_to_be_killed(void *arg)
{
	poll(NULL, 0, -1);
	return arg;
}

/* Its state letter in /proc/PID/stat, behind a name without blanks. */
static char state_of(pid_t pid)
{
	char path[32];
	char state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*d %*s %c", &state) != 1)
		state = '?';
	if (file)
		fclose(file);
	return state;
}

/* An init whose main thread has ended shows as a zombie, and goes on all the same. */
static void test_main_thread_ended(void)
{
	pid_t child = fork();
	uint64_t start = 0;
	pthread_t thread;

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&thread, NULL, wait_to_be_killed, NULL);
		pthread_exit(NULL);
	}
	for (int i = 0; i < LONG_MS && state_of(child) != 'Z'; i++)
		poll(NULL, 0, 1);
	is_int(state_of(child), 'Z', "a process whose main thread has ended looks like a zombie");
	is_int(proc_start_time(child, &start, NULL), 0, "but has a start time");
	ok(is_alive(child, start), "and is alive while another thread goes on");
	reap(child);
	ok(!is_alive(child, start), "until it is killed");
}

int main(void)
{
	test_alive();
	test_names();
	test_zombie_and_dead();
	test_main_thread_ended();
	test_cannot_tell();
	test_no_process();
	test_outlives();
	test_outlives_dying();
	return tap_done();
}
