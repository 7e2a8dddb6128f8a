// SPDX-License-Identifier: MIT
/*
 * Locks on single bytes of RUN/lock: open-file-description write locks (fcntl(2)), which need no
 * file per container, end with the process however it ends, and cost half a microsecond.
 *
 * The file is opened once by a process and the locks belong to that opening. So a container's own
 * lock and that of its pod's owner, should they fall on the same byte, are one lock that is taken
 * twice, and cannot wait for each other. (Dropping one then drops both: a chance of 2^-63 that
 * nobody pays a count for.)
 */
#include "ipam/lock.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/hash.h"

/**
 * lock_offset() - which byte of RUN/lock is a container's
 * @id: the container's id
 *
 * Two ids on one byte only wait for each other.
 *
 * Return: from LOCK_IDS to 2^63 - 2.
 */
int64_t lock_offset(const char *id)
{
	const char *const strings[] = { id, NULL };

	return LOCK_IDS + (int64_t)(hash_strings_u64(strings) % (INT64_MAX - LOCK_IDS));
}

static int set_lock(int fd, int command, short type, int64_t offset)
{
	/* l_pid must be 0 for these commands. */
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = 1,
	};

	return fcntl(fd, command, &lock) < 0 ? -errno : 0;
}

/**
 * lock_take() - take a lock, waiting for it until the deadline
 * @fd:     RUN/lock
 * @offset: the byte
 * @what:   what is waited for, as in "waiting for ..."
 * @err:    filled on failure
 *
 * Return: 0, -ETIME, -EINTR, or what fcntl(2) gave.
 */
int lock_take(int fd, int64_t offset, const char *what, struct error *err)
{
	int r;

	while ((r = set_lock(fd, F_OFD_SETLKW, F_WRLCK, offset)) == -EINTR) {
		r = deadline_check(what, err);
		if (r < 0)
			return r;
	}
	if (r < 0) {
		errno = -r;
		return error_set_errno(err, "failed %s", what);
	}
	return 0;
}

/**
 * lock_try() - take a lock if nobody has it
 * @fd:     RUN/lock
 * @offset: the byte
 *
 * Return: 0, -EAGAIN when another has it, or what fcntl(2) gave.
 */
int lock_try(int fd, int64_t offset)
{
	int r = set_lock(fd, F_OFD_SETLK, F_WRLCK, offset);

	return r == -EACCES ? -EAGAIN : r;
}

/**
 * lock_drop() - give a lock back
 * @fd:     RUN/lock
 * @offset: the byte
 */
void lock_drop(int fd, int64_t offset)
{
	set_lock(fd, F_OFD_SETLK, F_UNLCK, offset);
}
