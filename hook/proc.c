// SPDX-License-Identifier: MIT
/*
 * Whether a container's init lives. A pid alone says nothing, for it is used again; a pid with the
 * time its process started names one process until the next boot.
 */
#include "hook/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/text.h"

/* A line of /proc/PID/stat: 52 numbers of up to 20 digits, and a name. */
#define STAT_MAX 2048

/* What /proc/PID/stat says of a process, proc(5). */
struct stat_line {
	char state;	/* field 3 */
	long n_threads; /* field 20 */
	uint64_t start; /* field 22, clock ticks since boot */
};

static int read_stat(pid_t pid, struct stat_line *ret)
{
	char path[32];
	char number[TEXT_UINT];
	char text[STAT_MAX];
	const char *at;
	ssize_t n;

	text_join(path, sizeof(path), "/proc/", text_uint((uint64_t)pid, number), "/stat");
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
	ret->state = *at;
	for (unsigned field = 4; field <= 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -EBADMSG;
		at++;
		if (field == 20)
			ret->n_threads = strtol(at, NULL, 10);
	}
	ret->start = strtoull(at, NULL, 10);
	return 0;
}

/* A zombie has ended, unless it is only the main thread that has, and others go on. */
static bool has_ended(const struct stat_line *line)
{
	return line->state == 'X' || (line->state == 'Z' && line->n_threads <= 1);
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
	struct stat_line line = { 0 };
	int r = read_stat(pid, &line);

	if (r == -ENOENT || r == -ESRCH || (r == 0 && has_ended(&line)))
		return error_set(err, -ESRCH, "process %d is dead", (int)pid);
	if (r < 0)
		return error_set(
			err, r, "cannot read the state of process %d: %s", (int)pid, strerror(-r));
	*ret = line.start;
	return 0;
}

/**
 * proc_is_alive() - does a process still live
 * @pid:   the process
 * @start: when it started
 * @ret:   false when it is gone, a zombie (at poststop init is one), or its pid another's
 * @err:   filled on failure
 *
 * Return: 0; else one cannot tell: what open(2) and read(2) gave.
 */
int proc_is_alive(pid_t pid, uint64_t start, bool *ret, struct error *err)
{
	uint64_t found = 0;
	int r = proc_start_time(pid, &found, err);

	if (r < 0 && r != -ESRCH)
		return r;
	*ret = r == 0 && found == start;
	return 0;
}

/**
 * proc_outlives() - does a process live on for some time
 * @pid:          the process
 * @start:        when it started
 * @milliseconds: how long to wait for its end
 * @ret:          whether it is alive then, or when a signal ended the wait; false as soon as it is
 *                dead
 * @err:          filled on failure
 *
 * Return: 0, or what proc_is_alive() gave.
 */
int proc_outlives(pid_t pid, uint64_t start, int milliseconds, bool *ret, struct error *err)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	bool alive = false;
	/* Opened first: if the process is alive after that, the descriptor is of this process. */
	int r = proc_is_alive(pid, start, &alive, err);

	if (r == 0 && alive) {
		if (pidfd >= 0)
			poll(&wait, 1, milliseconds);
		r = proc_is_alive(pid, start, &alive, err);
	}
	if (r == 0)
		*ret = alive;
	return r;
}
