// SPDX-License-Identifier: MIT
/*
 * schema/trust.c, and what schema/network_file.c does with it: root believes what nobody else can
 * change.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/trust.h"
#include "tests/unit/tap.h"

#define NOBODY 65534
#define NETWORK "{\"name\":\"n\",\"ipam\":{\"driver\":\"none\"}}"

static const char *path_of(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", tap_tempdir(), name);
	return path;
}

static void own(const char *path, uid_t uid, mode_t mode)
{
	/* In this order: chown(2) takes bits from a mode. */
	ok(chown(path, uid, 0) == 0 && chmod(path, mode) == 0, "'%s' is %u's, mode %04o", path, uid,
		mode);
}

static void make_folder(const char *name, uid_t uid, mode_t mode)
{
	const char *path = path_of(name);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		ok(false, "cannot make '%s'", path);
	own(path, uid, mode);
}

static void make_file(const char *name, uid_t uid, mode_t mode)
{
	const char *path = path_of(name);
	FILE *file = fopen(path, "we");

	if (!file || fputs(NETWORK, file) < 0 || fclose(file) != 0)
		ok(false, "cannot write '%s'", path);
	own(path, uid, mode);
}

static void make_link(const char *target, const char *name)
{
	unlink(path_of(name));
	ok(symlink(target, path_of(name)) == 0, "'%s' is a link to '%s'", name, target);
}

static void expect(int got, int code, const struct error *err, const char *why)
{
	is_int(got, code, "%s", code ? err->text : "trusted");
	if (code)
		ok(strstr(err->text, why), "says '%s'", why);
}

static void expect_program(const char *name, int code, const char *why)
{
	struct error err = { 0 };

	expect(trust_check_program(path_of(name), &err), code, &err, why);
}

static void expect_folder(const char *name, int code, const char *why)
{
	autoclose int fd = -1;
	struct error err = { 0 };

	expect(trust_open_folder(AT_FDCWD, path_of(name), &fd, &err), code, &err, why);
	ok((fd >= 0) == (code == 0), "it is open where it is trusted");
}

/* The whole text, with the file's path and the command. */
static void test_messages(void)
{
	static const struct {
		uid_t uid;
		mode_t mode;
		const char *says;
		const char *command; /* the path follows */
		const char *other;   /* it follows, too; NULL: none */
	} cases[] = {
		{ 1000, 0644, "belongs to user 1000 and has mode 0644, so that user", "chown root",
			NULL },
		{ 0, 0664, "belongs to user 0 and has mode 0664, so others", "chmod go-w", NULL },
		{ 0, 0602, "belongs to user 0 and has mode 0602, so others", "chmod go-w", NULL },
		{ NOBODY, 06777, "belongs to user 65534 and has mode 6777, so that user",
			"chown root", "chmod go-w" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = path_of("file");
		char text[ERROR_TEXT_MAX];
		struct error err = { 0 };
		int n;

		make_file("file", cases[i].uid, cases[i].mode);
		n = snprintf(text, sizeof(text), "'%s' %s could change what root does: %s '%s'",
			path, cases[i].says, cases[i].command, path);
		if (cases[i].other)
			snprintf(text + n, sizeof(text) - (size_t)n, " && %s '%s'", cases[i].other,
				path);
		is_int(trust_check_file(path, &err), -EPERM, "refused");
		is_str(err.text, text, "with all that is needed to mend it");
	}
	make_file("a'b", 0, 0622);
	expect_program("a'b", -EPERM, "a'\\''b'");
}

static void test_programs(void)
{
	make_folder("bin", 0, 0755);
	make_file("bin/p", 0, 0711);
	expect_program("bin/p", 0, NULL);
	make_file("bin/p", 0, 01755);
	expect_program("bin/p", 0, NULL);
	make_file("bin/p", 1, 0755);
	expect_program("bin/p", -EPERM, "bin/p' belongs to user 1 ");
	make_file("bin/p", 0, 0755);
	own(path_of("bin"), 1, 0755);
	expect_program("bin/p", -EPERM, "bin' belongs to user 1 ");
	own(path_of("bin"), 1, 01777);
	expect_program("bin/p", -EPERM, "bin' belongs to user 1 and has mode 1777");
	own(path_of("bin"), 0, 0775);
	expect_program("bin/p", -EPERM, "bin' belongs to user 0 and has mode 0775");
	own(path_of("bin"), 0, 01777);
	expect_program("bin/p", 0, NULL);
	expect_program("bin/none", -ENOENT, "cannot open");
	own(path_of("bin"), 0, 0755);
}

/* Both folders are judged, and whose the link is. */
static void test_linked_programs(void)
{
	make_folder("far", 0, 0755);
	make_file("far/p", 0, 0755);
	make_link("../far/p", "bin/l");
	expect_program("bin/l", 0, NULL);
	own(path_of("bin"), 1, 0755);
	expect_program("bin/l", -EPERM, "bin' belongs to user 1 ");
	own(path_of("bin"), 0, 0755);
	own(path_of("far"), 1, 0755);
	expect_program("bin/l", -EPERM, "far' belongs to user 1 ");
	own(path_of("far"), 0, 0757);
	expect_program("bin/l", -EPERM, "far' belongs to user 0 and has mode 0757");
	own(path_of("far"), 0, 01757);
	expect_program("bin/l", 0, NULL);
	own(path_of("far/p"), 1, 0755);
	expect_program("bin/l", -EPERM, "far/p' belongs to user 1 ");
	own(path_of("far/p"), 0, 0755);
	ok(lchown(path_of("bin/l"), 1, 0) == 0, "the link is another user's");
	expect_program("bin/l", -EPERM, "chown -h root '");
	make_link("nowhere", "bin/l");
	expect_program("bin/l", -ENOLINK, "symbolic link that leads nowhere");
	make_link("l", "bin/l");
	expect_program("bin/l", -ELOOP, "cannot open");
}

static void test_folders(void)
{
	make_folder("home", 1, 0777);
	make_folder("home/etc", 0, 0755);
	expect_folder("home/etc", 0, NULL);
	make_link("home/etc", "etc");
	expect_folder("etc", -EPERM, "home' belongs to user 1 ");
	make_folder("home", 0, 01777);
	expect_folder("etc", 0, NULL);
	make_folder("home/etc", 0, 01777);
	expect_folder("home/etc", -EPERM, "mode 1777");
	make_folder("home/etc", 1, 0755);
	expect_folder("home/etc", -EPERM, "belongs to user 1 ");
	expect_folder("none", -ENOENT, "cannot open");
	make_file("file", 0, 0644);
	expect_folder("file", -ENOTDIR, "cannot open");
	make_link("nowhere", "etc");
	expect_folder("etc", -ENOLINK, "leads nowhere");
}

/* Opens ETC/networks, and loads the network if CODE is for its file. */
static void expect_network(const char *etc, int code, const char *why)
{
	cleanup(network_free) struct network *network = NULL;
	autoclose int dir = -1;
	struct error err = { 0 };
	int r = network_open_folder(path_of(etc), &dir, &err);

	if (r == 0)
		r = network_load(dir, "n", &network, &err);
	expect(r, code, &err, why);
	ok((network != NULL) == (code == 0), "it is read where it is trusted");
}

static void test_networks(void)
{
	make_folder("home", 1, 0755);
	make_folder("home/clone", 0, 0755);
	make_folder("home/clone/networks", 0, 0755);
	make_file("home/clone/networks/n.json", 0, 0644);
	expect_network("home/clone", 0, NULL);
	expect_network("home/clone//", 0, NULL);
	make_link("home/clone", "etc");
	expect_network("etc", -EPERM, "no network is used: '");
	expect_network("etc//", -EPERM, "home' belongs to user 1 ");
	own(path_of("home/clone"), 0, 0775);
	expect_network("home/clone", -EPERM, "clone' belongs to user 0 and has mode 0775");
	own(path_of("home/clone"), 0, 0755);
	own(path_of("home/clone/networks"), 1, 0755);
	expect_network("home/clone", -EPERM, "no network is used: '");
	own(path_of("home/clone/networks"), 0, 0755);
	own(path_of("home/clone/networks/n.json"), 0, 0646);
	expect_network("home/clone", -EPERM, "network 'n': '");
	own(path_of("home/clone/networks/n.json"), 1, 0400);
	expect_network("home/clone", -EPERM, "n.json' belongs to user 1 and has mode 0400");
}

static void test_linked_networks(void)
{
	make_folder("far", 0, 0755);
	make_file("far/n", 0, 0644);
	make_link("../../../far/n", "home/clone/networks/n.json");
	expect_network("home/clone", 0, NULL);
	own(path_of("far"), 1, 0755);
	expect_network("home/clone", -EPERM, "far' belongs to user 1 ");
	own(path_of("far"), 0, 01777);
	expect_network("home/clone", 0, NULL);
	own(path_of("far/n"), 1, 0644);
	expect_network("home/clone", -EPERM, "far/n' belongs to user 1 ");
	own(path_of("far"), 0, 0777);
	expect_network("home/clone", -EPERM, "far' belongs to user 0 and has mode 0777");
}

/* Whoever runs the program need not be root. */
static void test_other_user(void)
{
	struct stat status = { .st_uid = 1, .st_mode = S_IFREG | 0644 };

	make_file("file", 0, 0644);
	ok(seteuid(1) == 0, "another user");
	is_int(trust_check_status(-1, &status, "mine", NULL), 0, "what is his is trusted");
	status.st_uid = 0;
	is_int(trust_check_status(-1, &status, "root's", NULL), 0, "and what is root's");
	status.st_uid = 2;
	is_int(trust_check_status(-1, &status, "other's", NULL), -EPERM, "and nobody else's");
	ok(seteuid(0) == 0, "root again");
}

int main(void)
{
	test_messages();
	test_programs();
	test_linked_programs();
	test_folders();
	test_networks();
	test_linked_networks();
	test_other_user();
	return tap_done();
}
