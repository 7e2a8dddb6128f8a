// SPDX-License-Identifier: MIT
/*
 * The record of a container's endpoints, in memory: making it, changing it, and what must hold for
 * any record that is read or written. record_parse.c and record_file.c are its way in and out.
 */
#include "schema/record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/record_parts.h"

/* How much of an id is shown as a name where there is none, as engines do. */
#define SHORT_ID 12

/**
 * record_alloc() - memory for a record
 *
 * To clear all 48 KiB of it would cost a dozen page faults, on the way of every attach; only what
 * does not belong to a member or an endpoint is.
 *
 * Return: a record with nothing in it, or NULL when memory is out.
 */
struct record *record_alloc(void)
{
	struct record *record = malloc(sizeof(*record));

	if (record)
		memset(record, 0, offsetof(struct record, members));
	return record;
}

/**
 * record_new() - make an empty record
 * @id:  the container's id, which is checked
 * @ret: the record; its name is the id's beginning; free with record_free()
 * @err: filled on failure
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG, -ENOMEM.
 */
int record_new(const char *id, struct record **ret, struct error *err)
{
	struct record *record;
	int r = name_check_container_id(id, err);

	if (r < 0)
		return r;
	record = record_alloc();
	if (!record)
		return error_set(err, -ENOMEM, "container '%s': out of memory", id);
	strcpy(record->id, id);
	strncpy(record->name, id, SHORT_ID);
	*ret = record;
	return 0;
}

/**
 * record_free() - free a record; a destructor for cleanup()
 * @record: a variable that holds a record or NULL; NULL afterwards
 */
void record_free(struct record **record)
{
	if (*record)
		json_free(&(*record)->doc);
	free(*record);
	*record = NULL;
}

/**
 * record_member_of() - find a member
 * @record: the record
 * @id:     the member's container id
 *
 * Return: the member, or NULL.
 */
const struct record_member *record_member_of(const struct record *record, const char *id)
{
	for (unsigned i = 0; i < record->n_members; i++)
		if (!strcmp(record->members[i].id, id))
			return &record->members[i];
	return NULL;
}

/**
 * record_add_member() - add a container, or renew its entry when it is there
 * @record: the record
 * @member: the container
 * @err:    filled on failure
 *
 * Return: 0, -E2BIG.
 */
int record_add_member(struct record *record, const struct record_member *member, struct error *err)
{
	for (unsigned i = 0; i < record->n_members; i++)
		if (!strcmp(record->members[i].id, member->id)) {
			record->members[i] = *member;
			return 0;
		}
	if (record->n_members == RECORD_MEMBERS_MAX)
		return error_set(err, -E2BIG,
			"container '%s': more than %d containers share its namespace", record->id,
			RECORD_MEMBERS_MAX);
	record->members[record->n_members++] = *member;
	return 0;
}

/**
 * record_drop_member() - strike a container out; nothing happens when it is not there
 * @record: the record
 * @id:     the container's id
 */
void record_drop_member(struct record *record, const char *id)
{
	for (unsigned i = 0; i < record->n_members; i++)
		if (!strcmp(record->members[i].id, id)) {
			record->n_members--;
			memmove(&record->members[i], &record->members[i + 1],
				(record->n_members - i) * sizeof(record->members[0]));
			return;
		}
}

/**
 * record_add_endpoint() - add an endpoint, with nothing in it
 * @record: the record
 *
 * Return: the endpoint; NULL: there are RECORD_ENDPOINTS_MAX.
 */
struct record_endpoint *record_add_endpoint(struct record *record)
{
	struct record_endpoint *endpoint;

	if (record->n_endpoints == RECORD_ENDPOINTS_MAX)
		return NULL;
	endpoint = &record->endpoints[record->n_endpoints++];
	*endpoint = (struct record_endpoint){ 0 };
	return endpoint;
}

/**
 * record_has_family() - has an endpoint an address of a family
 * @endpoint: the endpoint
 * @family:   AF_INET or AF_INET6
 *
 * Return: true when it has.
 */
bool record_has_family(const struct record_endpoint *endpoint, sa_family_t family)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (endpoint->addresses[i].ip.family == family)
			return true;
	return false;
}

/**
 * record_first_intent() - where a record's intents begin
 * @record: the record of an owner
 *
 * They are behind the other endpoints: an attach adds its own at the end.
 *
 * Return: an index; the number of endpoints where there is none.
 */
unsigned record_first_intent(const struct record *record)
{
	unsigned first = 0;

	while (first < record->n_endpoints && record->endpoints[first].ifindex != 0)
		first++;
	return first;
}

/* A name: it is shown to people, so it must print. */
static int check_word(const char *word, const char *where, struct error *err)
{
	if (!*word)
		return error_set(err, -EINVAL, "%s: is empty", where);
	for (const char *c = word; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL,
				"%s: '%s' has a blank, control or non-ASCII character", where,
				word);
	return 0;
}

static int check_member(const struct record *record, unsigned index, struct error *err)
{
	const struct record_member *member = &record->members[index];
	int r = name_check_container_id(member->id, err);

	if (r < 0)
		return r;
	if (member->pid <= 0)
		return error_set(err, -EINVAL, "pid %d is not one", (int)member->pid);
	if (record_member_of(record, member->id) != member)
		return error_set(err, -EINVAL, "container '%s' is there twice", member->id);
	return 0;
}

/* They become arguments of the client. */
static int check_dhcp(const struct record_endpoint *endpoint, struct error *err)
{
	const struct record_dhcp *dhcp = &endpoint->dhcp;
	int r = *dhcp->client_id ? check_word(dhcp->client_id, "dhcp.client_id", err) : 0;

	if (r < 0 || !*dhcp->hostname)
		return r;
	r = name_check_hostname(dhcp->hostname, err);
	return r < 0 ? error_prefix(err, "dhcp.hostname") : 0;
}

/* What only an endpoint that is no intent any more has. */
static int check_link(const struct record_endpoint *endpoint, struct error *err)
{
	static const uint8_t zero[MAC_SIZE];

	if (endpoint->ifindex < 0 || endpoint->parent_ifindex <= 0)
		return error_set(err, -EINVAL, "ifindex %d on %d is not one", endpoint->ifindex,
			endpoint->parent_ifindex);
	if (endpoint->ifindex == 0)
		return 0;
	if (name_check_container_id(endpoint->key, err) < 0)
		return error_prefix(err, "key");
	if ((endpoint->mac[0] & 1) || !memcmp(endpoint->mac, zero, MAC_SIZE))
		return error_set(err, -EINVAL, "the MAC is not unicast");
	if (endpoint->n_addresses > NETWORK_SUBNETS_MAX)
		return error_set(err, -E2BIG, "more than %d addresses", NETWORK_SUBNETS_MAX);
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		const struct cidr *address = &endpoint->addresses[i];

		if ((address->ip.family != AF_INET && address->ip.family != AF_INET6) ||
			address->len > ip_bits(address->ip.family))
			return error_set(err, -EINVAL, "addresses[%u] is not an address", i);
	}
	return 0;
}

/* Its program is run: so it is one that no search finds, and no folder of somebody else's. */
static int check_plugin(const struct record_plugin *plugin, struct error *err)
{
	if (!plugin->program)
		return 0;
	if (*plugin->program != '/' || strlen(plugin->program) >= RECORD_PROGRAM_MAX)
		return error_set(err, -EINVAL,
			"plugin.program: '%.64s' is not a path that begins with a slash",
			plugin->program);
	return 0;
}

static int check_endpoint(const struct record *record, unsigned index, struct error *err)
{
	const struct record_endpoint *endpoint = &record->endpoints[index];
	int r = name_check_network(endpoint->network, err);

	if (r == 0)
		r = name_check_interface(endpoint->interface, err);
	if (r == 0)
		r = name_check_interface(endpoint->parent, err);
	if (r == 0)
		r = check_dhcp(endpoint, err);
	if (r == 0)
		r = check_link(endpoint, err);
	if (r == 0)
		r = check_plugin(&endpoint->plugin, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < index; i++)
		if (!strcmp(record->endpoints[i].interface, endpoint->interface))
			return error_set(
				err, -EINVAL, "interface '%s' is there twice", endpoint->interface);
	return 0;
}

static int check_owner(const struct record *record, struct error *err)
{
	int r = check_word(record->name, "name", err);

	if (r < 0)
		return r;
	if (record->nsid < 0)
		return error_set(err, -EINVAL, "netns.nsid: %d is not an id", record->nsid);
	if (record->n_members > RECORD_MEMBERS_MAX || record->n_endpoints > RECORD_ENDPOINTS_MAX)
		return error_set(err, -E2BIG, "more than %d members or %d endpoints",
			RECORD_MEMBERS_MAX, RECORD_ENDPOINTS_MAX);
	for (unsigned i = 0; i < record->n_members; i++)
		if (check_member(record, i, err) < 0)
			return error_prefix(err, "members[%u]", i);
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (check_endpoint(record, i, err) < 0)
			return error_prefix(err, "endpoints[%u]", i);
	return 0;
}

/**
 * record_check() - is this a record: names that can be file names, no limit passed, nothing twice
 * @record: the record
 * @err:    filled on failure
 *
 * Asked when a record is read and before it is written, so that what is written can be read.
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG, -E2BIG.
 */
int record_check(const struct record *record, struct error *err)
{
	int r = name_check_container_id(record->id, err);

	if (r < 0)
		return error_prefix(err, "id");
	if (!record->joined[0])
		return check_owner(record, err);
	r = name_check_container_id(record->joined, err);
	if (r < 0)
		return error_prefix(err, "joined");
	if (!strcmp(record->joined, record->id))
		return error_set(
			err, -EINVAL, "joined: '%s' is the container itself", record->joined);
	return 0;
}
