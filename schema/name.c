// SPDX-License-Identifier: MIT
/*
 * Which names are safe: each of these becomes a file name or a link's target.
 */
#include "schema/name.h"

#include <stdbool.h>
#include <string.h>

#include "schema/error.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* [A-Za-z0-9][A-Za-z0-9_.-]*, as Docker and podman have it for names. */
static int check_word(const char *name, size_t max, const char *what, struct error *err)
{
	size_t length = strlen(name);

	if (length == 0)
		return error_set(err, -EINVAL, "%s is empty", what);
	if (length > max)
		return error_set(err, -ENAMETOOLONG, "%s '%.32s...' is longer than %zu characters",
			what, name, max);
	for (size_t i = 0; i < length; i++)
		if (!is_alnum(name[i]) && (i == 0 || !strchr("_.-", name[i])))
			return error_set(err, -EINVAL,
				"%s '%s' is not valid: letters, digits, '_', '.' and '-', "
				"beginning with a letter or digit",
				what, name);
	return 0;
}

/**
 * name_check_container_id() - may this be a container's id
 * @id:  as the runtime says it
 * @err: filled on failure
 *
 * Runtimes differ in what they allow; we need a file name that prints: no '/', no blanks, ASCII.
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_container_id(const char *id, struct error *err)
{
	size_t length = strlen(id);

	if (length == 0)
		return error_set(err, -EINVAL, "container id is empty");
	if (length > CONTAINER_ID_MAX)
		return error_set(err, -ENAMETOOLONG,
			"container id '%.32s...' is longer than %d characters", id,
			CONTAINER_ID_MAX);
	if (!strcmp(id, ".") || !strcmp(id, ".."))
		return error_set(
			err, -EINVAL, "container id '%s' is not valid: it names a folder", id);
	for (const char *c = id; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '/')
			return error_set(err, -EINVAL,
				"container id '%s' is not valid: printable ASCII without '/' and "
				"blanks",
				id);
	return 0;
}

/**
 * name_check_container_name() - may this be a container's name (io.oci-macvlan.name)
 * @name: as the annotation says it
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_container_name(const char *name, struct error *err)
{
	return check_word(name, CONTAINER_NAME_MAX, "container name", err);
}

/**
 * name_check_network() - may this be a network's name
 * @name: the name
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_network(const char *name, struct error *err)
{
	return check_word(name, NETWORK_NAME_MAX, "network name", err);
}

static int check_interface(const char *name, size_t max, struct error *err)
{
	size_t length = strlen(name);

	if (length == 0)
		return error_set(err, -EINVAL, "interface name is empty");
	if (length > max)
		return error_set(err, -ENAMETOOLONG,
			"interface name '%.32s' is longer than %zu characters", name, max);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return error_set(err, -EINVAL, "interface name '%s' is not valid", name);
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '/' || *c == ':' || *c == '%')
			return error_set(err, -EINVAL,
				"interface name '%s' is not valid: no '/', ':', '%%' or blanks",
				name);
	return 0;
}

/**
 * name_check_interface() - may this be an interface's name
 * @name: the name
 * @err:  filled on failure
 *
 * The kernel's rule (dev_valid_name() in net/core/dev.c: no '/', ':' or blanks, not "." or ".."),
 * and printable ASCII only, because it is shown in logs.
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_interface(const char *name, struct error *err)
{
	return check_interface(name, INTERFACE_NAME_MAX, err);
}

/**
 * name_check_parent() - may this be what a network calls its parent
 * @name: a name, or an alternative name, which may be longer
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_parent(const char *name, struct error *err)
{
	return check_interface(name, PARENT_NAME_MAX, err);
}

/**
 * name_check_hostname() - may this be what a machine says that it is called
 * @name: the name
 * @err:  filled on failure
 *
 * RFC 952 and 1123, and as long as one label.
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG.
 */
int name_check_hostname(const char *name, struct error *err)
{
	size_t length = strlen(name);

	if (length == 0)
		return error_set(err, -EINVAL, "host name is empty");
	if (length > HOSTNAME_MAX)
		return error_set(err, -ENAMETOOLONG,
			"host name '%.32s...' is longer than %d characters", name, HOSTNAME_MAX);
	for (size_t i = 0; i < length; i++) {
		bool is_inside = i > 0 && i + 1 < length;

		if (!is_alnum(name[i]) && !(is_inside && (name[i] == '-' || name[i] == '.')))
			return error_set(err, -EINVAL,
				"host name '%s' is not valid: letters, digits, '-' and '.', with a "
				"letter or digit at both ends",
				name);
	}
	return 0;
}
