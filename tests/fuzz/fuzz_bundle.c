// SPDX-License-Identifier: MIT
/*
 * Fuzzes config.json: a bundle whose config.json is a link to a file in memory.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schema/bundle.h"
#include "schema/cleanup.h"
#include "tests/fuzz/fuzz.h"

static char bundle[] = "/tmp/oci-macvlan-fuzz-XXXXXX";
static char link_path[sizeof(bundle) + sizeof("/config.json")];

static void remove_bundle(void)
{
	unlink(link_path);
	rmdir(bundle);
}

static int open_memory(void)
{
	int fd = memfd_create("config.json", MFD_CLOEXEC);
	char target[64];

	must(fd >= 0 && mkdtemp(bundle));
	snprintf(link_path, sizeof(link_path), "%s/config.json", bundle);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
	must(symlink(target, link_path) == 0);
	atexit(remove_bundle);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct bundle read = { .hostname = "unset" };
	struct error err = { 0 };
	int r;

	if (fd < 0)
		fd = open_memory();
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	r = bundle_read(bundle, &read, &err);
	if (r < 0) {
		must_be_told(r, &err);
		must(!strcmp(read.hostname, "unset"));
	}
	must(strlen(read.hostname) <= BUNDLE_HOSTNAME_MAX);
	must(strlen(read.root) < sizeof(read.root) && (!*read.root || *read.root == '/'));
	must(strlen(read.mount_label) <= BUNDLE_LABEL_MAX);
	r = bundle_read_annotations(bundle, &annotations, &err);
	if (r < 0) {
		must_be_told(r, &err);
		must(!annotations.networks && !annotations.ip && !annotations.name);
	}
	return 0;
}
