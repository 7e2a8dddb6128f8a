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

/* The default routes of one family in a namespace, and the message that tells of one. */
#define DEFAULTS_MAX 8
#define DEFAULT_SIZE 512

static unsigned ip_size(sa_family_t family)
{
	return ip_bits(family) / 8;
}

static void put_ip(struct nlmsghdr *request, uint16_t type, const struct ip *ip)
{
	mnl_attr_put(request, type, ip_size(ip->family), ip->bytes);
}

static struct nlmsghdr *put_addr(void *buffer, int ifindex, const struct cidr *address)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *message;

	request->nlmsg_type = RTM_NEWADDR;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ifa_family = (uint8_t)address->ip.family;
	message->ifa_prefixlen = address->len;
	message->ifa_index = (uint32_t)ifindex;
	put_ip(request, IFA_LOCAL, &address->ip);
	put_ip(request, IFA_ADDRESS, &address->ip);
	return request;
}

/**
 * rtnl_addr_add() - give a link an address
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @address: the address, with the subnet's prefix length
 * @detect_duplicates: an IPv6 address is tentative until the kernel has asked the LAN for others;
 *           without it, it is usable at once
 * @err:     filled on failure
 *
 * Return: 0, -EEXIST.
 */
int rtnl_addr_add(struct nl *nl, int ifindex, const struct cidr *address, bool detect_duplicates,
	struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_addr(buffer, ifindex, address);
	struct ifaddrmsg *message = mnl_nlmsg_get_payload(request);
	sa_family_t family = address->ip.family;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	message->ifa_flags = family == AF_INET6 && !detect_duplicates ? IFA_F_NODAD : 0;
	if (family == AF_INET && address->len < 31) {
		struct ip broadcast = cidr_last(address);

		put_ip(request, IFA_BROADCAST, &broadcast);
	}
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_addr_set_lifetime() - have the kernel delete an address when its time is over
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @address: the address, IPv4, which the link has
 * @seconds: from now on, not 0; UINT32_MAX: it stays (INFINITY_LIFE_TIME, linux/if_addr.h)
 * @err:     filled on failure
 *
 * Return: 0, or what RTM_NEWADDR gave.
 */
int rtnl_addr_set_lifetime(
	struct nl *nl, int ifindex, const struct cidr *address, uint32_t seconds, struct error *err)
{
	const struct ifa_cacheinfo lifetime = { .ifa_prefered = seconds, .ifa_valid = seconds };
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_addr(buffer, ifindex, address);

	request->nlmsg_flags = NLM_F_REPLACE;
	mnl_attr_put(request, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
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

static struct nlmsghdr *put_whole_route(void *buffer, uint16_t type, const struct rtnl_route *route)
{
	struct nlmsghdr *request = put_route(buffer, type, route->dst.ip.family, route->dst.len);
	struct rtmsg *message = mnl_nlmsg_get_payload(request);

	message->rtm_table = RT_TABLE_MAIN;
	message->rtm_protocol = RTNL_PROTOCOL;
	message->rtm_type = RTN_UNICAST;
	message->rtm_scope = route->gateway.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	message->rtm_flags = route->onlink ? RTNH_F_ONLINK : 0;
	if (route->dst.len)
		put_ip(request, RTA_DST, &route->dst.ip);
	if (route->gateway.family)
		put_ip(request, RTA_GATEWAY, &route->gateway);
	if (route->source.family)
		put_ip(request, RTA_PREFSRC, &route->source);
	if (route->metric)
		mnl_attr_put_u32(request, RTA_PRIORITY, route->metric);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)route->ifindex);
	return request;
}

static int add_route(
	struct nl *nl, const struct rtnl_route *route, uint16_t flags, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_whole_route(buffer, RTM_NEWROUTE, route);

	request->nlmsg_flags = flags;
	return nl_request(nl, request, NULL, NULL, err);
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
	return add_route(nl, route, NLM_F_CREATE | NLM_F_EXCL, err);
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
	case RTA_PRIORITY:
		if (size == sizeof(uint32_t))
			route->metric = mnl_attr_get_u32(attribute);
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
 * namespace that others use the list may be long. One that leads nowhere is not found: it shows
 * when ours is added.
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
	/* There is none, or one of type unreachable, blackhole or prohibit. */
	if (r < 0 && r != -ENETUNREACH && r != -EHOSTUNREACH && r != -EINVAL && r != -EACCES)
		return r;
	*ret = r == 0 ? route : (struct rtnl_route){ 0 };
	return 0;
}

/* Default routes as the kernel told them. */
struct defaults {
	unsigned n;
	size_t size[DEFAULTS_MAX];
	_Alignas(struct nlmsghdr) char message[DEFAULTS_MAX][DEFAULT_SIZE];
};

static int save_default(void *arg, const struct nlmsghdr *message)
{
	struct defaults *defaults = arg;

	if (!is_default(message))
		return 0;
	for (unsigned i = 0; i < defaults->n; i++)
		if (defaults->size[i] == message->nlmsg_len &&
			!memcmp(mnl_nlmsg_get_payload((void *)defaults->message[i]),
				mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message)))
			return 0; /* a dump that was begun again */
	if (defaults->n == DEFAULTS_MAX || message->nlmsg_len > DEFAULT_SIZE)
		return -E2BIG;
	memcpy(defaults->message[defaults->n], message, message->nlmsg_len);
	defaults->size[defaults->n++] = message->nlmsg_len;
	return 0;
}

static int list_defaults(struct nl *nl, sa_family_t family, struct defaults *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_route(buffer, RTM_GETROUTE, family, 0);

	request->nlmsg_flags = NLM_F_DUMP;
	ret->n = 0;
	return nl_request(nl, request, save_default, ret, err);
}

/**
 * rtnl_route_add_first() - add a default route that goes before all that are there
 * @nl:    a socket in the namespace
 * @route: the route; its metric is filled in
 * @err:   filled on failure
 *
 * The others stay: when ours ends with its link, whoever ends it, all is as it was before.
 * rtnl_route_del_others() makes ours the only one.
 *
 * IPv4 puts a new route before others of its metric (fib_table_insert() in net/ipv4/fib_trie.c).
 * IPv6 would make one of several paths of it, so there its metric is better than any; where that
 * cannot be, it is one of several paths until the others are deleted.
 *
 * Return: 0, -E2BIG (more than DEFAULTS_MAX are there), or what the kernel gave.
 */
int rtnl_route_add_first(struct nl *nl, struct rtnl_route *route, struct error *err)
{
	struct defaults defaults;
	uint32_t best = UINT32_MAX;
	int r = list_defaults(nl, route->dst.ip.family, &defaults, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < defaults.n; i++) {
		struct rtnl_route there = { .dst.ip.family = route->dst.ip.family };

		mnl_attr_parse((const void *)defaults.message[i], sizeof(struct rtmsg),
			read_route_attribute, &there);
		if (there.metric < best)
			best = there.metric;
	}
	if (route->dst.ip.family == AF_INET6 && defaults.n > 0)
		route->metric = best > 1 ? best - 1 : 1;
	return add_route(nl, route, NLM_F_CREATE, err);
}

static bool is_route(const struct nlmsghdr *message, const struct rtnl_route *route)
{
	struct rtnl_route found = { .dst.ip.family = route->dst.ip.family };

	if (mnl_attr_parse(message, sizeof(struct rtmsg), read_route_attribute, &found) < 0)
		return false;
	/* A metric of 0 is the kernel's choice. */
	return found.ifindex == route->ifindex && ip_equal(&found.gateway, &route->gateway) &&
	       (!route->metric || found.metric == route->metric);
}

static int copy_attribute(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) != RTA_CACHEINFO) /* is the kernel's to say */
		mnl_attr_put(arg, attribute->nla_type, mnl_attr_get_payload_len(attribute),
			mnl_attr_get_payload(attribute));
	return MNL_CB_OK;
}

static int delete_default(struct nl *nl, const struct nlmsghdr *message, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	request->nlmsg_type = RTM_DELROUTE;
	memcpy(route, mnl_nlmsg_get_payload(message), sizeof(*route));
	route->rtm_flags &= RTNH_F_ONLINK; /* the others are the kernel's to say */
	mnl_attr_parse(message, sizeof(*route), copy_attribute, request);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_route_del_others() - delete all default routes but one
 * @nl:    a socket in the namespace
 * @route: the one that stays
 * @err:   filled on failure
 *
 * Return: 0, -E2BIG, or what the kernel gave for the last that failed.
 */
int rtnl_route_del_others(struct nl *nl, const struct rtnl_route *route, struct error *err)
{
	struct defaults defaults;
	int result = list_defaults(nl, route->dst.ip.family, &defaults, err);

	for (unsigned i = 0; result == 0 && i < defaults.n; i++) {
		const struct nlmsghdr *message = (const void *)defaults.message[i];
		int r = is_route(message, route) ? 0 : delete_default(nl, message, err);

		if (r < 0 && r != -ESRCH)
			result = r;
	}
	return result;
}

/**
 * rtnl_route_del() - delete a route
 * @nl:    a socket in the namespace
 * @route: the route
 * @err:   filled on failure
 *
 * Return: 0, also when it is gone; or what the kernel gave.
 */
int rtnl_route_del(struct nl *nl, const struct rtnl_route *route, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_whole_route(buffer, RTM_DELROUTE, route);
	int r = nl_request(nl, request, NULL, NULL, err);

	return r == -ESRCH || r == -ENODEV ? 0 : r;
}
