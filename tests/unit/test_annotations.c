// SPDX-License-Identifier: MIT
/*
 * schema/annotations.c: which annotations are ours.
 */
#include "schema/annotations.h"

#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static void test_known(void)
{
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };
	static const char *const names[] = { "networks", "ip", "ip6", "mac", "interface", "name" };
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char key[64] = ANNOTATION_PREFIX;

		strcat(key, names[i]);
		all = annotations_set(&annotations, key, names[i], &err) == 0 && all;
	}
	ok(all, "our six annotations are taken");
	is_str(annotations.networks, "networks", "networks");
	is_str(annotations.ip, "ip", "ip");
	is_str(annotations.ip6, "ip6", "ip6");
	is_str(annotations.mac, "mac", "mac");
	is_str(annotations.interface, "interface", "interface");
	is_str(annotations.name, "name", "name");
	annotations_free(&annotations);
	ok(!annotations.networks && !annotations.name, "freed ones are not given");
}

static void test_ignored(void)
{
	static const char *const keys[] = { "", "a", "io.oci-macvlan", "io.oci-macvlanx.ip",
		"io.kubernetes.cri-o.TTY", "IO.OCI-MACVLAN.IP" };
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		is_int(annotations_set(&annotations, keys[i], "x", &err), 0, "'%s' is not ours",
			keys[i]);
	ok(!annotations.networks && !annotations.ip, "and nothing was kept");
}

static void test_unknown(void)
{
	static const char *const keys[] = { "io.oci-macvlan.", "io.oci-macvlan.network",
		"io.oci-macvlan.IP", "io.oci-macvlan.ip.0" };
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		is_int(annotations_set(&annotations, keys[i], "x", &err), -EINVAL,
			"'%s' is misspelt", keys[i]);
		ok(strstr(err.text, "unknown annotation") && strstr(err.text, keys[i]),
			"and said so: %s", err.text);
	}
}

static void test_limits(void)
{
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct error err = { 0 };
	autofree char *text = malloc(ANNOTATION_MAX + 2);

	memset(text, 'a', ANNOTATION_MAX + 1);
	text[ANNOTATION_MAX + 1] = '\0';
	is_int(annotations_set(&annotations, "io.oci-macvlan.networks", text, &err), -EINVAL,
		"64 KiB and a byte is too long");
	ok(strstr(err.text, "65537 bytes, at most 65536"), "and said so: %s", err.text);
	ok(!annotations.networks, "nothing was kept");
	text[ANNOTATION_MAX] = '\0';
	is_int(annotations_set(&annotations, "io.oci-macvlan.networks", text, &err), 0,
		"64 KiB is not");
	is_int(annotations_set(&annotations, "io.oci-macvlan.networks", "b", &err), -EINVAL,
		"the same annotation twice");
	ok(strstr(err.text, "given twice"), "and said so: %s", err.text);
	is_int(strlen(annotations.networks), ANNOTATION_MAX, "the first one is still there");
	is_int(annotations_set(&annotations, "io.oci-macvlan.ip", "", &err), 0,
		"an empty value is one");
	is_str(annotations.ip, "", "and not the same as none");
}

int main(void)
{
	test_known();
	test_ignored();
	test_unknown();
	test_limits();
	return tap_done();
}
