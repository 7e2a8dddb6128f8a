// SPDX-License-Identifier: MIT
/*
 * Addresses and routes: one function for each request of rtnetlink(7), as in rtnl.c for links.
 */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "schema/error.h"

/* How much worse the metric is of what stands in for a default route that ours replaces. */
#define COPY_METRIC (1U << 24)

static unsigned ip_size(sa_family_t family)
{
	return ip_bits(family) / 8;
}

static void put_ip(struct nlmsghdr *request, uint16_t type, const struct ip *ip)
{
	mnl_attr_put(request, type, ip_size(ip->family), ip->bytes);
}

/**
 * rtnl_addr_add() - give a link an address
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @address: the address, with the subnet's prefix length
 * @err:     filled on failure
 *
 * IPv6 without duplicate address detection: it is usable at once.
 *
 * Return: 0, -EEXIST.
 */
int rtnl_addr_add(struct nl *nl, int ifindex, const struct cidr *address, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	sa_family_t family = address->ip.family;
	struct ifaddrmsg *message;

	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ifa_family = (uint8_t)family;
	message->ifa_prefixlen = address->len;
	message->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	message->ifa_index = (uint32_t)ifindex;
	put_ip(request, IFA_LOCAL, &address->ip);
	put_ip(request, IFA_ADDRESS, &address->ip);
	if (family == AF_INET && address->len < 31) {
		struct ip broadcast = cidr_last(address);

		put_ip(request, IFA_BROADCAST, &broadcast);
	}
	return nl_request(nl, request, NULL, NULL, err);
}

struct addr_list {
	rtnl_addr_fn *found;
	void *arg;
};

/* IFA_ADDRESS is the peer's on a point-to-point link; IFA_LOCAL, where it is there, ours. */
static int read_addr_attribute(const struct nlattr *attribute, void *arg)
{
	uint16_t type = mnl_attr_get_type(attribute);
	struct ip *ip = arg;
	uint16_t size = mnl_attr_get_payload_len(attribute);

	if (type != IFA_LOCAL && (type != IFA_ADDRESS || ip->family))
		return MNL_CB_OK;
	if (size == ip_size(AF_INET))
		ip->family = AF_INET;
	else if (size == ip_size(AF_INET6))
		ip->family = AF_INET6;
	else
		return MNL_CB_ERROR;
	memcpy(ip->bytes, mnl_attr_get_payload(attribute), size);
	return MNL_CB_OK;
}

static int read_addr(void *arg, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct addr_list *list = arg;
	struct ip ip = { 0 };

	if (message->nlmsg_type != RTM_NEWADDR ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return 0;
	if (mnl_attr_parse(message, sizeof(*info), read_addr_attribute, &ip) < 0)
		return -EBADMSG;
	return ip.family == info->ifa_family ? list->found(list->arg, &ip) : 0;
}

/**
 * rtnl_addr_list() - all addresses of a namespace, on any interface
 * @nl:    a socket in it
 * @found: called for each; it may come twice
 * @arg:   handed to @found
 * @err:   filled on failure
 *
 * Return: 0, what RTM_GETADDR gave, or what @found failed with.
 */
int rtnl_addr_list(struct nl *nl, rtnl_addr_fn *found, void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct addr_list list = { found, arg };
	struct ifaddrmsg *message;

	request->nlmsg_type = RTM_GETADDR;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ifa_family = AF_UNSPEC;
	return nl_request(nl, request, read_addr, &list, err);
}

static struct nlmsghdr *put_route(void *buffer, uint16_t type, sa_family_t family, uint8_t len)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message;

	request->nlmsg_type = type;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->rtm_family = (uint8_t)family;
	message->rtm_dst_len = len;
	return request;
}

/**
 * rtnl_route_add() - add a route to the main table
 * @nl:    a socket in the namespace
 * @route: the route
 * @err:   filled on failure
 *
 * With NLM_F_EXCL: without it a second IPv6 default route silently becomes a multipath one.
 *
 * Return: 0, -EEXIST, -ENETUNREACH or -EHOSTUNREACH (the gateway).
 */
int rtnl_route_add(struct nl *nl, const struct rtnl_route *route, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request =
		put_route(buffer, RTM_NEWROUTE, route->dst.ip.family, route->dst.len);
	struct rtmsg *message = mnl_nlmsg_get_payload(request);

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	message->rtm_table = RT_TABLE_MAIN;
	message->rtm_protocol = RTNL_PROTOCOL;
	message->rtm_type = RTN_UNICAST;
	message->rtm_scope = route->gateway.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	message->rtm_flags = route->onlink ? RTNH_F_ONLINK : 0;
	if (route->dst.len)
		put_ip(request, RTA_DST, &route->dst.ip);
	if (route->gateway.family)
		put_ip(request, RTA_GATEWAY, &route->gateway);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)route->ifindex);
	return nl_request(nl, request, NULL, NULL, err);
}

static bool is_default(const struct nlmsghdr *message)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	return message->nlmsg_type == RTM_NEWROUTE &&
	       mnl_nlmsg_get_payload_len(message) >= sizeof(*route) && route->rtm_dst_len == 0 &&
	       route->rtm_table == RT_TABLE_MAIN;
}

static int read_route_attribute(const struct nlattr *attribute, void *arg)
{
	struct rtnl_route *route = arg;
	uint16_t size = mnl_attr_get_payload_len(attribute);

	switch (mnl_attr_get_type(attribute)) {
	case RTA_OIF:
		if (size == sizeof(uint32_t))
			route->ifindex = (int)mnl_attr_get_u32(attribute);
		break;
	case RTA_GATEWAY:
		if (size != ip_size(route->dst.ip.family))
			return MNL_CB_ERROR;
		route->gateway.family = route->dst.ip.family;
		memcpy(route->gateway.bytes, mnl_attr_get_payload(attribute), size);
		break;
	}
	return MNL_CB_OK;
}

static int read_default(void *arg, const struct nlmsghdr *message)
{
	struct rtnl_route *route = arg;

	if (!is_default(message))
		return 0;
	route->dst.ip.family = ((struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_family;
	return mnl_attr_parse(message, sizeof(struct rtmsg), read_route_attribute, route) < 0
		       ? -EBADMSG
		       : 0;
}

/**
 * rtnl_route_get_default() - look for a default route, of any metric
 * @nl:     a socket in the namespace
 * @family: AF_INET or AF_INET6
 * @ret:    the route; of family 0 where there is none
 * @err:    filled on failure
 *
 * Asks which route a documentation address takes (RFC 5737, RFC 9637), and not for a list: in a
 * namespace that others use the list may be long.
 *
 * Return: 0, or what RTM_GETROUTE gave other than that there is no route.
 */
int rtnl_route_get_default(
	struct nl *nl, sa_family_t family, struct rtnl_route *ret, struct error *err)
{
	static const struct ip probe4 = { AF_INET, { 203, 0, 113, 1 } };
	static const struct ip probe6 = { AF_INET6, { 0x3f, 0xff, [15] = 1 } };
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request =
		put_route(buffer, RTM_GETROUTE, family, (uint8_t)ip_bits(family));
	struct rtnl_route route = { 0 };
	int r;

	((struct rtmsg *)mnl_nlmsg_get_payload(request))->rtm_flags = RTM_F_FIB_MATCH;
	put_ip(request, RTA_DST, family == AF_INET ? &probe4 : &probe6);
	r = nl_request(nl, request, read_default, &route, err);
	if (r < 0 && r != -ENETUNREACH && r != -EHOSTUNREACH)
		return r;
	*ret = r == 0 ? route : (struct rtnl_route){ 0 };
	return 0;
}

static int save_default(void *arg, const struct nlmsghdr *message)
{
	struct rtnl_saved *saved = arg;

	if (!is_default(message))
		return 0;
	for (unsigned i = 0; i < saved->n; i++)
		if (saved->size[i] == message->nlmsg_len &&
			!memcmp(mnl_nlmsg_get_payload((void *)saved->message[i]),
				mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message)))
			return 0; /* a dump that was begun again */
	if (saved->n == RTNL_SAVED_MAX || message->nlmsg_len > RTNL_SAVED_SIZE)
		return -E2BIG;
	memcpy(saved->message[saved->n], message, message->nlmsg_len);
	saved->size[saved->n++] = message->nlmsg_len;
	return 0;
}

/* A route that is copied, but for its metric. */
struct copy {
	struct nlmsghdr *to;
	uint32_t metric;
};

static int copy_attribute(const struct nlattr *attribute, void *arg)
{
	struct copy *copy = arg;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type == RTA_PRIORITY && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
		copy->metric = mnl_attr_get_u32(attribute);
	else if (type != RTA_CACHEINFO) /* is the kernel's to say */
		mnl_attr_put(copy->to, attribute->nla_type, mnl_attr_get_payload_len(attribute),
			mnl_attr_get_payload(attribute));
	return MNL_CB_OK;
}

/* Sends a saved route again, as another request, with its metric made worse by so much. */
static int send_saved(struct nl *nl, const struct rtnl_saved *saved, unsigned i, uint16_t type,
	uint32_t worse, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	const struct nlmsghdr *message = (const void *)saved->message[i];
	struct copy copy = { .to = request };
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	request->nlmsg_type = type;
	/* What is put back takes the place of ours, where that is still there. */
	if (type == RTM_NEWROUTE)
		request->nlmsg_flags = NLM_F_CREATE | (worse ? NLM_F_EXCL : NLM_F_REPLACE);
	memcpy(route, mnl_nlmsg_get_payload(message), sizeof(*route));
	route->rtm_flags &= RTNH_F_ONLINK; /* the others are the kernel's to say */
	mnl_attr_parse(message, sizeof(*route), copy_attribute, &copy);
	if (copy.metric + worse)
		mnl_attr_put_u32(request, RTA_PRIORITY, copy.metric + worse);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_route_take_defaults() - take all default routes out of the way
 * @nl:     a socket in the namespace
 * @family: AF_INET or AF_INET6
 * @ret:    what they were; set as far as it came on failure too
 * @err:    filled on failure
 *
 * Each leaves a copy of a much worse metric behind: if we are killed, and our route ends with its
 * link, the namespace still has its own. rtnl_route_put_back() or rtnl_route_drop_copies() ends
 * that.
 *
 * Return: 0, -E2BIG (more than RTNL_SAVED_MAX), or what the kernel gave.
 */
int rtnl_route_take_defaults(
	struct nl *nl, sa_family_t family, struct rtnl_saved *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_route(buffer, RTM_GETROUTE, family, 0);
	int r;

	request->nlmsg_flags = NLM_F_DUMP;
	ret->n = 0;
	r = nl_request(nl, request, save_default, ret, err);
	for (unsigned i = 0; r == 0 && i < ret->n; i++) {
		r = send_saved(nl, ret, i, RTM_NEWROUTE, COPY_METRIC, err);
		if (r == 0 || r == -EEXIST)
			r = send_saved(nl, ret, i, RTM_DELROUTE, 0, err);
	}
	return r;
}

/**
 * rtnl_route_drop_copies() - delete the copies that rtnl_route_take_defaults() left
 * @nl:    a socket in the namespace
 * @saved: the routes; a copy that is gone is fine
 * @err:   filled on failure
 *
 * Return: 0, or what the kernel gave for the last that failed.
 */
int rtnl_route_drop_copies(struct nl *nl, const struct rtnl_saved *saved, struct error *err)
{
	int result = 0;

	for (unsigned i = 0; i < saved->n; i++) {
		int r = send_saved(nl, saved, i, RTM_DELROUTE, COPY_METRIC, err);

		if (r < 0 && r != -ESRCH)
			result = r;
	}
	return result;
}

/**
 * rtnl_route_put_back() - make the default routes what they were
 * @nl:    a socket in the namespace
 * @saved: the routes; they take the place of others of the same metric
 * @err:   filled on failure
 *
 * Return: 0, or what the kernel gave for the last that failed; then the copies stay.
 */
int rtnl_route_put_back(struct nl *nl, const struct rtnl_saved *saved, struct error *err)
{
	int result = 0;

	for (unsigned i = 0; i < saved->n; i++) {
		int r = send_saved(nl, saved, i, RTM_NEWROUTE, 0, err);

		if (r < 0)
			result = r;
	}
	return result < 0 ? result : rtnl_route_drop_copies(nl, saved, err);
}
