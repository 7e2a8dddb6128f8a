// SPDX-License-Identifier: MIT
/*
 * What a CNI IPAM plugin is given. It is made once, before anything is done, in the form that the
 * record keeps; whatever the plugin reads later is written from that.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/cni.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/selection.h"
#include "schema/text.h"

#define ARGS "IgnoreUnknown=1"
#define ARGS_MAX (sizeof(ARGS ";IP=") + CIDR_TEXT)
/* What an id of ours begins with that is not one of CNI's. */
#define FOREIGN "omv-x-"

/* An address on request, with the prefix length where it is known: plugin static wants one. */
static const char *format_ip(
	const struct network *network, const struct cidr *wanted, char ret[CIDR_TEXT])
{
	const struct network_subnet *subnet = network_subnet_of(network, &wanted->ip);
	struct cidr address = *wanted;

	if (address.len == SELECTION_LEN_NONE && subnet)
		address.len = subnet->subnet.len;
	if (address.len == SELECTION_LEN_NONE)
		return ip_format(&address.ip, ret);
	return cidr_format(&address, ret);
}

/* Plugin host-local takes one address at most from there; all are in the configuration. */
static void put_args(struct json_writer *writer, const struct network *network,
	const struct selection *selection)
{
	char args[ARGS_MAX] = ARGS;
	char ip[CIDR_TEXT];

	if (selection->n_ips == 1)
		text_join(args, sizeof(args),
			ARGS ";IP=", format_ip(network, &selection->ips[0], ip));
	json_put_string(writer, "args", args);
}

static void put_ips(struct json_writer *writer, const struct network *network,
	const struct selection *selection)
{
	char ip[CIDR_TEXT];

	if (selection->n_ips == 0)
		return;
	json_open_object(writer, "args");
	json_open_object(writer, "cni");
	json_open_array(writer, "ips");
	for (unsigned i = 0; i < selection->n_ips; i++)
		json_put_string(writer, NULL, format_ip(network, &selection->ips[i], ip));
	json_close_array(writer);
	json_close_object(writer);
	json_close_object(writer);
}

static void put_config(struct json_writer *writer, const struct network *network,
	const struct selection *selection)
{
	json_open_object(writer, "config");
	json_put_string(writer, "cniVersion", CNI_VERSION);
	json_put_string(writer, "name", network->name);
	json_put_string(writer, "type", "oci-macvlan");
	json_open_object(writer, "ipam");
	json_put_string(writer, "type", network->plugin.name);
	if (network->plugin.config) {
		json_for_each (member, network->plugin.config)
			if (strcmp(member->key, "type") != 0)
				json_put_value(writer, member->key, member);
	}
	json_close_object(writer);
	put_ips(writer, network, selection);
	json_close_object(writer);
}

/**
 * cni_format_plugin() - all that the plugin of a network is run with for one endpoint
 * @network:   the network
 * @selection: what is asked for
 * @program:   the plugin's program, and
 * @path:      the folders that plugins are in, with ':' between
 * @ret:       a document as record_set_plugin() takes it; the caller frees it
 * @err:       filled on failure
 *
 * Return: 0; -E2BIG: the network's configuration for it is over a limit; -ENOMEM.
 */
int cni_format_plugin(const struct network *network, const struct selection *selection,
	const char *program, const char *path, struct json_doc **ret, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);
	const char *text;
	size_t size;
	int r;

	if (!writer)
		return error_set(err, -ENOMEM, "out of memory");
	json_open_object(writer, NULL);
	json_put_string(writer, "program", program);
	json_put_string(writer, "path", path);
	put_args(writer, network, selection);
	put_config(writer, network, selection);
	json_close_object(writer);
	r = json_writer_text(writer, &text, &size, err);
	if (r == 0)
		r = json_parse(text, size, ret, err);
	return r < 0 ? error_prefix(err, "ipam.config") : 0;
}

/* A result without a version is of the one that was asked for. */
static const char *version_of(const struct json *result)
{
	const struct json *version = result ? json_member(result, "cniVersion") : NULL;

	return version && version->type == JSON_STRING && *version->text ? version->text
									 : CNI_VERSION;
}

/**
 * cni_has_previous() - is a plugin that answered so told of its answer later
 * @result: the answer; NULL: there is none
 *
 * Return: false for the versions 0.3.x, which have neither prevResult nor CHECK.
 */
bool cni_has_previous(const struct json *result)
{
	return result && strncmp(version_of(result), "0.3.", 4) != 0;
}

static void put_result(struct json_writer *writer, const struct json *result)
{
	json_open_object(writer, "prevResult");
	json_put_string(writer, "cniVersion", version_of(result));
	json_for_each (member, result)
		if (strcmp(member->key, "cniVersion") != 0)
			json_put_value(writer, member->key, member);
	json_close_object(writer);
}

/**
 * cni_format_config() - what a plugin reads on stdin
 * @endpoint:    the endpoint, which has a plugin
 * @with_result: with what it has answered before, if that is known: for CHECK and DEL; and then in
 *               the version of that, which the plugin speaks
 * @ret:         the document, one line; the caller frees it
 * @err:         filled on failure
 *
 * Without the result it is the same bytes whenever it is asked for.
 *
 * Return: 0, -ENOMEM.
 */
int cni_format_config(
	const struct record_endpoint *endpoint, bool with_result, char **ret, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);
	const struct json *result = endpoint->plugin.result;
	const char *text;
	size_t size;
	int r;

	if (!writer)
		return error_set(err, -ENOMEM, "out of memory");
	json_open_object(writer, NULL);
	if (!with_result)
		result = NULL;
	json_put_string(writer, "cniVersion", version_of(result));
	json_for_each (member, endpoint->plugin.config)
		if (strcmp(member->key, "cniVersion") != 0)
			json_put_value(writer, member->key, member);
	if (cni_has_previous(result))
		put_result(writer, result);
	json_close_object(writer);
	r = json_writer_text(writer, &text, &size, err);
	if (r < 0)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static bool is_id(const char *id)
{
	if (!isalnum((unsigned char)*id) || !strncmp(id, FOREIGN, strlen(FOREIGN)))
		return false;
	for (const char *c = id; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return true;
}

/**
 * cni_id() - the id by which a plugin knows a container
 * @id:  the container's own, which may have any letters that print
 * @ret: the other
 *
 * An id that CNI allows (letters, digits, '_', '.' and '-', a letter or digit first) stays as it
 * is. In another what is no letter or digit is "_XX", in hexadecimal: so no two become the same.
 *
 * Return: @ret.
 */
const char *cni_id(const char *id, char ret[CNI_ID_MAX])
{
	char *to = ret;

	if (is_id(id))
		return text_join(ret, CNI_ID_MAX, id);
	to = stpcpy(to, FOREIGN);
	for (const char *c = id; *c && to + 4 <= ret + CNI_ID_MAX; c++)
		if (isalnum((unsigned char)*c))
			*to++ = *c;
		else
			to += sprintf(to, "_%02x", (unsigned char)*c);
	*to = '\0';
	return ret;
}
