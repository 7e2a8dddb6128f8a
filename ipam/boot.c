// SPDX-License-Identifier: MIT
/*
 * A reboot ends every container, so it ends every claim and record too. RUN is a tmpfs on most
 * machines and does this by itself, but not on all: so RUN/boot holds the id of the boot that
 * the content of RUN belongs to, and nobody opens a folder in RUN before that is this boot.
 *
 * Whoever finds another boot there takes the folders out of the way, one rename each, makes new
 * ones and writes RUN/boot last, under a lock. The records go to RUN/returns, for some plugins have
 * to hear of the end (returns.c), the rest is removed. A process that is killed on the way leaves
 * RUN/boot as it was, and the next one does it all again. Nothing is synced: power that fails makes
 * another boot, too.
 */
#include "ipam/boot.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/dir.h"
#include "ipam/lock.h"
#include "ipam/returns.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
/* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx and a line feed. */
#define BOOT_ID_SIZE 37
#define OLD_PREFIX ".old-"

const char *const boot_folders[] = { "containers", "pools", "netns", "dns", "dhcp", NULL };

/* Reads BOOT_ID_SIZE bytes, or fewer where there are fewer. Not file_read(): procfs has no sizes.
 */
static ssize_t read_id(int dir, const char *name, char id[BOOT_ID_SIZE])
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? -1 : read(fd, id, BOOT_ID_SIZE);
}

/* Is this the boot that RUN/boot names? One that was cut or spoilt names none. */
static int check_boot(int dir, const char id[BOOT_ID_SIZE], bool *ret, struct error *err)
{
	char stored[BOOT_ID_SIZE];
	ssize_t n = read_id(dir, "boot", stored);

	if (n < 0 && errno == ELOOP)
		return error_set(err, -ELOOP,
			"cannot read 'boot' in the state folder: it is a symbolic link; remove it");
	if (n < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot read 'boot' in the state folder");
	*ret = n == BOOT_ID_SIZE && !memcmp(stored, id, BOOT_ID_SIZE);
	return 0;
}

/* Random names: those of a reset that was killed half-way may still be there. */
static int move_aside(int dir, const char *name, int to, struct error *err)
{
	char old[sizeof(OLD_PREFIX) + 16 + sizeof("-containers")];
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return error_set_errno(err, "cannot get a random number");
	snprintf(old, sizeof(old), "%s%016jx-%s", to == dir ? OLD_PREFIX : "", (uintmax_t)random,
		name);
	if (renameat(dir, name, to, old) < 0 && errno != ENOENT)
		return error_set_errno(
			err, "cannot rename '%s' of an earlier boot to '%s'", name, old);
	return 0;
}

static int reset_locked(int dir, const char id[BOOT_ID_SIZE], struct error *err)
{
	autoclose int returns = -1;
	bool matches;
	int r = check_boot(dir, id, &matches, err);

	if (r < 0 || matches)
		return r;
	r = returns_open(dir, &returns, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; boot_folders[i]; i++) {
		r = move_aside(dir, boot_folders[i], i == BOOT_RECORDS ? returns : dir, err);
		if (r < 0)
			return r;
		if (mkdirat(dir, boot_folders[i], 0700) < 0)
			return error_set_errno(
				err, "cannot create '%s' in the state folder", boot_folders[i]);
	}
	return file_replace(dir, "boot", ".boot.new", id, BOOT_ID_SIZE, err);
}

static int reset(int dir, int lock, const char id[BOOT_ID_SIZE], struct error *err)
{
	int r = lock_take(lock, LOCK_BOOT, "waiting for another process to begin a new boot", err);

	if (r < 0)
		return r;
	r = reset_locked(dir, id, err);
	lock_drop(lock, LOCK_BOOT);
	if (r < 0)
		return r;
	boot_sweep(dir, lock);
	return 0;
}

/**
 * boot_prepare() - have RUN belong to this boot
 * @dir:  RUN
 * @lock: RUN/lock
 * @err:  filled on failure
 *
 * Return: 0, -ETIME, -EINTR, or what the failed system call gave.
 */
int boot_prepare(int dir, int lock, struct error *err)
{
	char id[BOOT_ID_SIZE];
	ssize_t n = read_id(AT_FDCWD, BOOT_ID_FILE, id);
	bool matches;
	int r;

	if (n < 0)
		return error_set_errno(err, "cannot read '" BOOT_ID_FILE "'");
	if (n != BOOT_ID_SIZE)
		return error_set(err, -EINVAL, "cannot read '" BOOT_ID_FILE "': it is too short");
	r = check_boot(dir, id, &matches, err);
	if (r < 0 || matches)
		return r;
	return reset(dir, lock, id, err);
}

static int sweep_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const int *dir = arg;

	(void)type;
	(void)err;
	if (!strncmp(name, OLD_PREFIX, strlen(OLD_PREFIX)))
		dir_remove_tree(*dir, name);
	return 0;
}

/**
 * boot_sweep() - remove what resets have taken out of the way, as far as it goes
 * @dir:  RUN
 * @lock: RUN/lock
 *
 * One process does this, and the others go on with their work; when it is killed, the next that
 * finds something goes on: and it does, for RUN/returns comes first.
 */
void boot_sweep(int dir, int lock)
{
	if (lock_try(lock, LOCK_SWEEP) < 0)
		return;
	returns_tidy(dir);
	dir_list(dir, sweep_found, &dir, NULL);
	lock_drop(lock, LOCK_SWEEP);
}
