// SPDX-License-Identifier: MIT
/*
 * All routes of a namespace, one by one, with their gateways.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "hook/nl.h"
#include "hook/rtnl.h"

/* A listing, and the route that is being read. */
struct list {
	rtnl_route_fn *found;
	void *arg;
	struct rtnl_route route;
	const struct nlattr *multipath; /* NULL: it has one next hop at most */
};

static int read_ip(sa_family_t family, const void *bytes, size_t size, struct ip *ret)
{
	if (size != ip_bits(family) / 8)
		return MNL_CB_ERROR;
	*ret = (struct ip){ .family = family };
	memcpy(ret->bytes, bytes, size);
	return MNL_CB_OK;
}

/* A next hop of another family than the route's (RFC 5549). */
static int read_via(const void *payload, size_t size, struct ip *ret)
{
	const struct rtvia *via = payload;

	if (size < sizeof(*via) || (via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6))
		return MNL_CB_ERROR;
	return read_ip(via->rtvia_family, via->rtvia_addr, size - sizeof(*via), ret);
}

static int read_attribute(const struct nlattr *attribute, void *arg)
{
	const void *payload = mnl_attr_get_payload(attribute);
	uint16_t size = mnl_attr_get_payload_len(attribute);
	struct list *list = arg;
	struct rtnl_route *route = &list->route;
	sa_family_t family = route->dst.ip.family;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		return read_ip(family, payload, size, &route->dst.ip);
	case RTA_GATEWAY:
		return read_ip(family, payload, size, &route->gateway);
	case RTA_VIA:
		return read_via(payload, size, &route->gateway);
	case RTA_OIF:
		if (size == sizeof(uint32_t))
			route->ifindex = (int)mnl_attr_get_u32(attribute);
		break;
	case RTA_MULTIPATH:
		list->multipath = attribute;
		break;
	}
	return MNL_CB_OK;
}

/* A route with several next hops is listed as one route for each of them. */
static int read_multipath(struct list *list)
{
	const char *at = mnl_attr_get_payload(list->multipath);
	size_t left = mnl_attr_get_payload_len(list->multipath);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		size_t size = hop->rtnh_len;
		int r;

		if (size < sizeof(*hop) || size > left)
			return -EBADMSG;
		list->route.gateway = (struct ip){ 0 };
		list->route.ifindex = hop->rtnh_ifindex;
		if (mnl_attr_parse_payload(hop + 1, size - sizeof(*hop), read_attribute, list) < 0)
			return -EBADMSG;
		r = list->found(list->arg, &list->route);
		if (r < 0)
			return r;
		size = (size + MNL_ALIGNTO - 1) / MNL_ALIGNTO * MNL_ALIGNTO;
		at += size;
		left = left > size ? left - size : 0;
	}
	return 0;
}

static int read_route(void *arg, const struct nlmsghdr *message)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct list *list = arg;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->rtm_type != RTN_UNICAST || info->rtm_flags & RTM_F_CLONED ||
		(info->rtm_family != AF_INET && info->rtm_family != AF_INET6))
		return 0;
	list->multipath = NULL;
	list->route = (struct rtnl_route){
		.dst = { .ip = { .family = info->rtm_family }, .len = info->rtm_dst_len },
	};
	if (mnl_attr_parse(message, sizeof(*info), read_attribute, list) < 0)
		return -EBADMSG;
	return list->multipath ? read_multipath(list) : list->found(list->arg, &list->route);
}

/**
 * rtnl_route_list() - all routes of a namespace, of all tables
 * @nl:     a socket in it
 * @family: AF_INET or AF_INET6
 * @found:  called for each, and for each next hop where one has several, with its destination,
 *          gateway and link; also for those that it has had already
 * @arg:    handed to @found
 * @err:    filled on failure
 *
 * Return: 0, what RTM_GETROUTE gave, or what @found failed with.
 */
int rtnl_route_list(
	struct nl *nl, sa_family_t family, rtnl_route_fn *found, void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct list list = { .found = found, .arg = arg };
	struct rtmsg *message;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->rtm_family = (uint8_t)family;
	return nl_request(nl, request, read_route, &list, err);
}

static int read_nexthop_attribute(const struct nlattr *attribute, void *arg)
{
	struct list *list = arg;

	if (mnl_attr_get_type(attribute) != NHA_GATEWAY)
		return MNL_CB_OK;
	return read_ip(list->route.dst.ip.family, mnl_attr_get_payload(attribute),
		mnl_attr_get_payload_len(attribute), &list->route.gateway);
}

static int read_nexthop(void *arg, const struct nlmsghdr *message)
{
	const struct nhmsg *info = mnl_nlmsg_get_payload(message);
	struct list *list = arg;

	if (message->nlmsg_type != RTM_NEWNEXTHOP ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->nh_family != AF_INET && info->nh_family != AF_INET6)
		return 0; /* a group of others */
	list->route = (struct rtnl_route){ .dst.ip.family = info->nh_family };
	if (mnl_attr_parse(message, sizeof(*info), read_nexthop_attribute, list) < 0)
		return -EBADMSG;
	return list->route.gateway.family ? list->found(list->arg, &list->route) : 0;
}

/**
 * rtnl_nexthop_list() - all next hops that are objects of their own, which routes name by a number
 * @nl:    a socket in the namespace
 * @found: called for each that has a gateway, which is all that is told of it
 * @arg:   handed to @found
 * @err:   filled on failure
 *
 * With the setting net.ipv4.nexthop_compat_mode 0 the routes do not have them (ip-nexthop(8)).
 *
 * Return: 0, what RTM_GETNEXTHOP gave (rtm_dump_nexthop() in net/ipv4/nexthop.c), or what @found
 * failed with.
 */
int rtnl_nexthop_list(struct nl *nl, rtnl_route_fn *found, void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct list list = { .found = found, .arg = arg };
	struct nhmsg *message;

	request->nlmsg_type = RTM_GETNEXTHOP;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->nh_family = AF_UNSPEC;
	return nl_request(nl, request, read_nexthop, &list, err);
}
