// SPDX-License-Identifier: MIT
/*
 * ipam/returns.c, boot.c: of the records of earlier boots those stay that name a plugin, wherever a
 * reset is killed.
 */
#include "ipam/returns.h"

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
#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/record.h"
#include "tests/unit/tap.h"

#define KILLS 200
#define OTHER_BOOT "00000000-0000-0000-0000-000000000000\n"
#define PLUGIN                                                                                     \
	",\"plugin\":{\"program\":\"/usr/lib/cni/host-local\",\"path\":\"/usr/lib/cni\",\"args\":" \
	"\"\",\"config\":{}}"

static void put(int dir, const char *name, const char *text)
{
	struct error err;

	if (file_write(dir, name, text, strlen(text), 0600, &err) < 0)
		ok(false, "cannot write a file: %s", err.text);
}

static void put_record(int dir, const char *id, const char *plugin)
{
	char name[64];
	char text[1024];

	snprintf(name, sizeof(name), "%s.json", id);
	snprintf(text, sizeof(text),
		"{\"id\":\"%s\",\"name\":\"web\",\"netns\":{\"cookie\":2,\"host_cookie\":1,"
		"\"nsid\":0,\"shared\":false},\"members\":[{\"id\":\"%s\",\"pid\":2,\"start\":1}],"
		"\"endpoints\":[{\"network\":\"lan\",\"interface\":\"eth0\",\"parent\":\"eth0\","
		"\"parent_ifindex\":2,\"mode\":\"bridge\"%s}]}\n",
		id, id, plugin);
	put(dir, name, text);
}

/* RUN as an earlier boot left it. */
static void make_earlier_boot(const char *run)
{
	struct store store = STORE_CLOSED;

	store_open(run, true, &store, NULL);
	put_record(store.containers, "leased", PLUGIN);
	put_record(store.containers, "local", "");
	put(store.containers, "joined.json", "{\"id\":\"joined\",\"joined\":\"local\"}\n");
	put(store.containers, "empty.json", "");
	put(store.containers, "zeros.json", "\0\0\0");
	put(store.containers, "cut.json", "{\"id\":\"cut\",\"name\":\"web\",");
	put(store.containers, "leased.tmp", "{\"id\":\"leased\",");
	if (symlinkat("/etc/passwd", store.containers, "link.json") < 0)
		ok(false, "cannot plant a link");
	unlinkat(store.dir, "boot", 0);
	put(store.dir, "boot", OTHER_BOOT);
	store_close(&store);
}

static int append(void *arg, int dir, const char *id, struct error *err)
{
	char *text = arg;

	(void)dir;
	(void)err;
	strcat(text, id);
	strcat(text, " ");
	return 0;
}

static const char *list(int run)
{
	static char text[PATH_MAX];

	*text = '\0';
	if (returns_list(run, append, text, NULL) < 0)
		return "cannot list";
	return text;
}

static int count_one(void *arg, const char *name, unsigned char type, struct error *err)
{
	(void)name;
	(void)type;
	(void)err;
	++*(unsigned *)arg;
	return 0;
}

static unsigned count_folders(int run)
{
	autoclose int dir = -1;
	unsigned n = 0;

	if (returns_open(run, &dir, NULL) == 0)
		dir_list(dir, count_one, &n, NULL);
	return n;
}

static int give_back(void *arg, int dir, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	unsigned *n = arg;
	int r = returns_load(dir, id, &record, err);

	if (r < 0 || !record)
		return r;
	*n += !strcmp(record->endpoints[0].plugin.program, "/usr/lib/cni/host-local");
	return record_remove(dir, id, err);
}

static void test_boots(const char *run)
{
	struct store store = STORE_CLOSED;
	unsigned n = 0;

	make_earlier_boot(run);
	is_int(store_open(run, false, &store, NULL), 0, "RUN of an earlier boot opens");
	is_str(list(store.dir), "leased ", "the record that names a plugin stays, and no other");
	is_int(faccessat(store.containers, "leased.json", F_OK, 0), -1, "but not as a container's");
	store_close(&store);
	make_earlier_boot(run);
	is_int(store_open(run, false, &store, NULL), 0, "and once more");
	is_str(list(store.dir), "leased leased ", "that of another boot does not replace it");
	is_int(returns_list(store.dir, give_back, &n, NULL), 0, "they are given back");
	is_int(n, 2, "with all that they say");
	is_str(list(store.dir), "", "then they are gone");
	is_int(count_folders(store.dir), 0, "and their folders");
	store_close(&store);
}

static int load_one(void *arg, int dir, const char *id, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;

	(void)arg;
	return returns_load(dir, id, &record, err);
}

/* A version that does not know all of a record does not know what a plugin has to hear, either. */
static void test_later_version(const char *run)
{
	struct store store = STORE_CLOSED;
	struct error err = { 0 };

	store_open(run, true, &store, NULL);
	put_record(store.containers, "later", PLUGIN ",\"later\":1");
	put_record(store.containers, "other", ",\"later\":1");
	put(store.containers, "torn.json", "{\"id\":\"torn\",\"later\":1,");
	unlinkat(store.dir, "boot", 0);
	put(store.dir, "boot", OTHER_BOOT);
	store_close(&store);
	is_int(store_open(run, false, &store, NULL), 0, "RUN of a later version opens");
	ok(strstr(list(store.dir), "later ") && strstr(list(store.dir), "other "),
		"records that cannot be read stay: %s", list(store.dir));
	ok(!strstr(list(store.dir), "torn"), "but not what is no JSON");
	is_int(returns_list(store.dir, load_one, NULL, &err), -EINVAL, "one fails: %s", err.text);
	ok(strstr(err.text, "below 'returns': record 'containers/") &&
			strstr(err.text, ".json': endpoints[0]: unknown key 'later'"),
		"and says the file and the key");
	is_int(count_folders(store.dir), 1, "they are there still");
	store_close(&store);
}

/* Something else in the place of a folder or file of ours. */
static void test_planted(const char *run)
{
	struct store store = STORE_CLOSED;
	struct error err = { 0 };
	autoclose int dir = -1;

	store_open(run, true, &store, NULL);
	returns_open(store.dir, &dir, NULL);
	put(dir, "a-file", "");
	ok(symlinkat("/etc", dir, "a-link") == 0 && mkdirat(dir, "a-folder", 0700) == 0 &&
			mkdirat(dir, "a-folder/below.json", 0700) == 0,
		"other things are planted");
	is_str(list(store.dir), "", "they are passed over");
	unlinkat(dir, "a-file", 0);
	unlinkat(dir, "a-link", 0);
	unlinkat(dir, "a-folder/below.json", AT_REMOVEDIR);
	unlinkat(dir, "a-folder", AT_REMOVEDIR);
	ok(unlinkat(store.dir, "returns", AT_REMOVEDIR) == 0, "RUN without it");
	is_str(list(store.dir), "", "has nothing to give back");
	ok(symlinkat("/etc", store.dir, "returns") == 0, "a link in its place");
	is_int(returns_list(store.dir, append, NULL, &err), -ENOTDIR, "is refused: %s", err.text);
	store_close(&store);
	make_earlier_boot(run);
	is_int(store_open(run, false, &store, &err), -ENOTDIR, "also by a reset: %s", err.text);
	store_close(&store);
}

/* Kills processes at any moment of a reset. */
static void test_killed(const char *run)
{
	unsigned failed = 0;
	unsigned lost = 0;
	unsigned seed = 1;

	for (unsigned i = 0; i < KILLS; i++) {
		struct timespec pause = { 0, rand_r(&seed) % 600000 };
		struct store store = STORE_CLOSED;
		unsigned n = 0;
		pid_t child;

		make_earlier_boot(run);
		child = fork();
		if (child == 0)
			_exit(store_open(run, false, &store, NULL) < 0 ? 1 : 0);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		failed += store_open(run, false, &store, NULL) < 0;
		returns_list(store.dir, give_back, &n, NULL);
		lost += n != 1;
		failed += count_folders(store.dir) != 0;
		store_close(&store);
	}
	is_int(lost, 0, "after kill -9 in a reset the record is there, once");
	is_int(failed, 0, "and nothing else is");
}

int main(void)
{
	char run[PATH_MAX];
	char later[PATH_MAX];

	snprintf(run, sizeof(run), "%s/run", tap_tempdir());
	snprintf(later, sizeof(later), "%s/later", tap_tempdir());
	test_boots(run);
	test_later_version(later);
	test_killed(run);
	test_planted(run);
	return tap_done();
}
