// SPDX-License-Identifier: MIT
/*
 * ipam/claims.c: one name has one owner, and only he gives it back.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/claims.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

/* symlinkat(), which must work here. */
static void link_at(const char *target, int dir, const char *name)
{
	if (symlinkat(target, dir, name) < 0)
		ok(false, "cannot make the link '%s'", name);
}

static int list(void *arg, const char *name, const char *owner, struct error *err)
{
	char *text = arg;

	(void)err;
	strcat(strcat(strcat(strcat(text, name), "="), owner), " ");
	return 0;
}

static int stop(void *arg, const char *name, const char *owner, struct error *err)
{
	unsigned *n = arg;

	(void)name;
	(void)owner;
	(void)err;
	++*n;
	return 1;
}

static void test_take_and_release(int dir)
{
	char holder[CLAIMS_OWNER_MAX + 1] = "untouched";
	struct error err = { 0 };

	is_int(claims_take(dir, "10.0.0.4", "c1/eth0", holder, &err), 0, "a free name is claimed");
	is_int(claims_take(dir, "10.0.0.4", "c1/eth0", holder, &err), 0, "again by its owner");
	is_str(holder, "untouched", "the holder is not written then");
	is_int(claims_take(dir, "10.0.0.4", "c2/eth0", holder, &err), -EEXIST, "not by another");
	is_str(holder, "c1/eth0", "who learns the holder");
	is_str(err.text, "'10.0.0.4' is taken by container 'c1' (eth0)", "and the user too");
	is_int(claims_release(dir, "10.0.0.4", "c2/eth0", &err), 0, "another releases nothing");
	is_int(claims_release(dir, "10.0.0.4", "c1/eth", &err), 0, "nor does half an owner");
	is_int(claims_owner(dir, "10.0.0.4", holder, &err), 0, "it is still claimed");
	is_int(claims_release(dir, "10.0.0.4", "c1/eth0", &err), 0, "the owner releases it");
	is_int(claims_release(dir, "10.0.0.4", "c1/eth0", &err), 0, "twice is once");
	is_int(claims_owner(dir, "10.0.0.4", holder, &err), -ENOENT, "it is free");
}

static void test_hostile(int dir)
{
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	char owner[CLAIMS_OWNER_MAX + 1];
	char target[1024];
	struct error err = { 0 };

	close(openat(dir, "10.0.0.5", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	is_int(claims_take(dir, "10.0.0.5", "c1/eth0", holder, &err), -EEXIST,
		"a file is in the way");
	is_str(holder, "", "it has no holder");
	ok(strstr(err.text, "no claim"), "the message says so: %s", err.text);
	is_int(claims_release(dir, "10.0.0.5", "c1/eth0", &err), 0, "it is not released");
	ok(faccessat(dir, "10.0.0.5", F_OK, 0) == 0, "and still there");
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	link_at(target, dir, "10.0.0.6");
	is_int(claims_take(dir, "10.0.0.6", "c1/eth0", holder, &err), -EEXIST, "a long link too");
	is_int(claims_owner(dir, "10.0.0.6", holder, &err), -ENAMETOOLONG, "it is no owner");
	memset(owner, 'y', CLAIMS_OWNER_MAX);
	owner[CLAIMS_OWNER_MAX] = '\0';
	is_int(claims_take(dir, "10.0.0.7", owner, holder, &err), 0, "the longest owner");
	is_int(claims_owner(dir, "10.0.0.7", holder, &err), 0, "can be read");
	is_str(holder, owner, "whole");
	is_int(claims_take(dir, "10.0.0.7", "c1/eth0", holder, &err), -EEXIST, "and is a holder");
	is_int(claims_release(dir, "10.0.0.7", owner, &err), 0, "and releases");
}

static void test_list(int dir)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	char text[256] = "";
	unsigned n = 0;

	claims_take(dir, "10.0.0.8", "c1/eth0", holder, NULL);
	is_int(claims_list(dir, list, text, NULL), 0, "claims are listed");
	is_str(text, "10.0.0.8=c1/eth0 ", "files and long links are not");
	claims_take(dir, "10.0.0.9", "c1/eth1", holder, NULL);
	is_int(claims_list(dir, stop, &n, NULL), 0, "a listing can be stopped");
	is_int(n, 1, "at once");
}

int main(void)
{
	int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	test_take_and_release(dir);
	test_hostile(dir);
	test_list(dir);
	close(dir);
	return tap_done();
}
