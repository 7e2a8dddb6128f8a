// SPDX-License-Identifier: MIT
/*
 * Where podman looks for hooks: hooks_dir of containers.conf(5), else its own two folders. Of TOML
 * this knows what that key needs, "hooks_dir = [ "/A", "/B" ]" over one line or more, and passes
 * over the rest.
 */
#include "hook/cli/podman_conf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"
#include "schema/cleanup.h"

#define CONF_MAX ((size_t)1024 * 1024)
#define KEY "hooks_dir"
#define BLANKS " \t\r\n"

/* The folders in a list that begins behind '[': strings in quotes, and comments. */
static void read_list(const char *text, struct podman_folders *folders)
{
	for (; *text && *text != ']'; text++) {
		size_t length;

		if (*text == '#') {
			text += strcspn(text, "\n") - 1;
			continue;
		}
		if (*text != '"' && *text != '\'')
			continue;
		length = strcspn(text + 1, *text == '"' ? "\"\n" : "'\n");
		if (length > 0 && folders->n < PODMAN_FOLDERS_MAX)
			snprintf(folders->paths[folders->n++], PATH_MAX, "%.*s",
				(int)(length < PATH_MAX ? length : PATH_MAX - 1), text + 1);
		text += length + 1;
		if (!*text)
			break;
	}
}

/* Behind the '[' of the line that sets the key, or NULL. */
static const char *find_list(const char *text)
{
	for (; text; text = strchr(text, '\n')) {
		text += strspn(text, BLANKS);
		if (strncmp(text, KEY, strlen(KEY)) != 0)
			continue;
		text += strlen(KEY);
		text += strspn(text, " \t");
		if (*text != '=')
			continue;
		text += 1 + strspn(text + 1, " \t");
		if (*text == '[')
			return text + 1;
	}
	return NULL;
}

/**
 * podman_conf_read() - find the folders where podman looks for hooks
 * @ret: the folders; those that are too many are left out
 */
void podman_conf_read(struct podman_folders *ret)
{
	/* The first that sets it. */
	static const char *const files[] = { "/etc/containers/containers.conf",
		"/usr/share/containers/containers.conf" };
	static const char *const own[] = { "/usr/share/containers/oci/hooks.d",
		"/etc/containers/oci/hooks.d" };

	ret->n = 0;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		autofree char *text = NULL;
		const char *list;
		size_t size;

		if (check_load(files[i], CONF_MAX, &text, &size, NULL) < 0)
			continue;
		list = find_list(text);
		if (list) {
			read_list(list, ret);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		snprintf(ret->paths[ret->n++], PATH_MAX, "%s", own[i]);
}
