// SPDX-License-Identifier: MIT
/*
 * What the commands share: the host, and what goes to stdout and stderr.
 */
#include "hook/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"

/**
 * cli_report() - say that a part of a command failed; the rest of it goes on
 * @cli: marked as failed
 * @err: the failure
 */
void cli_report(struct cli *cli, const struct error *err)
{
	fflush(stdout);
	fprintf(stderr, "oci-macvlan: %s: %s\n", cli->command->name, err->text);
	cli->failed = true;
}

/* Behind the string that begins at text. */
static const char *skip_string(const char *text)
{
	for (text++; *text && *text != '"'; text++)
		if (*text == '\\' && text[1])
			text++;
	return *text ? text + 1 : text;
}

/* Yajl breaks the line inside of an empty array or object as well; everybody else writes [], {}. */
static void print_json_text(const char *text)
{
	while (*text) {
		size_t blanks = *text == '[' || *text == '{' ? strspn(text + 1, " \n") : 0;
		const char *end = *text == '"' ? skip_string(text) : text + 1;

		fwrite(text, 1, (size_t)(end - text), stdout);
		text = end;
		if (blanks && (text[blanks] == ']' || text[blanks] == '}'))
			text += blanks;
	}
}

/**
 * cli_print_json() - write a document to stdout
 * @writer: the document, which has ended
 * @err:    filled on failure
 *
 * Return: 0, or what json_writer_text() returns.
 */
int cli_print_json(struct json_writer *writer, struct error *err)
{
	const char *text;
	size_t size;
	int r = json_writer_text(writer, &text, &size, err);

	if (r < 0)
		return r;
	print_json_text(text);
	if (size == 0 || text[size - 1] != '\n')
		putchar('\n');
	return 0;
}

/**
 * cli_open_host() - open the host where there is a RUN; without one no container was ever attached
 * @cli:      says where
 * @ret:      the host; host_close() closes it
 * @ret_open: false: there is no RUN, and @ret stays as it is
 * @err:      filled on failure
 *
 * Return: 0, or what host_open() returns.
 */
int cli_open_host(const struct cli *cli, struct host *ret, bool *ret_open, struct error *err)
{
	int r = host_open(cli->etc, cli->run, false, ret, err);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret_open = r == 0;
	return 0;
}

/**
 * cli_short_id() - an id as it is shown in a table
 * @id:  64 hex digits
 * @ret: the first 12
 *
 * Return: @ret.
 */
const char *cli_short_id(const char *id, char ret[CLI_SHORT_ID])
{
	snprintf(ret, CLI_SHORT_ID, "%.*s", CLI_SHORT_ID - 1, id);
	return ret;
}
