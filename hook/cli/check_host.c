// SPDX-License-Identifier: MIT
/*
 * Checks of the machine: who we are, what the kernel can, and which runtime hides what the hook
 * says.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "hook/cli/check.h"
#include "hook/cli/cli.h"
#include "schema/cleanup.h"
#include "schema/error.h"

#define MODULES_MAX ((size_t)16 * 1024 * 1024)

/**
 * check_rights() - can macvlans be made from here, and all be seen
 * @check: the check
 */
void check_rights(struct check *check)
{
	struct error err;

	if (host_refuse_rootless(&err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
	else if (geteuid() != 0)
		check_say(check, CHECK_NOTE,
			"not run as root: containers, claims and the hook's errors in '%s' are not "
			"looked at; 'sudo oci-macvlan check' does",
			check->cli->run);
}

/* Lists of the kernel's modules name files: kernel/drivers/net/macvlan.ko, or .ko.xz. */
static bool is_listed(const char *module, const char *list, bool *ret_known)
{
	autofree char *text = NULL;
	struct utsname names = { 0 };
	char file[64];
	char path[256];
	size_t size;

	uname(&names);
	snprintf(path, sizeof(path), "/lib/modules/%.128s/%s", names.release, list);
	snprintf(file, sizeof(file), "/%s.ko", module);
	*ret_known = check_load(path, MODULES_MAX, &text, &size, NULL) == 0;
	return *ret_known && strstr(text, file);
}

/**
 * check_lacks_module() - is it sure that the kernel has a module neither built in nor installed
 * @module: its name
 *
 * Goes by the lists of modules alone: to ask the kernel for what the module does would load it. A
 * kernel without such lists (a virtual machine's) may well have it.
 *
 * Return: true when it is sure.
 */
bool check_lacks_module(const char *module)
{
	bool is_built_in_known;
	bool is_module_known;
	char path[64];
	bool found;

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	found = access(path, F_OK) == 0;
	found = is_listed(module, "modules.builtin", &is_built_in_known) || found;
	found = is_listed(module, "modules.dep", &is_module_known) || found;
	return !found && is_built_in_known && is_module_known;
}

/**
 * check_kernel() - has the kernel what is needed
 * @check: the check
 */
void check_kernel(struct check *check)
{
	struct utsname names = { 0 };
	struct error err;
	uint64_t cookie;

	uname(&names);
	if (nl_netns_cookie(&check->nl, &cookie, &err) < 0)
		check_say(check, CHECK_BROKEN, "kernel %s: %s", names.release, err.text);
	if (check_lacks_module("macvlan"))
		check_say(check, CHECK_BROKEN,
			"kernel %s: it has no macvlan, neither built in nor as a module in "
			"'/lib/modules/%s': install the package with the kernel's other modules",
			names.release, names.release);
}

/**
 * check_runtimes() - which installed runtime hides what the hook says
 * @check: the check
 */
void check_runtimes(struct check *check)
{
	static const char *const places[] = { "/usr/bin/crun", "/usr/local/bin/crun",
		"/usr/sbin/crun", "/usr/local/sbin/crun" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0) {
			check_say(check, CHECK_NOTE,
				"crun ('%s') shows only the exit code of a hook that fails: its "
				"reason is in '%s/errors', and shown here",
				places[i], check->cli->run);
			return;
		}
}
