// SPDX-License-Identifier: MIT
/*
 * Neighbours that are there to stay, and what else is listed of one link: one function for each
 * request of rtnetlink(7), as in rtnl.c for links.
 */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "schema/error.h"

/* A listing of addresses: who is told, and what is listed. */
struct list {
	rtnl_addr_fn *found;
	void *arg;
	int ifindex;
};

/* One address of a message, and one number (flags, an index), out of the attributes that have them.
 */
struct one {
	sa_family_t family;
	uint16_t attribute;	   /* which one has the address */
	uint16_t number_attribute; /* which one has a number; 0: none */
	struct ip ip;
	uint32_t number;
};

static int read_one_attribute(const struct nlattr *attribute, void *arg)
{
	uint16_t type = mnl_attr_get_type(attribute);
	uint16_t size = mnl_attr_get_payload_len(attribute);
	struct one *one = arg;

	if (type == one->attribute) {
		if (size != ip_bits(one->family) / 8)
			return MNL_CB_ERROR;
		one->ip.family = one->family;
		memcpy(one->ip.bytes, mnl_attr_get_payload(attribute), size);
	} else if (type == one->number_attribute && size == sizeof(uint32_t)) {
		one->number = mnl_attr_get_u32(attribute);
	}
	return MNL_CB_OK;
}

static int read_one(const struct nlmsghdr *message, size_t header, struct one *one)
{
	if (one->family != AF_INET && one->family != AF_INET6)
		return 0;
	return mnl_attr_parse(message, (unsigned)header, read_one_attribute, one) < 0 ? -EBADMSG
										      : 0;
}

static int read_source(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == RTA_PREFSRC)
		*(bool *)arg = true;
	return MNL_CB_OK;
}

static int read_route(void *arg, const struct nlmsghdr *message)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	const struct list *list = arg;
	struct one one = { .attribute = RTA_DST, .number_attribute = RTA_OIF };
	bool has_source = false;
	int r;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	one.family = info->rtm_family;
	r = read_one(message, sizeof(*info), &one);
	if (r < 0 || !one.ip.family || info->rtm_protocol != RTNL_PROTOCOL ||
		one.number != (uint32_t)list->ifindex || info->rtm_dst_len != ip_bits(one.family))
		return r;
	mnl_attr_parse(message, sizeof(*info), read_source, &has_source);
	return has_source ? list->found(list->arg, &one.ip) : 0;
}

/**
 * rtnl_route_list_ours() - where our routes through a link lead to, each to one address
 * @nl:      a socket in its namespace
 * @family:  AF_INET or AF_INET6
 * @ifindex: its index
 * @found:   called for each that has a preferred source, also one that it has had already
 * @arg:     handed to @found
 * @err:     filled on failure
 *
 * When the host loses the address that is the source of a route, the kernel deletes the route
 * (IPv4, fib_sync_down_addr()) or takes the source out of it (IPv6, rt6_remove_prefsrc()).
 *
 * Return: 0, -ENODEV, what RTM_GETROUTE gave, or what @found failed with.
 */
int rtnl_route_list_ours(struct nl *nl, sa_family_t family, int ifindex, rtnl_addr_fn *found,
	void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct list list = { found, arg, ifindex };
	struct rtmsg *message;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->rtm_family = (uint8_t)family;
	message->rtm_protocol = RTNL_PROTOCOL;
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)ifindex);
	return nl_request(nl, request, read_route, &list, err);
}

static struct nlmsghdr *put_neigh(void *buffer, uint16_t type, int ifindex, const struct ip *ip)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ndmsg *message;

	request->nlmsg_type = type;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ndm_family = (uint8_t)ip->family;
	message->ndm_ifindex = ifindex;
	message->ndm_state = NUD_PERMANENT;
	mnl_attr_put(request, NDA_DST, ip_bits(ip->family) / 8, ip->bytes);
	return request;
}

/**
 * rtnl_neigh_add() - say which MAC an address has, for good, whatever was said before
 * @nl:      a socket in the link's namespace
 * @ifindex: the link's index
 * @ip:      the address
 * @mac:     its MAC
 * @err:     filled on failure
 *
 * Return: 0, or what RTM_NEWNEIGH gave.
 */
int rtnl_neigh_add(struct nl *nl, int ifindex, const struct ip *ip, const uint8_t mac[MAC_SIZE],
	struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_neigh(buffer, RTM_NEWNEIGH, ifindex, ip);

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	mnl_attr_put(request, NDA_LLADDR, MAC_SIZE, mac);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_neigh_del() - forget which MAC an address has
 * @nl:      a socket in the link's namespace
 * @ifindex: the link's index
 * @ip:      the address
 * @err:     filled on failure
 *
 * Return: 0, also when it is not known; or what RTM_DELNEIGH gave.
 */
int rtnl_neigh_del(struct nl *nl, int ifindex, const struct ip *ip, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_neigh(buffer, RTM_DELNEIGH, ifindex, ip);
	int r = nl_request(nl, request, NULL, NULL, err);

	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int read_neigh(void *arg, const struct nlmsghdr *message)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const struct list *list = arg;
	struct one one = { .attribute = NDA_DST };
	int r;

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	one.family = info->ndm_family;
	r = read_one(message, sizeof(*info), &one);
	if (r < 0 || !one.ip.family || info->ndm_ifindex != list->ifindex ||
		!(info->ndm_state & NUD_PERMANENT))
		return r;
	return list->found(list->arg, &one.ip);
}

/**
 * rtnl_neigh_list_permanent() - the addresses whose MAC was said for good
 * @nl:      a socket in the link's namespace
 * @family:  AF_INET or AF_INET6
 * @ifindex: the link's index
 * @found:   called for each, also one that it has had already
 * @arg:     handed to @found
 * @err:     filled on failure
 *
 * Return: 0, what RTM_GETNEIGH gave, or what @found failed with.
 */
int rtnl_neigh_list_permanent(struct nl *nl, sa_family_t family, int ifindex, rtnl_addr_fn *found,
	void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct list list = { found, arg, ifindex };
	struct ndmsg *message;

	request->nlmsg_type = RTM_GETNEIGH;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ndm_family = (uint8_t)family;
	mnl_attr_put_u32(request, NDA_IFINDEX, (uint32_t)ifindex);
	return nl_request(nl, request, read_neigh, &list, err);
}
