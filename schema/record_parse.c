// SPDX-License-Identifier: MIT
/*
 * A record from its JSON (record.schema.json). The folder is ours, but a record steers what detach
 * deletes: so it is read as strictly as anything from outside.
 */
#include <limits.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/members.h"
#include "schema/record.h"
#include "schema/record_parts.h"

static int read_cookie(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;

	return json_get_uint(value, UINT64_MAX, where, &record->netns_cookie, err);
}

static int read_host_cookie(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;

	return json_get_uint(value, UINT64_MAX, where, &record->host_cookie, err);
}

static int read_nsid(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;
	uint64_t nsid;
	int r = json_get_uint(value, INT_MAX, where, &nsid, err);

	if (r == 0)
		record->nsid = (int)nsid;
	return r;
}

static int read_shared(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		record->nsid_shared = value->boolean;
	return r;
}

static const struct member netns_members[] = {
	{ "cookie", read_cookie, true },
	{ "host_cookie", read_host_cookie, true },
	{ "nsid", read_nsid, true },
	{ "shared", read_shared, true },
	{ NULL, NULL, false },
};

static int read_netns(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_object(value, netns_members, where, ret, err);
}

static int read_member_id(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_member *member = ret;

	return members_copy_string(value, where, member->id, sizeof(member->id), err);
}

static int read_member_pid(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_member *member = ret;
	uint64_t pid;
	int r = json_get_uint(value, INT_MAX, where, &pid, err);

	if (r == 0)
		member->pid = (pid_t)pid;
	return r;
}

static int read_member_start(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_member *member = ret;

	return json_get_uint(value, UINT64_MAX, where, &member->start, err);
}

static const struct member member_members[] = {
	{ "id", read_member_id, true },
	{ "pid", read_member_pid, true },
	{ "start", read_member_start, true },
	{ NULL, NULL, false },
};

static int add_member(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;
	struct record_member *member;

	if (record->n_members == RECORD_MEMBERS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d members", where, RECORD_MEMBERS_MAX);
	member = &record->members[record->n_members++];
	*member = (struct record_member){ 0 };
	return members_read_object(value, member_members, where, member, err);
}

static int read_members(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_member, where, ret, err);
}

static int read_network(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return members_copy_string(value, where, endpoint->network, sizeof(endpoint->network), err);
}

static int read_interface(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return members_copy_string(
		value, where, endpoint->interface, sizeof(endpoint->interface), err);
}

static int read_parent(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return members_copy_string(value, where, endpoint->parent, sizeof(endpoint->parent), err);
}

static int read_mode(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = network_mode_parse(value->text, &endpoint->mode, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_host_access(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		endpoint->host_access = value->boolean;
	return r;
}

static int read_index(const struct json *value, const char *where, int *ret, struct error *err)
{
	uint64_t ifindex;
	int r = json_get_uint(value, INT_MAX, where, &ifindex, err);

	if (r < 0)
		return r;
	if (ifindex == 0)
		return error_set(err, -EINVAL, "%s: 0 is not an interface", where);
	*ret = (int)ifindex;
	return 0;
}

static int read_parent_ifindex(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return read_index(value, where, &endpoint->parent_ifindex, err);
}

static int read_ifindex(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return read_index(value, where, &endpoint->ifindex, err);
}

static int read_key(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return members_copy_string(value, where, endpoint->key, sizeof(endpoint->key), err);
}

static int read_mac(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = mac_parse(value->text, endpoint->mac, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int add_address(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (endpoint->n_addresses == NETWORK_SUBNETS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d addresses", where, NETWORK_SUBNETS_MAX);
	r = cidr_parse(value->text, &endpoint->addresses[endpoint->n_addresses], err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	endpoint->n_addresses++;
	return 0;
}

static int read_addresses(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_address, where, ret, err);
}

static int read_dhcp(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	endpoint->is_dhcp = true;
	return record_read_dhcp(value, where, &endpoint->dhcp, err);
}

static int read_plugin(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record_endpoint *endpoint = ret;

	return record_read_plugin(value, where, &endpoint->plugin, err);
}

static const struct member intent_members[] = {
	{ "network", read_network, true },
	{ "interface", read_interface, true },
	{ "parent", read_parent, true },
	{ "parent_ifindex", read_parent_ifindex, true },
	{ "mode", read_mode, true },
	{ "host_access", read_host_access, false },
	{ "dhcp", read_dhcp, false },
	{ "plugin", read_plugin, false },
	{ NULL, NULL, false },
};

static const struct member endpoint_members[] = {
	{ "network", read_network, true },
	{ "interface", read_interface, true },
	{ "parent", read_parent, true },
	{ "parent_ifindex", read_parent_ifindex, true },
	{ "mode", read_mode, true },
	{ "host_access", read_host_access, false },
	{ "dhcp", read_dhcp, false },
	{ "plugin", read_plugin, false },
	{ "ifindex", read_ifindex, true },
	{ "key", read_key, true },
	{ "mac", read_mac, true },
	{ "addresses", read_addresses, true },
	{ NULL, NULL, false },
};

/* Does anything in it point into the document? */
static bool needs_doc(const struct record *record)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (record->endpoints[i].plugin.program || record->endpoints[i].dhcp.routes ||
			record->endpoints[i].dhcp.subnets ||
			record->endpoints[i].dhcp.service_addresses)
			return true;
	return false;
}

static int add_endpoint(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;
	bool is_intent = value->type == JSON_OBJECT && !json_member(value, "ifindex");
	struct record_endpoint *endpoint = record_add_endpoint(record);

	if (!endpoint)
		return error_set(
			err, -E2BIG, "%s: more than %d endpoints", where, RECORD_ENDPOINTS_MAX);
	return members_read_object(
		value, is_intent ? intent_members : endpoint_members, where, endpoint, err);
}

static int read_endpoints(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_endpoint, where, ret, err);
}

static int read_id(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;

	return members_copy_string(value, where, record->id, sizeof(record->id), err);
}

static int read_joined(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;

	return members_copy_string(value, where, record->joined, sizeof(record->joined), err);
}

static int read_name(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct record *record = ret;

	return members_copy_string(value, where, record->name, sizeof(record->name), err);
}

static const struct member joined_members[] = {
	{ "id", read_id, true },
	{ "joined", read_joined, true },
	{ NULL, NULL, false },
};

static const struct member owner_members[] = {
	{ "id", read_id, true },
	{ "name", read_name, true },
	{ "netns", read_netns, true },
	{ "members", read_members, true },
	{ "endpoints", read_endpoints, true },
	{ NULL, NULL, false },
};

/**
 * record_parse() - read a record
 * @text: the document; need not end with a NUL
 * @size: of @text, in bytes
 * @ret:  the record; free with record_free()
 * @err:  filled on failure; the line begins with the key
 *
 * Return: 0; -EINVAL, -ERANGE, -ENAMETOOLONG: wrong; -E2BIG: over a limit; -ENOMEM.
 */
int record_parse(const char *text, size_t size, struct record **ret, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	cleanup(record_free) struct record *record = record_alloc();
	const struct json *root;
	bool is_joined;
	int r;

	if (!record)
		return error_set(err, -ENOMEM, "out of memory");
	r = json_parse(text, size, &doc, err);
	if (r < 0)
		return r;
	root = json_root(doc);
	is_joined = root->type == JSON_OBJECT && json_member(root, "joined");
	r = members_read_object(root, is_joined ? joined_members : owner_members, "", record, err);
	if (r == 0)
		r = record_check(record, err);
	if (r < 0)
		return r;
	if (needs_doc(record)) {
		record->doc = doc;
		doc = NULL;
	}
	*ret = record;
	record = NULL;
	return 0;
}
