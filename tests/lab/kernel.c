// SPDX-License-Identifier: MIT
/*
 * Reads links, addresses, routes and namespace ids with plain rtnetlink(7): the tests' own eyes,
 * which share no code with what they look at.
 */
#include "tests/lab/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The system's NLMSG_* and RTA_* macros cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

#define ANSWER_MAX 65536
#define DUMP_TRIES 20
#define LINES_MAX 256
#define LINE_MAX_SIZE 160

/* Called for each message of a dump. */
typedef int message_fn(void *arg, const struct nlmsghdr *message);

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg route;
		struct rtgenmsg general;
		/* cppcheck-suppress unusedStructMember ; room for attributes */
		char space[64];
	} body;
};

/**
 * kernel_open() - open a netlink socket in a namespace
 * @netns: a descriptor of the namespace; the process comes back to its own
 *
 * Return: the socket, or -errno.
 */
int kernel_open(int netns)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int nl = -1;
	int r = own < 0 ? -errno : 0;

	if (r == 0 && setns(netns, CLONE_NEWNET) < 0)
		r = -errno;
	if (r == 0) {
		nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
		r = nl < 0 ? -errno : 0;
		if (setsockopt(nl, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &(int){ 1 }, sizeof(int)) <
				0 ||
			setns(own, CLONE_NEWNET) < 0)
			abort();
	}
	if (own >= 0)
		close(own);
	return r < 0 ? r : nl;
}

/**
 * kernel_open_pid() - open a netlink socket in the namespace of a process
 * @pid: the process
 *
 * Return: the socket, or -errno.
 */
int kernel_open_pid(int pid)
{
	char path[32];
	int netns;
	int nl;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return -errno;
	nl = kernel_open(netns);
	close(netns);
	return nl;
}

static void start(struct request *request, uint16_t type, size_t body)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_type = type;
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

/* Behind the body, which is a multiple of 4 bytes. */
static void put_int(struct request *request, uint16_t type, int value)
{
	struct rtattr *attribute =
		(void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(sizeof(value));
	memcpy(RTA_DATA(attribute), &value, sizeof(value));
	request->header.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_SPACE(4));
}

/* Returns 1 at the end of the dump, -EINTR where it was disturbed. */
static int read_answer(
	char *buffer, ssize_t size, uint32_t seq, bool *disturbed, message_fn *found, void *arg)
{
	const struct nlmsghdr *message = (void *)buffer;
	unsigned left = (unsigned)size;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		int r;

		if (message->nlmsg_seq != seq)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			*disturbed = true;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
		if (message->nlmsg_type == NLMSG_DONE)
			return *disturbed ? -EINTR : 1;
		r = found(arg, message);
		if (r < 0)
			return r;
	}
	return 0;
}

static int dump_once(int nl, struct request *request, message_fn *found, void *arg)
{
	static uint32_t seq;
	_Alignas(struct nlmsghdr) char buffer[ANSWER_MAX];
	bool disturbed = false;
	int r = 0;

	request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->header.nlmsg_seq = ++seq;
	if (send(nl, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(nl, buffer, sizeof(buffer), 0);

		if (n < 0)
			return -errno;
		r = read_answer(buffer, n, seq, &disturbed, found, arg);
	}
	return r < 0 ? r : 0;
}

static void for_each_attribute(const struct rtattr *attribute, size_t left,
	void (*found)(void *arg, const struct rtattr *attribute), void *arg)
{
	unsigned size = (unsigned)left;

	for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size))
		found(arg, attribute);
}

static void copy_string(char *to, size_t size, const struct rtattr *attribute)
{
	snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(attribute), (const char *)RTA_DATA(attribute));
}

static void read_linkinfo(void *arg, const struct rtattr *attribute)
{
	struct kernel_link *link = arg;

	if (attribute->rta_type == IFLA_INFO_KIND)
		copy_string(link->kind, sizeof(link->kind), attribute);
}

static void read_link_attribute(void *arg, const struct rtattr *attribute)
{
	struct kernel_link *link = arg;

	switch (attribute->rta_type & NLA_TYPE_MASK) {
	case IFLA_IFNAME:
		copy_string(link->name, sizeof(link->name), attribute);
		break;
	case IFLA_ADDRESS:
		if (RTA_PAYLOAD(attribute) == sizeof(link->mac))
			memcpy(link->mac, RTA_DATA(attribute), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		for_each_attribute(
			RTA_DATA(attribute), RTA_PAYLOAD(attribute), read_linkinfo, link);
		break;
	}
}

static int read_link(void *arg, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct kernel_view *view = arg;
	struct kernel_link *link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (view->n_links == KERNEL_LINKS_MAX)
		return -E2BIG;
	link = &view->links[view->n_links++];
	*link = (struct kernel_link){ .ifindex = info->ifi_index,
		.up = (info->ifi_flags & IFF_UP) != 0 };
	for_each_attribute(IFLA_RTA(info), IFLA_PAYLOAD(message), read_link_attribute, link);
	return 0;
}

static void read_address_attribute(void *arg, const struct rtattr *attribute)
{
	struct kernel_address *address = arg;

	if (attribute->rta_type == IFA_LOCAL ||
		(attribute->rta_type == IFA_ADDRESS && !*address->text))
		inet_ntop(
			address->family, RTA_DATA(attribute), address->text, sizeof(address->text));
}

static int read_address(void *arg, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = NLMSG_DATA(message);
	struct kernel_view *view = arg;
	struct kernel_address *address;

	if (message->nlmsg_type != RTM_NEWADDR ||
		(info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	if (view->n_addresses == KERNEL_ADDRESSES_MAX)
		return -E2BIG;
	address = &view->addresses[view->n_addresses++];
	*address = (struct kernel_address){
		.ifindex = (int)info->ifa_index,
		.family = info->ifa_family,
		.len = info->ifa_prefixlen,
		.link_local = info->ifa_scope != RT_SCOPE_UNIVERSE,
	};
	for_each_attribute(IFA_RTA(info), IFA_PAYLOAD(message), read_address_attribute, address);
	return 0;
}

static int view_once(int nl, int nsid, struct kernel_view *ret)
{
	struct request request;
	int r;

	ret->n_links = ret->n_addresses = 0;
	start(&request, RTM_GETLINK, sizeof(request.body.link));
	if (nsid != KERNEL_HERE)
		put_int(&request, IFLA_TARGET_NETNSID, nsid);
	r = dump_once(nl, &request, read_link, ret);
	if (r < 0)
		return r;
	start(&request, RTM_GETADDR, sizeof(request.body.address));
	if (nsid != KERNEL_HERE)
		put_int(&request, IFA_TARGET_NETNSID, nsid);
	return dump_once(nl, &request, read_address, ret);
}

/**
 * kernel_view() - read all links and addresses of a namespace
 * @nl:   a socket
 * @nsid: the namespace as an id of the socket's, or KERNEL_HERE
 * @ret:  what is there
 *
 * Links and addresses are two dumps: what changes in between may be seen in one of them only.
 *
 * Return: 0; -EINVAL, -ENOENT: the namespace is gone; -E2BIG; or what the kernel gave.
 */
int kernel_view(int nl, int nsid, struct kernel_view *ret)
{
	int r = -EINTR;

	for (unsigned try = 0; r == -EINTR && try < DUMP_TRIES; try++)
		r = view_once(nl, nsid, ret);
	return r;
}

/**
 * kernel_link_of() - the link with an index
 * @view:    what was read
 * @ifindex: the index
 *
 * Return: the link, or NULL.
 */
const struct kernel_link *kernel_link_of(const struct kernel_view *view, int ifindex)
{
	for (unsigned i = 0; i < view->n_links; i++)
		if (view->links[i].ifindex == ifindex)
			return &view->links[i];
	return NULL;
}

struct ids {
	int *ids;
	unsigned n;
	unsigned max;
};

static void read_nsid_attribute(void *arg, const struct rtattr *attribute)
{
	struct ids *ids = arg;

	if (attribute->rta_type != NETNSA_NSID)
		return;
	memcpy(&ids->ids[ids->n], RTA_DATA(attribute), sizeof(int));
	if (ids->ids[ids->n] >= 0)
		ids->n++;
}

static int read_nsid(void *arg, const struct nlmsghdr *message)
{
	struct ids *ids = arg;

	if (message->nlmsg_type != RTM_NEWNSID)
		return 0;
	if (ids->n == ids->max)
		return -E2BIG;
	for_each_attribute((const void *)((const char *)NLMSG_DATA(message) +
					  NLMSG_ALIGN(sizeof(struct rtgenmsg))),
		NLMSG_PAYLOAD(message, sizeof(struct rtgenmsg)), read_nsid_attribute, arg);
	return 0;
}

/**
 * kernel_nsids() - the ids of all namespaces that have one
 * @nl:  a socket in the namespace that gave the ids
 * @ret: the ids
 * @max: how many fit
 *
 * Return: how many there are; -E2BIG; or what the kernel gave.
 */
int kernel_nsids(int nl, int *ret, unsigned max)
{
	int r = -EINTR;
	struct ids ids = { ret, 0, max };

	for (unsigned try = 0; r == -EINTR && try < DUMP_TRIES; try++) {
		struct request request;

		ids.n = 0;
		start(&request, RTM_GETNSID, sizeof(request.body.general));
		r = dump_once(nl, &request, read_nsid, &ids);
	}
	return r < 0 ? r : (int)ids.n;
}

/* Lines of a listing, to be sorted. */
struct lines {
	const struct kernel_view *view;
	unsigned n;
	char line[LINES_MAX][LINE_MAX_SIZE];
};

static char *next_line(struct lines *lines)
{
	if (lines->n == LINES_MAX)
		abort();
	return lines->line[lines->n++];
}

static const char *name_of(const struct kernel_view *view, int ifindex)
{
	const struct kernel_link *link = kernel_link_of(view, ifindex);

	return link ? link->name : "?";
}

struct route_parts {
	sa_family_t family;
	char dst[KERNEL_ADDRESS_TEXT];
	char gateway[KERNEL_ADDRESS_TEXT];
	int ifindex;
	unsigned metric;
	unsigned table;
};

static void read_route_attribute(void *arg, const struct rtattr *attribute)
{
	struct route_parts *parts = arg;

	switch (attribute->rta_type) {
	case RTA_DST:
		inet_ntop(parts->family, RTA_DATA(attribute), parts->dst, sizeof(parts->dst));
		break;
	case RTA_GATEWAY:
		inet_ntop(
			parts->family, RTA_DATA(attribute), parts->gateway, sizeof(parts->gateway));
		break;
	case RTA_OIF:
		memcpy(&parts->ifindex, RTA_DATA(attribute), sizeof(parts->ifindex));
		break;
	case RTA_PRIORITY:
		memcpy(&parts->metric, RTA_DATA(attribute), sizeof(parts->metric));
		break;
	case RTA_TABLE:
		memcpy(&parts->table, RTA_DATA(attribute), sizeof(parts->table));
		break;
	}
}

/* Routes of the main table; what belongs to link-local addresses comes when DAD is done. */
static int read_route(void *arg, const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	struct route_parts parts = { .family = route->rtm_family, .table = route->rtm_table };
	struct lines *lines = arg;

	if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_flags & RTM_F_CLONED)
		return 0;
	for_each_attribute(RTM_RTA(route), RTM_PAYLOAD(message), read_route_attribute, &parts);
	if (parts.table != RT_TABLE_MAIN || !strncmp(parts.dst, "fe80:", 5) ||
		!strcmp(parts.dst, "ff00::"))
		return 0;
	snprintf(next_line(lines), LINE_MAX_SIZE, "route %d %s/%u via %s dev %s metric %u",
		parts.family == AF_INET ? 4 : 6, *parts.dst ? parts.dst : "default",
		route->rtm_dst_len, *parts.gateway ? parts.gateway : "link",
		name_of(lines->view, parts.ifindex), parts.metric);
	return 0;
}

static int list_routes(int nl, sa_family_t family, struct lines *lines)
{
	unsigned before = lines->n;
	int r = -EINTR;

	for (unsigned try = 0; r == -EINTR && try < DUMP_TRIES; try++) {
		struct request request;

		lines->n = before;
		start(&request, RTM_GETROUTE, sizeof(request.body.route));
		request.body.route.rtm_family = (uint8_t)family;
		r = dump_once(nl, &request, read_route, lines);
	}
	return r;
}

static void list_view(const struct kernel_view *view, struct lines *lines)
{
	for (unsigned i = 0; i < view->n_links; i++) {
		const struct kernel_link *link = &view->links[i];
		const uint8_t *mac = link->mac;

		snprintf(next_line(lines), LINE_MAX_SIZE,
			"link %s %s %s %02x:%02x:%02x:%02x:%02x:%02x", link->name, link->kind,
			link->up ? "up" : "down", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	}
	for (unsigned i = 0; i < view->n_addresses; i++) {
		const struct kernel_address *address = &view->addresses[i];

		if (!address->link_local)
			snprintf(next_line(lines), LINE_MAX_SIZE, "address %s %s/%u",
				name_of(view, address->ifindex), address->text, address->len);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/**
 * kernel_listing() - links, addresses and routes of a namespace as text, the same for the same
 * state
 * @nl:   a socket in the namespace
 * @ret:  sorted lines
 * @size: how much fits
 *
 * Indexes are left out, and what the kernel adds by itself for IPv6 link-local addresses.
 *
 * Return: 0, -E2BIG, or what the kernel gave.
 */
int kernel_listing(int nl, char *ret, size_t size)
{
	struct kernel_view view;
	struct lines lines = { .view = &view };
	size_t used = 0;
	int r = kernel_view(nl, KERNEL_HERE, &view);

	if (r < 0)
		return r;
	list_view(&view, &lines);
	r = list_routes(nl, AF_INET, &lines);
	if (r == 0)
		r = list_routes(nl, AF_INET6, &lines);
	if (r < 0)
		return r;
	qsort(lines.line, lines.n, LINE_MAX_SIZE, compare_lines);
	*ret = '\0';
	for (unsigned i = 0; i < lines.n && used < size; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s\n", lines.line[i]);
	return used < size ? 0 : -E2BIG;
}
