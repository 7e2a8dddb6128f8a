/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_CLI_H
#define HOOK_CLI_CLI_H

#include <stdbool.h>

#include "hook/host.h"

struct cli;
struct error;
struct json_writer;

/* How many hex digits of an id people are shown, and the end. */
#define CLI_SHORT_ID 13
/* No limit on a command's operands. */
#define CLI_OPERANDS_ANY (-1)

/* A command, as typed and as shown in the usage. */
struct command {
	const char *name;      /* "ps", "network create" */
	const char *arguments; /* what follows it */
	const char *does;      /* in a few words */
	int min_operands;
	int max_operands; /* or CLI_OPERANDS_ANY */
	int (*run)(struct cli *cli, struct error *err);
};

/* One call of the program. */
struct cli {
	const char *etc;
	const char *run;
	const struct command *command; /* NULL: none yet */
	int argc;		       /* what follows the command: its operands, once the */
	char **argv;		       /* options are parsed */
	bool misuse;		       /* the error is about how we were called */
	bool failed;		       /* a part failed, and was said; the rest was done */
};

void cli_report(struct cli *cli, const struct error *err);
int cli_print_json(struct json_writer *writer, struct error *err);
int cli_open_host(const struct cli *cli, struct host *ret, bool *ret_open, struct error *err);
const char *cli_short_id(const char *id, char ret[CLI_SHORT_ID]);

int cli_help(struct cli *cli, struct error *err);
int cli_network_create(struct cli *cli, struct error *err);
int cli_network_ls(struct cli *cli, struct error *err);
int cli_network_inspect(struct cli *cli, struct error *err);
int cli_network_rm(struct cli *cli, struct error *err);
int cli_ps(struct cli *cli, struct error *err);
int cli_gc(struct cli *cli, struct error *err);
int cli_check(struct cli *cli, struct error *err);
int cli_version(struct cli *cli, struct error *err);

#endif
