// SPDX-License-Identifier: MIT
/*
 * schema/bundle.c: what is picked out of config.json, and files that are none.
 */
#include "schema/bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static const char *config_path(char ret[128])
{
	snprintf(ret, 128, "%s/config.json", tap_tempdir());
	return ret;
}

static void write_config(const char *text, size_t size)
{
	char path[128];
	autoclose int fd = open(config_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ok(write(fd, text, size) == (ssize_t)size, "a config.json of %zu bytes", size);
}

static void expect_hostname(const char *text, const char *expected)
{
	struct bundle bundle = { .hostname = "unset" };
	struct error err = { 0 };

	write_config(text, strlen(text));
	is_int(bundle_read(tap_tempdir(), &bundle, &err), 0, "is read");
	is_str(bundle.hostname, expected, "its host name");
}

static void expect_bad_hostname(const char *text, int code, const char *why)
{
	struct bundle bundle = { .hostname = "unset" };
	struct error err = { 0 };

	write_config(text, strlen(text));
	is_int(bundle_read(tap_tempdir(), &bundle, &err), code, "is refused");
	ok(strstr(err.text, "/config.json") && strstr(err.text, why), "with the reason: %s",
		err.text);
	is_str(bundle.hostname, "unset", "and nothing is returned");
}

#define LETTERS_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_hostname(void)
{
	expect_hostname("{\"hostname\":\"web\"}", "web");
	expect_hostname(
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"hostname\":\"no\",\"args\":[\"a\"]},"
		"\"hostname\":\"web.example\",\"linux\":{\"x\":[{\"hostname\":1}]}}",
		"web.example");
	expect_hostname("{}", "");
	expect_hostname("{\"hostname\":\"\"}", "");
	expect_hostname("{\"hostname\":\"" LETTERS_64 "\"}", LETTERS_64);
	/* Annotations are of no interest here, not even wrong ones. */
	expect_hostname("{\"annotations\":{\"io.oci-macvlan.x\":1},\"hostname\":\"a\"}", "a");
}

static void test_bad_hostname(void)
{
	expect_bad_hostname("{\"hostname\":\"" LETTERS_64 "x\"}", -EINVAL, "has 65 bytes");
	expect_bad_hostname("{\"hostname\":\"a b\"}", -EINVAL, "'a b' has a blank");
	expect_bad_hostname("{\"hostname\":\"a\\nb\"}", -EINVAL, "'a\\x0ab' has a blank");
	expect_bad_hostname("{\"hostname\":\"a\\u0000b\"}", -EINVAL, "NUL");
	expect_bad_hostname("{\"hostname\":1}", -EINVAL, "hostname: must be a string");
	expect_bad_hostname("{\"hostname\":[\"a\"]}", -EINVAL, "hostname: must be a string");
	expect_bad_hostname("{\"hostname\":{}}", -EINVAL, "hostname: must be a string");
	expect_bad_hostname(
		"{\"hostname\":\"a\",\"hostname\":\"b\"}", -EINVAL, "hostname: is given twice");
	expect_bad_hostname("", -EINVAL, "");
	expect_bad_hostname("{", -EINVAL, "");
	expect_bad_hostname("{\"hostname\":\"a\"", -EINVAL, "");
	expect_bad_hostname("{\"hostname\":\"a\"} x", -EINVAL, "");
	expect_bad_hostname("\x7f"
			    "ELF\x02\x01",
		-EINVAL, "");
	expect_bad_hostname("[]", -EINVAL, "must be an object");
	expect_bad_hostname("[{\"hostname\":\"a\"}]", -EINVAL, "must be an object");
	expect_bad_hostname("\"a\"", -EINVAL, "must be an object");
	expect_bad_hostname("null", -EINVAL, "must be an object");
}

static void expect_root(const char *text, const char *root, const char *mount_label)
{
	struct bundle bundle;
	struct error err = { 0 };

	write_config(text, strlen(text));
	is_int(bundle_read(tap_tempdir(), &bundle, &err), 0, "is read: %s", err.text);
	is_str(bundle.root, root, "its root file system");
	is_str(bundle.mount_label, mount_label, "its label");
}

static void test_root(void)
{
	char expected[128];

	expect_root("{\"root\":{\"path\":\"/a/b\",\"readonly\":true}}", "/a/b", "");
	snprintf(expected, sizeof(expected), "%s/rootfs", tap_tempdir());
	expect_root("{\"linux\":{\"mountLabel\":\"u:r:t:s0\",\"x\":1},"
		    "\"root\":{\"readonly\":true,\"path\":\"rootfs\"}}",
		expected, "u:r:t:s0");
	expect_root("{\"root\":{},\"linux\":{},\"path\":\"x\",\"mountLabel\":\"y\"}", "", "");
	expect_root("{\"root\":null,\"x\":{\"root\":{\"path\":\"y\"}}}", "", "");
	expect_root("{\"root\":[\"path\"],\"linux\":{\"x\":{\"mountLabel\":1}}}", "", "");
}

#define LETTERS_256 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64

static void test_bad_root(void)
{
	static char text[PATH_MAX + 32] = "{\"root\":{\"path\":\"";
	size_t length = strlen(text);

	expect_bad_hostname("{\"root\":{\"path\":\"\"}}", -EINVAL, "root.path: is empty");
	expect_bad_hostname("{\"root\":{\"path\":1}}", -EINVAL, "root.path: must be a string");
	expect_bad_hostname("{\"root\":{\"path\":\"a\"},\"root\":{\"path\":\"a\"}}", -EINVAL,
		"root.path: is given twice");
	expect_bad_hostname("{\"linux\":{\"mountLabel\":\"a b\"}}", -EINVAL,
		"linux.mountLabel: 'a b' has a blank");
	expect_bad_hostname(
		"{\"linux\":{\"mountLabel\":\"" LETTERS_256 "\"}}", -EINVAL, "has 256 bytes");
	memset(text + length, 'a', PATH_MAX);
	memcpy(text + length + PATH_MAX, "\"}}", 4);
	expect_bad_hostname(text, -EINVAL, "root.path: has 4096 bytes");
	memcpy(text + length + PATH_MAX - 8, "\"}}", 4);
	expect_bad_hostname(text, -ENAMETOOLONG, "root.path: is too long");
}

static void test_deep(void)
{
	static char text[100100] = "{\"x\":";

	memset(text + strlen(text), '[', 100000);
	expect_bad_hostname(text, -E2BIG, "deep");
}

static void test_annotations(void)
{
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };
	const char *text =
		"{\"annotations\":{\"a\":\"b\",\"n\":1,\"o\":{\"io.oci-macvlan.x\":\"y\"},"
		"\"io.oci-macvlan.networks\":\"macvlan0@eth1\",\"io.oci-macvlan.ip\":\"\"},"
		"\"linux\":{\"io.oci-macvlan.mac\":\"x\"},\"io.oci-macvlan.name\":\"x\"}";

	write_config(text, strlen(text));
	is_int(bundle_read_annotations(tap_tempdir(), &annotations, &err), 0, "is read: %s",
		err.text);
	is_str(annotations.networks, "macvlan0@eth1", "networks");
	is_str(annotations.ip, "", "ip");
	ok(!annotations.mac && !annotations.name, "what stands elsewhere is not an annotation");
}

static void expect_annotations(const char *text, int code, const char *why)
{
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };

	write_config(text, strlen(text));
	is_int(bundle_read_annotations(tap_tempdir(), &annotations, &err), code, "returns %d",
		code);
	ok(!annotations.networks && strstr(err.text, why), "with the reason: %s", err.text);
}

static void test_bad_annotations(void)
{
	expect_annotations("{}", 0, "");
	expect_annotations("{\"annotations\":null}", 0, "");
	expect_annotations("{\"annotations\":{}}", 0, "");
	expect_annotations("{\"annotations\":[]}", -EINVAL, "annotations: must be an object");
	expect_annotations("{\"annotations\":\"x\"}", -EINVAL, "annotations: must be an object");
	expect_annotations("{\"annotations\":{},\"annotations\":{}}", -EINVAL, "are given twice");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.networks\":1}}", -EINVAL,
		"annotation io.oci-macvlan.networks: must be a string");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.networks\":null}}", -EINVAL,
		"must be a string");
	expect_annotations(
		"{\"annotations\":{\"io.oci-macvlan.networks\":{}}}", -EINVAL, "must be a string");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.networks\":[\"a\"]}}", -EINVAL,
		"must be a string");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.networks\":\"a\","
			   "\"io.oci-macvlan.networks\":\"b\"}}",
		-EINVAL, "twice");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.nets\":\"a\"}}", -EINVAL,
		"unknown annotation 'io.oci-macvlan.nets'");
	expect_annotations("{\"annotations\":{\"io.oci-macvlan.networks\":\"a\"}", -EINVAL, "");
}

static void expect_no_file(const char *bundle, int code, const char *why)
{
	struct bundle read;
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };

	is_int(bundle_read(bundle, &read, &err), code, "what is wanted: %s", err.text);
	ok(strstr(err.text, why), "says why");
	is_int(bundle_read_annotations(bundle, &annotations, &err), code, "annotations: %s",
		err.text);
}

static void test_files(void)
{
	char path[128];
	char *long_path;

	unlink(config_path(path));
	expect_no_file(tap_tempdir(), -ENOENT, "config.json");
	expect_no_file("/nonexistent", -ENOENT, "'/nonexistent/config.json'");
	expect_no_file("/dev/null", -ENOTDIR, "'/dev/null/config.json'");
	mkdir(path, 0700);
	expect_no_file(tap_tempdir(), -EINVAL, "not a regular file");
	rmdir(path);
	/* A reader that waits for the FIFO's writer would hang here. */
	mkfifo(path, 0600);
	expect_no_file(tap_tempdir(), -EINVAL, "not a regular file");
	unlink(path);
	ok(symlink("/dev/zero", path) == 0, "config.json is a link to /dev/zero");
	expect_no_file(tap_tempdir(), -EINVAL, "not a regular file");
	unlink(path);
	long_path = calloc(1, PATH_MAX + 1);
	memset(long_path, '/', PATH_MAX);
	expect_no_file(long_path, -ENAMETOOLONG, "too long");
	free(long_path);
}

/* 100 MB of blanks around an object: over the limit, and found without reading all of it. */
static void test_large(void)
{
	struct bundle bundle = { .hostname = "unset" };
	struct error err = { 0 };
	char path[128];

	write_config("{", 1);
	ok(truncate(config_path(path), 100000000) == 0, "config.json: 100 MB of NULs");
	ok(bundle_read(tap_tempdir(), &bundle, &err) < 0, "is refused: %s", err.text);
	unlink(path);
	{
		autofree char *text = malloc(BUNDLE_CONFIG_MAX + 1);

		memset(text, ' ', BUNDLE_CONFIG_MAX + 1);
		memcpy(text, "{\"hostname\":\"a\"}", 16);
		write_config(text, BUNDLE_CONFIG_MAX);
		is_int(bundle_read(tap_tempdir(), &bundle, &err), 0, "16 MiB is not");
		write_config(text, BUNDLE_CONFIG_MAX + 1);
		is_int(bundle_read(tap_tempdir(), &bundle, &err), -EFBIG, "one byte more is: %s",
			err.text);
	}
}

int main(void)
{
	test_hostname();
	test_bad_hostname();
	test_root();
	test_bad_root();
	test_deep();
	test_annotations();
	test_bad_annotations();
	test_files();
	test_large();
	return tap_done();
}
