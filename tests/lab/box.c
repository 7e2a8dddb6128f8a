// SPDX-License-Identifier: MIT
/*
 * Containers without a runtime: a process in a network namespace is one.
 */
#include "tests/lab/box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/kernel.h"

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "box: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Init: in a network namespace of its own or in a pod's, in a mount namespace of its own, as a
 * runtime's before it changes its root; says when it is there, and waits for its end.
 */
static void be_init(const struct box *pod, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || (pod ? setns(pod->netns, CLONE_NEWNET) : unshare(CLONE_NEWNET)))
		_exit(EXIT_FAILURE);
	/* What the harness has open would keep other containers' namespaces alive. */
	if (dup2(ready, 3) < 0 || close_range(4, ~0U, 0) < 0 || write(3, "", 1) != 1)
		_exit(EXIT_FAILURE);
	close(3);
	for (;;)
		pause();
}

/**
 * box_start() - start a container's init; nothing is attached yet
 * @box:         the container
 * @id:          its id
 * @annotations: its annotations: members of a JSON object
 * @pod:         whose network namespace it joins, or NULL: it gets its own
 */
void box_start(struct box *box, const char *id, const char *annotations, const struct box *pod)
{
	char path[32];
	char byte;
	int ready[2];

	must(pipe2(ready, O_CLOEXEC) == 0, "make a pipe");
	snprintf(box->id, sizeof(box->id), "%s", id);
	box->annotations = annotations;
	box->pid = fork();
	must(box->pid >= 0, "fork");
	if (box->pid == 0)
		be_init(pod, ready[1]);
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1, "start an init");
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)box->pid);
	box->netns = open(path, O_RDONLY | O_CLOEXEC);
	must(box->netns >= 0, "open a namespace");
}

/**
 * box_set_lo_up() - set lo up, as runtimes do in the namespaces that they make
 * @box: the container
 */
void box_set_lo_up(const struct box *box)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int nl = kernel_open(box->netns);

	must(nl >= 0 && ioctl(nl, SIOCSIFFLAGS, &lo) == 0, "set lo up");
	close(nl);
}

/**
 * box_kill() - kill a container's init; its namespace lives on, as it is pinned
 * @box: the container; one whose init is dead is fine
 */
void box_kill(struct box *box)
{
	if (box->pid == 0)
		return;
	kill(box->pid, SIGKILL);
	must(waitpid(box->pid, NULL, 0) == box->pid, "wait for an init");
	box->pid = 0;
}

/**
 * box_unpin() - let a container's namespace end with its processes
 * @box: the container
 */
void box_unpin(struct box *box)
{
	if (box->netns >= 0)
		close(box->netns);
	box->netns = -1;
}
