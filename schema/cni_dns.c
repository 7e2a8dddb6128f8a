// SPDX-License-Identifier: MIT
/*
 * The member "dns" of a CNI result. A plugin hands on what stands in some resolv.conf, so what a
 * container cannot use is left out, and no reason to fail.
 */
#include <string.h>

#include "schema/cni_parts.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/members.h"
#include "schema/resolv.h"

static int add_server(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;
	struct ip server;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r == 0 && config->n_servers < IP_CONFIG_SERVERS_MAX &&
		ip_parse(value->text, &server, NULL) == 0 && resolv_is_usable(&server))
		config->servers[config->n_servers++] = server;
	return r;
}

static int read_servers(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_server, where, ret, err);
}

/* A word of resolv.conf; a blank or a line's end would make two of it. */
static bool is_word(const char *text)
{
	size_t length = strlen(text);

	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return length > 0 && length < IP_CONFIG_WORD_SIZE;
}

static void add_word(const char *text, char words[][IP_CONFIG_WORD_SIZE], unsigned *n)
{
	for (unsigned i = 0; i < *n; i++)
		if (!strcmp(words[i], text))
			return;
	if (is_word(text) && *n < IP_CONFIG_WORDS_MAX)
		strcpy(words[(*n)++], text);
}

static int add_search(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r == 0)
		add_word(value->text, config->search, &config->n_search);
	return r;
}

static int read_search(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_search, where, ret, err);
}

static int add_option(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r == 0)
		add_word(value->text, config->options, &config->n_options);
	return r;
}

static int read_options(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, add_option, where, ret, err);
}

/* The domain is searched where there is no list (resolv.conf(5)). */
static int read_domain(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;

	return config->n_search > 0 ? json_expect(value, JSON_STRING, where, err)
				    : add_search(value, where, ret, err);
}

static const struct member dns_members[] = {
	{ "nameservers", read_servers, false },
	{ "search", read_search, false },
	{ "domain", read_domain, false },
	{ "options", read_options, false },
	{ NULL, NULL, false },
};

/**
 * cni_read_dns() - read the member "dns"
 * @value: the value
 * @where: its place in the document
 * @ret:   gets the servers, the domains and the options
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL.
 */
int cni_read_dns(
	const struct json *value, const char *where, struct ip_config *ret, struct error *err)
{
	return cni_read_members(value, dns_members, where, ret, err);
}
