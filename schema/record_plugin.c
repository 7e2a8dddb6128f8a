// SPDX-License-Identifier: MIT
/*
 * The member "plugin" of an endpoint in a record: the CNI IPAM plugin that its addresses are from.
 */
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/record.h"
#include "schema/record_parts.h"

static int read_string(
	const struct json *value, const char *where, const char **ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r == 0)
		*ret = value->text;
	return r;
}

static int read_program(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_plugin *plugin = ret;

	return read_string(value, where, &plugin->program, err);
}

static int read_path(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_plugin *plugin = ret;

	return read_string(value, where, &plugin->path, err);
}

static int read_args(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_plugin *plugin = ret;

	return read_string(value, where, &plugin->args, err);
}

static int read_config(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_plugin *plugin = ret;

	plugin->config = value;
	return json_expect(value, JSON_OBJECT, where, err);
}

static int read_result(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_plugin *plugin = ret;

	plugin->result = value;
	return json_expect(value, JSON_OBJECT, where, err);
}

static const struct member plugin_members[] = {
	{ "program", read_program, true },
	{ "path", read_path, true },
	{ "args", read_args, true },
	{ "config", read_config, true },
	{ "result", read_result, false },
	{ NULL, NULL, false },
};

/**
 * record_read_plugin() - read what a record says of a plugin
 * @value: the value
 * @where: its place in the document
 * @ret:   a struct record_plugin; its parts lie in the document
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL.
 */
int record_read_plugin(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_object(value, plugin_members, where, ret, err);
}

/**
 * record_set_plugin() - say which plugin an endpoint has its addresses from
 * @endpoint: the endpoint
 * @doc:      a document as a record has it, which lives longer than the endpoint's record
 * @err:      filled on failure
 *
 * Return: 0, -EINVAL.
 */
int record_set_plugin(
	struct record_endpoint *endpoint, const struct json_doc *doc, struct error *err)
{
	return record_read_plugin(json_root(doc), "plugin", &endpoint->plugin, err);
}
