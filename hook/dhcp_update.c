// SPDX-License-Identifier: MIT
/*
 * What a container has of its lease: taken when the first one comes, and changed when the server
 * says something else. Make before break: what is new is there before what is old goes. The lock of
 * the record's id is held.
 *
 * The record names both addresses while there are two. A change that is cut short is made again by
 * the next event: each step is the same when it is done twice.
 */
#include <string.h>

#include "hook/dhcp_parts.h"
#include "hook/dns.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/lan.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "ipam/given.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/record.h"

/* RFC 8200 section 5: with a smaller one the kernel ends IPv6 on a link. */
#define MTU_MIN_IP6 1280

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

/**
 * dhcp_take() - give an endpoint its leased address
 * @change:  the endpoint
 * @address: the address
 * @err:     filled on failure
 *
 * Return: 0; -EADDRINUSE: the host or another container on it has it; what the kernel gave.
 */
int dhcp_take(const struct dhcp_change *change, const struct cidr *address, struct error *err)
{
	struct nl *nl = &change->netns->nl;
	char text[CIDR_TEXT];
	int r = check_host(change->host, &address->ip, err);

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
 * dhcp_set_mtu() - have an endpoint's link use the MTU that the server says
 * @change: the endpoint
 * @mtu:    bytes; 0: nothing is said
 *
 * Never more than the parent's, nor less than IPv6 needs. What fails is a line in the log.
 */
void dhcp_set_mtu(const struct dhcp_change *change, unsigned mtu)
{
	const struct record_endpoint *endpoint = change->endpoint;
	struct rtnl_link parent = { 0 };
	struct error err;
	int r;

	if (!mtu || !endpoint->dhcp.gives_mtu)
		return;
	r = rtnl_link_get_index(
		&change->host->nl, RTNL_HERE, endpoint->parent_ifindex, &parent, &err);
	if (record_has_family(endpoint, AF_INET6) && mtu < MTU_MIN_IP6)
		mtu = MTU_MIN_IP6;
	if (r == 0 && mtu > parent.mtu)
		mtu = parent.mtu;
	if (r == 0)
		r = rtnl_link_set_mtu(&change->netns->nl, endpoint->ifindex, mtu, &err);
	if (r < 0)
		log_notice("container '%s': '%s' keeps its MTU, the DHCP server says %u: %s",
			change->record->id, endpoint->interface, mtu, err.text);
}

/* The routes of a lease are ours; what is on the way outside of the subnet is on the link. */
static struct rtnl_route route_of(const struct dhcp_change *change, const struct lease *lease,
	const struct cidr *dst, const struct ip *gateway)
{
	return (struct rtnl_route){
		.dst = *dst,
		.gateway = *gateway,
		.onlink = gateway->family && !cidr_contains(&lease->config.addresses[0], gateway),
		.ifindex = change->endpoint->ifindex,
	};
}

static const struct cidr any4 = { .ip = { .family = AF_INET } };

/* Before the others of its kind; one of somebody else that is there stays the only one. */
static int add_default(
	const struct dhcp_change *change, const struct lease *lease, struct error *err)
{
	struct rtnl_route route = route_of(change, lease, &any4, &lease->config.gateway4);
	struct rtnl_route there = { 0 };
	struct nl *nl = &change->netns->nl;
	int r = rtnl_route_get_default(nl, AF_INET, &there, err);

	if (r < 0)
		return r;
	if (there.dst.ip.family && there.ifindex != route.ifindex) {
		log_notice("container '%s': the IPv4 default route that is there stays, none by "
			   "DHCP on '%s'",
			change->record->id, change->endpoint->interface);
		return 0;
	}
	if (there.dst.ip.family && ip_equal(&there.gateway, &route.gateway))
		return 0;
	return there.dst.ip.family ? rtnl_route_add_first(nl, &route, err)
				   : rtnl_route_add(nl, &route, err);
}

static int add_routes(
	const struct dhcp_change *change, const struct lease *lease, struct error *err)
{
	const struct ip_config *config = &lease->config;
	int r = 0;

	if (change->endpoint->dhcp.gives_default && config->gateway4.family)
		r = add_default(change, lease, err);
	for (unsigned i = 0; r == 0 && i < config->n_routes; i++) {
		const struct rtnl_route route =
			route_of(change, lease, &config->routes[i].dst, &config->routes[i].gateway);

		r = rtnl_route_add(&change->netns->nl, &route, err);
		if (r == -EEXIST)
			r = 0;
	}
	return r < 0 ? error_prefix(err, "cannot add a route of the lease") : 0;
}

static bool has_route(const struct lease *lease, const struct network_route *route)
{
	const struct ip_config *config = &lease->config;

	for (unsigned i = 0; lease->is_bound && i < config->n_routes; i++)
		if (config->routes[i].dst.len == route->dst.len &&
			ip_equal(&config->routes[i].dst.ip, &route->dst.ip) &&
			ip_equal(&config->routes[i].gateway, &route->gateway))
			return true;
	return false;
}

static int delete_routes(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err)
{
	const struct ip_config *config = &old->config;
	int r = 0;

	if (!old->is_bound)
		return 0;
	if (change->endpoint->dhcp.gives_default && config->gateway4.family &&
		(!lease->is_bound || !ip_equal(&config->gateway4, &lease->config.gateway4))) {
		const struct rtnl_route route = route_of(change, old, &any4, &config->gateway4);

		r = rtnl_route_del(&change->netns->nl, &route, err);
	}
	for (unsigned i = 0; r == 0 && i < config->n_routes; i++) {
		const struct rtnl_route route =
			route_of(change, old, &config->routes[i].dst, &config->routes[i].gateway);

		if (!has_route(lease, &config->routes[i]))
			r = rtnl_route_del(&change->netns->nl, &route, err);
	}
	return r < 0 ? error_prefix(err, "cannot delete a route of the lease before") : 0;
}

/**
 * dhcp_put_address() - put a leased address into an endpoint's own, before the others
 * @endpoint: the endpoint; nothing happens where it is there
 * @address:  the address
 *
 * Return: false: there is no room.
 */
bool dhcp_put_address(struct record_endpoint *endpoint, const struct cidr *address)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (ip_equal(&endpoint->addresses[i].ip, &address->ip) &&
			endpoint->addresses[i].len == address->len)
			return true;
	if (endpoint->n_addresses == NETWORK_SUBNETS_MAX)
		return false;
	memmove(&endpoint->addresses[1], &endpoint->addresses[0],
		endpoint->n_addresses * sizeof(endpoint->addresses[0]));
	endpoint->addresses[0] = *address;
	endpoint->n_addresses++;
	return true;
}

static int save(const struct dhcp_change *change, struct error *err)
{
	return record_save(change->host->store.containers, change->record, err);
}

/* The host's routes, the link's address, the claim, the record. */
static int drop_address(const struct dhcp_change *change, unsigned index, struct error *err)
{
	struct record_endpoint *endpoint = change->endpoint;
	const struct cidr address = endpoint->addresses[index];
	const struct given given = { change->record->id, endpoint, &address.ip };
	struct record_endpoint only = *endpoint;
	bool stays = false;
	int r;

	only.addresses[0] = address;
	only.n_addresses = 1;
	/* The same address with another prefix length is one claim, and one for the host. */
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		stays = stays || (i != index && ip_equal(&endpoint->addresses[i].ip, &address.ip));
	r = stays ? 0 : host_access_remove(change->host, change->record->id, &only, err);
	if (r == 0)
		r = rtnl_addr_del(&change->netns->nl, endpoint->ifindex, &address, err);
	if (r == -EADDRNOTAVAIL)
		r = 0;
	if (r == 0 && !stays)
		r = given_release(&change->host->store, &given, err);
	if (r < 0)
		return r;
	endpoint->n_addresses--;
	memmove(&endpoint->addresses[index], &endpoint->addresses[index + 1],
		(endpoint->n_addresses - index) * sizeof(endpoint->addresses[0]));
	return save(change, err);
}

/* All leased addresses but this one; NULL: all. */
static int drop_others(const struct dhcp_change *change, const struct cidr *kept, struct error *err)
{
	struct record_endpoint *endpoint = change->endpoint;
	unsigned i = 0;
	int r = 0;

	while (r == 0 && i < endpoint->n_addresses) {
		const struct cidr *address = &endpoint->addresses[i];

		if (address->ip.family != AF_INET ||
			(kept && ip_equal(&address->ip, &kept->ip) && address->len == kept->len))
			i++;
		else
			r = drop_address(change, i, err);
	}
	return r;
}

static int add_host_access(
	const struct dhcp_change *change, const struct cidr *address, struct error *err)
{
	struct record_endpoint only = *change->endpoint;
	const struct host_access_late late = {
		.settings6 = change->settings6,
		.container = &change->netns->nl,
		.id = change->record->id,
		.endpoint = &only,
	};

	only.addresses[0] = *address;
	only.n_addresses = 1;
	return host_access_add_late(change->host, &late, err);
}

static int add_address(
	const struct dhcp_change *change, const struct cidr *address, struct error *err)
{
	struct record_endpoint *endpoint = change->endpoint;
	unsigned before = endpoint->n_addresses;
	int r;

	if (!dhcp_put_address(endpoint, address))
		return error_set(err, -E2BIG, "'%s' has too many addresses", endpoint->interface);
	r = endpoint->n_addresses > before ? save(change, err) : 0;
	if (r == 0)
		r = dhcp_take(change, address, err);
	if (r == 0)
		r = add_host_access(change, address, err);
	if (r < 0 && endpoint->n_addresses > before)
		drop_address(change, 0, NULL);
	return r;
}

/* What it has, and what it is to have. */
static int change_to(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err)
{
	const struct cidr *address = &lease->config.addresses[0];
	int r = 0;

	if (lease->is_bound) {
		r = add_address(change, address, err);
		if (r < 0)
			return r;
		dhcp_set_mtu(change, lease->config.mtu);
		r = add_routes(change, lease, err);
	}
	if (r == 0)
		r = delete_routes(change, old, lease, err);
	if (r == 0)
		r = drop_others(change, lease->is_bound ? address : NULL, err);
	if (r == 0 && lease->is_bound && change->endpoint->dhcp.gives_dns)
		dns_rewrite(change->host, change->record, &lease->config);
	return r;
}

static void say(
	const struct dhcp_change *change, const struct lease *old, const struct lease *lease)
{
	char one[CIDR_TEXT] = "none";
	char other[CIDR_TEXT] = "none";

	if (old->is_bound)
		cidr_format(&old->config.addresses[0], one);
	if (lease->is_bound)
		cidr_format(&lease->config.addresses[0], other);
	log_notice("container '%s': the lease of '%s' has changed: address %s, before %s%s%s",
		change->record->id, change->endpoint->interface, other, one,
		lease->is_bound ? "" : ": ", lease->is_bound ? "" : lease->problem);
}

/**
 * dhcp_add_listed() - add the routes that an endpoint's network lists to those of its lease
 * @endpoint: the endpoint
 * @lease:    the lease
 *
 * They come and go with it: without an address there is no way to their gateways. What does not
 * fit is left out.
 */
void dhcp_add_listed(const struct record_endpoint *endpoint, struct lease *lease)
{
	struct network_route routes[NETWORK_ROUTES_MAX];
	struct ip_config *config = &lease->config;
	unsigned n = 0;

	if (!lease->is_bound || !endpoint->dhcp.routes ||
		network_list_routes(endpoint->dhcp.routes, routes, &n, NULL) < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		if (routes[i].dst.ip.family == AF_INET && config->n_routes < IP_CONFIG_ROUTES_MAX)
			config->routes[config->n_routes++] = routes[i];
}

/**
 * dhcp_update() - have an endpoint follow the last word of its server
 * @change: the endpoint
 * @err:    filled on failure
 *
 * Return: 0, also when nothing has changed; -EADDRINUSE; what the kernel or the file system gave.
 */
int dhcp_update(const struct dhcp_change *change, struct error *err)
{
	const struct record_endpoint *endpoint = change->endpoint;
	struct lease old = { 0 };
	struct lease lease = { 0 };
	char name[DHCP_NAME_MAX];
	int r = lease_load(change->dir,
		dhcp_file_name(change->record->id, endpoint->interface, DHCP_APPLIED, name), &old,
		err);

	if (r < 0 && r != -ENOENT)
		return r;
	r = lease_load(change->dir,
		dhcp_file_name(change->record->id, endpoint->interface, DHCP_LEASE, name), &lease,
		err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	dhcp_add_listed(endpoint, &lease);
	if (lease_is_same(&old, &lease))
		return 0;
	r = change_to(change, &old, &lease, err);
	if (r < 0)
		return error_prefix(err, "container '%s': DHCP on '%s'", change->record->id,
			endpoint->interface);
	say(change, &old, &lease);
	dhcp_file_name(change->record->id, endpoint->interface, DHCP_APPLIED, name);
	return lease_save(change->dir, name, &lease, err);
}
