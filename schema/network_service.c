// SPDX-License-Identifier: MIT
/*
 * The member "service_addresses" of a network: addresses that a container may ask for although the
 * host or the LAN relies on them, because the container is to be what has them (a DNS server, a VPN
 * gateway). They are never handed out without being asked for.
 */
#include "schema/network.h"

#include "schema/error.h"
#include "schema/json.h"
#include "schema/network_parts.h"

/* While the list is read. */
struct list {
	unsigned n;
	struct ip *ips; /* room for NETWORK_SERVICE_MAX */
};

static int add_service(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct list *list = ret;
	struct ip ip;
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (list->n == NETWORK_SERVICE_MAX)
		return error_set(
			err, -E2BIG, "%s: more than %d addresses", where, NETWORK_SERVICE_MAX);
	r = ip_parse(value->text, &ip, err);
	if (r < 0)
		return error_prefix(err, "%s", where);
	if (!ip_is_assignable(&ip))
		return error_set(err, -EINVAL, "%s: '%s' is no host's address", where, value->text);
	for (unsigned i = 0; i < list->n; i++)
		if (ip_equal(&list->ips[i], &ip))
			return error_set(err, -EINVAL, "%s: '%s' is there twice: remove one", where,
				value->text);
	list->ips[list->n++] = ip;
	return 0;
}

/**
 * network_list_service() - read addresses that have the form of a network's service_addresses
 * @value: an array
 * @ret:   the addresses
 * @ret_n: how many they are
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_list_service(const struct json *value, struct ip ret[NETWORK_SERVICE_MAX],
	unsigned *ret_n, struct error *err)
{
	struct list list = { .ips = ret };
	int r = members_read_array(value, add_service, "service_addresses", &list, err);

	*ret_n = list.n;
	return r;
}

/**
 * network_read_service() - read the member "service_addresses"
 * @value: the value
 * @where: its place in the document
 * @ret:   the struct network
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int network_read_service(const struct json *value, const char *where, void *ret, struct error *err)
{
	struct network *network = ret;
	struct list list = { .ips = network->service };
	int r = members_read_array(value, add_service, where, &list, err);

	network->n_service = list.n;
	return r;
}

/* Nobody can ask for an address that the network cannot have. */
static int check_service(const struct network *network, const struct ip *ip, struct error *err)
{
	const struct network_subnet *subnet = network_subnet_of(network, ip);
	char text[IP_TEXT];
	char in[CIDR_TEXT];

	ip_format(ip, text);
	if (subnet && cidr_reserves(&subnet->subnet, ip))
		return error_set(err, -EINVAL, "'%s' is no host's address in %s", text,
			cidr_format(&subnet->subnet, in));
	if (subnet || (network_asks_elsewhere(network) && !network_has_family(network, ip->family)))
		return 0;
	return error_set(err, -EINVAL,
		"'%s' lies in no subnet of the network: add its subnet, or remove it", text);
}

/**
 * network_check_service() - can the service addresses be asked for
 * @network: the network, all of it read
 * @err:     filled on failure
 *
 * Return: 0, -EINVAL.
 */
int network_check_service(const struct network *network, struct error *err)
{
	if (network->ipam == NETWORK_IPAM_NONE && network->n_service > 0)
		return error_set(err, -EINVAL,
			"service_addresses: are not used with ipam driver 'none': remove them");
	for (unsigned i = 0; i < network->n_service; i++)
		if (check_service(network, &network->service[i], err) < 0)
			return error_prefix(err, "service_addresses[%u]", i);
	return 0;
}

/**
 * network_has_service() - does a network list an address in its service_addresses
 * @network: the network
 * @ip:      the address
 *
 * Return: true when it does.
 */
bool network_has_service(const struct network *network, const struct ip *ip)
{
	for (unsigned i = 0; i < network->n_service; i++)
		if (ip_equal(&network->service[i], ip))
			return true;
	return false;
}
