// SPDX-License-Identifier: MIT
/*
 * What only parents need: links of the host's own namespace, made, listed and looked at. One
 * function for each request of rtnetlink(7), as in rtnl.c.
 */
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "hook/rtnl_parts.h"
#include "schema/error.h"

/* Reply to ARP only for addresses of the interface that is asked (ip-sysctl.rst, arp_ignore). */
#define ARP_IGNORE_OTHERS 1

struct link_list {
	rtnl_link_fn *found;
	void *arg;
};

static int read_listed(void *arg, const struct nlmsghdr *message)
{
	const struct link_list *list = arg;
	struct rtnl_link link = { 0 };
	int r = rtnl_read_link(&link, message);

	return r == 0 ? list->found(list->arg, &link) : r;
}

/**
 * rtnl_link_list() - all links of a namespace
 * @nl:    a socket in it
 * @found: called for each; one may come twice
 * @arg:   handed to @found
 * @err:   filled on failure
 *
 * Return: 0, what RTM_GETLINK gave, or what @found failed with.
 */
int rtnl_link_list(struct nl *nl, rtnl_link_fn *found, void *arg, struct error *err)
{
	return rtnl_link_list_nsid(nl, RTNL_HERE, found, arg, err);
}

/**
 * rtnl_link_list_nsid() - all links of another namespace
 * @nl:    a socket
 * @nsid:  the namespace as an id of the socket's, or RTNL_HERE
 * @found: called for each; one may come twice
 * @arg:   handed to @found
 * @err:   filled on failure
 *
 * Return: 0, -EINVAL where the namespace is gone, what RTM_GETLINK gave, or what @found failed
 * with.
 */
int rtnl_link_list_nsid(struct nl *nl, int nsid, rtnl_link_fn *found, void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_GETLINK, 0);
	struct link_list list = { found, arg };

	request->nlmsg_flags = NLM_F_DUMP;
	rtnl_put_without_counters(request);
	if (nsid != RTNL_HERE)
		mnl_attr_put_u32(request, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	return nl_request(nl, request, read_listed, &list, err);
}

/**
 * rtnl_link_add_vlan() - create an 802.1Q sub-interface
 * @nl:    a socket in the namespace
 * @name:  its name; it is down
 * @lower: the index of the link that it is on
 * @id:    the VLAN's id
 * @err:   filled on failure
 *
 * Return: 0; -EEXIST: the name is taken, or the VLAN is there by another name; -EOPNOTSUPP: the
 * kernel has no VLANs, or the link cannot have any (vlan_newlink() in net/8021q/vlan_netlink.c).
 */
int rtnl_link_add_vlan(struct nl *nl, const char *name, int lower, unsigned id, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, 0);
	struct nlattr *info;
	struct nlattr *data;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	mnl_attr_put_u32(request, IFLA_LINK, (uint32_t)lower);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u16(request, IFLA_VLAN_ID, (uint16_t)id);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_add_parent() - create a link that sits on nothing
 * @nl:     a socket in the namespace
 * @parent: what to create; it is down
 * @err:    filled on failure
 *
 * Return: 0; -EEXIST: the name is taken; -EOPNOTSUPP: the kernel has no such kind.
 */
int rtnl_link_add_parent(struct nl *nl, const struct rtnl_parent *parent, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, 0);
	struct nlattr *info;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(request, IFLA_IFNAME, parent->name);
	mnl_attr_put(request, IFLA_ADDRESS, MAC_SIZE, parent->mac);
	mnl_attr_put_u32(request, IFLA_MTU, parent->mtu);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, parent->kind);
	mnl_attr_nest_end(request, info);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_mark() - give a link an alias, and keep the host from answering on it
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @alias:   the alias
 * @err:     filled on failure
 *
 * The host answers ARP for any of its addresses on any of its links; on this one only for
 * addresses that somebody gives to it.
 *
 * Return: 0, or what the kernel gave (do_setlink() in net/core/rtnetlink.c).
 */
int rtnl_link_set_mark(struct nl *nl, int ifindex, const char *alias, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_SETLINK, ifindex);
	struct nlattr *families;
	struct nlattr *family;
	struct nlattr *settings;

	mnl_attr_put_strz(request, IFLA_IFALIAS, alias);
	families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(request, AF_INET);
	settings = mnl_attr_nest_start(request, IFLA_INET_CONF);
	mnl_attr_put_u32(request, IPV4_DEVCONF_ARP_IGNORE, ARP_IGNORE_OTHERS);
	mnl_attr_nest_end(request, settings);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, families);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_name_up() - rename a link that is down, and set it up
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @name:    the new name
 * @err:     filled on failure
 *
 * The kernel renames it first.
 *
 * Return: 0; -EEXIST: the name is taken, and nothing is done; -ENETDOWN: it has the name, and is
 * down as the link that it is on is.
 */
int rtnl_link_set_name_up(struct nl *nl, int ifindex, const char *name, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, ifindex);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(request);

	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_mtu() - set a link's MTU
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @mtu:     in bytes
 * @err:     filled on failure
 *
 * Return: 0, -EINVAL.
 */
int rtnl_link_set_mtu(struct nl *nl, int ifindex, unsigned mtu, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_SETLINK, ifindex);

	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_vlan_is_known() - has the kernel VLANs
 * @nl:  a socket
 * @ret: whether it has
 * @err: filled on failure
 *
 * Asks for a VLAN without an id: a kernel that has them refuses it for that (vlan_validate() in
 * net/8021q/vlan_netlink.c), and has loaded its module by then.
 *
 * Return: 0, or what the kernel gave other than that.
 */
int rtnl_vlan_is_known(struct nl *nl, bool *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, 0);
	struct nlattr *info;
	int r;

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "vlan");
	mnl_attr_nest_end(request, info);
	r = nl_request(nl, request, NULL, NULL, err);
	if (r < 0 && r != -EINVAL && r != -EOPNOTSUPP)
		return r;
	*ret = r != -EOPNOTSUPP;
	return 0;
}

struct question {
	int ifindex;
	bool found;
};

static int read_mac(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == NDA_LLADDR &&
		mnl_attr_get_payload_len(attribute) == MAC_SIZE)
		memcpy(arg, mnl_attr_get_payload(attribute), MAC_SIZE);
	return MNL_CB_OK;
}

/* A group's MAC says nothing: the host itself listens to some. */
static int look_at_mac(void *arg, const struct nlmsghdr *message)
{
	static const uint8_t none[MAC_SIZE];
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct question *question = arg;
	uint8_t mac[MAC_SIZE] = { 0 };

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->ndm_ifindex != question->ifindex || !(info->ndm_flags & NTF_SELF))
		return 0;
	mnl_attr_parse(message, sizeof(*info), read_mac, mac);
	if (memcmp(mac, none, MAC_SIZE) != 0 && !(mac[0] & 1))
		question->found = true;
	return 0;
}

/**
 * rtnl_link_has_users() - does a link receive for other MACs than its own
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @ret:     whether it does: then something sits on it that is up, in whatever namespace
 * @err:     filled on failure
 *
 * A macvlan in another namespace is in no list of links here, but its MAC is in the filter of the
 * link that it is on (macvlan_open() in drivers/net/macvlan.c).
 *
 * Return: 0, or what RTM_GETNEIGH gave (ndo_dflt_fdb_dump() in net/core/rtnetlink.c).
 */
int rtnl_link_has_users(struct nl *nl, int ifindex, bool *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct question question = { .ifindex = ifindex };
	struct ndmsg *message;
	int r;

	request->nlmsg_type = RTM_GETNEIGH;
	request->nlmsg_flags = NLM_F_DUMP;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ndm_family = PF_BRIDGE;
	message->ndm_ifindex = ifindex;
	r = nl_request(nl, request, look_at_mac, &question, err);
	if (r == 0)
		*ret = question.found;
	return r;
}
