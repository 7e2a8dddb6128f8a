// SPDX-License-Identifier: MIT
/*
 * Addresses from CNI IPAM plugins, by the CNI specification 1.0.0, section 4 ("Plugin delegation").
 *
 * The record has all that a plugin is run with before ADD is: so DEL is run with the same whatever
 * happens in between, as often as it takes, and a plugin must bear with that. What ADD has answered
 * is checked by cni_read_result() for what it is, and by ipam_check_given() for whether it may be
 * used in the network.
 */
#include "ipam/delegate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipam/delegate_run.h"
#include "schema/cleanup.h"
#include "schema/cni.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/text.h"
#include "schema/trust.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Where plugins are; the last is ours. */
#define FOLDERS "/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni:" OCI_MACVLAN_LIBEXEC
#define VARIABLES_MAX 8

/* "/opt/cni/bin:/usr/lib/cni", which is CNI_PATH. */
static char *join_folders(const struct json *folders)
{
	size_t size = 1;
	char *path;
	char *to;

	if (!folders)
		return strdup(FOLDERS);
	json_for_each (folder, folders)
		size += strlen(folder->text) + 1;
	path = malloc(size);
	if (!path)
		return NULL;
	to = path;
	json_for_each (folder, folders)
		to = stpcpy(stpcpy(to, to == path ? "" : ":"), folder->text);
	return path;
}

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* The name has no slash (name_check_network()). */
static int find_in(const char *path, const char *name, char **ret, struct error *err)
{
	for (const char *folder = path; *folder;) {
		size_t length = strcspn(folder, ":");
		autofree char *program = NULL;

		if (asprintf(&program, "%.*s/%s", (int)length, folder, name) < 0) {
			program = NULL;
			return error_set(err, -ENOMEM, "out of memory");
		}
		if (is_program(program)) {
			*ret = program;
			program = NULL;
			return 0;
		}
		folder += length + (folder[length] == ':');
	}
	return error_set(err, -ENOENT,
		"IPAM plugin '%s' is in none of the folders %s: install it (Debian has those of "
		"the CNI project in containernetworking-plugins), or name its folder in ipam.path",
		name, path);
}

/* Fails where the first that is there is not root's alone: it is run as root. */
static int find(const struct network *network, char **ret, char **ret_path, struct error *err)
{
	autofree char *path = join_folders(network->plugin.path);
	autofree char *program = NULL;
	int r;

	if (!path)
		return error_set(err, -ENOMEM, "out of memory");
	r = find_in(path, network->plugin.name, &program, err);
	if (r < 0)
		return r;
	r = trust_check_program(program, err);
	if (r < 0) {
		error_prefix(err, "IPAM plugin '%s' is not run", network->plugin.name);
		return r;
	}
	*ret = program;
	*ret_path = path;
	program = NULL;
	path = NULL;
	return 0;
}

/**
 * delegate_find() - find the program of a network's plugin
 * @network: the network
 * @ret:     its path; the caller frees it
 * @err:     filled on failure: with the folders, and what to do
 *
 * Return: 0; -ENOENT; -EPERM: others could change the program, or put another one in its place;
 * -ENOMEM.
 */
int delegate_find(const struct network *network, char **ret, struct error *err)
{
	autofree char *path = NULL;

	return find(network, ret, &path, err);
}

/**
 * delegate_plan() - settle what a network's plugin will be run with; nothing is run
 * @network:   the network
 * @selection: what is asked for
 * @ret:       for record_set_plugin(); the caller frees it
 * @err:       filled on failure
 *
 * What a record names already is run for DEL and CHECK without this judgement: what was given has
 * to come back.
 *
 * Return: 0; -ENOENT: there is no such program; -EPERM: others could change it, or put another one
 * in its place; -E2BIG; -ENOMEM.
 */
int delegate_plan(const struct network *network, const struct selection *selection,
	struct json_doc **ret, struct error *err)
{
	autofree char *program = NULL;
	autofree char *path = NULL;
	int r = find(network, &program, &path, err);

	return r == 0 ? cni_format_plugin(network, selection, program, path, ret, err) : r;
}

/**
 * delegate_is_gone() - was the plugin of an endpoint uninstalled
 * @endpoint: the endpoint, which has one
 *
 * Return: false also where one cannot tell: then running it says why.
 */
bool delegate_is_gone(const struct record_endpoint *endpoint)
{
	struct stat status;

	return stat(endpoint->plugin.program, &status) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void free_environment(char *(*environment)[VARIABLES_MAX])
{
	for (unsigned i = 0; i < VARIABLES_MAX; i++)
		free((*environment)[i]);
}

/* All that a plugin has, beside its stdin. */
static int make_environment(const struct delegate *delegate, const char *command, pid_t pid,
	char *ret[VARIABLES_MAX], struct error *err)
{
	const struct record_plugin *plugin = &delegate->endpoint->plugin;
	char netns[40] = "";
	char id[CNI_ID_MAX];
	unsigned n = 0;
	const char *const values[][2] = { { "CNI_COMMAND=", command },
		{ "CNI_CONTAINERID=", cni_id(delegate->id, id) }, { "CNI_NETNS=", netns },
		{ "CNI_IFNAME=", delegate->endpoint->interface }, { "CNI_ARGS=", plugin->args },
		{ "CNI_PATH=", plugin->path }, { PATH, "" } };

	if (pid > 0)
		snprintf(netns, sizeof(netns), "/proc/%d/ns/net", (int)pid);
	for (; n < sizeof(values) / sizeof(values[0]); n++)
		if (asprintf(&ret[n], "%s%s", values[n][0], values[n][1]) < 0) {
			ret[n] = NULL;
			return error_set(err, -ENOMEM, "out of memory");
		}
	return 0;
}

/* What it said where it gave no error object. */
static int report_ending(const struct delegate_output *output, struct error *err)
{
	const char *said = output->said_size ? output->said : output->text;
	bool is_killed = WIFSIGNALED(output->status);

	return error_set(err, is_killed ? -ECANCELED : -EREMOTEIO, "it %s %d%s%.*s",
		is_killed ? "was killed by signal" : "ended with status",
		is_killed ? WTERMSIG(output->status) : WEXITSTATUS(output->status),
		*said ? ", and said: " : ", and did not say why", DELEGATE_SAID_MAX, said);
}

/* Fails where it failed. An answer that is no JSON is none: DEL and CHECK need not give one. */
static int judge(
	const struct delegate_output *output, struct json_doc **ret_answer, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	bool is_success = WIFEXITED(output->status) && WEXITSTATUS(output->status) == 0;
	int r = json_parse(output->text, output->size, &doc, err);

	if (r == 0 && cni_read_error(json_root(doc), err))
		return err ? err->code : -EREMOTEIO;
	if (!is_success)
		return report_ending(output, err);
	if (!ret_answer)
		return 0;
	if (r < 0)
		return error_prefix(err, "its answer is not JSON");
	*ret_answer = doc;
	doc = NULL;
	return 0;
}

static int run(const struct delegate *delegate, const char *command, pid_t pid,
	struct json_doc **ret_answer, struct error *err)
{
	char *environment[VARIABLES_MAX] cleanup(free_environment) = { NULL };
	autofree struct delegate_output *output = malloc(sizeof(*output));
	autofree char *input = NULL;
	struct delegate_call call = {
		.program = delegate->endpoint->plugin.program,
		.environment = environment,
		.home = delegate->home,
	};
	int r = output ? 0 : error_set(err, -ENOMEM, "out of memory");

	if (r == 0)
		r = make_environment(delegate, command, pid, environment, err);
	if (r == 0)
		r = cni_format_config(delegate->endpoint, strcmp(command, "ADD") != 0, &input, err);
	call.input = input;
	if (r == 0)
		r = delegate_run(&call, output, err);
	return r == 0 ? judge(output, ret_answer, err) : r;
}

static int in_plugin(const struct delegate *delegate, const char *command, int r, struct error *err)
{
	if (r < 0)
		error_prefix(err, "IPAM plugin '%s': %s failed", delegate->endpoint->plugin.program,
			command);
	return r;
}

/**
 * delegate_add() - have an endpoint's plugin give it addresses
 * @delegate:   the endpoint; its record says so already
 * @pid:        the container's init
 * @ret_answer: what the plugin has answered, the caller frees it
 * @ret:        what that means
 * @err:        filled on failure; delegate_del() is needed all the same
 *
 * Return: 0; -EREMOTEIO: the plugin failed; -ECANCELED: somebody killed it; -ETIME: it did not end
 * in time; what delegate_run() and cni_read_result() gave.
 */
int delegate_add(const struct delegate *delegate, pid_t pid, struct json_doc **ret_answer,
	struct ip_config *ret, struct error *err)
{
	cleanup(json_free) struct json_doc *answer = NULL;
	int r = run(delegate, "ADD", pid, &answer, err);

	if (r < 0)
		return in_plugin(delegate, "ADD", r, err);
	r = cni_read_result(json_root(answer), ret, err);
	if (r < 0) {
		error_prefix(err, "IPAM plugin '%s': its answer is not usable",
			delegate->endpoint->plugin.program);
		return r;
	}
	*ret_answer = answer;
	answer = NULL;
	return 0;
}

/**
 * delegate_del() - give back to the plugin what it has given an endpoint, if anything
 * @delegate: the endpoint
 * @err:      filled on failure
 *
 * Return: 0, also when it is given back already; or as delegate_add().
 */
int delegate_del(const struct delegate *delegate, struct error *err)
{
	return in_plugin(delegate, "DEL", run(delegate, "DEL", 0, NULL, err), err);
}

/**
 * delegate_check() - ask the plugin whether an endpoint has what it was given
 * @delegate: the endpoint
 * @pid:      the container's init
 * @err:      filled on failure
 *
 * Return: 0, or as delegate_add().
 */
int delegate_check(const struct delegate *delegate, pid_t pid, struct error *err)
{
	if (!cni_has_previous(delegate->endpoint->plugin.result))
		return 0;
	return in_plugin(delegate, "CHECK", run(delegate, "CHECK", pid, NULL, err), err);
}
