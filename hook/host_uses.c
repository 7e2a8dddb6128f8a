// SPDX-License-Identifier: MIT
/*
 * Addresses of others that the host relies on: the next hops of its routes, and its resolvers. A
 * container that has one of them is the host's gateway, or answers its questions for names: so it
 * has one only where its network's file says so (service_addresses).
 */
#include "hook/host_uses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hook/host_resolv.h"
#include "hook/rtnl.h"
#include "ipam/ipam.h"
#include "schema/error.h"

#define GROW 16

/* Many routes have the same next hop. */
static int add_use(struct host_uses *uses, const struct ip *ip, const char *what)
{
	if (host_uses_find(uses, ip))
		return 0;
	if (uses->n == uses->room) {
		size_t room = uses->room ? 2 * uses->room : GROW;
		struct ipam_use *list = reallocarray(uses->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		uses->list = list;
		uses->room = room;
	}
	uses->list[uses->n++] = (struct ipam_use){ *ip, what };
	return 0;
}

/**
 * host_uses_add_route() - note the next hop of a route; an rtnl_route_fn
 * @uses:  the struct host_uses
 * @route: a route of the host's
 *
 * Return: 0, -ENOMEM.
 */
int host_uses_add_route(void *uses, const struct rtnl_route *route)
{
	return route->gateway.family ? add_use(uses, &route->gateway, "the host's next hop") : 0;
}

static int add_resolver(void *uses, const struct ip *ip)
{
	return add_use(uses, ip, "the host's resolver");
}

/**
 * host_uses_add_others() - note what the host relies on and its routes do not say
 * @uses: where to
 * @nl:   a socket in the host's namespace
 * @err:  filled on failure
 *
 * Its resolvers, and next hops that are objects of their own.
 *
 * Return: 0, -ENOMEM, or what RTM_GETNEXTHOP gave.
 */
int host_uses_add_others(struct host_uses *uses, struct nl *nl, struct error *err)
{
	int r = rtnl_nexthop_list(nl, host_uses_add_route, uses, err);

	if (r < 0)
		return error_prefix(err, "cannot list the host's next hops");
	r = host_resolv_list(add_resolver, uses);
	return r < 0 ? error_set(err, r, "cannot list the host's resolvers: %s", strerror(-r)) : 0;
}

/**
 * host_uses_load() - list what the host relies on
 * @nl:  a socket in the host's namespace
 * @ret: empty; host_uses_free() frees it, also on failure
 * @err: filled on failure
 *
 * Return: 0, -ENOMEM, or what RTM_GETROUTE gave.
 */
int host_uses_load(struct nl *nl, struct host_uses *ret, struct error *err)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < 2; i++) {
		int r = rtnl_route_list(nl, families[i], host_uses_add_route, ret, err);

		if (r < 0)
			return error_prefix(err, "cannot list the host's routes");
	}
	return host_uses_add_others(ret, nl, err);
}

/**
 * host_uses_find() - does the host rely on an address
 * @uses: what it relies on
 * @ip:   the address
 *
 * Return: what the address is to the host, in words; NULL: nothing.
 */
const char *host_uses_find(const struct host_uses *uses, const struct ip *ip)
{
	for (size_t i = 0; i < uses->n; i++)
		if (ip_equal(&uses->list[i].ip, ip))
			return uses->list[i].what;
	return NULL;
}

/**
 * host_uses_free() - forget all; a destructor for cleanup()
 * @uses: empty afterwards
 */
void host_uses_free(struct host_uses *uses)
{
	free(uses->list);
	*uses = (struct host_uses){ 0 };
}
