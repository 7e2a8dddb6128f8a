// SPDX-License-Identifier: MIT
/*
 * The last word of a DHCP server to one of our clients: RUN/dhcp/ID:INTERFACE.lease, and .applied,
 * what of it the container has (lease.schema.json). Written by the client's event script, read by
 * the hook, ps, inspect and the next event. Values are checked where they come from the server
 * (hook/dhcp_values.c), and once more here.
 */
#include "schema/lease.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/json.h"
#include "schema/members.h"
#include "schema/text.h"

#define NAME_SIZE 256

static int read_obtained_ms(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return json_get_uint(value, UINT64_MAX, where, &lease->obtained_ms, err);
}

static int read_seconds(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;
	uint64_t seconds;
	int r = json_get_uint(value, UINT32_MAX, where, &seconds, err);

	if (r == 0)
		lease->seconds = (uint32_t)seconds;
	return r;
}

static int read_mtu(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;
	uint64_t mtu;
	int r = json_get_uint(value, NETWORK_MTU_MAX, where, &mtu, err);

	if (r == 0)
		lease->config.mtu = (unsigned)mtu;
	return r;
}

/* All of a lease is IPv4. */
static int read_ip(const struct json *value, const char *where, struct ip *ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = ip_parse(value->text, ret, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (ret->family != AF_INET)
		return error_set(
			err, -EINVAL, "%s: '%s' is not an IPv4 address", where, value->text);
	return 0;
}

static int read_address(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;
	struct cidr *address = &lease->config.addresses[0];
	int r = json_expect(value, JSON_STRING, where, err);

	if (r == 0)
		r = cidr_parse(value->text, address, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (address->ip.family != AF_INET)
		return error_set(
			err, -EINVAL, "%s: '%s' is not an IPv4 address", where, value->text);
	lease->config.n_addresses = 1;
	lease->is_bound = true;
	return 0;
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return read_ip(value, where, &lease->config.gateway4, err);
}

static int read_server(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return read_ip(value, where, &lease->server, err);
}

/* In the form of a network's own. */
static int read_routes(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;
	struct ip_config *config = &lease->config;
	int r = network_list_routes(value, config->routes, &config->n_routes, err);

	for (unsigned i = 0; r == 0 && i < config->n_routes; i++) {
		const struct network_route *route = &config->routes[i];

		if (route->dst.ip.family != AF_INET || route->gateway.family == AF_INET6)
			r = error_set(err, -EINVAL, "%s[%u]: is not IPv4", where, i);
	}
	return r;
}

static int add_server(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;

	if (config->n_servers == IP_CONFIG_SERVERS_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d servers", where, IP_CONFIG_SERVERS_MAX);
	return read_ip(value, where, &config->servers[config->n_servers++], err);
}

static int read_servers(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return members_read_array(value, add_server, where, &lease->config, err);
}

/* A word of resolv.conf; a blank or a line's end would make two of it. */
static int add_search(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct ip_config *config = ret;
	char *word;
	int r;

	if (config->n_search == IP_CONFIG_WORDS_MAX)
		return error_set(err, -E2BIG, "%s: more than %d words", where, IP_CONFIG_WORDS_MAX);
	word = config->search[config->n_search];
	r = members_copy_string(value, where, word, IP_CONFIG_WORD_SIZE, err);
	if (r < 0)
		return r;
	for (const char *c = word; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, -EINVAL, "%s: '%s' is not a word", where, word);
	config->n_search++;
	return 0;
}

static int read_search(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return members_read_array(value, add_search, where, &lease->config, err);
}

static int read_problem(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct lease *lease = ret;

	return members_copy_string(value, where, lease->problem, sizeof(lease->problem), err);
}

static const struct member bound_members[] = {
	{ "address", read_address, true },
	{ "gateway", read_gateway, false },
	{ "routes", read_routes, false },
	{ "mtu", read_mtu, false },
	{ "servers", read_servers, false },
	{ "search", read_search, false },
	{ "obtained_ms", read_obtained_ms, true },
	{ "seconds", read_seconds, true },
	{ "server", read_server, false },
	{ NULL, NULL, false },
};

static const struct member unbound_members[] = {
	{ "problem", read_problem, true },
	{ NULL, NULL, false },
};

/**
 * lease_parse() - read a lease
 * @text: the document; need not end with a NUL
 * @size: of @text, in bytes
 * @ret:  the lease
 * @err:  filled on failure; the line begins with the key
 *
 * Return: 0; -EINVAL, -ERANGE, -ENAMETOOLONG: wrong; -E2BIG: over a limit; -ENOMEM.
 */
int lease_parse(const char *text, size_t size, struct lease *ret, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	const struct json *root;
	bool is_unbound;
	int r = json_parse(text, size, &doc, err);

	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	root = json_root(doc);
	is_unbound = root->type == JSON_OBJECT && json_member(root, "problem");
	return members_read_object(
		root, is_unbound ? unbound_members : bound_members, "", ret, err);
}

static void put_ip(struct json_writer *writer, const char *key, const struct ip *ip)
{
	char text[IP_TEXT];

	if (ip->family)
		json_put_string(writer, key, ip_format(ip, text));
}

static void put_routes(struct json_writer *writer, const struct ip_config *config)
{
	json_open_array(writer, "routes");
	for (unsigned i = 0; i < config->n_routes; i++) {
		char text[CIDR_TEXT];

		json_open_object(writer, NULL);
		json_put_string(writer, "dst", cidr_format(&config->routes[i].dst, text));
		put_ip(writer, "gateway", &config->routes[i].gateway);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_config(struct json_writer *writer, const struct ip_config *config)
{
	char text[CIDR_TEXT];

	json_put_string(writer, "address", cidr_format(&config->addresses[0], text));
	put_ip(writer, "gateway", &config->gateway4);
	put_routes(writer, config);
	if (config->mtu)
		json_put_uint(writer, "mtu", config->mtu);
	json_open_array(writer, "servers");
	for (unsigned i = 0; i < config->n_servers; i++)
		put_ip(writer, NULL, &config->servers[i]);
	json_close_array(writer);
	json_open_array(writer, "search");
	for (unsigned i = 0; i < config->n_search; i++)
		json_put_string(writer, NULL, config->search[i]);
	json_close_array(writer);
}

/**
 * lease_format() - write a lease as text
 * @lease:    the lease
 * @ret:      the document, one line, with a NUL behind it; the caller frees it
 * @ret_size: its size in bytes without that NUL
 * @err:      filled on failure
 *
 * Return: 0, -ENOMEM.
 */
int lease_format(const struct lease *lease, char **ret, size_t *ret_size, struct error *err)
{
	cleanup(json_writer_free) struct json_writer *writer = json_writer_new(false);

	if (!writer)
		return error_set(err, -ENOMEM, "out of memory");
	json_open_object(writer, NULL);
	if (lease->is_bound) {
		put_config(writer, &lease->config);
		json_put_uint(writer, "obtained_ms", lease->obtained_ms);
		json_put_uint(writer, "seconds", lease->seconds);
		put_ip(writer, "server", &lease->server);
	} else {
		json_put_string(writer, "problem", lease->problem);
	}
	json_close_object(writer);
	return json_writer_line(writer, ret, ret_size, err);
}

/**
 * lease_load() - read a file of a lease
 * @dir:  RUN/dhcp, open
 * @name: of the file
 * @ret:  the lease
 * @err:  filled on failure
 *
 * Return: 0; -ENOENT: there is none; or what file_read() and lease_parse() return.
 */
int lease_load(int dir, const char *name, struct lease *ret, struct error *err)
{
	autofree char *text = NULL;
	size_t size;
	int r = file_read(dir, name, LEASE_FILE_MAX, &text, &size, err);

	if (r == 0)
		r = lease_parse(text, size, ret, err);
	return r < 0 ? error_prefix(err, "lease 'dhcp/%s'", name) : 0;
}

/**
 * lease_save() - write a file of a lease, in place of the one before
 * @dir:   RUN/dhcp, open
 * @name:  of the file; only one process writes it at a time
 * @lease: the lease
 * @err:   filled on failure
 *
 * Return: 0; or what lease_format() and file_replace() return.
 */
int lease_save(int dir, const char *name, const struct lease *lease, struct error *err)
{
	autofree char *text = NULL;
	char temporary[NAME_SIZE];
	size_t size;
	int r = lease_format(lease, &text, &size, err);

	text_join(temporary, sizeof(temporary), name, LEASE_TEMPORARY);
	if (r == 0)
		r = file_replace(dir, name, temporary, text, size, err);
	return r < 0 ? error_prefix(err, "lease 'dhcp/%s'", name) : 0;
}

/**
 * lease_set_problem() - there is no lease
 * @lease: the lease, which is none from now on
 * @text:  why, UTF-8; what does not fit is cut off, between two characters
 */
void lease_set_problem(struct lease *lease, const char *text)
{
	size_t length = strnlen(text, LEASE_PROBLEM_MAX);

	if (length == LEASE_PROBLEM_MAX)
		length--;
	/* Half a character could not be written. */
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	lease->is_bound = false;
	memcpy(lease->problem, text, length);
	lease->problem[length] = '\0';
}

static bool same_cidr(const struct cidr *a, const struct cidr *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

static bool same_config(const struct ip_config *a, const struct ip_config *b)
{
	if (a->n_routes != b->n_routes || a->n_servers != b->n_servers ||
		a->n_search != b->n_search || a->mtu != b->mtu ||
		!same_cidr(&a->addresses[0], &b->addresses[0]) ||
		!ip_equal(&a->gateway4, &b->gateway4))
		return false;
	for (unsigned i = 0; i < a->n_routes; i++)
		if (!same_cidr(&a->routes[i].dst, &b->routes[i].dst) ||
			!ip_equal(&a->routes[i].gateway, &b->routes[i].gateway))
			return false;
	for (unsigned i = 0; i < a->n_servers; i++)
		if (!ip_equal(&a->servers[i], &b->servers[i]))
			return false;
	for (unsigned i = 0; i < a->n_search; i++)
		if (strcmp(a->search[i], b->search[i]) != 0)
			return false;
	return true;
}

/**
 * lease_is_same() - do two leases give a container the same
 * @a: one
 * @b: the other; times, servers and problems do not count
 *
 * Return: true when they do.
 */
bool lease_is_same(const struct lease *a, const struct lease *b)
{
	if (a->is_bound != b->is_bound)
		return false;
	return !a->is_bound || same_config(&a->config, &b->config);
}

/**
 * lease_now_ms() - the time in which leases are measured
 *
 * Return: CLOCK_BOOTTIME in milliseconds: it goes on while the machine sleeps.
 */
uint64_t lease_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/**
 * lease_remaining() - how long a lease still holds
 * @lease: the lease
 *
 * Return: seconds; LEASE_FOR_EVER.
 */
uint32_t lease_remaining(const struct lease *lease)
{
	uint64_t now = lease_now_ms();
	uint64_t passed = now > lease->obtained_ms ? (now - lease->obtained_ms) / 1000 : 0;

	if (!lease->is_bound || lease->seconds == LEASE_FOR_EVER)
		return lease->is_bound ? LEASE_FOR_EVER : 0;
	return passed < lease->seconds ? lease->seconds - (uint32_t)passed : 0;
}
