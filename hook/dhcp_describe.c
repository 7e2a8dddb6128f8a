// SPDX-License-Identifier: MIT
/*
 * What a DHCP client tells its server of the container: a host name, and a client identifier where
 * the MAC is not to be it. Their texts come from a network's file and from names that people give.
 */
#include <stdio.h>
#include <string.h>

#include "hook/attach.h"
#include "hook/config.h"
#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/plan.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/record.h"

/* What stands for the container's name in client_id and hostname. */
#define NAME "{name}"

/* A template with the container's name in it. */
static int expand(const char *from, const char *name, char *ret, size_t size, struct error *err)
{
	const char *start = from;
	size_t used = 0;

	while (*from) {
		bool is_name = !strncmp(from, NAME, strlen(NAME));
		const char *part = is_name ? name : from;
		size_t length = is_name ? strlen(name) : 1;

		if (used + length >= size)
			return error_set(err, -ENAMETOOLONG,
				"'%s' is longer than %zu bytes with the name '%s'", start, size - 1,
				name);
		memcpy(ret + used, part, length);
		used += length;
		from += is_name ? strlen(NAME) : 1;
	}
	ret[used] = '\0';
	return 0;
}

/* Of what names may hold, host names have letters, digits, '-' and '.'. */
static void make_hostname(char *name)
{
	char *end = name + strlen(name);

	for (char *c = name; *c; c++)
		if (!strchr("-.", *c) && (*c < '0' || *c > '9') && (*c < 'a' || *c > 'z') &&
			(*c < 'A' || *c > 'Z'))
			*c = '-';
	while (end > name && strchr("-.", end[-1]))
		*--end = '\0';
	memmove(name, name + strspn(name, "-."), strlen(name + strspn(name, "-.")) + 1);
}

/* Its own host name in config.json, where it has one that is not an id's beginning; else its name,
 * as far as a host name may be long.
 */
static void default_hostname(struct config *config, const char *name, char ret[HOSTNAME_MAX + 1])
{
	const struct bundle *bundle = config_read(config);
	const char *own = bundle ? bundle->hostname : "";

	if (!*own || !strncmp(own, config->request->id, strlen(own)))
		own = name;
	snprintf(ret, HOSTNAME_MAX + 1, "%.*s", HOSTNAME_MAX, own);
}

/**
 * dhcp_has_name() - does what a network tells its server differ from container to container
 * @text: a template of the network's file; NULL: the default
 *
 * Return: true where it has the container's name in it.
 */
bool dhcp_has_name(const char *text)
{
	return !text || strstr(text, NAME);
}

/**
 * dhcp_describe_client_id() - by which client identifier the server knows an endpoint
 * @item: the endpoint's network
 * @name: the container's
 * @ret:  of a record; "": the MAC
 * @err:  filled on failure
 *
 * Return: 0, -ENAMETOOLONG.
 */
int dhcp_describe_client_id(const struct plan_item *item, const char *name,
	char ret[RECORD_CLIENT_ID_MAX + 1], struct error *err)
{
	const char *text = item->network->dhcp.client_id;
	int r = text ? expand(text, name, ret, RECORD_CLIENT_ID_MAX + 1, err) : 0;

	if (!text)
		*ret = '\0';
	return r < 0 ? error_prefix(err, "network '%s': client_id", item->network->name) : 0;
}

/**
 * dhcp_describe_hostname() - which host name the server is told
 * @item:   the endpoint's network
 * @config: the container's config.json, whose host name is the default; NULL: it does not count
 * @name:   the container's
 * @ret:    of a record; "": none
 * @err:    filled on failure
 *
 * Return: 0, -ENAMETOOLONG.
 */
int dhcp_describe_hostname(const struct plan_item *item, struct config *config, const char *name,
	char ret[HOSTNAME_MAX + 1], struct error *err)
{
	const char *text = item->network->dhcp.hostname;
	int r = text ? expand(text, name, ret, HOSTNAME_MAX + 1, err) : 0;

	if (r < 0)
		return error_prefix(err, "network '%s': hostname", item->network->name);
	if (!text && config)
		default_hostname(config, name, ret);
	else if (!text)
		snprintf(ret, HOSTNAME_MAX + 1, "%.*s", HOSTNAME_MAX, name);
	make_hostname(ret);
	return 0;
}

/**
 * dhcp_describe() - what the client of an endpoint is told
 * @item:   the endpoint's network
 * @config: the container's config.json, which has its host name
 * @ret:    what the record keeps of it. The names are wishes: dhcp_claim_names() looks whether they
 *          are free
 * @err:    filled on failure
 *
 * Return: 0, -ENAMETOOLONG.
 */
int dhcp_describe(const struct plan_item *item, struct config *config, struct record_dhcp *ret,
	struct error *err)
{
	const struct json *file = json_root(item->network->doc);
	struct record_dhcp described = { .probe_ms = item->network->conflict_detection_ms,
		.gives_mtu = item->network->mtu == 0,
		.routes = json_member(file, "routes") };
	char name[CONTAINER_NAME_MAX + 1];
	int r;

	if (network_has_family(item->network, AF_INET))
		described.subnets = json_member(file, "subnets");
	if (item->network->n_service > 0)
		described.service_addresses = json_member(file, "service_addresses");
	config_name(config, name);
	r = dhcp_describe_client_id(item, name, described.client_id, err);
	if (r == 0)
		r = dhcp_describe_hostname(item, config, name, described.hostname, err);
	if (r < 0)
		return r;
	*ret = described;
	return 0;
}
