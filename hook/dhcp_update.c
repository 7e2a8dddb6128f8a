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
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/rtnl.h"
#include "ipam/given.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/lease.h"
#include "schema/record.h"

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
		if (r == 0)
			r = dhcp_routes_add(change, old, lease, err);
	}
	if (r < 0)
		return r;
	dhcp_set_mtu(change, old, lease);
	r = dhcp_routes_delete(change, old, lease, err);
	if (r == 0)
		r = drop_others(change, lease->is_bound ? address : NULL, err);
	if (r == 0 && lease->is_bound && change->endpoint->dhcp.gives_dns)
		dns_rewrite(change->host, change->record, old->is_bound ? &old->config : NULL,
			&lease->config);
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

/* What of a lease is on the link. */
struct found {
	const struct cidr *address;
	bool is_there;
};

static int look_at(void *arg, const struct rtnl_addr *addr)
{
	struct found *found = arg;

	if (ip_equal(&addr->cidr.ip, &found->address->ip) && addr->cidr.len == found->address->len)
		found->is_there = true;
	return 0;
}

/* Has it just what the lease says? Not after a change that was cut short, or a hand's work. */
static bool is_whole(const struct dhcp_change *change, const struct lease *lease)
{
	const struct record_endpoint *endpoint = change->endpoint;
	struct found found = { .address = &lease->config.addresses[0] };
	unsigned n = 0;

	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		n += endpoint->addresses[i].ip.family == AF_INET;
	if (n != lease->config.n_addresses || !lease->is_bound)
		return n == 0;
	if (!ip_equal(&endpoint->addresses[0].ip, &found.address->ip))
		return false;
	return rtnl_addr_list_link(
		       &change->netns->nl, endpoint->ifindex, AF_INET, look_at, &found, NULL) < 0 ||
	       found.is_there;
}

static int load(
	const struct dhcp_change *change, const char *suffix, struct lease *ret, struct error *err)
{
	char name[DHCP_NAME_MAX];

	dhcp_file_name(change->record->id, change->endpoint->interface, suffix, name);
	return lease_load(change->dir, name, ret, err);
}

static int save_applied(
	const struct dhcp_change *change, const struct lease *lease, struct error *err)
{
	char name[DHCP_NAME_MAX];

	dhcp_file_name(change->record->id, change->endpoint->interface, DHCP_APPLIED, name);
	return lease_save(change->dir, name, lease, err);
}

/* What it cannot have leaves it with what it has, until the time of that is over. */
static int keep_old(const struct dhcp_change *change, const struct lease *old, struct error *err)
{
	const struct lease none = { .problem = "the lease before has ended" };
	struct error ended;
	int r = error_prefix(err, "container '%s': DHCP on '%s'", change->record->id,
		change->endpoint->interface);

	if (!old->is_bound || lease_remaining(old) > 0)
		return r;
	if (change_to(change, old, &none, &ended) == 0)
		save_applied(change, &none, &ended);
	return r;
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
	struct lease old = { 0 };
	struct lease lease = { 0 };
	bool is_same;
	int r = load(change, DHCP_APPLIED, &old, err);

	if (r < 0 && r != -ENOENT)
		return r;
	r = load(change, DHCP_LEASE, &lease, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	dhcp_add_listed(change->endpoint, &lease);
	is_same = lease_is_same(&old, &lease);
	if (!is_same || !is_whole(change, &lease)) {
		r = change_to(change, &old, &lease, err);
		if (r < 0)
			return keep_old(change, &old, err);
	}
	if (lease.is_bound)
		dhcp_limit(change, &lease);
	if (!is_same)
		say(change, &old, &lease);
	return save_applied(change, &lease, err);
}
