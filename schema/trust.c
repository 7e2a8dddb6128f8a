// SPDX-License-Identifier: MIT
/*
 * May root believe a file, or run a program: can nobody but root change it? Trusted is what belongs
 * to root, or to the user that the program runs as, and is not writable by its group or by others.
 * (With an ACL the group's bits are the ACL's mask, so a user who may write by an ACL counts, too.)
 *
 * Symbolic links are followed, and what is judged is what they lead to and the folder that it is
 * in. Folders further up are not judged: a clone in somebody's home has to work.
 */
#include "schema/trust.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/error.h"

#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* A path in a command for the shell: within quotes, and a quote in it takes four characters. */
#define QUOTED_MAX (4 * PATH_MAX + 3)

enum trust_kind {
	TRUST_WHOLE,   /* only root may write: a file, or a folder in which root believes all */
	TRUST_ENTRIES, /* a folder: others may add to it, where they cannot replace (sticky) */
	TRUST_LINK,    /* a symbolic link, whose mode means nothing */
};

/* Where an open file is, whatever links led to it. */
static bool find_path(int fd, char ret[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	ret[n < 0 ? 0 : n] = '\0';
	return ret[0] == '/';
}

/* As one word of the shell, whoever has chosen the name: the user may paste the command. */
static void quote(const char *path, char ret[QUOTED_MAX])
{
	char *to = ret;

	*to++ = '\'';
	for (; *path; path++)
		if (*path == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *path;
	strcpy(to, "'");
}

static bool is_owner_trusted(const struct stat *status)
{
	/* In this order: seldom anybody but root runs it, and has to be asked for. */
	return status->st_uid == 0 || status->st_uid == geteuid();
}

static bool may_others_write(const struct stat *status, enum trust_kind kind)
{
	if (kind == TRUST_LINK || (kind == TRUST_ENTRIES && status->st_mode & S_ISVTX))
		return false;
	return status->st_mode & (S_IWGRP | S_IWOTH);
}

/* Apart from judge(), which each attach runs: the texts here take pages of the stack. */
__attribute__((noinline)) static int refuse(int fd, const struct stat *status, const char *name,
	enum trust_kind kind, struct error *err)
{
	const char *command = kind == TRUST_LINK ? "chown -h root " : "chown root ";
	bool is_owner_bad = !is_owner_trusted(status);
	bool is_writable = may_others_write(status, kind);
	char quoted[QUOTED_MAX];
	char path[PATH_MAX];

	if (!find_path(fd, path))
		snprintf(path, sizeof(path), "%s", name);
	quote(path, quoted);
	return error_set(err, -EPERM,
		"'%s' belongs to user %u and has mode %04o, so %s could change what root does: "
		"%s%s%s%s%s",
		path, status->st_uid, status->st_mode & 07777,
		is_owner_bad ? "that user" : "others", is_owner_bad ? command : "",
		is_owner_bad ? quoted : "", is_owner_bad && is_writable ? " && " : "",
		is_writable ? "chmod go-w " : "", is_writable ? quoted : "");
}

static int judge(int fd, const struct stat *status, const char *name, enum trust_kind kind,
	struct error *err)
{
	if (!may_others_write(status, kind) && is_owner_trusted(status))
		return 0;
	return refuse(fd, status, name, kind, err);
}

static int judge_open(int fd, const char *name, enum trust_kind kind, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set_errno(err, "cannot read '%s'", name);
	return judge(fd, &status, name, kind, err);
}

/* The folder that a path is in, where links have led to it. */
static int judge_folder_of(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	autoclose int fd = -1;
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0, path);
	if (!*folder)
		strcpy(folder, slash ? "/" : ".");
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Not -ENOENT, with which callers say that the file is not there. */
	if (fd < 0)
		return error_set(err, errno == ENOENT ? -ENOLINK : -errno, "cannot open '%s': %s",
			folder, strerror(errno));
	return judge_open(fd, folder, TRUST_ENTRIES, err);
}

/* The folder that an open file is in. */
static int judge_folder_of_open(int fd, const char *name, struct error *err)
{
	char path[PATH_MAX];

	if (!find_path(fd, path))
		return error_set(
			err, -ENOLINK, "cannot tell where '%s' leads: is /proc mounted?", name);
	return judge_folder_of(path, err);
}

/* Opens what a link leads to. */
static int open_linked(int dir, const char *name, int flags, int *ret, struct error *err)
{
	autoclose int fd = openat(dir, name, flags);
	int r;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, -ENOLINK,
			"cannot open '%s': it is a symbolic link that leads nowhere, remove it",
			name);
	if (fd < 0)
		return error_set_errno(err, "cannot open '%s'", name);
	r = judge_folder_of_open(fd, name, err);
	if (r < 0)
		return r;
	*ret = steal_fd(&fd);
	return 0;
}

/* Opens without following a link first, which is cheap. With O_DIRECTORY ENOTDIR may mean a link.
 */
static int open_entry(int dir, const char *name, int flags, int *ret, struct error *err)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW);

	if (fd < 0 && (errno == ELOOP || (flags & O_DIRECTORY && errno == ENOTDIR)))
		return open_linked(dir, name, flags, ret, err);
	if (fd < 0)
		return error_set_errno(err, "cannot open '%s'", name);
	*ret = fd;
	return 0;
}

/**
 * trust_check_status() - fail where somebody else could change an open file
 * @fd:     the file, for its path in the message
 * @status: what fstat(2) said of it
 * @name:   its name, for messages where its path is not known
 * @err:    filled on failure: with path, owner, mode and the command that mends it
 *
 * Return: 0, -EPERM.
 */
int trust_check_status(int fd, const struct stat *status, const char *name, struct error *err)
{
	return judge(fd, status, name, TRUST_WHOLE, err);
}

/**
 * trust_open_file() - open a file for reading; the caller judges it by trust_check_status()
 * @dir:  the folder, which is trusted, or AT_FDCWD
 * @name: the file, below it; where it is a symbolic link the folder that it leads to is judged
 * @ret:  the descriptor; the caller closes it
 * @err:  filled on failure
 *
 * Opening a FIFO does not wait for its writer.
 *
 * Return: 0; -ENOENT; -ENOLINK: a link that leads nowhere; -EPERM: others could put another file in
 * the place of what the link leads to; or what open(2) gave.
 */
int trust_open_file(int dir, const char *name, int *ret, struct error *err)
{
	return open_entry(dir, name, FILE_FLAGS, ret, err);
}

/**
 * trust_open_folder() - open a folder in which only root may write
 * @dir:  the folder that it is in, which is not judged, or AT_FDCWD
 * @name: its name; where it is a symbolic link, what it leads to and the folder of that are judged
 * @ret:  the descriptor; the caller closes it
 * @err:  filled on failure
 *
 * Return: 0; -ENOENT; -ENOLINK: a link that leads nowhere; -ENOTDIR; -EPERM: others could write to
 * it, or put another one in the place of what the link leads to; or what open(2) gave.
 */
int trust_open_folder(int dir, const char *name, int *ret, struct error *err)
{
	autoclose int fd = -1;
	int r = open_entry(dir, name, FOLDER_FLAGS, &fd, err);

	if (r < 0)
		return r;
	r = judge_open(fd, name, TRUST_WHOLE, err);
	if (r < 0)
		return r;
	*ret = steal_fd(&fd);
	return 0;
}

/**
 * trust_check_file() - fail where somebody else could change what a path leads to
 * @path: the file; of a symbolic link its owner, what it leads to and the folder of that are judged
 * @err:  filled on failure
 *
 * The folder that @path itself is in is not judged, and the file need not be readable.
 *
 * Return: 0, -EPERM, or what open(2) gave.
 */
int trust_check_file(const char *path, struct error *err)
{
	autoclose int entry = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autoclose int fd = -1;
	struct stat status;
	int r;

	if (entry < 0 || fstat(entry, &status) < 0)
		return error_set_errno(err, "cannot open '%s'", path);
	if (!S_ISLNK(status.st_mode))
		return judge(entry, &status, path, TRUST_WHOLE, err);
	r = judge(entry, &status, path, TRUST_LINK, err);
	if (r < 0)
		return r;
	r = open_linked(AT_FDCWD, path, O_PATH | O_CLOEXEC, &fd, err);
	return r < 0 ? r : judge_open(fd, path, TRUST_WHOLE, err);
}

/**
 * trust_check_program() - fail where somebody else could change what is run by a path
 * @path: the program
 * @err:  filled on failure
 *
 * Return: 0; -EPERM: for the program as trust_check_file(), and for the folder that it is in; or
 * what open(2) gave.
 */
int trust_check_program(const char *path, struct error *err)
{
	int r = trust_check_file(path, err);

	return r < 0 ? r : judge_folder_of(path, err);
}
