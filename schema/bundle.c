// SPDX-License-Identifier: MIT
/*
 * The few members of a bundle's config.json that we need, picked out of the stream: building the
 * tree of a 13 KB file costs a third of the kernel's work for an attach.
 */
#include "schema/bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"

static int open_config(const char *path, int *ret, struct error *err)
{
	/* Not to block: the file may be a FIFO. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set_errno(err, "cannot open '%s'", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, -EINVAL, "cannot read '%s': not a regular file", path);
	*ret = steal_fd(&fd);
	return 0;
}

static int scan_config(const char *bundle, json_scan_fn *found, void *arg, struct error *err)
{
	autoclose int fd = -1;
	char path[PATH_MAX];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/config.json", bundle) >= sizeof(path))
		return error_set(
			err, -ENAMETOOLONG, "bundle '%.128s': the path is too long", bundle);
	r = open_config(path, &fd, err);
	if (r < 0)
		return r;
	r = json_scan(fd, BUNDLE_CONFIG_MAX, found, arg, err);
	if (r < 0)
		return error_prefix(err, "'%s'", path);
	return 0;
}

/* Is this (in) the member of the document's object that we look for? Fails for no object at all. */
static int is_member(
	const struct json_path *path, enum json_type type, const char *key, struct error *err)
{
	if (path->depth == 0 && type != JSON_OBJECT)
		return error_set(err, -EINVAL, "must be an object");
	return path->depth > 0 && path->key[0] && !strcmp(path->key[0], key);
}

/* It is shown to people and put into the record: printable, no blanks. */
static int check_hostname(const char *hostname, struct error *err)
{
	if (strlen(hostname) > BUNDLE_HOSTNAME_MAX)
		return error_set(err, -EINVAL, "hostname: has %zu bytes, at most %d are allowed",
			strlen(hostname), BUNDLE_HOSTNAME_MAX);
	for (const char *c = hostname; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL,
				"hostname: '%s' has a blank, control or non-ASCII character",
				hostname);
	return 0;
}

struct hostname {
	bool found;
	char text[BUNDLE_HOSTNAME_MAX + 1];
};

static int find_hostname(void *arg, const struct json_path *path, enum json_type type,
	const char *text, struct error *err)
{
	struct hostname *hostname = arg;
	int r = is_member(path, type, "hostname", err);

	if (r <= 0)
		return r;
	if (path->depth > 1 || type != JSON_STRING)
		return error_set(err, -EINVAL, "hostname: must be a string");
	if (hostname->found)
		return error_set(err, -EINVAL, "hostname: is given twice");
	r = check_hostname(text, err);
	if (r < 0)
		return r;
	hostname->found = true;
	strcpy(hostname->text, text);
	return 0;
}

/**
 * bundle_read_hostname() - The container's host name
 * @bundle:	path of the bundle
 * @ret:	the host name; "" where there is none
 * @err:	filled on failure
 *
 * Return: 0; -ENOENT: there is no config.json; -EINVAL: it cannot be understood; -errno of open(2)
 */
int bundle_read_hostname(const char *bundle, char ret[BUNDLE_HOSTNAME_MAX + 1], struct error *err)
{
	struct hostname hostname = { 0 };
	/* To the end of the file, also when the name was found: a second one is an error. */
	int r = scan_config(bundle, find_hostname, &hostname, err);

	if (r == 0)
		strcpy(ret, hostname.text);
	return r;
}

struct found_annotations {
	bool found;
	struct annotations *list;
};

static int find_annotation(void *arg, const struct json_path *path, enum json_type type,
	const char *text, struct error *err)
{
	struct found_annotations *annotations = arg;
	const char *key = path->key[1];
	int r = is_member(path, type, "annotations", err);

	if (r <= 0 || (path->depth == 1 && type == JSON_NULL))
		return r < 0 ? r : 0;
	if (path->depth == 1) {
		if (type != JSON_OBJECT)
			return error_set(err, -EINVAL, "annotations: must be an object");
		if (annotations->found)
			return error_set(err, -EINVAL, "annotations: are given twice");
		annotations->found = true;
		return 0;
	}
	if (!key || strncmp(key, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)))
		return 0;
	if (type != JSON_STRING)
		return error_set(err, -EINVAL, "annotation %.128s: must be a string", key);
	return annotations_set(annotations->list, key, text, err);
}

/**
 * bundle_read_annotations() - Our annotations, from config.json
 * @bundle:	path of the bundle
 * @ret:	our annotations; free with annotations_free()
 * @err:	filled on failure
 *
 * Only for runtimes whose state has no annotations member.
 *
 * Return: 0; -ENOENT: there is no config.json; -EINVAL: it cannot be understood; -ENOMEM; -errno of
 * open(2)
 */
int bundle_read_annotations(const char *bundle, struct annotations *ret, struct error *err)
{
	cleanup(annotations_free) struct annotations annotations = { 0 };
	struct found_annotations found = { .list = &annotations };
	int r = scan_config(bundle, find_annotation, &found, err);

	if (r < 0)
		return r;
	*ret = annotations;
	annotations = (struct annotations){ 0 };
	return 0;
}
