// SPDX-License-Identifier: MIT
/*
 * The member "ipam" of a network: who gives the addresses. Of a plugin's configuration only the
 * plugin knows what it means.
 */
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/network.h"
#include "schema/network_parts.h"
#include "schema/text.h"

/* A hook has 30 s for everything. */
#define DHCP_TIMEOUT_MAX_MS 25000
/* A name that replaces "{name}" has up to 128 characters, a DHCP option 255. */
#define DHCP_TEXT_MAX 120
#define PATH_FOLDERS_MAX 16

struct ipam {
	const char *driver;
	const struct json *config;
	const struct json *path;
	unsigned n_folders;
};

static int read_driver(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ipam *ipam = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	/* The name of a plugin becomes that of a program: the same letters as a network's name. */
	r = name_check_network(value->text, NULL);
	if (r < 0)
		return error_set(err, r,
			"%s: '%.64s' is not an IPAM driver: use local, dhcp, none, or the name of "
			"a CNI IPAM plugin",
			where, value->text);
	ipam->driver = value->text;
	return 0;
}

static int read_config(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ipam *ipam = ret;

	ipam->config = value;
	return json_expect(value, JSON_OBJECT, where, err);
}

static int read_folder(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ipam *ipam = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (++ipam->n_folders > PATH_FOLDERS_MAX)
		return error_set(err, -E2BIG, "%s: more than %d folders", where, PATH_FOLDERS_MAX);
	if (*value->text != '/' || strlen(value->text) > 1024 || strchr(value->text, ':'))
		return error_set(err, -EINVAL,
			"%s: '%.64s' is not the path of a folder: it begins with a slash, has no "
			"colon and at most 1024 bytes",
			where, value->text);
	return 0;
}

static int read_path(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ipam *ipam = ret;
	int r = members_read_array(value, read_folder, where, ret, err);

	if (r == 0 && ipam->n_folders == 0)
		r = error_set(err, -EINVAL, "%s: is empty: list folders, or remove it", where);
	ipam->path = value;
	return r;
}

static const struct member ipam_members[] = {
	{ "driver", read_driver, false },
	{ "config", read_config, false },
	{ "path", read_path, false },
	{ NULL, NULL, false },
};

static int read_timeout(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_dhcp *dhcp = ret;
	uint64_t milliseconds;
	int r = json_get_uint(value, DHCP_TIMEOUT_MAX_MS, where, &milliseconds, err);

	if (r == 0)
		dhcp->timeout_ms = (unsigned)milliseconds;
	return r;
}

static int read_required(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_dhcp *dhcp = ret;
	int r = json_expect(value, JSON_BOOLEAN, where, err);

	if (r == 0)
		dhcp->required = value->boolean;
	return r;
}

static int read_text(
	const struct json *value, const char *where, const char **ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	for (const char *c = value->text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL,
				"%s: '%.64s' has a blank, control or non-ASCII character", where,
				value->text);
	if (!*value->text || strlen(value->text) > DHCP_TEXT_MAX)
		return error_set(err, -EINVAL, "%s: has %zu bytes, 1 to %d are allowed", where,
			strlen(value->text), DHCP_TEXT_MAX);
	*ret = value->text;
	return 0;
}

static int read_client_id(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_dhcp *dhcp = ret;

	return read_text(value, where, &dhcp->client_id, err);
}

static int read_hostname(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network_dhcp *dhcp = ret;

	return read_text(value, where, &dhcp->hostname, err);
}

static const struct member dhcp_members[] = {
	{ "timeout_ms", read_timeout, false },
	{ "required", read_required, false },
	{ "client_id", read_client_id, false },
	{ "hostname", read_hostname, false },
	{ NULL, NULL, false },
};

static int read_dhcp(
	const struct ipam *ipam, const char *where, struct network *network, struct error *err)
{
	char config[MEMBERS_WHERE_MAX];

	network->dhcp = (struct network_dhcp){
		.timeout_ms = NETWORK_DHCP_TIMEOUT_MS,
		.required = true,
	};
	if (!ipam->config)
		return 0;
	text_join(config, sizeof(config), where, ".config");
	return members_read_object(ipam->config, dhcp_members, config, &network->dhcp, err);
}

static int refuse_key(
	const struct ipam *ipam, const char *where, const char *key, struct error *err)
{
	return error_set(
		err, -EINVAL, "%s.%s: driver '%s' has none: remove it", where, key, ipam->driver);
}

/* In CNI's own files it is the driver's name: whoever copies from one is not to get another. */
static int check_type(const struct ipam *ipam, const char *where, struct error *err)
{
	const struct json *type = ipam->config ? json_member(ipam->config, "type") : NULL;

	if (!type || (type->type == JSON_STRING && !strcmp(type->text, ipam->driver)))
		return 0;
	return error_set(err, -EINVAL,
		"%s.config.type: is not the driver's name, '%s': remove it, or make the driver the "
		"plugin that is meant",
		where, ipam->driver);
}

/**
 * network_ipam_parse() - tell who gives the addresses of a network by its driver
 * @driver: its name, as in the file
 *
 * Return: which of ours; or it is the name of a plugin.
 */
enum network_ipam network_ipam_parse(const char *driver)
{
	if (!strcmp(driver, "local"))
		return NETWORK_IPAM_LOCAL;
	if (!strcmp(driver, "none"))
		return NETWORK_IPAM_NONE;
	return strcmp(driver, "dhcp") ? NETWORK_IPAM_PLUGIN : NETWORK_IPAM_DHCP;
}

static int settle(
	const struct ipam *ipam, const char *where, struct network *network, struct error *err)
{
	network->ipam = network_ipam_parse(ipam->driver);
	if (ipam->config && !network_asks_elsewhere(network))
		return refuse_key(ipam, where, "config", err);
	if (ipam->path && network->ipam != NETWORK_IPAM_PLUGIN)
		return refuse_key(ipam, where, "path", err);
	if (network->ipam == NETWORK_IPAM_DHCP)
		return read_dhcp(ipam, where, network, err);
	if (network->ipam != NETWORK_IPAM_PLUGIN)
		return 0;
	network->plugin = (struct network_plugin){
		.name = ipam->driver,
		.config = ipam->config,
		.path = ipam->path,
	};
	return check_type(ipam, where, err);
}

/**
 * network_read_ipam() - read the member "ipam"
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct network
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -ERANGE, -E2BIG.
 */
int network_read_ipam(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	struct ipam ipam = { .driver = "local" };
	int r = members_read_object(value, ipam_members, where, &ipam, err);

	if (r == 0)
		r = settle(&ipam, where, network, err);
	/* Who gives the addresses may know of resolvers, too; the file's own word comes after this.
	 */
	if (r == 0 && network_asks_elsewhere(network))
		network->dns.mode = NETWORK_DNS_GIVEN;
	return r;
}

/**
 * network_ipam_name() - the driver that gives a network's addresses
 * @network: the network
 *
 * Return: its name, as in the file.
 */
const char *network_ipam_name(const struct network *network)
{
	switch (network->ipam) {
	case NETWORK_IPAM_LOCAL:
		return "local";
	case NETWORK_IPAM_NONE:
		return "none";
	case NETWORK_IPAM_DHCP:
		return "dhcp";
	case NETWORK_IPAM_PLUGIN:
		return network->plugin.name;
	}
	return "?";
}
