// SPDX-License-Identifier: MIT
/*
 * oci-macvlan, the admin program: finds the command, runs it, and says what went wrong. Exit
 * status: 0 done, 1 failed, 2 misuse.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hook/cli/cli.h"
#include "schema/error.h"

#define EXIT_FAILED 1
#define EXIT_MISUSE 2

static int not_supported(struct cli *cli, struct error *err)
{
	(void)cli;
	return error_set(err, -EOPNOTSUPP, "not supported yet");
}

/* A line break in the arguments is one in the usage. */
static const struct command commands[] = {
	{ "network create",
		"[-d macvlan] [--subnet CIDR]... [--gateway IP]...\n"
		"[--ip-range CIDR]... [--aux-address NAME=IP]... [-o KEY=VALUE]...\n"
		"[--ipv6] [--internal] [--label K=V]... [--ipam-driver D]\n"
		"[--ipam-opt K=V]... NAME",
		"check a network against the host, and define it", 1, 1, cli_network_create },
	{ "network ls", "[-q] [--format table|json]", "list the networks", 0, 0, cli_network_ls },
	{ "network inspect", "NAME...", "show networks as JSON, as docker does", 1,
		CLI_OPERANDS_ANY, cli_network_inspect },
	{ "network rm", "[-f] NAME...", "remove networks; -f: detach their containers first", 1,
		CLI_OPERANDS_ANY, cli_network_rm },
	{ "connect",
		"NETWORK CONTAINER --pid PID [--ip A] [--ip6 A]\n"
		"[--mac-address M] [--interface I]",
		"attach a running container (not supported yet)", 0, CLI_OPERANDS_ANY,
		not_supported },
	{ "disconnect", "NETWORK CONTAINER", "detach a running container (not supported yet)", 0,
		CLI_OPERANDS_ANY, not_supported },
	{ "ps", "[--format table|json]", "list the endpoints of containers", 0, 0, cli_ps },
	{ "gc", "[--dry-run]", "free what dead containers left, and say why", 0, 0, cli_gc },
	{ "check", "[NETWORK...]", "say what would stop an attach, or surprise", 0,
		CLI_OPERANDS_ANY, cli_check },
	{ "repair", "[CONTAINER...]", "re-create lost endpoints (not supported yet)", 0,
		CLI_OPERANDS_ANY, not_supported },
	{ "hooks", "runc|podman|cdi|containerd",
		"print a runtime's injection file (not supported yet)", 0, CLI_OPERANDS_ANY,
		not_supported },
	{ "version", "", "show the versions of program and kernel features", 0, 0, cli_version },
	{ "help", "[COMMAND]", "show this, or one command", 0, CLI_OPERANDS_ANY, cli_help },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_command(FILE *to, const struct command *command)
{
	const char *line = command->arguments;

	fprintf(to, "  %s%s", command->name, *line ? " " : "");
	for (; *line; line++) {
		fputc(*line, to);
		if (*line == '\n')
			fputs("          ", to);
	}
	fprintf(to, "\n      %s\n", command->does);
}

/* The usage of one command, or of all where it is NULL. */
static void print_usage(FILE *to, const struct command *command)
{
	fputs("usage: oci-macvlan [--etc DIR] [--run DIR] COMMAND\n", to);
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!command || command == &commands[i])
			print_command(to, &commands[i]);
	if (!command)
		fputs("  --version, --help\n"
		      "DIR: --etc has the networks (" HOST_ETC_DEFAULT
		      "), --run the state (" HOST_RUN_DEFAULT ")\n",
			to);
}

/* The command that the first words name, and how many words that are; NULL: none. */
static const struct command *find_command(int argc, char *const argv[], int *ret_words)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const char *name = commands[i].name;
		size_t first = strcspn(name, " ");

		if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], name, first) != 0)
			continue;
		*ret_words = name[first] ? 2 : 1;
		if (!name[first] || (argc > 1 && !strcmp(argv[1], name + first + 1)))
			return &commands[i];
	}
	return NULL;
}

/**
 * cli_help() - the command help
 * @cli: its arguments: none, or the words of a command
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse.
 */
int cli_help(struct cli *cli, struct error *err)
{
	const struct command *command;
	int words = 0;

	command = find_command(cli->argc, cli->argv, &words);
	if (cli->argc > 0 && (!command || words != cli->argc)) {
		cli->misuse = true;
		return error_set(err, -EINVAL, "there is no command '%s%s%s'", cli->argv[0],
			cli->argc > 1 ? " " : "", cli->argc > 1 ? cli->argv[1] : "");
	}
	print_usage(stdout, command);
	return 0;
}

/* --etc DIR, --etc=DIR: returns DIR and moves on behind it. */
static const char *take_dir(const char *option, int *argc, char ***argv)
{
	size_t length = strlen(option);
	const char *dir;

	if (strncmp((*argv)[0], option, length) != 0)
		return NULL;
	if ((*argv)[0][length] == '=')
		dir = (*argv)[0] + length + 1;
	else if (!(*argv)[0][length] && *argc > 1) {
		dir = (*argv)[1];
		++*argv;
		--*argc;
	} else
		return NULL;
	++*argv;
	--*argc;
	return dir;
}

/* Reads what stands before the command. */
static int parse_globals(struct cli *cli, struct error *err)
{
	while (cli->argc > 0 && cli->argv[0][0] == '-') {
		const char *etc = take_dir("--etc", &cli->argc, &cli->argv);
		const char *run = etc ? NULL : take_dir("--run", &cli->argc, &cli->argv);

		if (!etc && !run)
			break;
		if (!*(etc ? etc : run))
			return error_set(err, -EINVAL, "%s: is empty", etc ? "--etc" : "--run");
		cli->etc = etc ? etc : cli->etc;
		cli->run = run ? run : cli->run;
	}
	return 0;
}

static bool is_any(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

/* network create --help: before the options are read, so that it works whatever else is typed. */
static bool wants_help(const struct cli *cli)
{
	for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--") != 0; i++)
		if (!strcmp(cli->argv[i], "--help"))
			return true;
	return false;
}

static int run_command(struct cli *cli, struct error *err)
{
	int words = 0;

	cli->command = find_command(cli->argc, cli->argv, &words);
	if (!cli->command && words > 1 && cli->argc < 2)
		return error_set(err, -EINVAL, "'%s' needs a command behind it", cli->argv[0]);
	if (!cli->command)
		return error_set(err, -EINVAL, "there is no command '%s%s%s'", cli->argv[0],
			words > 1 ? " " : "", words > 1 ? cli->argv[1] : "");
	cli->misuse = false;
	cli->argc -= words;
	cli->argv += words;
	if (!wants_help(cli))
		return cli->command->run(cli, err);
	print_usage(stdout, cli->command);
	return 0;
}

static int run_words(struct cli *cli, struct error *err)
{
	int r;

	cli->misuse = true; /* until there is a command */
	r = parse_globals(cli, err);
	if (r < 0)
		return r;
	if (cli->argc == 0)
		return error_set(err, -EINVAL, "a command is missing");
	if (is_any(cli->argv[0], "--help", "-h")) {
		print_usage(stdout, NULL);
		return 0;
	}
	if (is_any(cli->argv[0], "--version", "-v")) {
		printf("oci-macvlan %s\n", OCI_MACVLAN_VERSION);
		return 0;
	}
	if (cli->argv[0][0] == '-' && is_any(cli->argv[0], "--etc", "--run"))
		return error_set(err, -EINVAL, "option '%s' needs a value", cli->argv[0]);
	if (cli->argv[0][0] == '-')
		return error_set(err, -EINVAL, "unknown option '%s'", cli->argv[0]);
	return run_command(cli, err);
}

static int fail(const struct cli *cli, const struct error *err)
{
	fprintf(stderr, "oci-macvlan: %s%s%s\n", cli->command ? cli->command->name : "",
		cli->command ? ": " : "", err->text);
	if (!cli->misuse)
		return EXIT_FAILED;
	print_usage(stderr, cli->command);
	return EXIT_MISUSE;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	struct cli cli = {
		.etc = HOST_ETC_DEFAULT,
		.run = HOST_RUN_DEFAULT,
		.argc = argc > 0 ? argc - 1 : 0,
		.argv = argc > 0 ? argv + 1 : argv,
	};
	int r;

	/* Where it is ignored the kernel keeps no plugin's status. */
	signal(SIGCHLD, SIG_DFL);
	umask(022); /* what it writes is for all to read, unless it says otherwise */
	r = run_words(&cli, &err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "oci-macvlan: cannot write to stdout\n");
		return EXIT_FAILED;
	}
	if (r < 0)
		return fail(&cli, &err);
	return cli.failed ? EXIT_FAILED : 0;
}
