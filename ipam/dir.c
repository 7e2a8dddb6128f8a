// SPDX-License-Identifier: MIT
/*
 * Folders: reading one, and removing one with all that is in it.
 */
#include "ipam/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"

/* How deep a tree may be that dir_remove_tree() removes: .old-*, a parent's pool, a claim is 3. */
#define TREE_DEPTH_MAX 8

static void close_stream(DIR *const *stream)
{
	if (*stream)
		closedir(*stream);
}

/* A stream of its own, so that two listings of one descriptor do not share a position. */
static DIR *open_stream(int dir)
{
	autoclose int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream)
		steal_fd(&fd);
	return stream;
}

/* Some file systems do not say the type in the folder itself. */
static unsigned char entry_type(int dir, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(dir, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(status.st_mode);
}

/**
 * dir_list() - call a function for each entry of a folder but "." and ".."
 * @dir:   the folder
 * @found: the function; it may remove the entry
 * @arg:   for the function
 * @err:   filled on failure
 *
 * What comes or goes meanwhile may be seen or not.
 *
 * Return: 0, also when the function stopped it with 1; else what the function or readdir(3) gave.
 */
int dir_list(int dir, dir_list_fn *found, void *arg, struct error *err)
{
	DIR *stream cleanup(close_stream) = open_stream(dir);
	const struct dirent *entry;

	if (!stream)
		return error_set_errno(err, "cannot list a folder");
	while (errno = 0, (entry = readdir(stream))) {
		int r;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = found(arg, entry->d_name, entry_type(dir, entry), err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return errno ? error_set_errno(err, "cannot list a folder") : 0;
}

/* The folder whose entries are removed. */
struct tree {
	int dir;
	unsigned depth;
};

static void remove_entry(int dir, const char *name, bool folder, unsigned depth);

static int remove_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct tree *tree = arg;

	(void)err;
	if (deadline_passed())
		return 1;
	remove_entry(tree->dir, name, type == DT_DIR, tree->depth + 1);
	return 0;
}

static void remove_entry(int dir, const char *name, bool folder, unsigned depth)
{
	autoclose int fd = -1;
	struct tree tree;

	if (!folder) {
		unlinkat(dir, name, 0);
		return;
	}
	if (depth > TREE_DEPTH_MAX)
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	tree = (struct tree){ fd, depth };
	dir_list(fd, remove_found, &tree, NULL);
	unlinkat(dir, name, AT_REMOVEDIR);
}

/**
 * dir_remove_tree() - remove a file or a folder with all that is in it, as far as it goes
 * @dir:  where it is
 * @name: its name; a symbolic link is removed, never followed
 *
 * Others may remove the same tree at the same time. Stops when the deadline has passed; what is
 * left then is found again by whoever calls this next.
 */
void dir_remove_tree(int dir, const char *name)
{
	struct stat status;

	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		remove_entry(dir, name, S_ISDIR(status.st_mode), 0);
}
