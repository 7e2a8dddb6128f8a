// SPDX-License-Identifier: MIT
/*
 * ipam/store.c, boot.c, lock.c: RUN is private, belongs to this boot, and one id has one lock.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipam/dir.h"
#include "ipam/lock.h"
#include "ipam/store.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define PROCESSES 64
#define KILLS 200

/* symlinkat(), which must work here. */
static void link_at(const char *target, int dir, const char *name)
{
	if (symlinkat(target, dir, name) < 0)
		ok(false, "cannot make the link '%s'", name);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tap_tempdir(), name);
	return path;
}

static int try_open(const char *run, struct error *err)
{
	struct store store = STORE_CLOSED;
	int r = store_open(run, true, &store, err);

	store_close(&store);
	return r;
}

static void write_boot(const char *run, const char *text)
{
	char path[PATH_MAX + sizeof("/boot")];
	FILE *file;

	snprintf(path, sizeof(path), "%s/boot", run);
	file = fopen(path, "w");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
}

/* RUN as an earlier boot left it, with a pool of this many claims. */
static void make_earlier_boot(const char *run, unsigned claims)
{
	char path[PATH_MAX];
	struct store store = STORE_CLOSED;
	int pool = -1;

	store_open(run, true, &store, NULL);
	store_open_pool(&store, "eth0", true, &pool, NULL);
	for (unsigned i = 0; i < claims; i++) {
		snprintf(path, sizeof(path), "10.0.%u.%u", i / 256, i % 256);
		link_at("dead/eth0", pool, path);
	}
	close(openat(store.containers, "dead.json", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	link_at("dead", store.netns, "4711");
	close(pool);
	store_close(&store);
	write_boot(run, "00000000-0000-0000-0000-000000000000\n");
}

static int count_one(void *arg, const char *name, unsigned char type, struct error *err)
{
	unsigned *n = arg;

	(void)name;
	(void)type;
	(void)err;
	++*n;
	return 0;
}

/* How many entries a folder has. */
static unsigned count_in(int dir)
{
	unsigned n = 0;

	dir_list(dir, count_one, &n, NULL);
	return n;
}

static int find_old(void *arg, const char *name, unsigned char type, struct error *err)
{
	unsigned *n = arg;

	(void)type;
	(void)err;
	*n += !strncmp(name, ".old-", 5);
	return 0;
}

static void test_create(void)
{
	struct store store = STORE_CLOSED;
	struct error err = { 0 };
	struct stat status;
	const char *run = path_of("a/b/run//");
	int pool = -1;
	int dns = -1;

	is_int(store_open(run, false, &store, &err), -ENOENT, "a missing RUN is not made unasked");
	is_int(store_open(run, true, &store, &err), 0, "RUN is made with all its parents");
	ok(fstat(store.dir, &status) == 0 && (status.st_mode & 07777) == 0700, "RUN is private");
	is_int(count_in(store.dir), 8,
		"RUN holds boot, lock, containers, pools, netns, dns, dhcp, returns");
	is_int(store_open_pool(&store, "eth0", false, &pool, &err), -ENOENT, "no pool yet");
	is_int(store_open_pool(&store, "../x", true, &pool, &err), -EINVAL, "a pool is no path");
	is_int(store_open_pool(&store, "eth0", true, &pool, &err), 0, "a pool is made");
	close(pool);
	unlinkat(store.dir, "dns", AT_REMOVEDIR);
	is_int(store_open_folder(&store, STORE_DNS, false, &dns, &err), -ENOENT,
		"dns may be missing");
	ok(symlinkat("/etc", store.dir, "dns") == 0, "a symbolic link is planted");
	is_int(store_open_folder(&store, STORE_DNS, true, &dns, &err), -ENOTDIR,
		"it is refused: %s", err.text);
	unlinkat(store.dir, "dns", 0);
	is_int(store_open_folder(&store, STORE_DNS, true, &dns, &err), 0, "it is made");
	close(dns);
	close(openat(store.containers, "c1", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	store_close(&store);
	store_close(&store);
	is_int(store_open(run, false, &store, &err), 0, "RUN opens again");
	is_int(count_in(store.containers), 1, "and its content is there");
	store_close(&store);
}

static void test_refused(void)
{
	struct error err = { 0 };
	char run[PATH_MAX];
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "%s", path_of("target"));
	mkdir(target, 0700);
	snprintf(run, sizeof(run), "%s", path_of("link"));
	ok(symlink(target, run) == 0, "a symbolic link to a folder");
	is_int(try_open(run, &err), -ELOOP, "is not opened");
	ok(strstr(err.text, "symbolic link"), "and the message says so: %s", err.text);
	is_int(try_open(path_of("link/"), &err), -ELOOP, "nor with a slash behind it");
	is_int(try_open(path_of("link/run"), &err), 0,
		"a link above the last component is followed");
	close(open(path_of("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	is_int(try_open(path_of("file"), &err), -ENOTDIR, "nor is a file");
	is_int(try_open("", &err), -EINVAL, "nor is no name");

	snprintf(run, sizeof(run), "%s", path_of("open"));
	mkdir(run, 0700);
	chmod(run, 0770);
	is_int(try_open(run, &err), -EPERM, "a group that can write is refused");
	chmod(run, 0702);
	is_int(try_open(run, &err), -EPERM, "others that can write are refused");
	ok(strstr(err.text, "would let others change it"), "and told why: %s", err.text);
	chmod(run, 0755);
	is_int(try_open(run, &err), 0, "others may read");
	if (chown(run, 12345, 0) == 0)
		is_int(try_open(run, &err), -EPERM, "another's folder is refused: %s", err.text);
}

/* Something else in the place of a file or folder of ours. */
static void test_planted(void)
{
	static const char *const names[] = { "pools", "containers", "netns", "lock", "boot" };
	struct error err = { 0 };
	char run[PATH_MAX];
	char path[PATH_MAX + 16];

	for (unsigned i = 0; i < 5; i++) {
		snprintf(run, sizeof(run), "%s", path_of("planted"));
		strcat(run, names[i]);
		is_int(try_open(run, &err), 0, "a RUN to plant '%s' in", names[i]);
		snprintf(path, sizeof(path), "%s/%s", run, names[i]);
		remove(path);
		ok(symlink("/etc", path) == 0, "a symbolic link is planted");
		ok(try_open(run, &err) < 0, "planted %s is refused: %s", names[i], err.text);
		unlink(path);
		if (i < 3)
			close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		else
			mkdir(path, 0700);
		ok(try_open(run, &err) < 0, "wrong kind of %s is refused: %s", names[i], err.text);
		remove(path);
		is_int(try_open(run, &err), 0, "without it, all is well again");
	}
}

static void test_boot(void)
{
	struct store store = STORE_CLOSED;
	struct error err = { 0 };
	char run[PATH_MAX];
	unsigned old = 0;

	snprintf(run, sizeof(run), "%s", path_of("boot"));
	make_earlier_boot(run, 300);
	is_int(store_open(run, false, &store, &err), 0, "RUN of an earlier boot opens");
	is_int(count_in(store.pools) + count_in(store.containers) + count_in(store.netns), 0,
		"and is empty");
	dir_list(store.dir, find_old, &old, NULL);
	is_int(old, 0, "the old content is removed");
	mkdirat(store.dir, ".old-of-a-killed-process", 0700);
	store_close(&store);
	is_int(store_open(run, false, &store, &err), 0,
		"RUN with the rest of a killed reset opens");
	dir_list(store.dir, find_old, &old, NULL);
	is_int(old, 0, "and the rest is removed");
	close(openat(store.containers, "c1.json", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	store_close(&store);
	write_boot(run, "garbage");
	is_int(store_open(run, false, &store, &err), 0, "a spoilt RUN/boot counts as another boot");
	is_int(count_in(store.containers), 0, "so that nothing of unknown age stays");
	store_close(&store);
}

/* What a child that opens RUN reports: the folder it got, or 0. */
struct seen {
	ino_t pools;
};

static void open_and_claim(const char *run, int start, int out, unsigned index)
{
	struct store store = STORE_CLOSED;
	struct seen seen = { 0 };
	struct stat status;
	char name[16];
	char byte;
	int fd = -1;

	snprintf(name, sizeof(name), "c%u.json", index);
	if (read(start, &byte, 1) == 0 && store_open(run, true, &store, NULL) == 0 &&
		fstat(store.pools, &status) == 0)
		fd = openat(store.containers, name, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		seen.pools = status.st_ino;
	_exit(write(out, &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
}

static void test_boot_at_once(void)
{
	struct store store = STORE_CLOSED;
	char run[PATH_MAX];
	unsigned right = 0;
	struct stat status;
	int start[2];
	int out[2];

	snprintf(run, sizeof(run), "%s", path_of("at-once"));
	make_earlier_boot(run, 2000);
	if (pipe2(start, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		exit(EXIT_FAILURE);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			close(start[1]);
			open_and_claim(run, start[0], out[1], i);
		}
	close(start[1]); /* off they go */
	while (wait(NULL) > 0)
		;
	ok(store_open(run, false, &store, NULL) == 0 && fstat(store.pools, &status) == 0,
		"RUN opens after them");
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct seen seen = { 0 };

		if (read(out[0], &seen, sizeof(seen)) == sizeof(seen))
			right += seen.pools == status.st_ino;
	}
	is_int(right, PROCESSES, "all opened the same new folders");
	is_int(count_in(store.containers), PROCESSES, "and nothing that they wrote is lost");
	store_close(&store);
	close(start[0]);
	close(out[0]);
	close(out[1]);
}

/* Kills processes at any moment of a reset. */
static void test_boot_killed(void)
{
	char run[PATH_MAX];
	unsigned failed = 0;
	unsigned left = 0;
	unsigned seed = 1;

	snprintf(run, sizeof(run), "%s", path_of("killed"));
	for (unsigned i = 0; i < KILLS; i++) {
		struct timespec pause = { 0, rand_r(&seed) % 400000 };
		struct store store = STORE_CLOSED;
		pid_t child;

		make_earlier_boot(run, 20);
		child = fork();
		if (child == 0)
			_exit(try_open(run, NULL) ? 1 : 0);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		failed += store_open(run, false, &store, NULL) < 0;
		failed += count_in(store.pools) + count_in(store.containers) > 0;
		dir_list(store.dir, find_old, &left, NULL);
		store_close(&store);
	}
	is_int(failed, 0, "after kill -9 in a reset, the next process finishes it");
	is_int(left, 0, "and removes what is left");
}

static void test_locks(void)
{
	struct store store = STORE_CLOSED;
	struct store other = STORE_CLOSED;
	struct error err = { 0 };
	char run[PATH_MAX];

	snprintf(run, sizeof(run), "%s", path_of("locks"));
	store_open(run, true, &store, NULL);
	store_open(run, true, &other, NULL); /* locks belong to the opening: as another process's */
	is_int(store_lock_id(&store, "c1", &err), 0, "an id is locked");
	is_int(store_lock_id(&store, "c1", &err), 0, "and does not wait for itself");
	is_int(store_trylock_id(&other, "c1", &err), -EAGAIN, "another does not get it");
	is_int(store_trylock_id(&other, "c2", &err), 0, "but another id");
	deadline_start(20);
	is_int(store_lock_id(&other, "c1", &err), -ETIME, "waiting ends with the deadline");
	is_str(err.text, "gave up waiting for the lock of container 'c1': the deadline has passed",
		"which says what for");
	store_unlock_id(&store, "c1");
	is_int(store_lock_id(&other, "c1", &err), 0, "after unlock it is free");
	store_close(&other);
	is_int(store_trylock_id(&store, "c1", &err), 0, "closing the store ends its locks");
	store_close(&store);
	for (unsigned i = 0; i < 1000; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", i);
		if (lock_offset(id) < LOCK_IDS || lock_offset(id) == INT64_MAX)
			ok(false, "offset of '%s' is outside", id);
	}
}

static int append(void *arg, const char *name, struct error *err)
{
	char *text = arg;

	(void)err;
	strcat(text, name);
	strcat(text, " ");
	return 0;
}

static void test_lists(void)
{
	static const char *const files[] = { "c1.json", ".c2.json.tmp", ".json", "c3", "a b.json" };
	struct store store = STORE_CLOSED;
	char text[256] = "";
	int pool = -1;

	store_open(path_of("lists"), true, &store, NULL);
	for (unsigned i = 0; i < 5; i++)
		close(openat(store.containers, files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	link_at("c1.json", store.containers, "link.json");
	is_int(store_list_records(&store, append, text, NULL), 0, "records are listed");
	is_str(text, "c1 ", "by id, and nothing else");
	text[0] = '\0';
	store_open_pool(&store, "eth0.10", true, &pool, NULL);
	link_at("eth0.10", store.pools, "eth1");
	is_int(store_list_pools(&store, append, text, NULL), 0, "pools are listed");
	is_str(text, "eth0.10 ", "folders only");
	close(pool);
	store_close(&store);
}

int main(void)
{
	test_create();
	test_refused();
	test_planted();
	test_boot();
	test_boot_at_once();
	test_boot_killed();
	test_lists();
	test_locks();
	return tap_done();
}
