// SPDX-License-Identifier: MIT
/*
 * Claims: a symbolic link NAME -> CONTAINER/INTERFACE in a pool. symlink(2) is atomic and carries
 * the owner, so there is no half-made claim, claiming needs no lock, and ls -l shows it all.
 *
 * Releasing does need one: the lock of the container id that the claim names (see ipam/store.c).
 * The caller holds it; nothing here takes it.
 */
#include "ipam/claims.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipam/dir.h"
#include "schema/error.h"

/* How often a claim may vanish between symlink(2) and readlink(2) before that is an error. */
#define TRIES_MAX 100

/* What is in the way is another's claim, or no claim at all: then holder is empty. */
static int report_taken(const char *name, const char *holder, struct error *err)
{
	const char *slash = strrchr(holder, '/');

	if (!*holder)
		return error_set(err, -EEXIST,
			"'%s' is taken by a file that is no claim: look at it and remove it", name);
	if (!slash)
		return error_set(err, -EEXIST, "'%s' is taken by '%s'", name, holder);
	return error_set(err, -EEXIST, "'%s' is taken by container '%.*s' (%s)", name,
		(int)(slash - holder), holder, slash + 1);
}

/**
 * claims_take() - claim a name for an owner
 * @dir:        the pool
 * @name:       the name, an address
 * @owner:      CONTAINER/INTERFACE; the container's lock is held
 * @ret_holder: on -EEXIST: who has it; "" when what is there is no claim
 * @err:        filled on failure
 *
 * A claim that is there already and says the same owner is his: he holds the id's lock, so nobody
 * else works for him.
 *
 * Return: 0, -EEXIST when it is taken, or what symlink(2) gave.
 */
int claims_take(int dir, const char *name, const char *owner, char ret_holder[CLAIMS_OWNER_MAX + 1],
	struct error *err)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		char holder[CLAIMS_OWNER_MAX + 1] = "";
		int r;

		if (symlinkat(owner, dir, name) == 0)
			return 0;
		if (errno != EEXIST)
			return error_set_errno(err, "cannot claim '%s'", name);
		r = claims_owner(dir, name, holder, err);
		if (r == -ENOENT)
			continue;
		if (r < 0 && r != -EINVAL && r != -ENAMETOOLONG)
			return r;
		if (!strcmp(holder, owner))
			return 0;
		strcpy(ret_holder, holder);
		return report_taken(name, holder, err);
	}
	return error_set(err, -EAGAIN, "cannot claim '%s': it comes and goes", name);
}

/**
 * claims_owner() - who has a name
 * @dir:  the pool
 * @name: the name
 * @ret:  CONTAINER/INTERFACE
 * @err:  filled on failure
 *
 * Return: 0, -ENOENT when nobody has it, -EINVAL for a file that is no symbolic link,
 * -ENAMETOOLONG for a link that is too long for a claim, or what readlink(2) gave.
 */
int claims_owner(int dir, const char *name, char ret[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 2];
	ssize_t n = readlinkat(dir, name, owner, sizeof(owner));

	if (n < 0)
		return error_set_errno(err, "cannot read claim '%s'", name);
	if (n > CLAIMS_OWNER_MAX)
		return error_set(err, -ENAMETOOLONG,
			"cannot read claim '%s': its owner is longer than %d characters", name,
			CLAIMS_OWNER_MAX);
	memcpy(ret, owner, (size_t)n);
	ret[n] = '\0';
	return 0;
}

/**
 * claims_release() - give a name back, if it is this owner's
 * @dir:   the pool
 * @name:  the name
 * @owner: CONTAINER/INTERFACE; the container's lock is held
 * @err:   filled on failure
 *
 * Return: 0, also when nobody has it or somebody else; else what readlink(2) or unlink(2) gave.
 */
int claims_release(int dir, const char *name, const char *owner, struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	int r = claims_owner(dir, name, holder, err);

	if (r == -ENOENT || r == -EINVAL || r == -ENAMETOOLONG)
		return 0;
	if (r < 0 || strcmp(holder, owner) != 0)
		return r;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot release claim '%s'", name);
	return 0;
}

/* Who is told of the claims in a pool. */
struct listing {
	int dir;
	claims_list_fn *found;
	void *arg;
};

static int claim_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct listing *listing = arg;
	char owner[CLAIMS_OWNER_MAX + 1];

	/* One that was released meanwhile, or is too long for a claim, is none. */
	if (type != DT_LNK || claims_owner(listing->dir, name, owner, NULL) < 0)
		return 0;
	return listing->found(listing->arg, name, owner, err);
}

/**
 * claims_list() - call a function for each claim
 * @dir:   the pool
 * @found: the function; it may release the claim
 * @arg:   for the function
 * @err:   filled on failure
 *
 * Names that begin with '.' are no addresses; the caller passes over them where it wants none.
 *
 * Return: 0, or what the function or readdir(3) gave.
 */
int claims_list(int dir, claims_list_fn *found, void *arg, struct error *err)
{
	struct listing listing = { dir, found, arg };

	return dir_list(dir, claim_found, &listing, err);
}
