/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_NETWORK_OPTIONS_H
#define HOOK_CLI_NETWORK_OPTIONS_H

#include <stdbool.h>

struct error;
struct json;
struct json_writer;

/* What can be said with -o KEY=VALUE: a scalar of the network file, or a list of strings. */
enum network_option {
	OPTION_PARENT,
	OPTION_MODE,
	OPTION_SOURCE_MACS,
	OPTION_SERVICE_ADDRESSES,
	OPTION_INTERNAL,
	OPTION_MTU,
	OPTION_IPV6,
	OPTION_CONFLICT_DETECTION,
	OPTION_HOST_ACCESS,
	OPTION_DNS,
	OPTIONS_COUNT,
};

/* Their values as given; NULL: not given. A key and its value are one string, KEY=VALUE. */
struct network_options {
	const char *values[OPTIONS_COUNT];
};

int network_options_put_number(
	const char *key, const char *value, struct json_writer *writer, struct error *err);
int network_options_put_bool(
	const char *key, const char *value, struct json_writer *writer, struct error *err);
int network_options_set(struct network_options *options, const char *assignment, struct error *err);
int network_options_write(const struct network_options *options, enum network_option option,
	struct json_writer *writer, struct error *err);
void network_options_show(const struct json *network, struct json_writer *writer);

#endif
