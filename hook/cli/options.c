// SPDX-License-Identifier: MIT
/*
 * Options of the commands, in the form that docker's have: --name VALUE, --name=VALUE, -x VALUE,
 * -xVALUE, -x=VALUE, before, between and behind the operands, "--" ends them. Not getopt_long(3):
 * that takes --na for --name, and the environment changes what it does with operands.
 */
#include "hook/cli/options.h"

#include <stddef.h>
#include <string.h>

#include "hook/cli/cli.h"
#include "schema/error.h"

/* The words behind the command while they are read. */
struct words {
	char **next;
	char **end;
};

/**
 * options_parse_bool() - read a truth value
 * @text: true, false, 1 or 0
 * @ret:  the value
 * @err:  filled on failure
 *
 * Return: 0, -EINVAL.
 */
int options_parse_bool(const char *text, bool *ret, struct error *err)
{
	bool on = !strcmp(text, "true") || !strcmp(text, "1");

	if (!on && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return error_set(err, -EINVAL, "'%s' is not true or false", text);
	*ret = on;
	return 0;
}

static int add_value(const struct cli_option *option, const char *value, struct error *err)
{
	struct option_values *values = option->values;

	if (values->n == OPTION_VALUES_MAX)
		return error_set(err, -E2BIG, "option '--%s' is given more than %d times",
			option->name, OPTION_VALUES_MAX);
	values->values[values->n++] = value;
	return 0;
}

static int set_value(const struct cli_option *option, char *value, struct error *err)
{
	int r;

	if (option->flag) {
		r = options_parse_bool(value, option->flag, err);
		return r < 0 ? error_prefix(err, "option '--%s'", option->name) : 0;
	}
	if (option->text) {
		*option->text = value;
		return 0;
	}
	while (option->commas && strchr(value, ',')) {
		r = add_value(option, strsep(&value, ","), err);
		if (r < 0)
			return r;
	}
	return add_value(option, value, err);
}

/* VALUE, or the next word where the option's own has none. */
static int take_value(
	struct words *words, const struct cli_option *option, char *value, struct error *err)
{
	if (!value && option->flag) {
		*option->flag = true;
		return 0;
	}
	if (!value && words->next == words->end)
		return error_set(err, -EINVAL, "option '--%s' needs a value", option->name);
	return set_value(option, value ? value : *words->next++, err);
}

static int parse_long(
	struct words *words, const struct cli_option options[], char *word, struct error *err)
{
	size_t length = strcspn(word + 2, "=");
	char *value = word[2 + length] ? word + 2 + length + 1 : NULL;

	for (const struct cli_option *option = options; option->name; option++)
		if (strlen(option->name) == length && !strncmp(option->name, word + 2, length))
			return take_value(words, option, value, err);
	return error_set(err, -EINVAL, "unknown option '%s'", word);
}

static const struct cli_option *find_letter(const struct cli_option options[], char letter)
{
	for (const struct cli_option *option = options; option->name; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

static int parse_letters(
	struct words *words, const struct cli_option options[], char *word, struct error *err)
{
	for (char *letter = word + 1; *letter; letter++) {
		const struct cli_option *option = find_letter(options, *letter);

		if (!option)
			return error_set(err, -EINVAL, "unknown option '-%c'", *letter);
		if (option->flag && letter[1] != '=') {
			*option->flag = true;
			continue;
		}
		letter++;
		if (*letter == '=')
			letter++;
		else if (!*letter)
			letter = NULL;
		return take_value(words, option, letter, err);
	}
	return 0;
}

/* Moves the operands to the front of argv, where a place is free once its word was read. */
static int parse_words(struct cli *cli, const struct cli_option options[], struct error *err)
{
	struct words words = { cli->argv, cli->argv + cli->argc };
	bool only_operands = false;
	int r = 0;

	cli->argc = 0;
	while (r == 0 && words.next < words.end) {
		char *word = *words.next++;

		if (only_operands || word[0] != '-' || !word[1])
			cli->argv[cli->argc++] = word;
		else if (!strcmp(word, "--"))
			only_operands = true;
		else if (word[1] == '-')
			r = parse_long(&words, options, word, err);
		else
			r = parse_letters(&words, options, word, err);
	}
	return r;
}

static int check_operands(const struct cli *cli, struct error *err)
{
	const struct command *command = cli->command;

	if (cli->argc < command->min_operands)
		return error_set(err, -EINVAL, "an argument is missing");
	if (command->max_operands != CLI_OPERANDS_ANY && cli->argc > command->max_operands)
		return error_set(
			err, -EINVAL, "unexpected argument '%s'", cli->argv[command->max_operands]);
	return 0;
}

/**
 * options_parse() - read the options of a command
 * @cli:     what was typed; its argc and argv are the operands afterwards, their number checked
 * @options: the options it may have
 * @err:     filled on failure
 *
 * Return: 0; -EINVAL: misuse, which @cli is marked with; -E2BIG.
 */
int options_parse(struct cli *cli, const struct cli_option options[], struct error *err)
{
	int r = parse_words(cli, options, err);

	if (r == 0)
		r = check_operands(cli, err);
	cli->misuse = r == -EINVAL;
	return r;
}

/**
 * options_parse_format() - read the value of --format
 * @cli:      marked with misuse where it is wrong
 * @format:   the value; NULL: not given
 * @ret_json: json, and not the table
 * @err:      filled on failure
 *
 * Return: 0, -EINVAL.
 */
int options_parse_format(struct cli *cli, const char *format, bool *ret_json, struct error *err)
{
	bool json = format && !strcmp(format, "json");

	if (format && !json && strcmp(format, "table") != 0) {
		cli->misuse = true;
		return error_set(err, -EINVAL, "'%s' is not a format: use table or json", format);
	}
	*ret_json = json;
	return 0;
}
