// SPDX-License-Identifier: MIT
/*
 * Files that we make in a container's root file system, because a mount needs something to go on:
 * an empty /etc/resolv.conf where there is none, and taken away again in the end.
 *
 * They are made, and removed, in the host's view of that file system: the container's may be
 * read-only, and is gone when the container is. RUN/dns/ID.made says which one it is, and is there
 * before the file:
 *
 *	/path/of/rootfs//etc/resolv.conf	or, where we made the folder too,
 *	/path/of/rootfs//etc//resolv.conf
 *
 * Containers may share a root file system, and removing a file would take the mount on it from the
 * others, in their namespaces as well. So whoever finds a file of ours there names it, too, and the
 * last of them removes it. That is decided under a lock of its own.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/dns_parts.h"
#include "ipam/dir.h"
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/text.h"

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
/* An id that no container can have. */
#define MADE_LOCK "/dns"

/* Where a file is that we made. */
struct made {
	char root[PATH_MAX];
	char folder[PATH_MAX]; /* below root, no symbolic links */
	bool has_folder;       /* the folder is ours, too */
};

static const char *made_name(const char *id, char ret[DNS_NAME_MAX])
{
	return text_join(ret, DNS_NAME_MAX, id, DNS_MADE_SUFFIX);
}

/* Splits what a .made says; false where that is nothing of use. */
static bool split_made(char *text, struct made *ret)
{
	char *folder = strstr(text, "//");
	char *end = strrchr(text, '/');

	if (*text != '/' || !folder || end <= folder + 2 || strcmp(end + 1, DNS_FILE_NAME) != 0)
		return false;
	*folder = '\0';
	folder += 2;
	ret->has_folder = end[-1] == '/';
	end[ret->has_folder ? -1 : 0] = '\0';
	text_join(ret->root, sizeof(ret->root), text);
	text_join(ret->folder, sizeof(ret->folder), folder);
	return *ret->root && *ret->folder;
}

/* Returns 1 for one that is gone, or says nothing of use. */
static int read_made(int dir, const char *name, struct made *ret, struct error *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	if (n < 0 && errno != ENOENT && errno != EINVAL)
		return error_set_errno(err, "cannot read '%s'", name);
	text[n > 0 ? n : 0] = '\0';
	return split_made(text, ret) ? 0 : 1;
}

static int write_made(
	const struct dns_maker *maker, const struct made *made, const char *name, struct error *err)
{
	char text[PATH_MAX];

	if (strlen(made->root) + strlen(made->folder) + sizeof("////" DNS_FILE_NAME) > sizeof(text))
		return error_set(
			err, -ENAMETOOLONG, "the path of its root file system is too long");
	text_join(text, sizeof(text), made->root, "//", made->folder, made->has_folder ? "//" : "/",
		DNS_FILE_NAME);
	if (symlinkat(text, maker->dir, name) < 0)
		return error_set_errno(err, "cannot write '%s'", name);
	return 0;
}

/* A search for another container with a file at the same place. */
struct search {
	int dir;
	const char *own; /* the name of our own .made */
	struct made *made;
	bool found;
};

static int look_for_same(void *arg, const char *name, unsigned char type, struct error *err)
{
	struct search *search = arg;
	struct made other;
	int r;

	if (type != DT_LNK || !strcmp(name, search->own))
		return 0;
	r = read_made(search->dir, name, &other, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!strcmp(other.root, search->made->root) &&
		!strcmp(other.folder, search->made->folder)) {
		search->made->has_folder |= other.has_folder;
		search->found = true;
	}
	return 0;
}

static int find_same(int dir, const char *own, struct made *made, bool *ret, struct error *err)
{
	struct search search = { .dir = dir, .own = own, .made = made };
	int r = dir_list(dir, look_for_same, &search, err);

	if (r == 0)
		*ret = search.found;
	return r;
}

/* Where a folder really is: no links, no "..". */
static int read_path(int fd, char ret[PATH_MAX], struct error *err)
{
	char name[40];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, ret, PATH_MAX - 1);
	if (n < 0)
		return error_set_errno(err, "cannot tell where the root file system is");
	ret[n] = '\0';
	return 0;
}

static bool is_same_folder(int a, int b)
{
	struct stat sa;
	struct stat sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_ino == sb.st_ino &&
	       sa.st_dev == sb.st_dev;
}

/* Opens the folder in the host's view; -1 where it is missing. */
static int open_folder(
	int root, const struct dns_target *target, struct made *made, int *ret, struct error *err)
{
	autoclose int folder = -1;
	char path[PATH_MAX];
	size_t length = strlen(made->root);
	int r;

	if (target->etc < 0) {
		strcpy(made->folder, DNS_FOLDER_NAME);
		made->has_folder = true;
		return 0;
	}
	folder = dns_open_below(root, DNS_FOLDER_NAME, FOLDER_FLAGS,
		RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	if (folder < 0)
		return error_set_errno(err, "cannot open '%s/etc'", made->root);
	r = read_path(folder, path, err);
	if (r < 0)
		return r;
	if (!is_same_folder(folder, target->etc) || strncmp(path, made->root, length) != 0 ||
		path[length] != '/')
		return error_set(
			err, -EXDEV, "'%s/etc' is not the one of the container", made->root);
	strcpy(made->folder, path + length + 1);
	*ret = steal_fd(&folder);
	return 0;
}

/* The umask must not decide who may look into it. */
static int make_folder(int root, int *ret, struct error *err)
{
	autoclose int folder = -1;
	bool is_new = mkdirat(root, DNS_FOLDER_NAME, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return error_set_errno(err, "cannot create '/etc' of the container");
	folder = openat(root, DNS_FOLDER_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || (is_new && fchmod(folder, 0755) < 0))
		return error_set_errno(err, "cannot create '/etc' of the container");
	*ret = steal_fd(&folder);
	return 0;
}

static int make_file(int folder, struct error *err)
{
	autoclose int file = openat(
		folder, DNS_FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if ((file < 0 && errno != EEXIST) || (file >= 0 && fchmod(file, 0644) < 0))
		return error_set_errno(err, "cannot create '/etc/resolv.conf' of the container");
	return 0;
}

static int add_locked(const struct dns_maker *maker, const struct dns_target *target, int root,
	struct made *made, struct error *err)
{
	autoclose int folder = -1;
	char name[DNS_NAME_MAX];
	bool is_shared = false;
	int r = open_folder(root, target, made, &folder, err);

	made_name(maker->id, name);
	if (r == 0)
		r = find_same(maker->dir, name, made, &is_shared, err);
	/* An empty file that nobody names is the image's own. */
	if (r < 0 || (target->file >= 0 && !is_shared))
		return r;
	r = write_made(maker, made, name, err);
	if (r == 0 && folder < 0)
		r = make_folder(root, &folder, err);
	return r == 0 ? make_file(folder, err) : r;
}

/**
 * dns_made_add() - see that there is a file to mount on
 * @maker:  the container
 * @target: where; its file is missing, or is empty: then it may be another's of ours
 * @err:    filled on failure
 *
 * Return: 0, or what the file system gave; what was made then, dns_made_remove() removes.
 */
int dns_made_add(const struct dns_maker *maker, const struct dns_target *target, struct error *err)
{
	autoclose int root = open(maker->root, FOLDER_FLAGS);
	struct made made = { .has_folder = false };
	int r;

	if (root < 0 || !is_same_folder(root, target->root)) {
		if (target->file >= 0)
			return 0;
		return error_set(err, -ENOENT,
			"there is no '/etc/resolv.conf' to mount on, and none can be made: '%s' "
			"of the host is not the container's root file system",
			maker->root);
	}
	r = read_path(root, made.root, err);
	if (r == 0)
		r = store_lock_id(maker->store, MADE_LOCK, err);
	if (r < 0)
		return r;
	r = add_locked(maker, target, root, &made, err);
	store_unlock_id(maker->store, MADE_LOCK);
	return r;
}

/* A root file system that is gone, or is not as it was, has nothing of ours that we could find. */
static bool is_out_of_reach(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -ELOOP || code == -EXDEV ||
	       code == -EROFS || code == -EACCES || code == -ENOTEMPTY || code == -EBUSY;
}

/* The container had it: so follow no links, and remove only what can be ours. */
static int remove_file(const struct made *made)
{
	autoclose int root = open(made->root, FOLDER_FLAGS);
	autoclose int folder = -1;
	struct stat status;

	if (root < 0)
		return -errno;
	folder = dns_open_below(root, made->folder, FOLDER_FLAGS,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (folder < 0)
		return -errno;
	if (fstatat(folder, DNS_FILE_NAME, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(status.st_mode) || status.st_size > 0 || status.st_nlink > 1)
			return 0;
		if (unlinkat(folder, DNS_FILE_NAME, 0) < 0)
			return -errno;
	} else if (errno != ENOENT) {
		return -errno;
	}
	if (made->has_folder && unlinkat(root, made->folder, AT_REMOVEDIR) < 0)
		return -errno;
	return 0;
}

static int remove_last(int dir, const char *name, struct made *made, struct error *err)
{
	bool is_shared = false;
	int r = find_same(dir, name, made, &is_shared, err);

	if (r < 0 || is_shared)
		return r;
	r = remove_file(made);
	if (r < 0 && !is_out_of_reach(r))
		return error_set(err, r, "cannot remove '%s/%s/" DNS_FILE_NAME "': %s", made->root,
			made->folder, strerror(-r));
	return 0;
}

static int remove_locked(int dir, const char *name, struct error *err)
{
	struct made made;
	int r = read_made(dir, name, &made, err);

	if (r == 0)
		r = remove_last(dir, name, &made, err);
	if (r < 0)
		return r;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot remove '%s'", name);
	return 0;
}

/**
 * dns_made_remove() - remove the file that was made for a container
 * @store: RUN
 * @id:    the container, whose lock is held
 * @err:   filled on failure
 *
 * Return: 0, also when there is none, or it is out of reach; what the file system gave.
 */
int dns_made_remove(const struct store *store, const char *id, struct error *err)
{
	char path[sizeof("dns/") + DNS_NAME_MAX];
	autoclose int dir = -1;
	char name[DNS_NAME_MAX];
	struct stat status;
	int r;

	made_name(id, name);
	text_join(path, sizeof(path), "dns/", name);
	if (fstatat(store->dir, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, "cannot look at '%s'", path);
	r = store_open_folder(store, STORE_DNS, false, &dir, err);
	if (r == 0)
		r = store_lock_id(store, MADE_LOCK, err);
	if (r < 0)
		return r;
	r = remove_locked(dir, name, err);
	store_unlock_id(store, MADE_LOCK);
	return r;
}
