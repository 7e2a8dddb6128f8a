// SPDX-License-Identifier: MIT
/*
 * ETC/networks and the files in it. A network says which program root runs for it (ipam.path), so a
 * file is read only where nobody but root could have written it: the folders are judged when they
 * are opened, and a file by the descriptor that it is read from.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/network.h"
#include "schema/text.h"
#include "schema/trust.h"

#define FOLDER "networks"

/* The path without the '/' at its end, behind which O_NOFOLLOW would follow. */
static int trim_path(const char *etc, char ret[PATH_MAX], struct error *err)
{
	size_t length = strlen(etc);

	while (length > 1 && etc[length - 1] == '/')
		length--;
	if (length >= PATH_MAX)
		return error_set(err, -ENAMETOOLONG,
			"the configuration folder's name is longer than %d characters",
			PATH_MAX - 1);
	memcpy(ret, etc, length);
	ret[length] = '\0';
	return 0;
}

/* ETC, then the folder in it. */
static int open_folders(const char *etc, int *ret, struct error *err)
{
	autoclose int dir = -1;
	int r = trust_open_folder(AT_FDCWD, etc, &dir, err);

	if (r < 0)
		return r;
	r = trust_open_folder(dir, FOLDER, ret, err);
	if (r == -ENOENT) {
		*ret = -1;
		return 0;
	}
	if (r < 0 && r != -EPERM) /* whose message has the whole path */
		error_prefix(err, "in '%s'", etc);
	return r;
}

/**
 * network_open_folder() - open ETC/networks, if nobody else can write to it, or to ETC
 * @etc: ETC; the folders above it are not judged
 * @ret: the descriptor; the caller closes it. -1 where ETC has no such folder, and so no network
 * @err: filled on failure
 *
 * Return: 0; -ENOENT: there is no ETC; -EPERM: others could change which networks there are;
 * -ENAMETOOLONG, or what open(2) gave.
 */
int network_open_folder(const char *etc, int *ret, struct error *err)
{
	char path[PATH_MAX];
	int r = trim_path(etc, path, err);

	if (r < 0)
		return r;
	r = open_folders(path, ret, err);
	if (r == -EPERM)
		error_prefix(err, "no network is used");
	return r;
}

/* Reads a file if nobody else can change it. */
static int read_trusted(int dir, const char *file, const char *path, char **ret, size_t *ret_size,
	struct error *err)
{
	autoclose int fd = -1;
	struct stat status;
	int r = trust_open_file(dir, file, &fd, err);

	if (r < 0)
		return r;
	r = file_check_regular(fd, path, NETWORK_FILE_MAX, &status, err);
	if (r < 0)
		return r;
	r = trust_check_status(fd, &status, path, err);
	return r < 0 ? r : file_read_regular(fd, &status, path, ret, ret_size, err);
}

/**
 * network_load() - read the file of a network
 * @dir:  ETC/networks, from network_open_folder(); -1 where there is none
 * @name: the network's name, which is checked
 * @ret:  the network; free with network_free()
 * @err:  filled on failure
 *
 * Return: 0; -ENOENT: there is no such network; -EPERM: others could change the file; what
 * trust_open_file(), file_check_regular(), file_read_regular() and network_parse() return.
 */
int network_load(int dir, const char *name, struct network **ret, struct error *err)
{
	cleanup(network_free) struct network *network = NULL;
	autofree char *text = NULL;
	char path[sizeof(FOLDER "/.json") + NETWORK_NAME_MAX];
	size_t size;
	int r = name_check_network(name, err);

	if (r < 0)
		return r;
	text_join(path, sizeof(path), FOLDER "/", name, ".json");
	r = dir < 0 ? -ENOENT
		    : read_trusted(dir, path + strlen(FOLDER "/"), path, &text, &size, err);
	if (r == -ENOENT)
		return error_set(err, r,
			"network '%s' does not exist: 'oci-macvlan network ls' shows those that do",
			name);
	if (r < 0)
		return error_prefix(err, "network '%s'", name);
	r = network_parse(text, size, &network, err);
	if (r == 0 && strcmp(network->name, name))
		r = error_set(err, -EINVAL, "name: '%s' is not the file's name, change one of them",
			network->name);
	if (r < 0)
		return error_prefix(err, "network file '%s'", path);
	*ret = network;
	network = NULL;
	return 0;
}
