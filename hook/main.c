// SPDX-License-Identifier: MIT
/*
 * oci-macvlan-hook: the program that container runtimes call. It finds out what is asked of it and
 * says how it went; attach.c and detach.c do the work.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "hook/attach.h"
#include "hook/detach.h"
#include "hook/dhcp.h"
#include "hook/host.h"
#include "hook/log.h"
#include "schema/bundle.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/state.h"

/* How long everything may take: less than any runtime's patience, and most have no limit. */
#define DEADLINE_MS 30000

enum { EXIT_FAILED = 1, EXIT_MISUSE = 2 };

enum stage {
	STAGE_ATTACH, /* createRuntime, and its predecessor prestart */
	STAGE_DETACH, /* poststop */
};

struct arguments {
	const char *etc;
	const char *run;
	unsigned n_networks;
	const char *networks[SELECTIONS_MAX];
	enum stage stage;
	const char *stage_name;
};

static const struct {
	const char *name;
	enum stage stage;
} stages[] = {
	{ "createRuntime", STAGE_ATTACH },
	{ "prestart", STAGE_ATTACH },
	{ "poststop", STAGE_DETACH },
};

static void print_usage(FILE *to)
{
	fputs("usage: oci-macvlan-hook [--etc DIR] [--run DIR] [--network SELECTION]... STAGE\n"
	      "  STAGE is createRuntime, prestart or poststop. Container runtimes call this program\n"
	      "  and write the OCI state to its stdin; by hand: runc state ID | oci-macvlan-hook "
	      "poststop\n",
		to);
}

static int misuse(const char *why, const char *what)
{
	fprintf(stderr, "oci-macvlan-hook: %s%s\n", why, what);
	print_usage(stderr);
	return EXIT_MISUSE;
}

static int read_stage(const char *name, struct arguments *ret)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (!strcmp(stages[i].name, name)) {
			ret->stage = stages[i].stage;
			ret->stage_name = name;
			return 0;
		}
	return misuse("unknown stage: ", name);
}

static int read_arguments(int argc, char *argv[], struct arguments *ret)
{
	static const struct option options[] = {
		{ "etc", required_argument, NULL, 'e' },
		{ "run", required_argument, NULL, 'r' },
		{ "network", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'e')
			ret->etc = optarg;
		else if (option == 'r')
			ret->run = optarg;
		else if (option != 'n')
			return misuse("unknown option, or one without its value: ",
				argv[optind > 1 ? optind - 1 : 1]);
		else if (ret->n_networks == SELECTIONS_MAX)
			return misuse("too many networks, with --network ", optarg);
		else
			ret->networks[ret->n_networks++] = optarg;
	}
	if (argc - optind != 1)
		return misuse(
			argc == optind ? "no stage is given" : "more than one stage is given", "");
	return read_stage(argv[optind], ret);
}

/* crun blocks every signal, umask may be 0, and containerd leaks descriptors into its hooks. */
static void settle_process(void)
{
	/* Where one of 0 to 2 is closed, a file of ours would take its place, and our messages. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDWR | O_CLOEXEC);
	deadline_start(DEADLINE_MS);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	umask(077);
	syscall(SYS_close_range, 3U, ~0U, 0U);
}

/* Docker 20.10 says no annotations in its state; then they are in config.json, if anywhere. An
 * injector that names the networks itself does not depend on what config.json holds.
 */
static int find_annotations(
	const struct arguments *arguments, struct state *state, struct error *err)
{
	int r;

	if (state->has_annotations || !state->bundle)
		return 0;
	r = bundle_read_annotations(state->bundle, &state->annotations, err);
	if (r < 0 && r != -ENOENT && arguments->n_networks > 0) {
		log_notice("container '%s': no annotations: %s", state->id, err->text);
		return 0;
	}
	return r == -ENOENT ? 0 : r;
}

/* The annotation, else the arguments; none: the container is not ours. */
static int find_selections(const struct arguments *arguments, const struct state *state,
	struct selections *ret, struct error *err)
{
	const char *text = state->annotations.networks;
	int r = 0;

	if (text) {
		r = selections_add(ret, text, err);
		if (r < 0)
			return error_prefix(err, "annotation io.oci-macvlan.networks");
	}
	for (unsigned i = 0; !text && i < arguments->n_networks; i++) {
		r = selections_add(ret, arguments->networks[i], err);
		if (r < 0)
			return error_prefix(err, "--network '%s'", arguments->networks[i]);
	}
	return ret->n > 0 ? selections_apply(ret, &state->annotations, err) : 0;
}

static int run_attach(const struct arguments *arguments, struct state *state, struct host *host,
	struct error *err)
{
	struct error incapable;
	struct selections selections; /* its list is long, and not cleared */
	struct attach_request request = {
		.id = state->id,
		.name = NULL,
		.bundle = state->bundle,
		.pid = state->pid,
		.selections = &selections,
	};
	int r;

	selections.n = 0;
	r = find_annotations(arguments, state, err);
	if (r == 0)
		r = find_selections(arguments, state, &selections, err);
	if (r < 0 || selections.n == 0)
		return r;
	request.name = state->annotations.name;
	if (state->pid == 0)
		return error_set(err, -EINVAL,
			"the state on stdin has no pid: is this hook called at createRuntime or "
			"prestart?");
	r = host_refuse_rootless(err);
	if (r < 0)
		return r;
	r = host_open(arguments->etc, arguments->run, true, host, err);
	if (r == 0)
		r = attach(host, &request, err);
	/* Looked up only now, as it says more than EPERM. */
	if (r < 0 && host_check_capable(&incapable) < 0)
		*err = incapable;
	return r;
}

static int run_detach(const struct arguments *arguments, const struct state *state,
	struct host *host, struct error *err)
{
	bool rootless = false;
	int r = host_is_rootless(&rootless, err);

	/* Whoever may never attach has nothing to detach, and need not be told. */
	if (r < 0 || rootless)
		return r;
	r = host_open(arguments->etc, arguments->run, false, host, err);
	if (r == -ENOENT)
		return 0;
	return r == 0 ? detach_poststop(host, state->id, err) : r;
}

static int run(const struct arguments *arguments, struct host *host, struct error *err)
{
	cleanup(state_free) struct state state = { 0 };
	autofree char *text = NULL;
	size_t size = 0;
	int r = file_drain(STDIN_FILENO, STATE_SIZE_MAX, &text, &size, err);

	if (r < 0)
		return error_prefix(err, "%s: state on stdin", arguments->stage_name);
	if (size == 0)
		return error_set(err, -EINVAL,
			"%s: stdin is empty, where a container runtime writes the OCI state",
			arguments->stage_name);
	if (arguments->stage == STAGE_ATTACH)
		r = state_parse(text, size, &state, err);
	else
		r = state_parse_id(text, size, &state, err);
	if (r < 0)
		return error_prefix(err, "%s", arguments->stage_name);
	r = arguments->stage == STAGE_ATTACH ? run_attach(arguments, &state, host, err)
					     : run_detach(arguments, &state, host, err);
	return r < 0 ? error_prefix(err, "%s of container '%s'", arguments->stage_name, state.id)
		     : 0;
}

/* RUN may not have been opened when it failed; there it is where people look for errors. */
static void keep_error(const struct arguments *arguments, struct host *host, const char *text)
{
	if (host->store.dir < 0)
		store_open(arguments->run, false, &host->store, NULL);
	log_error(&host->store, text);
}

int main(int argc, char *argv[])
{
	struct arguments arguments = { .etc = HOST_ETC_DEFAULT, .run = HOST_RUN_DEFAULT };
	/* Open until the process ends: then the kernel closes all of it, faster than we could. */
	static struct host host = { .store = STORE_CLOSED, .nl = NL_CLOSED };
	struct error err = { 0 };
	int misused;

	if (dhcp_event_is(argc, argv))
		return dhcp_event(argv);
	settle_process();
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	misused = read_arguments(argc, argv, &arguments);
	if (misused)
		return misused;
	if (isatty(STDIN_FILENO))
		return misuse(
			"stdin is a terminal, where a container runtime writes the OCI state", "");
	if (run(&arguments, &host, &err) == 0)
		return EXIT_SUCCESS;
	keep_error(&arguments, &host, err.text);
	fprintf(stderr, "oci-macvlan-hook: %s\n", err.text);
	return EXIT_FAILED;
}
