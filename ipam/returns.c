// SPDX-License-Identifier: MIT
/*
 * RUN/returns: what earlier boots owe CNI IPAM plugins, whose own state may outlive a reboot. Each
 * folder in it was RUN/containers once, moved there whole by boot.c. Of its records only those stay
 * that name a plugin, until hook/returns.c has told it.
 */
#include "ipam/returns.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/dir.h"
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/record.h"

#define FOLDER "returns"

/* A walk. */
struct walk {
	int dir; /* the folder that is listed */
	returns_fn *found;
	void *arg;
};

/**
 * returns_open() - open RUN/returns; make it where it is missing
 * @run: RUN
 * @ret: the descriptor; the caller closes it
 * @err: filled on failure
 *
 * Return: 0, or what mkdir(2) or file_open_dir() gave.
 */
int returns_open(int run, int *ret, struct error *err)
{
	if (mkdirat(run, FOLDER, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, "cannot create '" FOLDER "' in the state folder");
	return file_open_dir(run, FOLDER, ret, err);
}

static bool has_plugin(const struct record *record)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].plugin.program)
			return true;
	return false;
}

/**
 * returns_load() - read a record of an earlier boot
 * @dir: its folder
 * @id:  the container's id
 * @ret: the record; NULL: it is gone, for nothing in it is a plugin's. What is torn (power may have
 *       failed) does not say so either
 * @err: filled on failure
 *
 * One that another version has written, and this one cannot read, stays: only its own version knows
 * what a plugin has to hear.
 *
 * Return: 0, -ENOMEM, what record_parse() or the file system gave.
 */
int returns_load(int dir, const char *id, struct record **ret, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	int r = record_load(dir, id, &record, err);

	*ret = NULL;
	if (r == 0 && has_plugin(record)) {
		*ret = record;
		record = NULL;
		return 0;
	}
	if (r == 0 || (r == -EINVAL && record_is_torn(dir, id)))
		return record_remove(dir, id, err);
	if (r == -ENOENT) /* another process has done it */
		return 0;
	error_prefix(err, "below '" FOLDER "'");
	return r;
}

static int file_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct walk *walk = arg;
	char id[CONTAINER_ID_MAX + 1];

	if (store_is_record(name, type, id))
		return walk->found(walk->arg, walk->dir, id, err);
	unlinkat(walk->dir, name, 0);
	return 0;
}

static int folder_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct walk *walk = arg;
	struct walk below = *walk;
	autoclose int dir = -1;
	int r;

	if (type != DT_DIR)
		return 0;
	r = file_open_dir(walk->dir, name, &dir, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	below.dir = dir;
	r = dir_list(dir, file_found, &below, err);
	/* Fails as long as something is in it. */
	unlinkat(walk->dir, name, AT_REMOVEDIR);
	return r;
}

/**
 * returns_list() - call a function for each record of an earlier boot
 * @run:   RUN
 * @found: the function
 * @arg:   for the function
 * @err:   filled on failure
 *
 * Folders in which nothing is left are removed.
 *
 * Return: 0, or what the function or the file system gave.
 */
int returns_list(int run, returns_fn *found, void *arg, struct error *err)
{
	struct walk walk = { .found = found, .arg = arg };
	autoclose int dir = -1;
	int r = file_open_dir(run, FOLDER, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	walk.dir = dir;
	return dir_list(dir, folder_found, &walk, err);
}

static int tidy(void *arg, int dir, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;

	(void)arg;
	(void)err;
	returns_load(dir, id, &record, NULL);
	return 0;
}

/**
 * returns_tidy() - remove all but the records that name a plugin, as far as it goes
 * @run: RUN
 */
void returns_tidy(int run)
{
	returns_list(run, tidy, NULL, NULL);
}
