// SPDX-License-Identifier: MIT
/*
 * From the flags of network create to a network file. On the command line gateways, ranges and
 * auxiliary addresses stand beside the subnets, and each belongs to the subnet that contains it
 * (docker's rule). Whether the file makes sense is its reader's business.
 */
#include "hook/cli/network_draft.h"

#include <stdlib.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"

static int add_subnets(
	struct network_draft *draft, const struct option_values *values, struct error *err)
{
	if (values->n > NETWORK_SUBNETS_MAX)
		return error_set(
			err, -E2BIG, "--subnet: more than %d subnets", NETWORK_SUBNETS_MAX);
	for (unsigned i = 0; i < values->n; i++) {
		int r = cidr_parse_subnet(values->values[i], &draft->subnets[i].subnet, err);

		if (r < 0)
			return error_prefix(err, "--subnet");
	}
	draft->n_subnets = values->n;
	return 0;
}

static int find_subnet(const struct network_draft *draft, const struct ip *ip, const char *option,
	const char *value, unsigned *ret, struct error *err)
{
	for (unsigned i = 0; i < draft->n_subnets; i++)
		if (cidr_contains(&draft->subnets[i].subnet, ip)) {
			*ret = i;
			return 0;
		}
	return error_set(err, -EINVAL, "%s: '%s' is in no --subnet: correct it, or add the subnet",
		option, value);
}

static int refuse_second(
	const struct draft_subnet *subnet, const char *option, const char *value, struct error *err)
{
	char text[CIDR_TEXT];

	return error_set(err, -EINVAL, "%s: '%s' is the second one for subnet %s: remove one",
		option, value, cidr_format(&subnet->subnet, text));
}

static int add_gateway(struct network_draft *draft, const char *value, struct error *err)
{
	unsigned index = 0;
	struct ip gateway;
	int r = ip_parse(value, &gateway, err);

	if (r < 0)
		return error_prefix(err, "--gateway");
	r = find_subnet(draft, &gateway, "--gateway", value, &index, err);
	if (r < 0)
		return r;
	if (draft->subnets[index].gateway.family)
		return refuse_second(&draft->subnets[index], "--gateway", value, err);
	draft->subnets[index].gateway = gateway;
	return 0;
}

static int add_range(struct network_draft *draft, const char *value, struct error *err)
{
	unsigned index = 0;
	struct cidr range;
	int r = cidr_parse_subnet(value, &range, err);

	if (r < 0)
		return error_prefix(err, "--ip-range");
	r = find_subnet(draft, &range.ip, "--ip-range", value, &index, err);
	if (r < 0)
		return r;
	if (draft->subnets[index].range.ip.family)
		return refuse_second(&draft->subnets[index], "--ip-range", value, err);
	draft->subnets[index].range = range;
	return 0;
}

static int add_aux(struct network_draft *draft, unsigned index, struct error *err)
{
	const char *assignment = draft->flags->aux.values[index];
	const char *value = strchr(assignment, '=');
	struct ip ip;
	int r;

	if (!value || value == assignment)
		return error_set(err, -EINVAL, "--aux-address: '%s' is not NAME=IP", assignment);
	r = ip_parse(value + 1, &ip, err);
	if (r < 0)
		return error_prefix(err, "--aux-address");
	return find_subnet(draft, &ip, "--aux-address", assignment, &draft->aux_subnet[index], err);
}

/* Its name in the file: "default" is Docker's. */
static const char *driver_of(const struct network_flags *flags)
{
	if (!flags->ipam_driver || !strcmp(flags->ipam_driver, "default"))
		return "local";
	return flags->ipam_driver;
}

static bool is_driver(const struct network_flags *flags, enum network_ipam ipam)
{
	return network_ipam_parse(driver_of(flags)) == ipam;
}

/**
 * network_draft_make() - sort the flags of network create
 * @flags: the flags, which must outlive the draft
 * @ret:   the draft
 * @err:   filled on failure
 *
 * Return: 0; -EINVAL; -E2BIG.
 */
int network_draft_make(
	const struct network_flags *flags, struct network_draft *ret, struct error *err)
{
	struct network_draft draft = { .flags = flags };
	int r = add_subnets(&draft, &flags->subnets, err);

	for (unsigned i = 0; r == 0 && i < flags->gateways.n; i++)
		r = add_gateway(&draft, flags->gateways.values[i], err);
	for (unsigned i = 0; r == 0 && i < flags->ranges.n; i++)
		r = add_range(&draft, flags->ranges.values[i], err);
	for (unsigned i = 0; r == 0 && i < flags->aux.n; i++)
		r = add_aux(&draft, i, err);
	for (unsigned i = 0; r == 0 && i < flags->options.n; i++)
		r = network_options_set(&draft.options, flags->options.values[i], err);
	if (r == 0 && flags->internal)
		draft.options.values[OPTION_INTERNAL] = "true";
	/* A plugin has subnets of its own: no other word of the file says that they are of IPv6. */
	if (r == 0 && flags->ipv6 && is_driver(flags, NETWORK_IPAM_PLUGIN) &&
		!draft.options.values[OPTION_IPV6])
		draft.options.values[OPTION_IPV6] = "static";
	if (r == 0)
		*ret = draft;
	return r;
}

/* Writes a member of the object that is open. */
typedef int put_fn(
	const char *key, const char *value, struct json_writer *writer, struct error *err);

static int put_string(
	const char *key, const char *value, struct json_writer *writer, struct error *err)
{
	(void)err;
	json_put_string(writer, key, value);
	return 0;
}

/* In the configuration of driver dhcp. */
static int put_dhcp(
	const char *key, const char *value, struct json_writer *writer, struct error *err)
{
	if (!strcmp(key, "timeout_ms"))
		return network_options_put_number(key, value, writer, err);
	if (!strcmp(key, "required"))
		return network_options_put_bool(key, value, writer, err);
	return put_string(key, value, writer, err);
}

/* KEY=VALUE; KEY alone has an empty value. */
static int write_pair(
	const char *assignment, put_fn *put, struct json_writer *writer, struct error *err)
{
	size_t length = strcspn(assignment, "=");
	char *key = strndup(assignment, length);
	int r;

	if (!key)
		return error_set(err, -ENOMEM, "out of memory");
	r = put(key, assignment[length] ? assignment + length + 1 : "", writer, err);
	free(key);
	return r;
}

static int check_unique(
	const struct option_values *pairs, unsigned index, const char *key, struct error *err)
{
	size_t length = strcspn(pairs->values[index], "=");

	for (unsigned i = 0; i < index; i++)
		if (strcspn(pairs->values[i], "=") == length &&
			!strncmp(pairs->values[i], pairs->values[index], length))
			return error_set(err, -EINVAL, "%s: '%.*s' is given twice: remove one", key,
				(int)length, pairs->values[i]);
	return 0;
}

static int write_pairs(const char *key, const struct option_values *pairs, put_fn *put,
	struct json_writer *writer, struct error *err)
{
	int r = 0;

	if (pairs->n == 0)
		return 0;
	json_open_object(writer, key);
	for (unsigned i = 0; r == 0 && i < pairs->n; i++) {
		r = check_unique(pairs, i, key, err);
		if (r == 0)
			r = write_pair(pairs->values[i], put, writer, err);
	}
	json_close_object(writer);
	return r;
}

static int write_aux(const struct network_draft *draft, unsigned subnet, struct json_writer *writer,
	struct error *err)
{
	struct option_values own = { 0 };

	for (unsigned i = 0; i < draft->flags->aux.n; i++)
		if (draft->aux_subnet[i] == subnet)
			own.values[own.n++] = draft->flags->aux.values[i];
	return write_pairs("aux_addresses", &own, put_string, writer, err);
}

static int write_subnet(const struct network_draft *draft, unsigned index,
	struct json_writer *writer, struct error *err)
{
	const struct draft_subnet *subnet = &draft->subnets[index];
	char text[CIDR_TEXT];
	int r;

	json_open_object(writer, NULL);
	json_put_string(writer, "subnet", cidr_format(&subnet->subnet, text));
	if (subnet->gateway.family)
		json_put_string(writer, "gateway", ip_format(&subnet->gateway, text));
	if (subnet->range.ip.family)
		json_put_string(writer, "ip_range", cidr_format(&subnet->range, text));
	r = write_aux(draft, index, writer, err);
	json_close_object(writer);
	return r;
}

static int write_subnets(
	const struct network_draft *draft, struct json_writer *writer, struct error *err)
{
	int r = 0;

	if (draft->n_subnets == 0)
		return 0;
	json_open_array(writer, "subnets");
	for (unsigned i = 0; r == 0 && i < draft->n_subnets; i++)
		r = write_subnet(draft, i, writer, err);
	json_close_array(writer);
	return r;
}

static int write_ipam(
	const struct network_flags *flags, struct json_writer *writer, struct error *err)
{
	bool is_dhcp = is_driver(flags, NETWORK_IPAM_DHCP);
	int r;

	if (!flags->ipam_driver && flags->ipam_options.n == 0)
		return 0;
	json_open_object(writer, "ipam");
	if (flags->ipam_driver)
		json_put_string(writer, "driver", driver_of(flags));
	r = write_pairs(
		"config", &flags->ipam_options, is_dhcp ? put_dhcp : put_string, writer, err);
	json_close_object(writer);
	return r < 0 ? error_prefix(err, "--ipam-opt") : 0;
}

/* The options of one stretch of the file. */
static int write_options(const struct network_draft *draft, enum network_option first,
	enum network_option last, struct json_writer *writer, struct error *err)
{
	int r = 0;

	for (unsigned i = first; r == 0 && i <= last; i++)
		r = network_options_write(&draft->options, (enum network_option)i, writer, err);
	return r;
}

/**
 * network_draft_write() - write the network file of a draft
 * @draft:  the draft
 * @writer: where to
 * @err:    filled on failure
 *
 * Only keys that were given are written, in the order of the contract's example.
 *
 * Return: 0; -EINVAL, -E2BIG: an option's value cannot be written; -ENOMEM.
 */
int network_draft_write(
	const struct network_draft *draft, struct json_writer *writer, struct error *err)
{
	int r;

	json_open_object(writer, NULL);
	json_put_string(writer, "name", draft->flags->name);
	r = write_options(draft, OPTION_PARENT, OPTION_SOURCE_MACS, writer, err);
	if (r == 0)
		r = write_subnets(draft, writer, err);
	if (r == 0)
		r = write_options(
			draft, OPTION_SERVICE_ADDRESSES, OPTION_SERVICE_ADDRESSES, writer, err);
	if (r == 0)
		r = write_options(draft, OPTION_INTERNAL, OPTION_MTU, writer, err);
	if (r == 0)
		r = write_ipam(draft->flags, writer, err);
	if (r == 0)
		r = write_options(draft, OPTION_IPV6, OPTION_DNS, writer, err);
	if (r == 0)
		r = write_pairs("labels", &draft->flags->labels, put_string, writer, err);
	json_close_object(writer);
	return r;
}
