// SPDX-License-Identifier: MIT
/*
 * resolv.conf, in and out: the host's, less what means nothing in another network namespace, and
 * those that a network's dns, or whoever gives its addresses, says.
 */
#include "schema/resolv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/ip.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/network.h"

#define BLANKS " \t\r\f\v"
#define NAMESERVER "nameserver"
/* The longest address with its zone. */
#define SERVER_MAX 64

/* What resolv.conf(5) has, but for the servers. */
static const char *const keywords[] = { "domain", "search", "sortlist", "options" };

/* A part of the text; it does not end with a NUL. */
struct span {
	const char *text;
	size_t size;
};

/* Takes the next word of a line away from it; an empty one at its end. */
static struct span next_word(struct span *line)
{
	struct span word;

	while (line->size > 0 && strchr(BLANKS, *line->text))
		line->text++, line->size--;
	word.text = line->text;
	while (line->size > 0 && !strchr(BLANKS, *line->text))
		line->text++, line->size--;
	word.size = (size_t)(line->text - word.text);
	return word;
}

static bool span_is(const struct span *span, const char *word)
{
	return span->size == strlen(word) && !memcmp(span->text, word, span->size);
}

/* Does the resolver on this host listen there, or the one in a container, which has none? The
 * unspecified address means the same to the C library.
 */
static bool is_own(const struct ip *ip)
{
	static const uint8_t zeroes[15] = { 0 };

	if (ip->family == AF_INET6)
		return !memcmp(ip->bytes, zeroes, sizeof(zeroes)) && ip->bytes[15] <= 1;
	return ip->bytes[0] == 127 || !memcmp(ip->bytes, zeroes, 4);
}

/**
 * resolv_is_usable() - can a container on the LAN ask this server, as far as the address tells
 * @server: its address
 *
 * Return: false for a loopback, unspecified or link-local address.
 */
bool resolv_is_usable(const struct ip *server)
{
	/* A link-local one needs a zone, and that is an interface of the host: with one it does
	 * not parse.
	 */
	return !is_own(server) && !ip_is_link_local(server);
}

static bool parse_server(const struct span *word, struct ip *ret)
{
	char text[SERVER_MAX];

	if (word->size >= sizeof(text))
		return false;
	memcpy(text, word->text, word->size);
	text[word->size] = '\0';
	return ip_parse(text, ret, NULL) == 0;
}

static bool is_usable(const struct span *word)
{
	struct ip ip;

	return parse_server(word, &ip) && resolv_is_usable(&ip);
}

/* Takes the next line of a text away from it. */
static struct span next_line(struct span *text)
{
	const char *end = memchr(text->text, '\n', text->size);
	struct span line = { text->text, end ? (size_t)(end - text->text) : text->size };

	text->text += line.size + (end != NULL);
	text->size -= line.size + (end != NULL);
	return line;
}

/**
 * resolv_list() - the servers that a resolv.conf names
 * @text:  the file; need not end with a NUL
 * @size:  of @text, in bytes
 * @found: called for each that is an address without a zone
 * @arg:   handed to @found
 *
 * Return: 0, or what @found failed with.
 */
int resolv_list(const char *text, size_t size, resolv_server_fn *found, void *arg)
{
	struct span rest = { text, size };

	while (rest.size > 0) {
		struct span line = next_line(&rest);
		struct span word = next_word(&line);
		struct span server = next_word(&line);
		struct ip ip;
		int r;

		if (!span_is(&word, NAMESERVER) || !parse_server(&server, &ip))
			continue;
		r = found(arg, &ip);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_printable(const struct span *line)
{
	for (size_t i = 0; i < line->size; i++)
		if (line->text[i] != '\t' && (line->text[i] < ' ' || line->text[i] > '~'))
			return false;
	return true;
}

/* Is the line of use in a container? Comments are about the host. */
static bool is_kept(const struct span *line, bool *usable)
{
	struct span rest = *line;
	struct span word = next_word(&rest);

	if (span_is(&word, NAMESERVER)) {
		struct span server = next_word(&rest);

		if (!is_usable(&server))
			return false;
		*usable = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (span_is(&word, keywords[i]))
			return true;
	return false;
}

/**
 * resolv_filter() - what of the host's resolv.conf holds in a container
 * @text:       the host's file; need not end with a NUL
 * @size:       of @text, in bytes
 * @ret:        what is left of it, with a NUL behind it; the caller frees it
 * @ret_size:   its size in bytes, without that
 * @ret_usable: whether a server is left
 * @err:        filled on failure
 *
 * Left out are servers on a loopback, unspecified or link-local address, comments, and lines that
 * resolv.conf(5) does not know.
 *
 * Return: 0, -ENOMEM.
 */
int resolv_filter(const char *text, size_t size, char **ret, size_t *ret_size, bool *ret_usable,
	struct error *err)
{
	char *kept = malloc(size + 2); /* a line's end that the text lacks, and a NUL */
	struct span rest = { text, size };
	bool usable = false;
	size_t used = 0;

	if (!kept)
		return error_set(err, -ENOMEM, "out of memory");
	while (rest.size > 0) {
		struct span line = next_line(&rest);

		if (is_printable(&line) && is_kept(&line, &usable)) {
			memcpy(kept + used, line.text, line.size);
			used += line.size;
			kept[used++] = '\n';
		}
	}
	kept[used] = '\0';
	*ret = kept;
	*ret_size = used;
	*ret_usable = usable;
	return 0;
}

/* A file that is written into memory. */
struct output {
	char *text;
	size_t size;
	FILE *to;
};

static int output_open(struct output *output, struct error *err)
{
	output->to = open_memstream(&output->text, &output->size);
	return output->to ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int output_close(struct output *output, char **ret, size_t *ret_size, struct error *err)
{
	bool failed = ferror(output->to) != 0;

	if (fclose(output->to) != 0 || failed) {
		free(output->text);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*ret = output->text;
	*ret_size = output->size;
	return 0;
}

/* All words of a list on one line. */
static void put_line(FILE *to, const char *keyword, const struct json *words)
{
	if (!words)
		return;
	fputs(keyword, to);
	json_for_each (word, words)
		fprintf(to, " %s", word->text);
	fputc('\n', to);
}

/**
 * resolv_format() - the resolv.conf of a network whose dns has mode static
 * @dns:      what the network says; its words were checked as it was read
 * @ret:      the file's text; the caller frees it
 * @ret_size: its size in bytes
 * @err:      filled on failure
 *
 * Return: 0, -ENOMEM.
 */
int resolv_format(const struct network_dns *dns, char **ret, size_t *ret_size, struct error *err)
{
	struct output output = { 0 };
	int r = output_open(&output, err);

	if (r < 0)
		return r;
	if (dns->servers)
		json_for_each (server, dns->servers)
			fprintf(output.to, NAMESERVER " %s\n", server->text);
	put_line(output.to, "search", dns->search);
	put_line(output.to, "options", dns->options);
	return output_close(&output, ret, ret_size, err);
}

static void put_words(
	FILE *to, const char *keyword, const char words[][IP_CONFIG_WORD_SIZE], unsigned n_words)
{
	if (n_words == 0)
		return;
	fputs(keyword, to);
	for (unsigned i = 0; i < n_words; i++)
		fprintf(to, " %s", words[i]);
	fputc('\n', to);
}

/**
 * resolv_format_given() - the resolv.conf of a DHCP server or a CNI IPAM plugin
 * @config:   what it says; its words were checked as it was read
 * @ret:      the file's text; the caller frees it
 * @ret_size: its size in bytes
 * @err:      filled on failure
 *
 * Return: 0, -ENOMEM.
 */
int resolv_format_given(
	const struct ip_config *config, char **ret, size_t *ret_size, struct error *err)
{
	struct output output = { 0 };
	char text[IP_TEXT];
	int r = output_open(&output, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < config->n_servers; i++)
		fprintf(output.to, NAMESERVER " %s\n", ip_format(&config->servers[i], text));
	put_words(output.to, "search", config->search, config->n_search);
	put_words(output.to, "options", config->options, config->n_options);
	return output_close(&output, ret, ret_size, err);
}
