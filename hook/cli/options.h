/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_OPTIONS_H
#define HOOK_CLI_OPTIONS_H

#include <stdbool.h>

struct cli;
struct error;

/* How often one option may be given, a comma list counting as many. */
#define OPTION_VALUES_MAX 256

struct option_values {
	unsigned n;
	const char *values[OPTION_VALUES_MAX];
};

/* An option of a command, and where its value goes: one of flag, text, values is set. A table of
 * them ends with a NULL name.
 */
struct cli_option {
	const char *name;	      /* without the "--" */
	char letter;		      /* '\0': none */
	bool *flag;		      /* an option without a value, or =true, =false */
	const char **text;	      /* the last one counts */
	struct option_values *values; /* all of them */
	bool commas;		      /* a value of values may be a list with commas */
};

int options_parse(struct cli *cli, const struct cli_option options[], struct error *err);
int options_parse_format(struct cli *cli, const char *format, bool *ret_json, struct error *err);
int options_parse_bool(const char *text, bool *ret, struct error *err);

#endif
