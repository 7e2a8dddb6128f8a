// SPDX-License-Identifier: MIT
/*
 * What a container gets of a lease: its address, which is looked at and claimed first, how long it
 * has that, and the MTU. Routes are in dhcp_routes.c; when it is given is in dhcp.c and
 * dhcp_update.c.
 */
#include <fcntl.h>
#include <unistd.h>

#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/lan.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "hook/sysctl.h"
#include "ipam/given.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/network.h"
#include "schema/record.h"

/* RFC 8200 section 5: with a smaller one the kernel ends IPv6 on a link. */
#define MTU_MIN_IP6 1280
/* How much longer than its lease an address stays where no client ends it. One that lives may renew
 * late: udhcpc asks after 16 s at the earliest, however short the lease.
 */
#define LATE_S 20

static int check_host(struct host *host, const struct ip *ip, struct error *err)
{
	bool is_own = false;
	char text[IP_TEXT];
	int r = host_has_ip(host, ip, &is_own, err);

	if (r == 0 && is_own)
		return error_set(err, -EADDRINUSE,
			"the DHCP server gives address '%s', which is the host's own: see why it "
			"does not know",
			ip_format(ip, text));
	return r;
}

static int claim(const struct dhcp_change *change, const struct ip *ip, struct error *err)
{
	const struct given given = { change->record->id, change->endpoint, ip };
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	char text[IP_TEXT];
	bool freed = false;
	int r = given_claim(&change->host->store, &given, holder, err);

	if (r == -EEXIST && reconcile_holder(change->host, holder, &freed, NULL) == 0 && freed)
		r = given_claim(&change->host->store, &given, holder, err);
	if (r == -EEXIST)
		return error_set(err, -EADDRINUSE,
			"the DHCP server gives address '%s', which '%s' has on this host: keep the "
			"server's range and the networks' ranges apart",
			ip_format(ip, text), *holder ? holder : "something else");
	return r;
}

/* Gratuitous ARP, so that switches and routers forget the previous owner. The kernel would send it
 * only when the link goes up.
 */
static void announce(const struct dhcp_change *change, const struct ip *ip)
{
	struct lan lan cleanup(lan_close) = LAN_CLOSED;
	struct error err;
	char text[IP_TEXT];
	int r = lan_open(change->endpoint->ifindex, change->endpoint->mac, &lan, &err);

	if (r == 0)
		r = lan_announce(&lan, ip, &err);
	if (r < 0)
		log_notice("container '%s': cannot announce '%s': %s", change->record->id,
			ip_format(ip, text), err.text);
}

/* Where the network's file says what leases may be, no server says anything else. */
static int check_subnets(
	const struct dhcp_change *change, const struct cidr *address, struct error *err)
{
	const struct record_endpoint *endpoint = change->endpoint;
	struct cidr subnets[NETWORK_SUBNETS_MAX];
	char text[CIDR_TEXT];
	unsigned n = 0;
	int r;

	if (!endpoint->dhcp.subnets)
		return 0;
	r = network_list_subnets(endpoint->dhcp.subnets, subnets, &n, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		if (cidr_contains(&subnets[i], &address->ip))
			return 0;
	return error_set(err, -EADDRNOTAVAIL,
		"the DHCP server gives address '%s', which lies in no subnet of network '%s': see "
		"which server answers, or add the subnet to the network's file",
		cidr_format(address, text), endpoint->network);
}

/**
 * dhcp_take() - give an endpoint its leased address
 * @change:  the endpoint
 * @address: the address
 * @err:     filled on failure
 *
 * Return: 0; -EADDRNOTAVAIL: the network's file does not allow it; -EADDRINUSE: the host or another
 * container on it has it; what the kernel gave.
 */
int dhcp_take(const struct dhcp_change *change, const struct cidr *address, struct error *err)
{
	struct nl *nl = &change->netns->nl;
	char text[CIDR_TEXT];
	int r = check_subnets(change, address, err);

	if (r == 0)
		r = check_host(change->host, &address->ip, err);
	if (r == 0)
		r = claim(change, &address->ip, err);
	/* Else the kernel deletes the new address with the old one of the same subnet. */
	if (r == 0)
		r = rtnl_link_set_promote_secondaries(nl, change->endpoint->ifindex, err);
	if (r < 0)
		return r;
	r = rtnl_addr_add(nl, change->endpoint->ifindex, address, false, err);
	if (r == -EEXIST)
		return 0;
	if (r < 0)
		return error_prefix(err, "cannot give '%s' the leased address '%s'",
			change->endpoint->interface, cidr_format(address, text));
	announce(change, &address->ip);
	return 0;
}

/**
 * dhcp_limit() - have the kernel take an endpoint's leased address away some time after its lease
 * @change: the endpoint, which has the address
 * @lease:  the lease
 *
 * As the client does when the time is over; but somebody may have killed it. What fails is a line
 * in the log.
 */
void dhcp_limit(const struct dhcp_change *change, const struct lease *lease)
{
	const struct record_endpoint *endpoint = change->endpoint;
	uint32_t rest = lease_remaining(lease);
	struct error err;

	rest = rest < LEASE_FOR_EVER - LATE_S ? rest + LATE_S : LEASE_FOR_EVER;
	if (rtnl_addr_set_lifetime(&change->netns->nl, endpoint->ifindex,
		    &lease->config.addresses[0], rest, &err) < 0)
		log_notice("container '%s': '%s': the leased address gets no lifetime: %s",
			change->record->id, endpoint->interface, err.text);
}

/* Has it IPv6, or may it get it from a router that has not spoken yet? In the other case it was
 * turned off (endpoint.c).
 */
static bool has_ip6(const struct dhcp_change *change)
{
	struct rtnl_link link = { 0 };
	char disabled = '1';
	autoclose int dir = -1;
	autoclose int file = -1;

	/* The container may have given it another name. */
	if (rtnl_link_get_index(
		    &change->netns->nl, RTNL_HERE, change->endpoint->ifindex, &link, NULL) < 0 ||
		sysctl_open_ip6(link.name, &dir, NULL) < 0)
		return false;
	file = openat(dir, "disable_ipv6", O_RDONLY | O_CLOEXEC);
	return file >= 0 && read(file, &disabled, 1) == 1 && disabled == '0';
}

/**
 * dhcp_set_mtu() - have an endpoint's link use the MTU that the server says
 * @change: the endpoint
 * @old:    the lease before; NULL: there was none
 * @lease:  the lease
 *
 * Never more than the parent's, nor less than IPv6 needs; the parent's where the server says none
 * any more. What fails is a line in the log.
 */
void dhcp_set_mtu(
	const struct dhcp_change *change, const struct lease *old, const struct lease *lease)
{
	const struct record_endpoint *endpoint = change->endpoint;
	unsigned mtu = lease->config.mtu;
	struct rtnl_link parent = { 0 };
	struct error err;
	int r;

	if (!endpoint->dhcp.gives_mtu || (!mtu && (!old || !old->config.mtu)))
		return;
	r = rtnl_link_get_index(
		&change->host->nl, RTNL_HERE, endpoint->parent_ifindex, &parent, &err);
	if (mtu && mtu < MTU_MIN_IP6 && has_ip6(change))
		mtu = MTU_MIN_IP6;
	if (r == 0 && (!mtu || mtu > parent.mtu))
		mtu = parent.mtu;
	if (r == 0)
		r = rtnl_link_set_mtu(&change->netns->nl, endpoint->ifindex, mtu, &err);
	if (r < 0)
		log_notice("container '%s': '%s' keeps its MTU, the DHCP server says %u: %s",
			change->record->id, endpoint->interface, lease->config.mtu, err.text);
}
