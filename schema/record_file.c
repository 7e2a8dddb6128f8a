// SPDX-License-Identifier: MIT
/*
 * Records as files, RUN/containers/ID.json: one a container, small, with a newline at the end.
 * Whoever writes or removes one holds the lock of its id.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/json.h"
#include "schema/record.h"
#include "schema/record_parts.h"
#include "schema/text.h"

#define FILE_NAME_MAX (CONTAINER_ID_MAX + sizeof(".json"))

static void put_dhcp(struct json_writer *writer, const struct record_dhcp *dhcp)
{
	char gateway[IP_TEXT];

	json_open_object(writer, "dhcp");
	if (*dhcp->hostname)
		json_put_string(writer, "hostname", dhcp->hostname);
	if (*dhcp->client_id)
		json_put_string(writer, "client_id", dhcp->client_id);
	json_put_uint(writer, "probe_ms", dhcp->probe_ms);
	json_open_array(writer, "gives");
	if (dhcp->gives_default)
		json_put_string(writer, NULL, "default-route");
	if (dhcp->gives_dns)
		json_put_string(writer, NULL, "dns");
	if (dhcp->gives_mtu)
		json_put_string(writer, NULL, "mtu");
	json_close_array(writer);
	if (dhcp->gateway.family)
		json_put_string(writer, "gateway", ip_format(&dhcp->gateway, gateway));
	if (dhcp->routes)
		json_put_value(writer, "routes", dhcp->routes);
	if (dhcp->subnets)
		json_put_value(writer, "subnets", dhcp->subnets);
	if (dhcp->service_addresses)
		json_put_value(writer, "service_addresses", dhcp->service_addresses);
	json_close_object(writer);
}

static void put_plugin(struct json_writer *writer, const struct record_plugin *plugin)
{
	json_open_object(writer, "plugin");
	json_put_string(writer, "program", plugin->program);
	json_put_string(writer, "path", plugin->path);
	json_put_string(writer, "args", plugin->args);
	json_put_value(writer, "config", plugin->config);
	if (plugin->result)
		json_put_value(writer, "result", plugin->result);
	json_close_object(writer);
}

static void put_endpoint(struct json_writer *writer, const struct record_endpoint *endpoint)
{
	char mac[MAC_TEXT];

	json_open_object(writer, NULL);
	json_put_string(writer, "network", endpoint->network);
	json_put_string(writer, "interface", endpoint->interface);
	json_put_string(writer, "parent", endpoint->parent);
	json_put_uint(writer, "parent_ifindex", (uint64_t)endpoint->parent_ifindex);
	json_put_string(writer, "mode", network_mode_name(endpoint->mode));
	if (endpoint->host_access)
		json_put_bool(writer, "host_access", true);
	if (endpoint->is_dhcp)
		put_dhcp(writer, &endpoint->dhcp);
	if (endpoint->plugin.program)
		put_plugin(writer, &endpoint->plugin);
	if (endpoint->ifindex > 0) {
		json_put_uint(writer, "ifindex", (uint64_t)endpoint->ifindex);
		json_put_string(writer, "key", endpoint->key);
		json_put_string(writer, "mac", mac_format(endpoint->mac, mac));
		json_open_array(writer, "addresses");
		for (unsigned i = 0; i < endpoint->n_addresses; i++) {
			char text[CIDR_TEXT];

			json_put_string(writer, NULL, cidr_format(&endpoint->addresses[i], text));
		}
		json_close_array(writer);
	}
	json_close_object(writer);
}

static void put_member(struct json_writer *writer, const struct record_member *member)
{
	json_open_object(writer, NULL);
	json_put_string(writer, "id", member->id);
	json_put_uint(writer, "pid", (uint64_t)member->pid);
	json_put_uint(writer, "start", member->start);
	json_close_object(writer);
}

static void put_owner(struct json_writer *writer, const struct record *record)
{
	json_put_string(writer, "name", record->name);
	json_open_object(writer, "netns");
	json_put_uint(writer, "cookie", record->netns_cookie);
	json_put_uint(writer, "host_cookie", record->host_cookie);
	json_put_uint(writer, "nsid", (uint64_t)record->nsid);
	json_put_bool(writer, "shared", record->nsid_shared);
	json_close_object(writer);
	json_open_array(writer, "members");
	for (unsigned i = 0; i < record->n_members; i++)
		put_member(writer, &record->members[i]);
	json_close_array(writer);
	json_open_array(writer, "endpoints");
	for (unsigned i = 0; i < record->n_endpoints; i++)
		put_endpoint(writer, &record->endpoints[i]);
	json_close_array(writer);
}

static void put_record(struct json_writer *writer, const struct record *record)
{
	json_open_object(writer, NULL);
	json_put_string(writer, "id", record->id);
	if (record->joined[0])
		json_put_string(writer, "joined", record->joined);
	else
		put_owner(writer, record);
	json_close_object(writer);
}

/**
 * record_format() - write a record as text
 * @record:   the record
 * @ret:      the document, one line, with a NUL behind it; the caller frees it
 * @ret_size: its size in bytes without that NUL
 * @err:      filled on failure
 *
 * Return: 0; what record_check() returns for something that is no record; -E2BIG;
 * -ENOMEM.
 */
int record_format(const struct record *record, char **ret, size_t *ret_size, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *writer = NULL;
	autofree char *text = NULL;
	size_t size;
	int r = record_check(record, err);

	if (r < 0)
		return r;
	writer = json_writer_new(false);
	if (!writer)
		return error_set(err, -ENOMEM, "out of memory");
	put_record(writer, record);
	r = json_writer_line(writer, &text, &size, err);
	if (r == 0 && size > RECORD_FILE_MAX)
		r = error_set(err, -E2BIG, "it would be larger than %d bytes", RECORD_FILE_MAX);
	if (r < 0)
		return r;
	*ret = text;
	*ret_size = size;
	text = NULL;
	return 0;
}

static void put_name(char ret[FILE_NAME_MAX], const char *id, const char *suffix)
{
	text_join(ret, FILE_NAME_MAX, id, suffix);
}

/**
 * record_load() - read a container's record
 * @dir: RUN/containers, open
 * @id:  the container's id, which is checked
 * @ret: the record; free with record_free()
 * @err: filled on failure
 *
 * Return: 0; -ENOENT: there is none; or what file_read() and record_parse() return.
 */
int record_load(int dir, const char *id, struct record **ret, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	autofree char *text = NULL;
	char name[FILE_NAME_MAX];
	size_t size;
	int r = name_check_container_id(id, err);

	if (r < 0)
		return r;
	put_name(name, id, ".json");
	r = file_read(dir, name, RECORD_FILE_MAX, &text, &size, err);
	if (r == -ENOENT)
		return error_set(err, r, "container '%s' has no record", id);
	if (r < 0)
		return error_prefix(err, "record of container '%s'", id);
	r = record_parse(text, size, &record, err);
	if (r == 0 && strcmp(record->id, id))
		r = error_set(err, -EINVAL, "id: '%s' is not the file's name", record->id);
	if (r < 0)
		return error_prefix(err, "record 'containers/%s'", name);
	*ret = record;
	record = NULL;
	return 0;
}

/**
 * record_is_torn() - is a record that cannot be read no JSON at all
 * @dir: the folder, open
 * @id:  the container's id
 *
 * So it is where power failed before all of it was on the disk. What is JSON was written whole, by
 * another version perhaps.
 *
 * Return: true when it is; false when it is JSON, or is not there.
 */
bool record_is_torn(int dir, const char *id)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	autofree char *text = NULL;
	char name[FILE_NAME_MAX];
	size_t size;

	put_name(name, id, ".json");
	if (file_read(dir, name, RECORD_FILE_MAX, &text, &size, NULL) < 0)
		return false;
	return json_parse(text, size, &doc, NULL) == -EINVAL;
}

/**
 * record_save() - write a container's record, in place of the one before
 * @dir:    RUN/containers, open
 * @record: the record; the caller holds the lock of its id, which makes the temporary name his
 * @err:    filled on failure
 *
 * Return: 0; or what record_format() and file_replace() return.
 */
int record_save(int dir, const struct record *record, struct error *err)
{
	autofree char *text = NULL;
	char name[FILE_NAME_MAX];
	char temporary[FILE_NAME_MAX];
	size_t size;
	int r = record_format(record, &text, &size, err);

	if (r == 0) {
		put_name(name, record->id, ".json");
		put_name(temporary, record->id, ".tmp");
		r = file_replace(dir, name, temporary, text, size, err);
	}
	return r < 0 ? error_prefix(err, "record of container '%.32s'", record->id) : 0;
}

/**
 * record_remove() - remove a container's record, and what a killed record_save() has left
 * @dir: RUN/containers, open
 * @id:  the container's id; the caller holds its lock
 * @err: filled on failure
 *
 * Return: 0, also when there is none; -EINVAL, -ENAMETOOLONG; what unlink(2) gave.
 */
int record_remove(int dir, const char *id, struct error *err)
{
	char name[FILE_NAME_MAX];
	int r = name_check_container_id(id, err);

	if (r < 0)
		return r;
	put_name(name, id, ".tmp");
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot remove '%s'", name);
	put_name(name, id, ".json");
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot remove '%s'", name);
	return 0;
}
