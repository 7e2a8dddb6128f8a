// SPDX-License-Identifier: MIT
/*
 * RUN: opened, made where it is missing, and the locks of container ids.
 *
 * The rule that the claims rest on: a claim may be unlinked, and a record written or removed, only
 * by who holds the lock of the container id named in it. Reading the owner, comparing it and
 * unlinking is not atomic: without the lock, two releases of one owner free an address that a third
 * has claimed in between.
 */
#include "ipam/store.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <dirent.h>

#include "ipam/boot.h"
#include "ipam/dir.h"
#include "ipam/index.h"
#include "ipam/lock.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/name.h"
#include "schema/text.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define RECORD_SUFFIX ".json"
#define KEPT_MAX 16

/* The pools that stay open. */
struct store_kept {
	struct store_pool pools[KEPT_MAX];
	unsigned next; /* whose place the next pool gets */
};

/* Who can write here decides which addresses are handed out, and what root opens. */
static int check_private(int fd, const char *path, struct stat *status, struct error *err)
{
	if (fstat(fd, status) < 0)
		return error_set_errno(err, "cannot read '%s'", path);
	if (status->st_uid != geteuid())
		return error_set(err, -EPERM,
			"state folder '%s' belongs to user %u, which would let others change it: "
			"remove it or chown it to %u",
			path, status->st_uid, geteuid());
	if (status->st_mode & 022)
		return error_set(err, -EPERM,
			"state folder '%s' has mode %04o, which would let others change it: chmod "
			"it to 0700",
			path, status->st_mode & 07777);
	return 0;
}

/* The path without the '/' at its end, behind which O_NOFOLLOW would follow. */
static int trim_path(const char *run, char ret[PATH_MAX], struct error *err)
{
	size_t length = strlen(run);

	while (length > 1 && run[length - 1] == '/')
		length--;
	if (length == 0)
		return error_set(err, -EINVAL, "the state folder's name is empty");
	if (length >= PATH_MAX)
		return error_set(err, -ENAMETOOLONG,
			"the state folder's name is longer than %d characters", PATH_MAX - 1);
	memcpy(ret, run, length);
	ret[length] = '\0';
	return 0;
}

static int open_run(const char *path, bool create, int *ret, struct error *err)
{
	struct stat status;
	int fd = open(path, FOLDER_FLAGS);

	if (fd < 0 && errno == ENOENT && create) {
		int r = file_make_path(path, 0700, err);

		if (r < 0)
			return r;
		fd = open(path, FOLDER_FLAGS);
	}
	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	if (errno != ENOTDIR && errno != ELOOP)
		return error_set_errno(err, "cannot open state folder '%s'", path);
	if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
		return error_set(err, -ELOOP,
			"cannot open state folder '%s': it is a symbolic link; name the folder "
			"itself",
			path);
	return error_set(err, -ENOTDIR, "cannot open state folder '%s': it is not a folder", path);
}

static int open_lock(int dir, int *ret, struct error *err)
{
	autoclose int fd = openat(dir, "lock",
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat status;

	if (fd < 0 && errno == ELOOP)
		return error_set(
			err, -ELOOP, "cannot open 'lock': it is a symbolic link; remove it");
	if (fd < 0)
		return error_set_errno(err, "cannot open 'lock'");
	if (fstat(fd, &status) < 0)
		return error_set_errno(err, "cannot open 'lock'");
	if (!S_ISREG(status.st_mode))
		return error_set(
			err, -EINVAL, "cannot open 'lock': it is not a regular file; remove it");
	*ret = steal_fd(&fd);
	return 0;
}

/* Opens a folder; makes it where it is missing, if that is asked for. */
static int open_folder(int dir, const char *name, bool create, int *ret, struct error *err)
{
	int r = file_open_dir(dir, name, ret, err);

	if (r != -ENOENT || !create)
		return r;
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, "cannot create '%s'", name);
	return file_open_dir(dir, name, ret, err);
}

static int open_content(struct store *store, const struct stat *status, struct error *err)
{
	int *const folders[BOOT_FOLDERS_OPENED] = { &store->containers, &store->pools,
		&store->netns };
	int r = open_lock(store->dir, &store->lock, err);

	if (r < 0)
		return r;
	r = boot_prepare(store->dir, store->lock, err);
	for (unsigned i = 0; r == 0 && i < BOOT_FOLDERS_OPENED; i++)
		r = open_folder(store->dir, boot_folders[i], true, folders[i], err);
	/* A folder has 2 links and one for each folder in it: so this costs nothing. */
	if (r == 0 && status->st_nlink > 2 + BOOT_FOLDERS)
		boot_sweep(store->dir, store->lock);
	return r;
}

/**
 * store_open() - open RUN, of this boot
 * @run:    its path; the last component must not be a symbolic link
 * @create: make it where it is missing
 * @ret:    the store; store_close() closes it
 * @err:    filled on failure
 *
 * Return: 0; -ENOENT where it is missing and @create is not set; -EPERM where others could write
 * to it; -ELOOP, -ENOTDIR, -EINVAL for something else in the place of a folder or file of ours;
 * -ETIME; or what the failed system call gave.
 */
int store_open(const char *run, bool create, struct store *ret, struct error *err)
{
	struct store store cleanup(store_close) = STORE_CLOSED;
	struct stat status;
	char path[PATH_MAX];
	int r = trim_path(run, path, err);

	if (r < 0)
		return r;
	r = open_run(path, create, &store.dir, err);
	if (r < 0)
		return r;
	r = check_private(store.dir, path, &status, err);
	if (r < 0)
		return r;
	r = open_content(&store, &status, err);
	if (r < 0) {
		error_prefix(err, "state folder '%s'", path);
		return r;
	}
	*ret = store;
	store = STORE_CLOSED;
	return 0;
}

/**
 * store_open_folder() - open one of the folders that are not needed by every attach
 * @store:  the store
 * @name:   STORE_DNS or STORE_DHCP
 * @create: make it where it is missing
 * @ret:    the folder; the caller closes it
 * @err:    filled on failure
 *
 * Return: 0, -ENOENT, -ENOTDIR, or what open(2) gave.
 */
int store_open_folder(
	const struct store *store, const char *name, bool create, int *ret, struct error *err)
{
	return open_folder(store->dir, name, create, ret, err);
}

static void close_pool(struct store_pool *pool)
{
	if (!*pool->parent)
		return;
	index_free(&pool->index);
	hints_close(&pool->hints);
	close(pool->dir);
	*pool = (struct store_pool){ 0 };
}

static void close_kept(struct store_kept *kept)
{
	if (!kept)
		return;
	for (unsigned i = 0; i < KEPT_MAX; i++)
		close_pool(&kept->pools[i]);
	free(kept);
}

/**
 * store_close() - close RUN; ends all locks
 * @store: the store, or one that was closed
 */
void store_close(struct store *store)
{
	const int fds[] = { store->containers, store->pools, store->netns, store->lock,
		store->dir };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	close_kept(store->kept);
	*store = STORE_CLOSED;
}

/**
 * store_open_pool() - open the pool of a parent
 * @store:  the store
 * @parent: the parent interface's own name
 * @create: make the pool where it is missing
 * @ret:    the folder; the caller closes it
 * @err:    filled on failure
 *
 * Return: 0, -ENOENT, -ENOTDIR, -EINVAL for a name that is none, or what open(2) gave.
 */
int store_open_pool(
	const struct store *store, const char *parent, bool create, int *ret, struct error *err)
{
	int r = name_check_interface(parent, err);

	if (r < 0)
		return r;
	r = open_folder(store->pools, parent, create, ret, err);
	if (r < 0)
		error_prefix(err, "pool of parent '%s'", parent);
	return r;
}

/**
 * store_keep_pool() - the pool of a parent, which stays open
 * @store:  the store
 * @parent: the parent interface's own name
 * @create: make the pool where it is missing
 * @ret:    the pool; it is the store's, until the next call
 * @err:    filled on failure
 *
 * Return: 0, -ENOENT, -ENOTDIR, -EINVAL for a name that is none, -ENOMEM, or what open(2) gave.
 */
int store_keep_pool(struct store *store, const char *parent, bool create, struct store_pool **ret,
	struct error *err)
{
	struct store_kept *kept = store->kept ? store->kept : calloc(1, sizeof(*kept));
	struct store_pool *pool;
	int dir;
	int r;

	if (!kept)
		return error_set(err, -ENOMEM, "cannot keep a pool open: out of memory");
	store->kept = kept;
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (!strcmp(kept->pools[i].parent, parent) && *parent) {
			*ret = &kept->pools[i];
			return 0;
		}
	r = store_open_pool(store, parent, create, &dir, err);
	if (r < 0)
		return r;
	pool = &kept->pools[kept->next++ % KEPT_MAX];
	close_pool(pool);
	pool->dir = dir;
	strcpy(pool->parent, parent);
	*ret = pool;
	return 0;
}

/**
 * store_lock_id() - take the lock of a container id, waiting for it until the deadline
 * @store: the store
 * @id:    the id
 * @err:   filled on failure
 *
 * Return: 0, -ETIME, -EINTR, or what fcntl(2) gave.
 */
int store_lock_id(const struct store *store, const char *id, struct error *err)
{
	char what[sizeof("waiting for the lock of container ''") + CONTAINER_ID_MAX];

	text_join(what, sizeof(what), "waiting for the lock of container '", id, "'");
	return lock_take(store->lock, lock_offset(id), what, err);
}

/**
 * store_trylock_id() - take the lock of a container id if nobody has it
 * @store: the store
 * @id:    the id
 * @err:   filled on failure
 *
 * Return: 0, -EAGAIN when another process has it, or what fcntl(2) gave.
 */
int store_trylock_id(const struct store *store, const char *id, struct error *err)
{
	int r = lock_try(store->lock, lock_offset(id));

	if (r == -EAGAIN)
		return error_set(err, r, "container '%s' is locked by another process", id);
	if (r < 0)
		return error_set(err, r, "cannot lock container '%s': %s", id, strerror(-r));
	return 0;
}

/**
 * store_unlock_id() - give the lock of a container id back
 * @store: the store
 * @id:    the id
 */
void store_unlock_id(const struct store *store, const char *id)
{
	lock_drop(store->lock, lock_offset(id));
}

/* Who is told of the entries that are what is listed. */
struct listing {
	store_list_fn *found;
	void *arg;
};

/**
 * store_is_record() - is an entry of a folder a record, by its name
 * @name: the entry
 * @type: DT_REG, ...
 * @ret:  the container's id
 *
 * Return: true when it is.
 */
bool store_is_record(const char *name, unsigned char type, char ret[CONTAINER_ID_MAX + 1])
{
	const size_t suffix = strlen(RECORD_SUFFIX);
	size_t length = strlen(name);

	if (type != DT_REG || length <= suffix || length - suffix > CONTAINER_ID_MAX)
		return false;
	if (strcmp(name + length - suffix, RECORD_SUFFIX) != 0)
		return false;
	memcpy(ret, name, length - suffix);
	ret[length - suffix] = '\0';
	return name_check_container_id(ret, NULL) == 0;
}

static int record_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct listing *listing = arg;
	char id[CONTAINER_ID_MAX + 1];

	return store_is_record(name, type, id) ? listing->found(listing->arg, id, err) : 0;
}

/**
 * store_list_records() - call a function with the id of each container that has a record
 * @store: the store
 * @found: the function; it may remove the record
 * @arg:   for the function
 * @err:   filled on failure
 *
 * Return: 0, or what the function or readdir(3) gave.
 */
int store_list_records(
	const struct store *store, store_list_fn *found, void *arg, struct error *err)
{
	struct listing listing = { found, arg };

	return dir_list(store->containers, record_found, &listing, err);
}

static int pool_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct listing *listing = arg;

	if (type != DT_DIR || name_check_interface(name, NULL) < 0)
		return 0;
	return listing->found(listing->arg, name, err);
}

/**
 * store_list_pools() - call a function with the parent of each pool
 * @store: the store
 * @found: the function
 * @arg:   for the function
 * @err:   filled on failure
 *
 * Return: 0, or what the function or readdir(3) gave.
 */
int store_list_pools(const struct store *store, store_list_fn *found, void *arg, struct error *err)
{
	struct listing listing = { found, arg };

	return dir_list(store->pools, pool_found, &listing, err);
}
