// SPDX-License-Identifier: MIT
/*
 * Addresses that the kernel makes or judges by itself: those of one link with their states, how it
 * makes them, and how fast it looks for duplicates. One function for each request of rtnetlink(7),
 * as in rtnl.c for links.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "hook/nl.h"
#include "hook/rtnl.h"

static struct nlmsghdr *put_addr(void *buffer, uint16_t type, sa_family_t family, int ifindex)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *message;

	request->nlmsg_type = type;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ifa_family = (uint8_t)family;
	message->ifa_index = (uint32_t)ifindex;
	return request;
}

/**
 * rtnl_addr_del() - take an address from a link
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @address: the address, with its prefix length
 * @err:     filled on failure
 *
 * Return: 0, -EADDRNOTAVAIL.
 */
int rtnl_addr_del(struct nl *nl, int ifindex, const struct cidr *address, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_addr(buffer, RTM_DELADDR, address->ip.family, ifindex);

	((struct ifaddrmsg *)mnl_nlmsg_get_payload(request))->ifa_prefixlen = address->len;
	mnl_attr_put(request, IFA_LOCAL, ip_bits(address->ip.family) / 8, address->ip.bytes);
	/* Without it the kernel does not look at the prefix length. */
	mnl_attr_put(request, IFA_ADDRESS, ip_bits(address->ip.family) / 8, address->ip.bytes);
	return nl_request(nl, request, NULL, NULL, err);
}

struct listing {
	int ifindex;
	rtnl_link_addr_fn *found;
	void *arg;
};

/* An address while it is read. */
struct reading {
	struct rtnl_addr addr;
	bool has_local;
};

/* IFA_ADDRESS is the peer's on a point-to-point link; IFA_LOCAL, where it is there, ours. */
static int read_attribute(const struct nlattr *attribute, void *arg)
{
	struct reading *reading = arg;
	struct cidr *cidr = &reading->addr.cidr;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type == IFA_FLAGS && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
		reading->addr.flags = mnl_attr_get_u32(attribute);
	if (type != IFA_LOCAL && (type != IFA_ADDRESS || reading->has_local))
		return MNL_CB_OK;
	if (mnl_attr_get_payload_len(attribute) != ip_bits(cidr->ip.family) / 8)
		return MNL_CB_ERROR;
	reading->has_local |= type == IFA_LOCAL;
	memcpy(cidr->ip.bytes, mnl_attr_get_payload(attribute),
		mnl_attr_get_payload_len(attribute));
	return MNL_CB_OK;
}

static int read_addr(void *arg, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct listing *listing = arg;
	struct reading reading = { .has_local = false };

	if (message->nlmsg_type != RTM_NEWADDR ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if ((int)info->ifa_index != listing->ifindex ||
		(info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	reading.addr = (struct rtnl_addr){
		.cidr = { .ip.family = info->ifa_family, .len = info->ifa_prefixlen },
		.flags = info->ifa_flags,
		.scope = info->ifa_scope,
	};
	if (mnl_attr_parse(message, sizeof(*info), read_attribute, &reading) < 0)
		return -EBADMSG;
	return listing->found(listing->arg, &reading.addr);
}

/**
 * rtnl_addr_list_link() - the addresses of one link
 * @nl:      a socket in its namespace
 * @ifindex: its index
 * @family:  AF_INET, AF_INET6, or AF_UNSPEC: both
 * @found:   called for each; it may come twice
 * @arg:     handed to @found
 * @err:     filled on failure
 *
 * Return: 0, what RTM_GETADDR gave, or what @found failed with.
 */
int rtnl_addr_list_link(struct nl *nl, int ifindex, sa_family_t family, rtnl_link_addr_fn *found,
	void *arg, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_addr(buffer, RTM_GETADDR, family, ifindex);
	struct listing listing = { ifindex, found, arg };

	request->nlmsg_flags = NLM_F_DUMP;
	return nl_request(nl, request, read_addr, &listing, err);
}

/**
 * rtnl_neigh_set_retrans() - how long IPv6 waits for an answer: to a solicitation, and to that of
 * duplicate address detection
 * @nl:      a socket in the link's namespace
 * @ifindex: its index
 * @ms:      milliseconds; 1000 is the kernel's own
 * @err:     filled on failure
 *
 * What /proc/sys/net/ipv6/neigh/NAME/retrans_time_ms does.
 *
 * Return: 0, or what RTM_SETNEIGHTBL gave (neightbl_set() in net/core/neighbour.c).
 */
int rtnl_neigh_set_retrans(struct nl *nl, int ifindex, unsigned ms, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nlattr *parameters;
	struct ndtmsg *message;

	request->nlmsg_type = RTM_SETNEIGHTBL;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ndtm_family = AF_INET6;
	mnl_attr_put_strz(request, NDTA_NAME, "ndisc_cache");
	parameters = mnl_attr_nest_start(request, NDTA_PARMS);
	mnl_attr_put_u32(request, NDTPA_IFINDEX, (uint32_t)ifindex);
	mnl_attr_put_u64(request, NDTPA_RETRANS_TIME, ms);
	mnl_attr_nest_end(request, parameters);
	return nl_request(nl, request, NULL, NULL, err);
}
