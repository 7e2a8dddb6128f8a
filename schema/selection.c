// SPDX-License-Identifier: MIT
/*
 * What a container asks for: the network selection format of the Kubernetes Network Plumbing
 * Working Group, in its short and its JSON form, and our shorthand annotations for one network.
 * Whether a network can give it is decided where the network is known.
 *
 * See: https://github.com/k8snetworkplumbingwg/multi-net-spec
 */
#include "schema/selection.h"

#include <stdio.h>
#include <string.h>

#include "schema/annotations.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/members.h"

#define BLANKS " \t\r\n"

static int set_network(struct selection *selection, const char *name, struct error *err)
{
	int r;

	if (strchr(name, '/'))
		return error_set(err, -EINVAL,
			"'%.128s': networks have no namespace here: give the name alone", name);
	r = name_check_network(name, err);
	if (r == 0)
		strcpy(selection->network, name);
	return r;
}

static int set_interface(struct selection *selection, const char *name, struct error *err)
{
	int r = name_check_interface(name, err);

	if (r == 0)
		strcpy(selection->interface, name);
	return r;
}

static int set_mac(struct selection *selection, const char *text, struct error *err)
{
	int r = mac_parse(text, selection->mac, err);

	if (r == 0)
		selection->has_mac = true;
	return r;
}

/* ADDRESS or ADDRESS/LEN; the length is left open in the first case: it is the subnet's. */
static int parse_address(const char *text, struct cidr *ret, struct error *err)
{
	struct cidr cidr = { .len = SELECTION_LEN_NONE };
	int r = strchr(text, '/') ? cidr_parse(text, &cidr, err) : ip_parse(text, &cidr.ip, err);

	if (r < 0)
		return r;
	if (!ip_is_assignable(&cidr.ip))
		return error_set(
			err, -EINVAL, "'%s' is not an address that a container can have", text);
	*ret = cidr;
	return 0;
}

static int add_address(struct selection *selection, const struct cidr *cidr, struct error *err)
{
	if (selection->n_ips == SELECTION_IPS_MAX)
		return error_set(err, -E2BIG, "more than %d addresses", SELECTION_IPS_MAX);
	selection->ips[selection->n_ips++] = *cidr;
	return 0;
}

static int read_name(const struct json *value, const char *where, void *ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = set_network(ret, value->text, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_interface(const struct json *value, const char *where, void *ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = set_interface(ret, value->text, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_mac(const struct json *value, const char *where, void *ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = set_mac(ret, value->text, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_address(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct cidr cidr;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = parse_address(value->text, &cidr, err);
	if (r == 0)
		r = add_address(ret, &cidr, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_addresses(const struct json *value, const char *where, void *ret, struct error *err)
{
	return members_read_array(value, read_address, where, ret, err);
}

static int add_gateway(struct selection *selection, const char *text, struct error *err)
{
	struct ip ip;
	int r = ip_parse(text, &ip, err);

	if (r < 0)
		return r;
	if (!ip_is_assignable(&ip))
		return error_set(
			err, -EINVAL, "'%s' is not an address that a gateway can have", text);
	for (unsigned i = 0; i < selection->n_gateways; i++)
		if (selection->gateways[i].family == ip.family)
			return error_set(err, -EINVAL, "'%s' is a second %s gateway: give one",
				text, ip.family == AF_INET ? "IPv4" : "IPv6");
	selection->gateways[selection->n_gateways++] = ip;
	return 0;
}

static int read_gateway(const struct json *value, const char *where, void *ret, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	r = add_gateway(ret, value->text, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int read_default_route(
	const struct json *value, const char *where, void *ret, struct error *err)
{
	struct selection *selection = ret;
	int r = members_read_array(value, read_gateway, where, selection, err);

	if (r == 0)
		selection->has_default_route = true;
	return r;
}

/* A key of the specification that would change what the container gets: never ignored. */
static int refuse(const struct json *value, const char *where, void *ret, struct error *err)
{
	(void)value;
	(void)ret;
	return error_set(err, -EOPNOTSUPP, "%s: is not supported: remove it", where);
}

static const struct member selection_members[] = {
	{ "name", read_name, true },
	{ "interface", read_interface, false },
	{ "ips", read_addresses, false },
	{ "mac", read_mac, false },
	{ "default-route", read_default_route, false },
	{ "namespace", refuse, false },
	{ "bandwidth", refuse, false },
	{ "infiniband-guid", refuse, false },
	{ "interfaceRequest", refuse, false },
	{ "portMappings", refuse, false },
	{ "deviceID", refuse, false },
	{ "cni-args", refuse, false },
	{ NULL, NULL, false },
};

static int check_interface_free(
	const struct selections *selections, const char *interface, struct error *err)
{
	for (unsigned i = 0; *interface && i < selections->n; i++)
		if (!strcmp(selections->list[i].interface, interface))
			return error_set(err, -EINVAL,
				"interface '%s' is asked for twice: give each network its own",
				interface);
	return 0;
}

static int append(
	struct selections *selections, const struct selection *selection, struct error *err)
{
	int r = check_interface_free(selections, selection->interface, err);

	if (r < 0)
		return r;
	if (selections->n == SELECTIONS_MAX)
		return error_set(err, -E2BIG, "more than %d networks are selected", SELECTIONS_MAX);
	selections->list[selections->n++] = *selection;
	return 0;
}

static int read_selection(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct selection selection = { 0 };
	int r = members_read_object(value, selection_members, where, &selection, err);

	if (r < 0)
		return r;
	r = append(ret, &selection, err);
	return r < 0 ? error_prefix(err, "%s", where) : 0;
}

static int add_json(struct selections *selections, const char *text, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;
	unsigned before = selections->n;
	int r = json_parse(text, strlen(text), &doc, err);

	if (r < 0)
		return r;
	if (json_root(doc)->type == JSON_OBJECT)
		return error_set(err, -EINVAL, "a single object: put it into a list, [...]");
	r = members_read_array(json_root(doc), read_selection, "", selections, err);
	if (r == 0 && selections->n == before)
		r = error_set(err, -EINVAL, "an empty list: name a network, or remove it");
	return r;
}

/* NAME or NAME@INTERFACE, with blanks around it; length is without the comma. */
static int add_word(
	struct selections *selections, const char *word, size_t length, struct error *err)
{
	struct selection selection = { 0 };
	char item[NETWORK_NAME_MAX + 1 + INTERFACE_NAME_MAX + 2];
	size_t blanks = strspn(word, BLANKS);
	char *at;
	int r;

	blanks = blanks < length ? blanks : length;
	word += blanks;
	length -= blanks;
	while (length > 0 && strchr(BLANKS, word[length - 1]))
		length--;
	if (length == 0)
		return error_set(
			err, -EINVAL, "an empty item: name a network, or remove the comma");
	if (length >= sizeof(item))
		return error_set(err, -EINVAL, "'%.32s...' is too long for NAME@INTERFACE", word);
	memcpy(item, word, length);
	item[length] = '\0';
	at = strchr(item, '@');
	if (at && strchr(at + 1, '@'))
		return error_set(err, -EINVAL, "'%s' has two '@': give NAME@INTERFACE", item);
	if (at)
		*at++ = '\0';
	r = set_network(&selection, item, err);
	if (r == 0 && at)
		r = set_interface(&selection, at, err);
	return r < 0 ? r : append(selections, &selection, err);
}

static int add_words(struct selections *selections, const char *text, struct error *err)
{
	for (unsigned index = 0;; index++) {
		size_t length = strcspn(text, ",");
		int r = add_word(selections, text, length, err);

		if (r < 0)
			return error_prefix(err, "[%u]", index);
		text += length;
		if (!*text)
			return 0;
		text++;
	}
}

/**
 * selections_add() - append what a text selects
 * @selections: where to; empty before the first text
 * @text:       the value of io.oci-macvlan.networks or of a --network argument:
 * NAME[@INTERFACE],... or a JSON list of objects
 * @err:        filled on failure. The line begins with the place in the text ("[1].ips[0]: "); the
 *              caller puts in front where the text is from ("annotation io.oci-macvlan.networks")
 *
 * Return: 0; -EINVAL, -ENAMETOOLONG: wrong; -EOPNOTSUPP: a key of the format that we do not have;
 * -E2BIG: over a limit; -ENOMEM.
 */
int selections_add(struct selections *selections, const char *text, struct error *err)
{
	const char *start = text + strspn(text, BLANKS);
	unsigned before = selections->n;
	int r;

	if (strlen(text) > ANNOTATION_MAX)
		return error_set(err, -E2BIG, "has %zu bytes, at most %d are allowed", strlen(text),
			ANNOTATION_MAX);
	if (!*start)
		return error_set(err, -EINVAL, "is empty: name a network, or remove it");
	if (*start == '[' || *start == '{')
		r = add_json(selections, text, err);
	else
		r = add_words(selections, text, err);
	if (r < 0)
		selections->n = before;
	return r;
}

static int apply_address(
	struct selection *selection, const char *text, sa_family_t family, struct error *err)
{
	const char *name = family == AF_INET ? "IPv4" : "IPv6";
	struct cidr cidr;
	int r = parse_address(text, &cidr, err);

	if (r < 0)
		return r;
	if (cidr.ip.family != family)
		return error_set(err, -EINVAL, "'%s' is not an %s address", text, name);
	for (unsigned i = 0; i < selection->n_ips; i++)
		if (selection->ips[i].ip.family == family)
			return error_set(err, -EINVAL,
				"the selection has an %s address already: remove one of them",
				name);
	return add_address(selection, &cidr, err);
}

static int apply_ip(struct selection *selection, const char *text, struct error *err)
{
	return apply_address(selection, text, AF_INET, err);
}

static int apply_ip6(struct selection *selection, const char *text, struct error *err)
{
	return apply_address(selection, text, AF_INET6, err);
}

static int apply_mac(struct selection *selection, const char *text, struct error *err)
{
	if (selection->has_mac)
		return error_set(
			err, -EINVAL, "the selection has a MAC already: remove one of them");
	return set_mac(selection, text, err);
}

static int apply_interface(struct selection *selection, const char *text, struct error *err)
{
	if (selection->interface[0])
		return error_set(
			err, -EINVAL, "the selection has an interface already: remove one of them");
	return set_interface(selection, text, err);
}

/* A shorthand: what it says about the one network that is selected. */
struct shorthand {
	const char *key;
	const char *value; /* NULL: not given */
	int (*apply)(struct selection *selection, const char *text, struct error *err);
};

static int apply_shorthand(
	struct selections *selections, const struct shorthand *shorthand, struct error *err)
{
	int r;

	if (!shorthand->value)
		return 0;
	if (selections->n == 1)
		r = shorthand->apply(&selections->list[0], shorthand->value, err);
	else
		r = error_set(err, -EINVAL,
			"is for exactly one network, but %u are selected: say it "
			"in " ANNOTATION_PREFIX "networks",
			selections->n);
	return r < 0 ? error_prefix(err, "annotation " ANNOTATION_PREFIX "%s", shorthand->key) : 0;
}

/**
 * selections_apply() - put the shorthand annotations into the selection they are for
 * @selections:  all that is selected; unchanged on failure
 * @annotations: our annotations; of the name is only checked that it can be one
 * @err:         filled on failure; the line begins with the annotation
 *
 * Return: 0; -EINVAL, -ENAMETOOLONG: wrong, said twice, or not exactly one network is selected.
 */
int selections_apply(
	struct selections *selections, const struct annotations *annotations, struct error *err)
{
	const struct shorthand shorthands[] = {
		{ "ip", annotations->ip, apply_ip },
		{ "ip6", annotations->ip6, apply_ip6 },
		{ "mac", annotations->mac, apply_mac },
		{ "interface", annotations->interface, apply_interface },
	};
	struct selection before = selections->list[0];
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(shorthands) / sizeof(shorthands[0]); i++)
		r = apply_shorthand(selections, &shorthands[i], err);
	if (r == 0 && annotations->name) {
		r = name_check_container_name(annotations->name, err);
		if (r < 0)
			error_prefix(err, "annotation " ANNOTATION_PREFIX "name");
	}
	if (r < 0)
		selections->list[0] = before;
	return r;
}
