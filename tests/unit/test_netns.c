// SPDX-License-Identifier: MIT
/*
 * hook/netns.c: whose namespace is entered, and whose is not. What is entered for good is entered
 * by the integration tests.
 */
#include "hook/netns.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/error.h"
#include "tests/unit/tap.h"

static void *live_on(void *unused)
{
	(void)unused;
	poll(NULL, 0, -1);
	return NULL;
}

/* A child whose main thread ends at once, while another one lives. */
static pid_t start_headless(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, live_on, NULL) == 0)
		syscall(SYS_exit, 0);
	_exit(1);
}

static bool has_netns(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The namespace that this process is in. */
static uint64_t own_cookie(void)
{
	struct nl nl = NL_CLOSED;
	uint64_t cookie = 0;

	ok(nl_open(&nl, NULL) == 0 && nl_netns_cookie(&nl, &cookie, NULL) == 0, "our own cookie");
	nl_close(&nl);
	return cookie;
}

static void refuse(pid_t pid, int code, const char *why, const char *who)
{
	struct netns netns = NETNS_CLOSED;
	struct error err = { 0 };

	is_int(netns_enter(pid, own_cookie(), &netns, &err), code, "%s is not entered", who);
	ok(strstr(err.text, why) != NULL, "because: %s", err.text);
	ok(netns.fd < 0 && netns.pidfd < 0, "nothing is returned");
}

/* What one sees of an init that is killed just now: it lives, but has no namespace any more. */
static void test_ending(void)
{
	pid_t pid = start_headless();

	while (has_netns(pid))
		poll(NULL, 0, 1);
	refuse(pid, -ESRCH, "is dead", "an init that ends just now");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	refuse(pid, -ESRCH, "is dead", "one that has ended");
}

int main(void)
{
	test_ending();
	refuse(getpid(), -EINVAL, "host's own network namespace", "one in our own namespace");
	return tap_done();
}
