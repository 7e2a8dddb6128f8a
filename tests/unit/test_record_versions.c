// SPDX-License-Identifier: MIT
/*
 * Records that released versions have written, tests/schema/corpus/record/VERSION: each is read,
 * and comes out as it went in when it is written again. So a program that has to do with a
 * container of an older one leaves it a record that the older one can still read.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "ipam/dir.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/record.h"
#include "schema/text.h"
#include "tests/unit/tap.h"

#define CORPUS "tests/schema/corpus/record"

/* The folder of a version. */
struct version {
	int dir;
	const char *name;
	unsigned n;
};

static int read_one(void *arg, const char *name, unsigned char type, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct version *version = arg;
	autofree char *text = NULL;
	autofree char *again = NULL;
	size_t again_size = 0;
	size_t size = 0;
	int r = file_read(version->dir, name, RECORD_FILE_MAX, &text, &size, err);

	(void)type;
	if (r < 0)
		return r;
	version->n++;
	if (record_parse(text, size, &record, err) < 0) {
		ok(false, "%s/%s is read: %s", version->name, name, err->text);
		return 0;
	}
	ok(record_format(record, &again, &again_size, err) == 0 && again_size == size &&
			!memcmp(text, again, size),
		"%s/%s is read, and written as it was", version->name, name);
	return 0;
}

static int read_version(void *arg, const char *name, unsigned char type, struct error *err)
{
	char path[PATH_MAX];
	struct version version = { .name = name };
	autoclose int dir = -1;
	int r;

	(void)arg;
	if (type != DT_DIR || !isdigit((unsigned char)*name))
		return 0;
	text_join(path, sizeof(path), CORPUS "/", name);
	r = file_open_dir(AT_FDCWD, path, &dir, err);
	if (r < 0)
		return r;
	version.dir = dir;
	r = dir_list(dir, read_one, &version, err);
	ok(version.n >= 20, "version %s has %u records", name, version.n);
	return r;
}

int main(void)
{
	struct error err = { 0 };
	autoclose int dir = -1;
	int r = file_open_dir(AT_FDCWD, CORPUS, &dir, &err);

	if (r == 0)
		r = dir_list(dir, read_version, NULL, &err);
	is_int(r, 0, "the corpus is listed, from the top of the tree: %s", err.text);
	ok(faccessat(dir, "0.1.0/plain.json", F_OK, 0) == 0, "and the first version is in it");
	return tap_done();
}
