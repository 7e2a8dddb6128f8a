// SPDX-License-Identifier: MIT
/*
 * The options of a network in the form that docker has: KEY=VALUE behind -o, "KEY": "VALUE" in
 * inspect. Whether a value makes sense is the network file's reader's business.
 */
#include "hook/cli/network_options.h"

#include <stdio.h>
#include <string.h>

#include "hook/cli/options.h"
#include "hook/cli/table.h"
#include "schema/error.h"
#include "schema/json.h"

/* Room for 64 IPv6 addresses in a comma list. */
#define LIST_MAX 4096

enum form {
	FORM_STRING,
	FORM_NUMBER,
	FORM_BOOL,
	FORM_LIST, /* with commas: an array of strings */
	FORM_MODE, /* the member "mode" of an object */
};

static const struct {
	const char *name; /* behind -o */
	const char *key;  /* in the file */
	enum form form;
} known[OPTIONS_COUNT] = {
	[OPTION_PARENT] = { "parent", "parent", FORM_STRING },
	[OPTION_MODE] = { "macvlan_mode", "mode", FORM_STRING },
	[OPTION_SOURCE_MACS] = { "source_macs", "source_macs", FORM_LIST },
	[OPTION_SERVICE_ADDRESSES] = { "service_addresses", "service_addresses", FORM_LIST },
	[OPTION_INTERNAL] = { "internal", "internal", FORM_BOOL },
	[OPTION_MTU] = { "mtu", "mtu", FORM_NUMBER },
	[OPTION_IPV6] = { "ipv6", "ipv6", FORM_STRING },
	[OPTION_CONFLICT_DETECTION] = { "conflict_detection_ms", "conflict_detection_ms",
		FORM_NUMBER },
	[OPTION_HOST_ACCESS] = { "host_access", "host_access", FORM_BOOL },
	[OPTION_DNS] = { "dns", "dns", FORM_MODE },
};

static bool is_word(const char *word, const char *text, size_t length)
{
	return strlen(word) == length && !strncmp(word, text, length);
}

/* Also "dns.mode", as the path in the file would be. */
static bool is_option(unsigned option, const char *text, size_t length)
{
	const char *key = known[option].key;
	size_t n = strlen(key);

	if (known[option].form == FORM_MODE && length > n && !strncmp(key, text, n) &&
		is_word(".mode", text + n, length - n))
		return true;
	return is_word(known[option].name, text, length) || is_word(key, text, length);
}

/**
 * network_options_set() - take in what stands behind -o
 * @options:    where it goes; of a key that is given twice, the last counts
 * @assignment: KEY=VALUE, which must outlive @options; KEY is the file's, or docker's macvlan_mode
 * @err:        filled on failure
 *
 * Return: 0, -EINVAL.
 */
int network_options_set(struct network_options *options, const char *assignment, struct error *err)
{
	size_t length = strcspn(assignment, "=");
	char names[256] = "";

	if (!assignment[length])
		return error_set(err, -EINVAL, "-o '%s': is not KEY=VALUE", assignment);
	for (unsigned i = 0; i < OPTIONS_COUNT; i++) {
		size_t used = strlen(names);

		if (is_option(i, assignment, length)) {
			options->values[i] = assignment + length + 1;
			return 0;
		}
		snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
			known[i].name);
	}
	return error_set(err, -EINVAL, "-o '%s': there is no such key: use %s", assignment, names);
}

/* A whole number in JSON's form: it is copied into the document as it is. */
static bool is_number(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && strspn(text, "0123456789") == length && (*text != '0' || length == 1);
}

/**
 * network_options_put_number() - write a number
 * @key:    of the object that is open
 * @value:  as it was given
 * @writer: the file
 * @err:    filled on failure
 *
 * Return: 0; -EINVAL: it is none.
 */
int network_options_put_number(
	const char *key, const char *value, struct json_writer *writer, struct error *err)
{
	if (!is_number(value))
		return error_set(err, -EINVAL, "%s: '%s' is not a number", key, value);
	json_put_number(writer, key, value);
	return 0;
}

/**
 * network_options_put_bool() - write true or false
 * @key:    of the object that is open
 * @value:  as it was given
 * @writer: the file
 * @err:    filled on failure
 *
 * Return: 0; -EINVAL: it is neither.
 */
int network_options_put_bool(
	const char *key, const char *value, struct json_writer *writer, struct error *err)
{
	bool on;
	int r = options_parse_bool(value, &on, err);

	if (r < 0)
		return error_prefix(err, "%s", key);
	json_put_bool(writer, key, on);
	return 0;
}

static int write_list(
	const char *key, const char *value, struct json_writer *writer, struct error *err)
{
	char list[LIST_MAX];
	char *rest = list;

	if (strlen(value) >= sizeof(list))
		return error_set(
			err, -E2BIG, "%s: is longer than %d characters", key, LIST_MAX - 1);
	memcpy(list, value, strlen(value) + 1);
	json_open_array(writer, key);
	while (rest)
		json_put_string(writer, NULL, strsep(&rest, ","));
	json_close_array(writer);
	return 0;
}

/**
 * network_options_write() - write an option into a network file, if it was given
 * @options: the options
 * @option:  which of them
 * @writer:  the file, its object open
 * @err:     filled on failure
 *
 * Return: 0; -EINVAL: it cannot be written as JSON of its type; -E2BIG.
 */
int network_options_write(const struct network_options *options, enum network_option option,
	struct json_writer *writer, struct error *err)
{
	const char *value = options->values[option];
	const char *key = known[option].key;

	if (!value)
		return 0;
	switch (known[option].form) {
	case FORM_STRING:
		json_put_string(writer, key, value);
		return 0;
	case FORM_NUMBER:
		return network_options_put_number(key, value, writer, err);
	case FORM_BOOL:
		return network_options_put_bool(key, value, writer, err);
	case FORM_LIST:
		return write_list(key, value, writer, err);
	case FORM_MODE:
		json_open_object(writer, key);
		json_put_string(writer, "mode", value);
		json_close_object(writer);
		return 0;
	}
	return 0;
}

/* The value in the form that -o would take. */
static const char *value_text(const struct json *value, char list[LIST_MAX])
{
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return value->text;
	case JSON_BOOLEAN:
		return value->boolean ? "true" : "false";
	case JSON_OBJECT:
		value = json_member(value, "mode");
		return value ? value->text : NULL;
	case JSON_ARRAY:
		list[0] = '\0';
		json_for_each (element, value)
			table_join(list, LIST_MAX, element->text);
		return list;
	case JSON_NULL:
		break;
	}
	return NULL;
}

/**
 * network_options_show() - write the options that a network file gives, but those that inspect
 * shows elsewhere
 * @network: the file's root, which its reader has accepted
 * @writer:  an object is open in it
 *
 * The mode is not written: it has a default, so the caller knows better.
 */
void network_options_show(const struct json *network, struct json_writer *writer)
{
	for (unsigned i = 0; i < OPTIONS_COUNT; i++) {
		const struct json *value = json_member(network, known[i].key);
		char list[LIST_MAX];
		const char *text = value ? value_text(value, list) : NULL;

		if (text && i != OPTION_PARENT && i != OPTION_MODE && i != OPTION_INTERNAL)
			json_put_string(writer, known[i].name, text);
	}
}
