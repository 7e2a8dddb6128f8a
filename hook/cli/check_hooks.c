// SPDX-License-Identifier: MIT
/*
 * Checks of the files that make an engine run the hook: podman's hooks.d (oci-hooks(5)) and CDI
 * specifications. podman passes over a hook whose program is missing without a word, and the
 * container starts with no network. Engines run as root what such a file names, whoever wrote it,
 * so it must be root's alone. What these files have for other hooks is not ours to judge.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/cli/check.h"
#include "hook/cli/podman_conf.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/trust.h"

#define PROGRAM "oci-macvlan-hook"
#define INJECTION_MAX ((size_t)1024 * 1024)

/* Some hooks of ours and the stages they run at. */
struct stages {
	bool attach;
	bool detach;
};

/* A file that is looked at. */
struct injection {
	struct check *check;
	const char *path;
	const char *unless;    /* what happens where the hook's program is missing */
	struct stages *stages; /* of all such files */
	bool *is_ours;	       /* set where the file names our hook */
};

static const struct json *member(const struct json *object, const char *key, enum json_type type)
{
	const struct json *value =
		object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return value && value->type == type ? value : NULL;
}

/* The path of a hook where its program is ours, else NULL. */
static const char *our_path(const struct json *hook)
{
	const struct json *path = member(hook, "path", JSON_STRING);
	const char *slash = path ? strrchr(path->text, '/') : NULL;

	return slash && !strcmp(slash + 1, PROGRAM) ? path->text : NULL;
}

static bool can_run(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* The last argument, which is the stage; "" where there is none. */
static const char *stage_of(const struct json *hook)
{
	const struct json *args = member(hook, "args", JSON_ARRAY);
	const char *last = "";
	unsigned n = 0;

	if (args)
		json_for_each (value, args) {
			last = n++ > 0 && value->type == JSON_STRING ? value->text : "";
		}
	return last;
}

static bool is_attach(const char *stage)
{
	return !strcmp(stage, "createRuntime") || !strcmp(stage, "prestart");
}

static void check_program(const struct injection *injection, const char *program)
{
	struct error err;

	if (!can_run(program))
		check_say(injection->check, CHECK_BROKEN,
			"'%s': there is no program '%s': %s: install it there, or correct the path",
			injection->path, program, injection->unless);
	else if (trust_check_program(program, &err) < 0)
		check_say(injection->check, CHECK_BROKEN, "'%s': the hook's program: %s",
			injection->path, err.text);
}

/* A hook of ours, and the stage that the engine runs it at. */
static void check_hook(const struct injection *injection, const struct json *hook, const char *at,
	struct stages *stages)
{
	const struct json *timeout = member(hook, "timeout", JSON_NUMBER);
	const char *program = our_path(hook);
	const char *stage = stage_of(hook);

	check_program(injection, program);
	if (timeout && strtod(timeout->text, NULL) <= 0)
		check_say(injection->check, CHECK_BROKEN,
			"'%s': timeout is %s, with which runc fails at once: use 40",
			injection->path, timeout->text);
	if (is_attach(at) ? !is_attach(stage) : strcmp(at, stage) != 0)
		check_say(injection->check, CHECK_BROKEN,
			"'%s': the hook runs at %s, but its last argument is '%s': each stage "
			"needs an entry whose args end with its name",
			injection->path, at, stage);
	stages->attach |= is_attach(at);
	stages->detach |= !strcmp(at, "poststop");
}

/* WHERE is a file, or a part of one, or several: has it one stage and not the other? */
static void check_both(struct check *check, const char *where, const struct stages *stages)
{
	if (stages->attach && !stages->detach)
		check_say(check, CHECK_WARNING,
			"%s: the hook runs at createRuntime but not at poststop: addresses stay "
			"taken until 'oci-macvlan gc', or until somebody needs them: add poststop",
			where);
	if (stages->detach && !stages->attach)
		check_say(check, CHECK_BROKEN,
			"%s: the hook runs at poststop but not at createRuntime: containers start "
			"without their network: add createRuntime",
			where);
}

/* Reads a file that names our hook. Returns false where there is nothing to look at. */
static bool load(const struct injection *injection, struct json_doc **ret)
{
	autofree char *text = NULL;
	struct error err;
	size_t size;

	if (check_load(injection->path, INJECTION_MAX, &text, &size, &err) < 0) {
		if (strstr(injection->path, "oci-macvlan"))
			check_say(injection->check, CHECK_BROKEN, "%s", err.text);
		return false;
	}
	if (!memmem(text, size, PROGRAM, strlen(PROGRAM)))
		return false;
	*injection->is_ours = true;
	if (trust_check_file(injection->path, &err) < 0)
		check_say(injection->check, CHECK_BROKEN, "%s", err.text);
	if (json_parse(text, size, ret, &err) == 0)
		return true;
	check_say(injection->check, CHECK_BROKEN,
		"'%s': %s: containers do not start, or without their network: correct it",
		injection->path, err.text);
	return false;
}

static void check_podman_file(const struct injection *injection)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	const struct json *list;
	const struct json *hook;

	if (!load(injection, &doc))
		return;
	hook = member(json_root(doc), "hook", JSON_OBJECT);
	list = member(json_root(doc), "stages", JSON_ARRAY);
	if (!hook || !our_path(hook))
		return;
	if (!list || !list->child) {
		check_say(injection->check, CHECK_BROKEN,
			"'%s': it has no stages: podman starts no container: add them",
			injection->path);
		return;
	}
	json_for_each (stage, list)
		if (stage->type == JSON_STRING)
			check_hook(injection, hook, stage->text, injection->stages);
}

/* The hooks of one containerEdits of a CDI specification. */
static void check_edits(
	const struct injection *injection, const struct json *of, struct stages *stages)
{
	const struct json *edits = member(of, "containerEdits", JSON_OBJECT);
	const struct json *hooks = member(edits, "hooks", JSON_ARRAY);

	if (!hooks)
		return;
	json_for_each (hook, hooks) {
		const struct json *name = member(hook, "hookName", JSON_STRING);

		if (name && our_path(hook))
			check_hook(injection, hook, name->text, stages);
	}
}

/* Each device has its own hooks, and those of the whole file. */
static void check_cdi_file(const struct injection *injection)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	struct stages all = { 0 };
	const struct json *devices;
	char where[PATH_MAX + 64];

	if (!load(injection, &doc))
		return;
	check_edits(injection, json_root(doc), &all);
	devices = member(json_root(doc), "devices", JSON_ARRAY);
	if (!devices)
		return;
	json_for_each (device, devices) {
		const struct json *name = member(device, "name", JSON_STRING);
		struct stages stages = all;

		check_edits(injection, device, &stages);
		injection->stages->attach |= stages.attach;
		injection->stages->detach |= stages.detach;
		snprintf(where, sizeof(where), "'%s', device '%.48s'", injection->path,
			name ? name->text : "");
		check_both(injection->check, where, &stages);
	}
}

static int is_json_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot > entry->d_name && !strcmp(dot, ".json");
}

/* Whoever writes to the folder adds hooks to containers. Once, and where there are hooks of ours.
 */
static void check_folder(struct check *check, const char *folder)
{
	autoclose int fd = -1;
	struct error err;

	if (trust_open_folder(AT_FDCWD, folder, &fd, &err) < 0)
		check_say(check, CHECK_BROKEN, "hooks: %s", err.text);
}

/* Calls the function for each file of a folder, in the order of their names. */
static void each_file(const char *folder, const struct injection *like,
	void (*look)(const struct injection *injection))
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_json_file, alphasort);
	bool is_ours = false;

	for (int i = 0; i < n; i++) {
		struct injection injection = *like;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		injection.path = path;
		injection.is_ours = &is_ours;
		look(&injection);
		free(entries[i]);
	}
	free((void *)entries);
	if (is_ours)
		check_folder(like->check, folder);
}

/* podman with no way to our hook at all, which is easily a file in the wrong folder. */
static void check_podman_has(
	struct check *check, const struct podman_folders *folders, const struct stages *stages)
{
	static const char *const places[] = { "/usr/bin/podman", "/usr/local/bin/podman" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (stages->attach || stages->detach || access(places[i], X_OK) < 0)
			continue;
		check_say(check, CHECK_NOTE,
			"podman ('%s') has no hook of ours in '%s', nor a CDI specification: its "
			"containers get no network of ours: copy the files of examples/podman there",
			places[i], folders->n ? folders->paths[0] : "hooks_dir");
		return;
	}
}

/**
 * check_hooks() - check podman's hooks and the CDI specifications that are ours
 * @check: the check
 *
 * Hooks that a config.json has are its author's, and not looked for; nor are folders that only
 * podman's command line names.
 */
void check_hooks(struct check *check)
{
	static const char *const cdi[] = { "/etc/cdi", "/var/run/cdi" };
	struct podman_folders folders;
	struct stages stages = { 0 };
	struct stages any;
	const struct injection of_podman = { .check = check,
		.unless = "podman starts containers without their network, and does not say so",
		.stages = &stages };
	const struct injection of_cdi = {
		.check = check, .unless = "containers with this device do not start", .stages = &any
	};

	podman_conf_read(&folders);
	for (unsigned i = 0; i < folders.n; i++)
		each_file(folders.paths[i], &of_podman, check_podman_file);
	check_both(check, "podman's hooks", &stages);
	any = stages;
	for (size_t i = 0; i < sizeof(cdi) / sizeof(cdi[0]); i++)
		each_file(cdi[i], &of_cdi, check_cdi_file);
	check_podman_has(check, &folders, &any);
}
