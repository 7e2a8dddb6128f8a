// SPDX-License-Identifier: MIT
/*
 * Links: one function for each request of rtnetlink(7). Each fails with the kernel's errno and
 * words; who calls knows the situation and says what it means. Addresses and routes are in
 * rtnl_ip.c, namespace ids in rtnl_nsid.c, what only parents need in rtnl_parent.c.
 */
#include "hook/rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "hook/nl.h"
#include "hook/rtnl_parts.h"
#include "schema/error.h"
#include "schema/text.h"

/**
 * rtnl_put_link() - begin a request about a link
 * @buffer:  of NL_REQUEST_MAX bytes, aligned
 * @type:    RTM_NEWLINK, ...
 * @ifindex: its index; 0: none yet, or all
 *
 * Return: the request, in @buffer.
 */
struct nlmsghdr *rtnl_put_link(void *buffer, uint16_t type, int ifindex)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link;

	request->nlmsg_type = type;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;
	return request;
}

/* Where the link is looked for: RTNL_HERE, or an id of the socket's namespace. */
static void put_nsid(struct nlmsghdr *request, int nsid)
{
	if (nsid != RTNL_HERE)
		mnl_attr_put_u32(request, IFLA_TARGET_NETNSID, (uint32_t)nsid);
}

static void read_string(const struct nlattr *attribute, char *to, size_t size)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
		text_join(to, size, mnl_attr_get_str(attribute));
}

static int read_int(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? (int)mnl_attr_get_u32(attribute)
							       : 0;
}

static int read_vlan_attribute(const struct nlattr *attribute, void *arg)
{
	struct rtnl_link *link = arg;

	if (mnl_attr_get_type(attribute) == IFLA_VLAN_ID &&
		mnl_attr_validate(attribute, MNL_TYPE_U16) == 0)
		link->vlan_id = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

/* The kernel puts the kind before its data (rtnl_link_info_fill() in net/core/rtnetlink.c). */
static int read_linkinfo(const struct nlattr *attribute, void *arg)
{
	struct rtnl_link *link = arg;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		read_string(attribute, link->kind, sizeof(link->kind));
	else if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA && !strcmp(link->kind, "vlan"))
		mnl_attr_parse_nested(attribute, read_vlan_attribute, link);
	return MNL_CB_OK;
}

static int read_link_attribute(const struct nlattr *attribute, void *arg)
{
	struct rtnl_link *link = arg;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		read_string(attribute, link->name, sizeof(link->name));
		break;
	case IFLA_IFALIAS:
		read_string(attribute, link->alias, sizeof(link->alias));
		break;
	case IFLA_MTU:
		link->mtu = (unsigned)read_int(attribute);
		break;
	case IFLA_LINK:
		link->lower = read_int(attribute);
		break;
	case IFLA_LINK_NETNSID:
		link->is_lower_elsewhere = true;
		break;
	case IFLA_MASTER:
		link->master = read_int(attribute);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, read_linkinfo, link);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == MAC_SIZE)
			memcpy(link->mac, mnl_attr_get_payload(attribute), MAC_SIZE);
		break;
	}
	return MNL_CB_OK;
}

/**
 * rtnl_read_link() - take a link from an answer; a nl_answer_fn
 * @arg:     a struct rtnl_link
 * @message: the message
 *
 * Return: 0, -EBADMSG.
 */
int rtnl_read_link(void *arg, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct rtnl_link *link = arg;

	if (message->nlmsg_type != RTM_NEWLINK ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	*link = (struct rtnl_link){
		.ifindex = info->ifi_index, .type = info->ifi_type, .flags = info->ifi_flags
	};
	mnl_attr_parse(message, sizeof(*info), read_link_attribute, link);
	return 0;
}

/**
 * rtnl_put_without_counters() - do not ask for counters, which the kernel would have to add up
 * @request: RTM_GETLINK
 */
void rtnl_put_without_counters(struct nlmsghdr *request)
{
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* Fails with -ENODEV also where the kernel sent no message but its acknowledgement. */
static int get_link(
	struct nl *nl, struct nlmsghdr *request, struct rtnl_link *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = nl_request(nl, request, rtnl_read_link, &link, err);

	if (r < 0)
		return r;
	if (link.ifindex == 0)
		return error_set(err, -ENODEV, "%s", strerror(ENODEV));
	*ret = link;
	return 0;
}

/**
 * rtnl_link_get() - look up a link by its name or an alternative name
 * @nl:   a socket
 * @nsid: the namespace to look in, as an id of the socket's, or RTNL_HERE
 * @name: its name
 * @ret:  the link
 * @err:  filled on failure
 *
 * Return: 0, -ENODEV, -EINVAL where the namespace is gone.
 */
int rtnl_link_get(
	struct nl *nl, int nsid, const char *name, struct rtnl_link *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_GETLINK, 0);

	/* The kernel looks for IFLA_ALT_IFNAME among names and alternative names (5.5). */
	mnl_attr_put_strz(request, IFLA_ALT_IFNAME, name);
	rtnl_put_without_counters(request);
	put_nsid(request, nsid);
	return get_link(nl, request, ret, err);
}

/**
 * rtnl_link_get_index() - look up a link by its index
 * @nl:      a socket
 * @nsid:    the namespace to look in, as an id of the socket's, or RTNL_HERE
 * @ifindex: its index
 * @ret:     the link
 * @err:     filled on failure
 *
 * Return: 0, -ENODEV, -EINVAL where the namespace is gone.
 */
int rtnl_link_get_index(
	struct nl *nl, int nsid, int ifindex, struct rtnl_link *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_GETLINK, ifindex);

	rtnl_put_without_counters(request);
	put_nsid(request, nsid);
	return get_link(nl, request, ret, err);
}

/**
 * rtnl_link_is_up() - is a link of the socket's namespace up
 * @nl:   a socket
 * @name: its name, or an alternative name. Only of a link that is there: for one that is not, the
 *        kernel starts modprobe(8) (dev_load() in net/core/dev_ioctl.c)
 * @ret:  whether it is
 * @err:  filled on failure
 *
 * A tenth of what RTM_GETLINK costs, for which the kernel puts together all that it knows of a
 * link, under a lock that all others want as well.
 *
 * Return: 0, -ENODEV (netdevice(7) SIOCGIFFLAGS).
 */
int rtnl_link_is_up(const struct nl *nl, const char *name, bool *ret, struct error *err)
{
	struct ifreq request = { .ifr_flags = 0 };

	text_join(request.ifr_name, sizeof(request.ifr_name), name);
	if (ioctl(nl->fd, SIOCGIFFLAGS, &request) < 0)
		return error_set_errno(err, "cannot find interface '%s'", name);
	*ret = request.ifr_flags & IFF_UP;
	return 0;
}

static uint32_t macvlan_mode(enum network_mode mode)
{
	switch (mode) {
	case NETWORK_BRIDGE:
		return MACVLAN_MODE_BRIDGE;
	case NETWORK_PRIVATE:
		return MACVLAN_MODE_PRIVATE;
	case NETWORK_VEPA:
		return MACVLAN_MODE_VEPA;
	case NETWORK_PASSTHRU:
		return MACVLAN_MODE_PASSTHRU;
	case NETWORK_SOURCE:
		return MACVLAN_MODE_SOURCE;
	}
	return 0;
}

static void put_macvlan_data(struct nlmsghdr *request, const struct rtnl_macvlan *macvlan)
{
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(request, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u32(request, IFLA_MACVLAN_MODE, macvlan_mode(macvlan->mode));
	if (macvlan->mode == NETWORK_SOURCE) {
		struct nlattr *list;

		mnl_attr_put_u32(request, IFLA_MACVLAN_MACADDR_MODE, MACVLAN_MACADDR_SET);
		list = mnl_attr_nest_start(request, IFLA_MACVLAN_MACADDR_DATA);
		for (unsigned i = 0; i < macvlan->n_source_macs; i++)
			mnl_attr_put(
				request, IFLA_MACVLAN_MACADDR, MAC_SIZE, macvlan->source_macs[i]);
		mnl_attr_nest_end(request, list);
	}
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
}

/**
 * rtnl_link_add_macvlan() - create a macvlan right in the namespace it is for
 * @nl:      a socket in the parent's namespace
 * @macvlan: what to create; it is down
 * @err:     filled on failure
 *
 * It is never created here and moved: a move holds the kernel's RTNL for 15 ms, which limits the
 * whole host to 50 attaches a second. It is never created up: with a MAC that is still busy that
 * costs 15 ms and a rollback, where setting it up fails in 30 us and can be tried again.
 *
 * Where the message has an index, the kernel looks for the index and not for the name. Up to Linux
 * 6.12 it looks in the socket's namespace: the name may be taken there, but the index must be free
 * (__rtnl_newlink() in net/core/rtnetlink.c). Later kernels look only in the namespace that the
 * link is born in.
 *
 * Return: 0; -EEXIST: the name or the index is taken; -EBUSY: the parent is a port of something, or
 * (up to 6.12) the index is taken where the link is born (register_netdevice() in net/core/dev.c);
 * -EINVAL: modes that exclude each other, or the MTU.
 */
int rtnl_link_add_macvlan(struct nl *nl, const struct rtnl_macvlan *macvlan, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, macvlan->ifindex);

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(request, IFLA_IFNAME, macvlan->name);
	mnl_attr_put_u32(request, IFLA_LINK, (uint32_t)macvlan->parent);
	if (macvlan->netns >= 0)
		mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)macvlan->netns);
	if (macvlan->mac)
		mnl_attr_put(request, IFLA_ADDRESS, MAC_SIZE, macvlan->mac);
	if (macvlan->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, macvlan->mtu);
	put_macvlan_data(request, macvlan);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_up() - set a link up
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @err:     filled on failure
 *
 * Return: 0; -EADDRINUSE: its MAC is in use on the parent.
 */
int rtnl_link_set_up(struct nl *nl, int ifindex, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, ifindex);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(request);

	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_set_name() - rename a link that is down
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @name:    the new name
 * @err:     filled on failure
 *
 * Return: 0, -EEXIST.
 */
int rtnl_link_set_name(struct nl *nl, int ifindex, const char *name, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_NEWLINK, ifindex);

	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return nl_request(nl, request, NULL, NULL, err);
}

/**
 * rtnl_link_del() - delete a link, and wait until it is gone
 * @nl:      a socket
 * @nsid:    the link's namespace as an id of the socket's, or RTNL_HERE
 * @ifindex: its index
 * @err:     filled on failure
 *
 * Return: 0, -ENODEV, -EINVAL where the namespace is gone.
 */
int rtnl_link_del(struct nl *nl, int nsid, int ifindex, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = rtnl_put_link(buffer, RTM_DELLINK, ifindex);

	put_nsid(request, nsid);
	return nl_request(nl, request, NULL, NULL, err);
}
