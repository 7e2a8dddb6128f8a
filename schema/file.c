// SPDX-License-Identifier: MIT
/*
 * Whole files, in and out: bounded reads of regular files only, writes that others see whole or
 * not at all. Paths are relative to a folder that is open, and the last component is never
 * followed where it is a symbolic link.
 */
#include "schema/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"

#define DRAIN_FIRST 2048
#define DRAIN_CHUNK 65536

/**
 * file_check_regular() - fail for what is not a regular file: a FIFO would block, a folder has no
 * content
 * @fd:   the file
 * @name: its name, for messages
 * @max:  the largest size that is accepted, in bytes
 * @ret:  what fstat(2) said of it, for file_read_regular()
 * @err:  filled on failure
 *
 * Return: 0; -EISDIR or -EINVAL for what is not a regular file; -EFBIG; or what fstat(2) gave.
 */
int file_check_regular(int fd, const char *name, size_t max, struct stat *ret, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set_errno(err, "cannot read '%s'", name);
	if (!S_ISREG(status.st_mode))
		return error_set(err, S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL,
			"cannot read '%s': it is not a regular file", name);
	if ((uintmax_t)status.st_size > max)
		return error_set(
			err, -EFBIG, "cannot read '%s': it is larger than %zu bytes", name, max);
	*ret = status;
	return 0;
}

/* Reads until the end or until size bytes are there. */
static ssize_t read_fully(int fd, char *buffer, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, buffer + used, size - used);

		if (n < 0 && errno == EINTR && !deadline_passed())
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/**
 * file_read_regular() - read a file whole, of which file_check_regular() has said what it is
 * @fd:       the file
 * @status:   what was said
 * @name:     its name, for messages
 * @ret:      its bytes with a NUL behind them; the caller frees it
 * @ret_size: how many bytes there are without that NUL
 * @err:      filled on failure
 *
 * Return: 0, -ENOMEM, or what read(2) gave.
 */
int file_read_regular(int fd, const struct stat *status, const char *name, char **ret,
	size_t *ret_size, struct error *err)
{
	size_t size = (size_t)status->st_size;
	autofree char *text = malloc(size + 1);
	ssize_t n;

	if (!text)
		return error_set(err, -ENOMEM, "cannot read '%s': out of memory", name);
	n = read_fully(fd, text, size);
	if (n < 0)
		return error_set_errno(err, "cannot read '%s'", name);
	text[n] = '\0';
	*ret = text;
	*ret_size = (size_t)n;
	text = NULL;
	return 0;
}

/**
 * file_read_open() - read a regular file whole, from its descriptor
 * @fd:       the file, as it was opened; without O_NONBLOCK a FIFO would have waited
 * @name:     its name, for messages
 * @max:      the largest size that is accepted, in bytes
 * @ret:      its bytes with a NUL behind them; the caller frees it
 * @ret_size: how many bytes there are without that NUL
 * @err:      filled on failure
 *
 * Return: 0, or what file_check_regular() and file_read_regular() gave.
 */
int file_read_open(
	int fd, const char *name, size_t max, char **ret, size_t *ret_size, struct error *err)
{
	struct stat status;
	int r = file_check_regular(fd, name, max, &status, err);

	return r < 0 ? r : file_read_regular(fd, &status, name, ret, ret_size, err);
}

/**
 * file_read() - read a regular file whole
 * @dir:      the folder, or AT_FDCWD
 * @name:     the file, below it
 * @max:      the largest size that is accepted, in bytes
 * @ret:      its bytes with a NUL behind them; the caller frees it
 * @ret_size: how many bytes there are without that NUL
 * @err:      filled on failure
 *
 * Return: 0; -ENOENT; -ELOOP for a symbolic link; else what open(2) and file_read_open() gave.
 */
int file_read(
	int dir, const char *name, size_t max, char **ret, size_t *ret_size, struct error *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	autoclose int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ELOOP)
		return error_set(err, -ELOOP, "cannot read '%s': it is a symbolic link", name);
	if (fd < 0)
		return error_set_errno(err, "cannot read '%s'", name);
	return file_read_open(fd, name, max, ret, ret_size, err);
}

/* Waits until fd can be read, where reading it does not wait. */
static int wait_readable(int fd, struct error *err)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (poll(&wait, 1, deadline_remaining_ms()) < 0 && errno != EINTR)
		return error_set_errno(err, "cannot wait for stdin");
	return 0;
}

/* What has been read, and room for more. */
struct drained {
	char *text;
	size_t used;
	size_t size;	/* of the memory at text, less one byte for a NUL */
	bool too_large; /* more was read than is kept */
};

/* Twice as much as before, or what an OCI state seldom exceeds. */
static int make_room(struct drained *drained, size_t max, struct error *err)
{
	size_t size = drained->size ? 2 * drained->size : DRAIN_FIRST;
	char *text;

	if (size > max)
		size = max;
	text = realloc(drained->text, size + 1);
	if (!text)
		return error_set(err, -ENOMEM, "cannot read stdin: out of memory");
	drained->text = text;
	drained->size = size;
	return 0;
}

/* Where what is too much goes; a function of its own, as 64 KiB on the stack are pages away. */
__attribute__((noinline)) static ssize_t read_away(int fd)
{
	char spill[DRAIN_CHUNK];

	return read(fd, spill, sizeof(spill));
}

/* One read. Returns 1 to go on, 0 at the end. */
static int drain_some(int fd, struct drained *drained, struct error *err)
{
	size_t room = drained->size - drained->used;
	ssize_t n = room ? read(fd, drained->text + drained->used, room) : read_away(fd);

	if (n < 0 && errno == EAGAIN) {
		int r = wait_readable(fd, err);

		return r < 0 ? r : 1;
	}
	if (n < 0)
		return errno == EINTR ? 1 : error_set_errno(err, "cannot read stdin");
	if (room)
		drained->used += (size_t)n;
	else if (n > 0)
		drained->too_large = true;
	return n > 0;
}

/* The deadline is asked each time: there may always be more to read. */
static int drain(int fd, size_t max, struct drained *drained, struct error *err)
{
	int r = make_room(drained, max, err);

	while (r >= 0) {
		r = deadline_check("reading stdin", err);
		if (r == 0 && drained->used == drained->size && drained->size < max)
			r = make_room(drained, max, err);
		if (r == 0)
			r = drain_some(fd, drained, err);
		if (r == 0)
			break;
	}
	if (r == 0 && drained->too_large)
		return error_set(err, -EFBIG, "stdin holds more than %zu bytes", max);
	return r;
}

/**
 * file_drain() - read a pipe to its end
 * @fd:       stdin
 * @max:      how much is kept, in bytes
 * @ret:      the bytes with a NUL behind them; the caller frees it
 * @ret_size: how many there are without that NUL
 * @err:      filled on failure
 *
 * What is over @max is read as well and thrown away: old crun fails when a hook leaves its state
 * unread (EPIPE). Waits no longer than the deadline, whose signal ends a read that waits.
 *
 * Return: 0, -EFBIG, -ETIME, -ENOMEM, or what read(2) gave.
 */
int file_drain(int fd, size_t max, char **ret, size_t *ret_size, struct error *err)
{
	struct drained drained = { 0 };
	int r = drain(fd, max, &drained, err);

	if (r < 0) {
		free(drained.text);
		return r;
	}
	drained.text[drained.used] = '\0';
	*ret = drained.text;
	*ret_size = drained.used;
	return 0;
}

static int write_fully(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Writes a new file with its final content, or leaves none. */
static int write_new(int dir, const char *name, const char *data, size_t size, mode_t mode)
{
	autoclose int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	/* The umask must not decide. It leaves the owner what is his: both programs set it so. */
	r = mode & ~(mode_t)S_IRWXU && fchmod(fd, mode) < 0 ? -errno : 0;
	if (r == 0)
		r = write_fully(fd, data, size);
	if (r < 0)
		unlinkat(dir, name, 0);
	return r;
}

/**
 * file_write() - write a file that nobody else looks at yet, in place of an old one
 * @dir:  the folder
 * @name: the file; who calls has a lock that makes it his
 * @data: the content
 * @size: its size in bytes
 * @mode: its permissions
 * @err:  filled on failure
 *
 * Whoever has the old one open, or mounted, goes on with that.
 *
 * Return: 0, or what open(2) and write(2) gave; then it is not there.
 */
int file_write(
	int dir, const char *name, const char *data, size_t size, mode_t mode, struct error *err)
{
	int r = write_new(dir, name, data, size, mode);

	if (r == -EEXIST) {
		unlinkat(dir, name, 0);
		r = write_new(dir, name, data, size, mode);
	}
	return r < 0 ? error_set(err, r, "cannot write '%s': %s", name, strerror(-r)) : 0;
}

/**
 * file_replace() - write a file so that others see the old content or the new, never a part
 * @dir:       the folder
 * @name:      the file
 * @temporary: the name it is written under first. The caller holds the lock that makes this name
 *             his, so one that is left from a killed process is his too and is written anew
 * @data:      the content
 * @size:      its size in bytes
 * @err:       filled on failure
 *
 * Nothing is synced: the folder is on a tmpfs, or its content ends with the boot.
 *
 * Return: 0, or what open(2), write(2) or rename(2) gave; nothing is left behind then.
 */
int file_replace(int dir, const char *name, const char *temporary, const char *data, size_t size,
	struct error *err)
{
	int r = file_write(dir, temporary, data, size, 0600, err);

	if (r < 0)
		return r;
	if (renameat(dir, temporary, dir, name) < 0) {
		r = error_set_errno(err, "cannot rename '%s' to '%s'", temporary, name);
		unlinkat(dir, temporary, 0);
		return r;
	}
	return 0;
}

static int sync_file(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/**
 * file_create() - publish a file that must not exist yet, whole, on disk
 * @dir:  the folder
 * @name: the file
 * @data: the content
 * @size: its size in bytes
 * @mode: its permissions
 * @err:  filled on failure
 *
 * It is written under a hidden name that nobody else has (not every file system knows files
 * without a name, O_TMPFILE), and then linked, which fails where the name is taken.
 *
 * Return: 0, -EEXIST, or what open(2), write(2), fsync(2) or link(2) gave.
 */
int file_create(
	int dir, const char *name, const char *data, size_t size, mode_t mode, struct error *err)
{
	char temporary[NAME_MAX + 1];
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return error_set_errno(err, "cannot get a random number");
	snprintf(temporary, sizeof(temporary), ".%.200s.%016" PRIx64, name, random);
	r = write_new(dir, temporary, data, size, mode);
	if (r < 0)
		return error_set(err, r, "cannot write '%s': %s", name, strerror(-r));
	r = sync_file(dir, temporary);
	if (r == 0 && linkat(dir, temporary, dir, name, 0) < 0)
		r = -errno;
	unlinkat(dir, temporary, 0);
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	return r < 0 ? error_set(err, r, "cannot create '%s': %s", name, strerror(-r)) : 0;
}

/**
 * file_make_path() - make a folder and those above it, where they are missing (mkdir -p)
 * @path: the folder
 * @mode: permissions of those that are made
 * @err:  filled on failure
 *
 * Return: 0, also when another process makes it at the same time; -ENAMETOOLONG, or what mkdir(2)
 * gave.
 */
int file_make_path(const char *path, mode_t mode, struct error *err)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof(part))
		return error_set(err, -ENAMETOOLONG,
			"the folder's name is longer than %d characters", PATH_MAX - 1);
	strcpy(part, path);
	for (char *end = part;;) {
		char kept;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		if (*part && mkdir(part, mode) < 0 && errno != EEXIST)
			return error_set_errno(err, "cannot create '%s'", part);
		if (!kept)
			return 0;
		*end = kept;
	}
}

/**
 * file_open_dir() - open a folder
 * @dir:  the folder it is in, or AT_FDCWD
 * @name: its name
 * @ret:  the descriptor; the caller closes it
 * @err:  filled on failure
 *
 * Return: 0, -ENOENT, -ENOTDIR (also for a symbolic link), or what open(2) gave.
 */
int file_open_dir(int dir, const char *name, int *ret, struct error *err)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return error_set(err, -ENOTDIR, "cannot open '%s': it is not a folder", name);
	if (fd < 0)
		return error_set_errno(err, "cannot open '%s'", name);
	*ret = fd;
	return 0;
}
