// SPDX-License-Identifier: MIT
/*
 * What the host itself resolves names with.
 */
#include "hook/host_resolv.h"

#include <fcntl.h>
#include <stdbool.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"

/* The host's resolvers. Behind the first are those that a stub on a loopback address asks: of
 * systemd-resolved, and of NetworkManager.
 */
static const char *const files[] = {
	"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
	"/run/NetworkManager/resolv.conf",
};

#define N_FILES (sizeof(files) / sizeof(files[0]))

/* One file of the host, which may be a link. */
static int read_file(const char *path, char **ret, size_t *ret_size, struct error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_set_errno(err, "cannot read '%s'", path);
	return file_read_open(fd, path, RESOLV_MAX, ret, ret_size, err);
}

static int read_filtered(
	const char *path, char **ret, size_t *ret_size, bool *ret_usable, struct error *err)
{
	autofree char *text = NULL;
	size_t size = 0;
	int r = read_file(path, &text, &size, err);

	return r == 0 ? resolv_filter(text, size, ret, ret_size, ret_usable, err) : r;
}

/**
 * host_resolv_read() - what a container is given where its network has the host's resolvers
 * @ret:      a resolv.conf, with a NUL behind it; the caller frees it
 * @ret_size: its size in bytes, without that
 * @err:      filled on failure
 *
 * Return: 0; -ENOENT: the host names no server that a container can reach.
 */
int host_resolv_read(char **ret, size_t *ret_size, struct error *err)
{
	for (size_t i = 0; i < N_FILES; i++) {
		autofree char *text = NULL;
		size_t size = 0;
		bool usable = false;

		if (read_filtered(files[i], &text, &size, &usable, err) == 0 && usable) {
			*ret = text;
			*ret_size = size;
			text = NULL;
			return 0;
		}
	}
	return error_set(err, -ENOENT,
		"the host names no server in '/etc/resolv.conf' that a container can reach, nor "
		"one behind a loopback stub: set the network's dns.mode to static or none");
}

/**
 * host_resolv_list() - the servers that the host asks, or that a stub on it asks
 * @found: called for each, also one that it has had already
 * @arg:   handed to @found
 *
 * A file that is missing, or cannot be read, names none.
 *
 * Return: 0, or what @found failed with.
 */
int host_resolv_list(resolv_server_fn *found, void *arg)
{
	for (size_t i = 0; i < N_FILES; i++) {
		autofree char *text = NULL;
		size_t size = 0;
		int r;

		if (read_file(files[i], &text, &size, NULL) < 0)
			continue;
		r = resolv_list(text, size, found, arg);
		if (r < 0)
			return r;
	}
	return 0;
}
