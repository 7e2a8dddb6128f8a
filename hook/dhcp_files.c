// SPDX-License-Identifier: MIT
/*
 * RUN/dhcp: what a DHCP client and its hook tell each other, four files an endpoint.
 *
 *   ID:INTERFACE.event    a link to the hook, as which the client calls it: so it knows of whom
 *   ID:INTERFACE.client   a link to "PID START": the client that runs, or ran
 *   ID:INTERFACE.lease    the last word of the server
 *   ID:INTERFACE.applied  what of it the container has
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/proc.h"
#include "ipam/dir.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

static const char *const suffixes[] = { DHCP_EVENT, DHCP_CLIENT, DHCP_LEASE, DHCP_APPLIED };

#define N_SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/**
 * dhcp_open_dir() - open RUN/dhcp
 * @store:  the store
 * @create: make it where it is missing
 * @ret:    the descriptor; the caller closes it
 * @err:    filled on failure
 *
 * Return: as store_open_folder().
 */
int dhcp_open_dir(const struct store *store, bool create, int *ret, struct error *err)
{
	return store_open_folder(store, STORE_DHCP, create, ret, err);
}

/**
 * dhcp_file_name() - the name of one of an endpoint's files
 * @id:        the container whose record it is in
 * @interface: its name in the container
 * @suffix:    DHCP_EVENT, ...
 * @ret:       the name
 *
 * Return: @ret.
 */
const char *dhcp_file_name(
	const char *id, const char *interface, const char *suffix, char ret[DHCP_NAME_MAX])
{
	return text_join(ret, DHCP_NAME_MAX, id, ":", interface, suffix);
}

/**
 * dhcp_file_parse() - whose file is it
 * @name:          of the file
 * @ret_id:        the container
 * @ret_interface: the interface
 *
 * Return: the suffix; NULL: it is none of ours.
 */
const char *dhcp_file_parse(const char *name, char ret_id[CONTAINER_ID_MAX + 1],
	char ret_interface[INTERFACE_NAME_MAX + 1])
{
	const char *colon = strrchr(name, ':');
	size_t length = strlen(name);
	const char *suffix = NULL;
	size_t end = 0;

	if (!colon || colon - name > CONTAINER_ID_MAX)
		return NULL;
	if (length > strlen(LEASE_TEMPORARY) &&
		!strcmp(name + length - strlen(LEASE_TEMPORARY), LEASE_TEMPORARY))
		length -= strlen(LEASE_TEMPORARY);
	for (unsigned i = 0; i < N_SUFFIXES; i++) {
		size_t n = strlen(suffixes[i]);

		if (length > n && !strncmp(name + length - n, suffixes[i], n)) {
			suffix = suffixes[i];
			end = length - n;
		}
	}
	if (!suffix || name + end <= colon || name + end - colon - 1 > INTERFACE_NAME_MAX)
		return NULL;
	memcpy(ret_id, name, (size_t)(colon - name));
	ret_id[colon - name] = '\0';
	memcpy(ret_interface, colon + 1, (size_t)(name + end - colon - 1));
	ret_interface[name + end - colon - 1] = '\0';
	if (name_check_container_id(ret_id, NULL) < 0 ||
		name_check_interface(ret_interface, NULL) < 0)
		return NULL;
	return suffix;
}

static int put_link(int dir, const char *name, const char *text, struct error *err)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot remove 'dhcp/%s'", name);
	if (symlinkat(text, dir, name) < 0)
		return error_set_errno(err, "cannot make 'dhcp/%s'", name);
	return 0;
}

/**
 * dhcp_file_put_event() - have an endpoint's client call a hook
 * @dir:  RUN/dhcp
 * @name: of the file
 * @hook: its path
 * @err:  filled on failure
 *
 * Return: 0, or what symlink(2) gave.
 */
int dhcp_file_put_event(int dir, const char *name, const char *hook, struct error *err)
{
	return put_link(dir, name, hook, err);
}

/**
 * dhcp_file_put_client() - note which process is an endpoint's client
 * @dir:    RUN/dhcp
 * @name:   of the file
 * @client: the process
 * @err:    filled on failure
 *
 * Return: 0, or what symlink(2) gave.
 */
int dhcp_file_put_client(
	int dir, const char *name, const struct dhcp_process *client, struct error *err)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %" PRIu64, (int)client->pid, client->start);
	return put_link(dir, name, text, err);
}

/* "PID START" and nothing else. */
static bool parse_client(const char *text, struct dhcp_process *ret)
{
	char *end;
	long pid;
	unsigned long long start;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || pid <= 1 || pid > INT_MAX || *end != ' ' || end[1] < '0' || end[1] > '9')
		return false;
	start = strtoull(end + 1, &end, 10);
	if (errno || *end)
		return false;
	*ret = (struct dhcp_process){ .pid = (pid_t)pid, .start = start };
	return true;
}

/**
 * dhcp_file_get_client() - which process is an endpoint's client
 * @dir:  RUN/dhcp
 * @name: of the file
 * @ret:  the process, which may have ended
 * @err:  filled on failure
 *
 * Return: 0; -ENOENT; -EINVAL: there is something else; or what readlink(2) gave.
 */
int dhcp_file_get_client(int dir, const char *name, struct dhcp_process *ret, struct error *err)
{
	char text[64];
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	if (n < 0)
		return error_set_errno(err, "cannot read 'dhcp/%s'", name);
	text[n] = '\0';
	if (!parse_client(text, ret))
		return error_set(err, -EINVAL, "'dhcp/%s' names no process: '%s'", name, text);
	return 0;
}

static int unlink_file(int dir, const char *name, struct error *err)
{
	char temporary[DHCP_NAME_MAX];

	text_join(temporary, sizeof(temporary), name, LEASE_TEMPORARY);
	if ((unlinkat(dir, temporary, 0) < 0 && errno != ENOENT) ||
		(unlinkat(dir, name, 0) < 0 && errno != ENOENT))
		return error_set_errno(err, "cannot remove 'dhcp/%s'", name);
	return 0;
}

/**
 * dhcp_files_remove() - remove all files of an endpoint
 * @dir:       RUN/dhcp
 * @id:        the container whose record it is in, whose lock is held; its client has ended
 * @interface: its name in the container
 * @err:       filled on failure
 *
 * Return: 0, also when there is none; what unlink(2) gave.
 */
int dhcp_files_remove(int dir, const char *id, const char *interface, struct error *err)
{
	char name[DHCP_NAME_MAX];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < N_SUFFIXES; i++)
		r = unlink_file(dir, dhcp_file_name(id, interface, suffixes[i], name), err);
	return r;
}
