// SPDX-License-Identifier: MIT
/*
 * schema/file.c: reads are bounded and of regular files only; writes are whole or did not happen.
 */
#include "schema/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WRITERS 8

/* A folder of its own, empty, below the scratch folder. */
static int open_folder(const char *name)
{
	int base = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	mkdirat(base, name, 0700);
	fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(base);
	if (fd < 0)
		ok(false, "cannot make the folder '%s'", name);
	return fd;
}

/* A file that the code under test did not write. */
static void put(int dir, const char *name, const char *data, size_t size)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (write(fd, data, size) != (ssize_t)size)
		ok(false, "cannot write '%s'", name);
}

static void link_at(const char *target, int dir, const char *name)
{
	if (symlinkat(target, dir, name) < 0)
		ok(false, "cannot make the link '%s'", name);
}

/* The content as text; "(none)" where there is no such regular file. */
static const char *get(int dir, const char *name, char ret[256])
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, 255);

	if (n < 0)
		return "(none)";
	ret[n] = '\0';
	return ret;
}

/* How many entries a folder has, hidden ones too. */
static unsigned entries(int dir)
{
	DIR *listing = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	for (const struct dirent *entry; (entry = readdir(listing));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(listing);
	return n;
}

static mode_t mode_of(int dir, const char *name)
{
	struct stat status = { 0 };

	fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW);
	return status.st_mode & 07777;
}

static void test_read(void)
{
	autoclose int dir = open_folder("read");
	autofree char *large = malloc(100000);
	static const struct {
		const char *data;
		size_t size, max;
	} cases[] = { { "", 0, 0 }, { "", 0, 10 }, { "text", 4, 10 }, { "text", 4, 4 },
		{ "a\0b\n", 4, 10 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = NULL;
		size_t size = 99;

		put(dir, "f", cases[i].data, cases[i].size);
		is_int(file_read(dir, "f", cases[i].max, &text, &size, NULL), 0,
			"%zu bytes of at most %zu", cases[i].size, cases[i].max);
		ok(size == cases[i].size && text && !memcmp(text, cases[i].data, size + 1),
			"are read, with a NUL behind them");
	}
	autofree char *text = NULL;
	size_t size = 0;

	memset(large, 'x', 100000);
	put(dir, "large", large, 100000);
	is_int(file_read(dir, "large", 100000, &text, &size, NULL), 0, "a large file");
	ok(size == 100000 && text && !memcmp(text, large, size) && !text[size], "is whole");
}

static void test_read_bad(void)
{
	autoclose int dir = open_folder("read-bad");
	char absolute[256];
	const struct {
		const char *name;
		int code;
		const char *why;
	} cases[] = {
		{ "missing", -ENOENT, "cannot read 'missing': " },
		{ "missing/f", -ENOENT, "" },
		{ "f/f", -ENOTDIR, "" },
		{ "", -ENOENT, "" },
		{ "link", -ELOOP, "it is a symbolic link" },
		{ "dangling", -ELOOP, "it is a symbolic link" },
		{ "folder", -EISDIR, "it is not a regular file" },
		{ ".", -EISDIR, "it is not a regular file" },
		{ "fifo", -EINVAL, "it is not a regular file" },
		{ "/dev/null", -EINVAL, "it is not a regular file" },
		{ "/dev/zero", -EINVAL, "it is not a regular file" },
		{ "five", -EFBIG, "it is larger than 4 bytes" },
		{ "sparse", -EFBIG, "it is larger than 4 bytes" },
	};

	put(dir, "f", "text", 4);
	put(dir, "five", "12345", 5);
	put(dir, "sparse", "", 0);
	snprintf(absolute, sizeof(absolute), "%s/read-bad/sparse", tap_tempdir());
	ok(truncate(absolute, (off_t)1 << 40) == 0, "a sparse file of a terabyte");
	link_at("f", dir, "link");
	link_at("nowhere", dir, "dangling");
	mkdirat(dir, "folder", 0700);
	mkfifoat(dir, "fifo", 0600);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = NULL;
		size_t size = 99;
		struct error err = { 0 };

		is_int(file_read(dir, cases[i].name, 4, &text, &size, &err), cases[i].code, "'%s'",
			cases[i].name);
		ok(err.code == cases[i].code && *err.text && strstr(err.text, cases[i].why),
			"says so: %s", err.text);
		ok(!text && size == 99, "nothing is returned");
	}
	is_int(file_read(-1, "f", 4, &(char *){ NULL }, &(size_t){ 0 }, NULL), -EBADF, "no folder");
}

/* A child that writes TOTAL bytes to a pipe, in pieces; then it ends well, or by SIGPIPE. */
static pid_t start_writer(int pipes[2], size_t total, size_t piece)
{
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid != 0) {
		close(pipes[1]);
		return pid;
	}
	close(pipes[0]);
	signal(SIGPIPE, SIG_DFL);
	for (size_t done = 0; done < total;) {
		char data[4096];
		size_t size = total - done < piece ? total - done : piece;
		ssize_t n;

		for (size_t i = 0; i < size; i++)
			data[i] = (char)('a' + (done + i) % 26);
		n = write(pipes[1], data, size);
		if (n < 0)
			_exit(EXIT_FAILURE);
		done += (size_t)n;
	}
	_exit(EXIT_SUCCESS);
}

static bool is_alphabet(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] != (char)('a' + i % 26))
			return false;
	return true;
}

static void test_drain(void)
{
	static const struct {
		size_t total, piece, max;
		int code;
	} cases[] = {
		{ 0, 1, 0, 0 }, { 0, 1, 10, 0 }, { 1, 1, 0, -EFBIG }, { 10, 1, 10, 0 },
		{ 11, 1, 10, -EFBIG }, { 5000, 7, 5000, 0 }, { 5000, 7, 4999, -EFBIG },
		{ 300000, 4096, 300000, 0 }, { 300000, 4096, 1 << 20, 0 },
		{ 300000, 4096, 1000, -EFBIG }, /* a pipe holds 65536: all of it must be read */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = NULL;
		size_t size = 99;
		struct error err = { 0 };
		int pipes[2];
		int status = -1;
		pid_t pid = start_writer(pipes, cases[i].total, cases[i].piece);

		is_int(file_drain(pipes[0], cases[i].max, &text, &size, &err), cases[i].code,
			"%zu bytes of at most %zu", cases[i].total, cases[i].max);
		close(pipes[0]);
		waitpid(pid, &status, 0);
		is_int(status, 0, "the writer could write all");
		is_int(err.code, cases[i].code, "the line: %s", err.text);
		if (cases[i].code < 0)
			ok(!text && size == 99, "nothing is returned");
		else
			ok(text && size == cases[i].total && is_alphabet(text, size) && !text[size],
				"the bytes, with a NUL behind them");
	}
}

static void test_drain_others(void)
{
	autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	autoclose int dir = open_folder("drain");
	autofree char *from_null = NULL;
	autofree char *from_file = NULL;
	size_t size = 99;
	const int closed = 1000; /* poll() would wait for -1, so a number that is not in use */

	is_int(file_drain(null, 10, &from_null, &size, NULL), 0, "stdin may be /dev/null");
	ok(size == 0 && from_null && !*from_null, "which is empty");
	put(dir, "f", "text", 4);
	autoclose int fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);

	is_int(file_drain(fd, 10, &from_file, &size, NULL), 0, "or a file");
	is_str(from_file, "text", "which is read");
	is_int(file_drain(closed, 10, &(char *){ NULL }, &size, NULL), -EBADF, "not closed");
	is_int(file_drain(dir, 10, &(char *){ NULL }, &size, NULL), -EISDIR, "nor a folder");
}

/* A pipe with a byte in it, which nobody closes. */
static int endless_pipe(int flags)
{
	int pipes[2];

	return pipe2(pipes, flags) == 0 && write(pipes[1], "x", 1) == 1 ? pipes[0] : -1;
}

/* In a child, for the deadline is the process's: what draining what never ends gives. */
static int drain_with_deadline(int fd)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		char *text = NULL;
		size_t size;

		deadline_start(20);
		_exit(-file_drain(fd, 10, &text, &size, NULL) & 0xff);
	}
	close(fd);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 1;
}

static void test_drain_endless(void)
{
	is_int(drain_with_deadline(endless_pipe(0)), -ETIME,
		"a pipe that never ends: the deadline does");
	is_int(drain_with_deadline(endless_pipe(O_NONBLOCK)), -ETIME,
		"one that does not block too");
	is_int(drain_with_deadline(open("/dev/zero", O_RDONLY | O_CLOEXEC)), -ETIME,
		"what always has more to read too");
}

static void test_replace(void)
{
	autoclose int dir = open_folder("replace");
	mode_t mask = umask(0);
	char text[256];
	struct error err = { 0 };

	is_int(file_replace(dir, "f", ".f", "one", 3, &err), 0, "a new file");
	is_str(get(dir, "f", text), "one", "is written");
	is_int(mode_of(dir, "f"), 0600, "for its owner only, whatever the umask");
	umask(0177);
	is_int(file_replace(dir, "f", ".f", "second", 6, &err), 0, "again");
	umask(mask);
	is_str(get(dir, "f", text), "second", "is the new content");
	is_int(mode_of(dir, "f"), 0600, "with the same permissions");
	is_int(file_replace(dir, "f", ".f", "", 0, &err), 0, "nothing");
	is_str(get(dir, "f", text), "", "is nothing");
	put(dir, ".f", "left from a killed process", 26);
	is_int(file_replace(dir, "f", ".f", "new", 3, &err), 0, "over a temporary file");
	is_str(get(dir, "f", text), "new", "it does not show");
	is_int(entries(dir), 1, "nothing else is left");
}

/* Links that somebody put there are replaced, not followed. */
static void test_replace_links(void)
{
	autoclose int dir = open_folder("replace-links");
	char text[256];

	put(dir, "victim", "victim", 6);
	link_at("victim", dir, ".f");
	link_at("victim", dir, "f");
	is_int(file_replace(dir, "f", ".f", "mine", 4, NULL), 0, "over two links");
	is_str(get(dir, "f", text), "mine", "both are replaced");
	is_str(get(dir, "victim", text), "victim", "and not followed");
	is_int(entries(dir), 2, "nothing else is left");
}

static void test_replace_bad(void)
{
	autoclose int dir = open_folder("replace-bad");
	struct error err = { 0 };

	mkdirat(dir, "folder", 0700);
	is_int(file_replace(dir, "folder", ".f", "x", 1, &err), -EISDIR, "a folder is in the way");
	ok(strstr(err.text, "cannot rename '.f' to 'folder'"), "says so: %s", err.text);
	is_int(entries(dir), 1, "the temporary file is gone");
	is_int(file_replace(dir, "f", "folder", "x", 1, &err), -EEXIST, "in the temporary's too");
	ok(strstr(err.text, "cannot write 'folder'"), "says so: %s", err.text);
	is_int(entries(dir), 1, "nothing is written");
	is_int(file_replace(-1, "f", ".f", "x", 1, NULL), -EBADF, "no folder");
}

/* A full disk, which RLIMIT_FSIZE plays: neither a part nor a temporary file is left. */
static void test_full(void)
{
	autoclose int dir = open_folder("full");
	struct rlimit limit;
	char text[256];
	struct error err = { 0 };
	int replaced;
	int created;

	put(dir, "f", "old", 3);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4, limit.rlim_max });
	replaced = file_replace(dir, "f", ".f", "123456", 6, &err);
	created = file_create(dir, "g", "123456", 6, 0644, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_DFL);
	is_int(replaced, -EFBIG, "a file does not fit");
	is_str(get(dir, "f", text), "old", "the old content stays");
	is_int(created, -EFBIG, "nor does a new one");
	ok(err.code == -EFBIG && strstr(err.text, "'g'"), "says so: %s", err.text);
	is_int(entries(dir), 1, "nothing else is left");
}

static void test_create(void)
{
	autoclose int dir = open_folder("create");
	mode_t mask = umask(0777);
	char name[257];
	char text[256];
	struct error err = { 0 };

	is_int(file_create(dir, "f", "one", 3, 0644, &err), 0, "a new file");
	umask(mask);
	is_str(get(dir, "f", text), "one", "is written");
	is_int(mode_of(dir, "f"), 0644, "with its permissions, whatever the umask");
	is_int(file_create(dir, "f", "two", 3, 0644, &err), -EEXIST, "not twice");
	ok(strstr(err.text, "cannot create 'f': "), "says so: %s", err.text);
	is_str(get(dir, "f", text), "one", "the first stays");
	link_at("nowhere", dir, "dangling");
	is_int(file_create(dir, "dangling", "x", 1, 0644, NULL), -EEXIST, "not over a link");
	mkdirat(dir, "folder", 0700);
	is_int(file_create(dir, "folder", "x", 1, 0644, NULL), -EEXIST, "nor over a folder");
	is_int(entries(dir), 3, "nothing else is left");
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	is_int(file_create(dir, name, "x", 1, 0644, NULL), -ENAMETOOLONG, "too long a name");
	is_int(entries(dir), 3, "nothing is left");
	name[255] = '\0';
	is_int(file_create(dir, name, "long", 4, 0600, NULL), 0, "the longest");
	is_str(get(dir, name, text), "long", "is written");
	is_int(mode_of(dir, name), 0600, "with its permissions");
	is_int(file_create(-1, "f", "x", 1, 0644, NULL), -EBADF, "no folder");
}

/* Many at once: one wins, and the file is his. */
static void test_create_race(void)
{
	autoclose int dir = open_folder("race");
	int gate[2] = { -1, -1 };
	int winner = -1;
	unsigned wins = 0;
	unsigned losses = 0;
	pid_t pids[WRITERS];
	char text[256];

	ok(pipe2(gate, O_CLOEXEC) == 0, "a gate");
	for (int i = 0; i < WRITERS; i++) {
		char mine = (char)('0' + i);
		struct pollfd wait = { .fd = gate[0] };

		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		close(gate[1]);
		poll(&wait, 1, -1); /* until the parent closes his end */
		_exit(-file_create(dir, "f", &mine, 1, 0600, NULL) & 0xff);
	}
	close(gate[1]);
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		wins += status == 0;
		losses += WIFEXITED(status) && WEXITSTATUS(status) == EEXIST;
		winner = status == 0 ? i : winner;
	}
	close(gate[0]);
	is_int(wins, 1, "one of %d creates a file", WRITERS);
	is_int(losses, WRITERS - 1, "to the others it exists");
	is_int(get(dir, "f", text)[0] - '0', winner, "it is the winner's");
	is_int(entries(dir), 1, "nothing else is left");
}

static void test_open_dir(void)
{
	autoclose int dir = open_folder("open");
	autoclose int opened = -1;
	static const struct {
		const char *name;
		int code;
	} bad[] = { { "missing", -ENOENT }, { "f", -ENOTDIR }, { "link", -ENOTDIR },
		{ "dangling", -ENOTDIR }, { "fifo", -ENOTDIR }, { "", -ENOENT } };

	mkdirat(dir, "folder", 0700);
	put(dir, "f", "", 0);
	link_at("folder", dir, "link");
	link_at("nowhere", dir, "dangling");
	mkfifoat(dir, "fifo", 0600);
	is_int(file_open_dir(dir, "folder", &opened, NULL), 0, "a folder");
	ok(mkdirat(opened, "inner", 0700) == 0 && faccessat(dir, "folder/inner", F_OK, 0) == 0,
		"is open");
	ok(fcntl(opened, F_GETFD) & FD_CLOEXEC, "and not inherited");
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = { 0 };
		int fd = 99;

		is_int(file_open_dir(dir, bad[i].name, &fd, &err), bad[i].code, "'%s'",
			bad[i].name);
		ok(fd == 99 && err.code == bad[i].code && strstr(err.text, "cannot open '"),
			"says so, and nothing is returned: %s", err.text);
	}
}

int main(void)
{
	test_read();
	test_read_bad();
	test_drain();
	test_drain_others();
	test_drain_endless();
	test_replace();
	test_replace_links();
	test_replace_bad();
	test_full();
	test_create();
	test_create_race();
	test_open_dir();
	return tap_done();
}
