// SPDX-License-Identifier: MIT
/*
 * Whether a container's init lives. A pid alone says nothing, for it is used again; a pid with the
 * time its process started names one process until the next boot.
 */
#include "hook/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"

/* A line of /proc/PID/stat: 52 numbers of up to 20 digits, and a name. */
#define STAT_MAX 2048

/* Reads state and starttime, fields 3 and 22 of proc(5)'s /proc/PID/stat. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	char path[32];
	char text[STAT_MAX];
	char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	at = strrchr(text, ')'); /* field 2, the name, may hold anything */
	if (!at || strlen(at) < 3)
		return -EBADMSG;
	at += 2;
	*ret_state = *at;
	for (unsigned field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -EBADMSG;
		at++;
	}
	*ret_start = strtoull(at, NULL, 10);
	return 0;
}

/**
 * proc_start_time() - when a process started
 * @pid: the process
 * @ret: clock ticks since boot (proc(5), /proc/PID/stat field 22)
 * @err: filled on failure
 *
 * Return: 0; -ESRCH when there is no such process, or only its zombie.
 */
int proc_start_time(pid_t pid, uint64_t *ret, struct error *err)
{
	uint64_t start = 0;
	char state = 0;
	int r = read_stat(pid, &state, &start);

	if (r == -ENOENT || r == -ESRCH || (r == 0 && (state == 'Z' || state == 'X')))
		return error_set(err, -ESRCH, "process %d is dead", (int)pid);
	if (r < 0)
		return error_set(
			err, r, "cannot read the state of process %d: %s", (int)pid, strerror(-r));
	*ret = start;
	return 0;
}

/**
 * proc_is_alive() - does a process still live
 * @pid:   the process
 * @start: when it started
 *
 * Return: false when it is gone, a zombie (at poststop init is one), or its pid another's. True
 * also when one cannot tell.
 */
bool proc_is_alive(pid_t pid, uint64_t start)
{
	uint64_t now = 0;
	char state = 0;
	int r = read_stat(pid, &state, &now);

	if (r < 0)
		return r != -ENOENT && r != -ESRCH;
	return now == start && state != 'Z' && state != 'X';
}

/**
 * proc_outlives() - does a process live on for some time
 * @pid:          the process
 * @start:        when it started
 * @milliseconds: how long to wait for its end
 *
 * Return: true when it is alive then; false as soon as it is dead.
 */
bool proc_outlives(pid_t pid, uint64_t start, int milliseconds)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	/* Opened first: if the process is alive after that, the descriptor is of this process. */
	if (!proc_is_alive(pid, start))
		return false;
	if (pidfd >= 0)
		poll(&wait, 1, milliseconds);
	return proc_is_alive(pid, start);
}
