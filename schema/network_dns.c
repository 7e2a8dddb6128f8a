// SPDX-License-Identifier: MIT
/*
 * The member "dns" of a network: what containers resolve names with.
 */
#include "schema/network.h"

#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/network_parts.h"

/* How many servers, search domains and options; each is one line or word of resolv.conf. */
#define DNS_ENTRIES_MAX 16

/* While the member "dns" is read. */
struct dns {
	struct network_dns dns;
	unsigned n_entries;	 /* of the list that is being read */
	const char *only_static; /* a key that has no meaning in another mode, or NULL */
};

static const char *const dns_mode_names[] = {
	[NETWORK_DNS_HOST] = "host",
	[NETWORK_DNS_NONE] = "none",
	[NETWORK_DNS_STATIC] = "static",
};

#define N_DNS_MODES (sizeof(dns_mode_names) / sizeof(dns_mode_names[0])) /* that a file may say */

static int read_dns_mode(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct dns *dns = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < N_DNS_MODES; i++)
		if (!strcmp(value->text, dns_mode_names[i])) {
			dns->dns.mode = (enum network_dns_mode)i;
			return 0;
		}
	return error_set(
		err, -EINVAL, "%s: '%.64s' is not host, none or static", where, value->text);
}

/* A word of resolv.conf; a blank or a line's end would make two of it. */
static int read_word(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct dns *dns = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (++dns->n_entries > DNS_ENTRIES_MAX)
		return error_set(err, -E2BIG, "%s: more than %d entries", where, DNS_ENTRIES_MAX);
	for (const char *c = value->text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL,
				"%s: '%.64s' has a blank, control or non-ASCII character", where,
				value->text);
	if (!*value->text || strlen(value->text) > 253)
		return error_set(err, -EINVAL, "%s: has %zu bytes, 1 to 253 are allowed", where,
			strlen(value->text));
	return 0;
}

static int read_server(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip ip;
	int r = read_word(value, where, ret, err);

	if (r < 0)
		return r;
	r = ip_parse(value->text, &ip, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_list(const struct json *value, members_read_fn *read, const char *where,
	struct dns *dns, const struct json **ret, struct error *err)
{
	int r;

	dns->n_entries = 0;
	dns->only_static = value->key;
	r = members_read_array(value, read, where, dns, err);
	*ret = r == 0 && dns->n_entries > 0 ? value : NULL;
	return r;
}

static int read_servers(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct dns *dns = ret;

	return read_list(value, read_server, where, dns, &dns->dns.servers, err);
}

static int read_search(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct dns *dns = ret;

	return read_list(value, read_word, where, dns, &dns->dns.search, err);
}

static int read_options(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct dns *dns = ret;

	return read_list(value, read_word, where, dns, &dns->dns.options, err);
}

static const struct member dns_members[] = {
	{ "mode", read_dns_mode, false },
	{ "servers", read_servers, false },
	{ "search", read_search, false },
	{ "options", read_options, false },
	{ NULL, NULL, false },
};

/**
 * network_read_dns() - read the member "dns"
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct network
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_read_dns(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	struct dns dns = { .dns = network->dns };
	int r = members_read_object(value, dns_members, where, &dns, err);

	if (r < 0)
		return r;
	if (dns.only_static && dns.dns.mode != NETWORK_DNS_STATIC)
		return error_set(err, -EINVAL, "%s.%s: is for mode static, but the mode is %s",
			where, dns.only_static,
			dns.dns.mode < N_DNS_MODES ? dns_mode_names[dns.dns.mode] : "not given");
	if (dns.dns.mode == NETWORK_DNS_STATIC && !dns.dns.servers)
		return error_set(err, -EINVAL, "%s.servers: mode static needs at least one", where);
	network->dns = dns.dns;
	return 0;
}
