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
#include "schema/text.h"

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

/* It is shown to people and put into the record, a label is handed to the kernel: no blanks. */
static int check_word(const char *text, const char *where, struct error *err)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL,
				"%s: '%s' has a blank, control or non-ASCII character", where,
				text);
	return 0;
}

/* A path: what it may hold is the file system's affair. */
static int check_path(const char *text, const char *where, struct error *err)
{
	return *text ? 0 : error_set(err, -EINVAL, "%s: is empty", where);
}

/* The strings that we look for. */
enum { HOSTNAME, ROOT, MOUNT_LABEL, N_WANTED };

static const struct wanted {
	const char *where; /* in messages */
	unsigned depth;
	const char *key[2];
	size_t max; /* bytes */
	int (*check)(const char *text, const char *where, struct error *err);
} wanted[N_WANTED] = {
	[HOSTNAME] = { "hostname", 1, { "hostname" }, BUNDLE_HOSTNAME_MAX, check_word },
	[ROOT] = { "root.path", 2, { "root", "path" }, PATH_MAX - 1, check_path },
	[MOUNT_LABEL] = { "linux.mountLabel", 2, { "linux", "mountLabel" }, BUNDLE_LABEL_MAX,
		check_word },
};

/* While a config.json is read: where each string goes, and which were there. */
struct found_strings {
	char *to[N_WANTED];
	bool found[N_WANTED];
};

static bool is_at(const struct json_path *path, const struct wanted *w)
{
	if (path->depth != w->depth)
		return false;
	for (unsigned i = 0; i < w->depth; i++)
		if (!path->key[i] || strcmp(path->key[i], w->key[i]) != 0)
			return false;
	return true;
}

static int find_string(void *arg, const struct json_path *path, enum json_type type,
	const char *text, struct error *err)
{
	struct found_strings *strings = arg;
	const struct wanted *w = wanted;
	int r;

	if (path->depth == 0 && type != JSON_OBJECT)
		return error_set(err, -EINVAL, "must be an object");
	while (w < wanted + N_WANTED && !is_at(path, w))
		w++;
	if (w == wanted + N_WANTED)
		return 0;
	if (type != JSON_STRING)
		return error_set(err, -EINVAL, "%s: must be a string", w->where);
	if (strings->found[w - wanted])
		return error_set(err, -EINVAL, "%s: is given twice", w->where);
	if (strlen(text) > w->max)
		return error_set(err, -EINVAL, "%s: has %zu bytes, at most %zu are allowed",
			w->where, strlen(text), w->max);
	r = w->check(text, w->where, err);
	if (r < 0)
		return r;
	strings->found[w - wanted] = true;
	strcpy(strings->to[w - wanted], text);
	return 0;
}

/**
 * bundle_read() - What we want to know of a container
 * @bundle:	path of the bundle
 * @ret:	what its config.json says
 * @err:	filled on failure
 *
 * Return: 0; -ENOENT: there is no config.json; -EINVAL: it cannot be understood; -ENAMETOOLONG;
 * -errno of open(2)
 */
int bundle_read(const char *bundle, struct bundle *ret, struct error *err)
{
	char hostname[BUNDLE_HOSTNAME_MAX + 1] = "";
	char mount_label[BUNDLE_LABEL_MAX + 1] = "";
	char root[PATH_MAX];
	struct found_strings strings = { .to = { hostname, root, mount_label } };
	const char *folder;
	/* To the end of the file, also when all was found: a second one is an error. */
	int r = scan_config(bundle, find_string, &strings, err);

	if (r < 0)
		return r;
	folder = strings.found[ROOT] && *root != '/' ? bundle : "";
	if (!strings.found[ROOT])
		*root = '\0';
	if (strlen(folder) + 1 + strlen(root) >= sizeof(ret->root))
		return error_set(
			err, -ENAMETOOLONG, "'%s/config.json': root.path: is too long", bundle);
	text_join(ret->root, sizeof(ret->root), folder, *folder ? "/" : "", root);
	strcpy(ret->hostname, hostname);
	strcpy(ret->mount_label, mount_label);
	return 0;
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
