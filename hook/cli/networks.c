// SPDX-License-Identifier: MIT
/*
 * Which network files there are, and what a word on the command line means: a network's name, or
 * the beginning of its id.
 */
#include "hook/cli/networks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/machine.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"

/* An id may be cut to this many digits; fewer are more likely a mistyped name. */
#define ID_PREFIX_MIN 4

/**
 * networks_open() - open ETC/networks
 * @etc: ETC
 * @ret: the descriptor; the caller closes it. -1 where there is no such folder, and so no network
 * @err: filled on failure
 *
 * Return: 0; -EPERM: others could write to it, or to ETC; or what network_open_folder() gave.
 */
int networks_open(const char *etc, int *ret, struct error *err)
{
	int r = network_open_folder(etc, ret, err);

	if (r != -ENOENT)
		return r;
	*ret = -1;
	return 0;
}

/* What "networks" followed by a glob of *.json would give a shell. */
static int is_network_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(NETWORKS_SUFFIX);

	return entry->d_name[0] != '.' && length > suffix &&
	       !strcmp(entry->d_name + length - suffix, NETWORKS_SUFFIX);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes the names out of directory entries, which it frees. */
static int take_names(struct dirent **entries, size_t n, struct networks *networks)
{
	networks->names = n ? calloc(n, sizeof(*networks->names)) : NULL;
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(entries[i]->d_name) - strlen(NETWORKS_SUFFIX);
		char *name = networks->names ? strndup(entries[i]->d_name, length) : NULL;

		if (name)
			networks->names[networks->n++] = name;
		free(entries[i]);
	}
	free((void *)entries);
	if (networks->n < n)
		return -ENOMEM;
	if (n)
		qsort((void *)networks->names, n, sizeof(*networks->names), compare_names);
	return 0;
}

/**
 * networks_list() - list ETC/networks/NAME.json
 * @dir: ETC/networks, from networks_open()
 * @ret: the names, sorted; not checked, and the files were not opened. Free with networks_free()
 * @err: filled on failure
 *
 * Return: 0, -ENOMEM, or what scandir(3) gave.
 */
int networks_list(int dir, struct networks *ret, struct error *err)
{
	struct networks networks = { 0 };
	struct dirent **entries = NULL;
	int n = dir < 0 ? 0 : scandirat(dir, ".", &entries, is_network_file, NULL);

	if (n < 0)
		return error_set_errno(err, "cannot list '%s'", NETWORKS_FOLDER);
	if (take_names(entries, (size_t)n, &networks) < 0) {
		networks_free(&networks);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*ret = networks;
	return 0;
}

/**
 * networks_free() - free a list of names; a destructor for cleanup()
 * @networks: the list; empty afterwards
 */
void networks_free(struct networks *networks)
{
	for (size_t i = 0; i < networks->n; i++)
		free(networks->names[i]);
	free((void *)networks->names);
	*networks = (struct networks){ 0 };
}

/**
 * networks_file() - which file is a network's
 * @name: its name, checked
 * @ret:  the file, below ETC/networks
 */
void networks_file(const char *name, char ret[NETWORKS_FILE_MAX])
{
	snprintf(ret, NETWORKS_FILE_MAX, "%s" NETWORKS_SUFFIX, name);
}

/**
 * networks_has() - is there a file for a network, whatever is in it
 * @dir:  ETC/networks, from networks_open()
 * @name: the network's name, checked
 *
 * Return: true when there is.
 */
bool networks_has(int dir, const char *name)
{
	char file[NETWORKS_FILE_MAX];

	networks_file(name, file);
	return dir >= 0 && faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_id_prefix(const char *word)
{
	size_t length = strlen(word);

	return length >= ID_PREFIX_MIN && length < HASH_HEX &&
	       strspn(word, "0123456789abcdef") == length;
}

/* Looks for the one network whose id begins with prefix; ret stays as it is where there is none. */
static int find_id(int dir, const char *prefix, char ret[NETWORK_NAME_MAX + 1], struct error *err)
{
	struct networks networks cleanup(networks_free) = { 0 };
	const char *found = NULL;
	int r = networks_list(dir, &networks, err);

	for (size_t i = 0; r == 0 && i < networks.n; i++) {
		char id[HASH_HEX];

		if (name_check_network(networks.names[i], NULL) < 0 ||
			strncmp(machine_network_id(networks.names[i], id), prefix,
				strlen(prefix)) != 0)
			continue;
		if (found)
			return error_set(err, -EINVAL,
				"networks '%s' and '%s' have ids that begin with '%s': use a name",
				found, networks.names[i], prefix);
		found = networks.names[i];
	}
	if (found)
		snprintf(ret, NETWORK_NAME_MAX + 1, "%s", found);
	return r;
}

/**
 * networks_resolve() - find out which network a word means
 * @dir:  ETC/networks, from networks_open()
 * @word: a name, else the first digits (4 at least) of an id
 * @ret:  the name; the word itself where there is no such network
 * @err:  filled on failure
 *
 * Return: 0; -EINVAL, -ENAMETOOLONG: not a name, or more than one network; what networks_list()
 * returns.
 */
int networks_resolve(int dir, const char *word, char ret[NETWORK_NAME_MAX + 1], struct error *err)
{
	char name[NETWORK_NAME_MAX + 1];
	int r = name_check_network(word, err);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s", word);
	if (!networks_has(dir, word) && is_id_prefix(word))
		r = find_id(dir, word, name, err);
	if (r == 0)
		memcpy(ret, name, sizeof(name));
	return r;
}
