// SPDX-License-Identifier: MIT
/*
 * The plan of an attach: everything from outside is read and checked here, before the first side
 * effect. After it nothing is parsed any more.
 */
#include "hook/plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/attach.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/rtnl.h"
#include "ipam/delegate.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/json.h"
#include "schema/record.h"
#include "schema/text.h"

static bool is_asked_for(const struct selection *selection, const struct ip *ip)
{
	for (unsigned i = 0; i < selection->n_ips; i++)
		if (ip_equal(&selection->ips[i].ip, ip))
			return true;
	return false;
}

/* May a network that is asked for have this address? What others give is looked at when they have
 * given it (host_has_ip()): of all addresses the host may have any number.
 */
static bool may_have(const struct plan *plan, const struct ip *ip)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (network_subnet_of(plan->items[i].network, ip) ||
			is_asked_for(plan->items[i].selection, ip))
			return true;
	return false;
}

static int add_host_ip(void *arg, const struct ip *ip)
{
	struct plan *plan = arg;

	if (!may_have(plan, ip))
		return 0;
	if (plan->n_host == PLAN_HOST_IPS_MAX)
		return -E2BIG;
	plan->host[plan->n_host++] = *ip;
	return 0;
}

static bool may_have_any(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->items[i].network->n_subnets > 0 || plan->items[i].selection->n_ips > 0)
			return true;
	return false;
}

/* A probe on the LAN would not see these: macvlan hides the host and its containers from each
 * other. So they are asked of the kernel.
 */
static int load_host_ips(struct plan *plan, struct nl *nl, struct error *err)
{
	int r;

	if (!may_have_any(plan))
		return 0;
	r = rtnl_addr_list(nl, add_host_ip, plan, err);
	if (r == -E2BIG)
		return error_set(err, r,
			"the host has more than %d addresses in the networks' subnets",
			PLAN_HOST_IPS_MAX);
	return r < 0 ? error_prefix(err, "cannot list the host's addresses") : 0;
}

/* An address that we choose is tried out on the LAN, where whoever has it answers. One that is
 * asked for, or given by a plugin, is not to be one of these even where nobody answers.
 */
static int load_uses(struct plan *plan, struct nl *nl, struct error *err)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->items[i].selection->n_ips > 0 ||
			plan->items[i].network->ipam == NETWORK_IPAM_PLUGIN)
			return host_uses_load(nl, &plan->uses, err);
	return 0;
}

static int check_mac(const struct plan_item *item, struct error *err)
{
	const struct selection *selection = item->selection;
	char mac[MAC_TEXT];

	if (!selection->has_mac)
		return 0;
	mac_format(selection->mac, mac);
	if (item->network->mode == NETWORK_PASSTHRU)
		return error_set(err, -EINVAL,
			"mac '%s' cannot be given: in mode passthru the container has the MAC of "
			"parent '%s'",
			mac, item->parent.name);
	if (!memcmp(selection->mac, item->parent.mac, MAC_SIZE))
		return error_set(err, -EADDRINUSE, "mac '%s' is the one of parent '%s' itself", mac,
			item->parent.name);
	return 0;
}

static int check_default_route(const struct plan_item *item, struct error *err)
{
	if (item->selection->n_gateways > 0 && item->network->internal)
		return error_set(
			err, -EINVAL, "default-route cannot be given: the network is internal");
	return 0;
}

static int check_item(const struct plan *plan, struct plan_item *item, struct error *err)
{
	const struct ipam_request request = {
		.network = item->network,
		.selection = item->selection,
		.host = plan->host,
		.n_host = plan->n_host,
		.uses = plan->uses.list,
		.n_uses = plan->uses.n,
	};
	int r = check_mac(item, err);

	if (r == 0)
		r = check_default_route(item, err);
	if (r == 0)
		r = ipam_check(&request, err);
	if (r == 0 && item->network->ipam == NETWORK_IPAM_PLUGIN) {
		r = delegate_plan(item->network, item->selection, &item->plugin, err);
		/* Who joins needs none, whoever may write to it: plan_plugins(). */
		if (r == -ENOENT || r == -EPERM)
			return 0;
	}
	return r < 0 ? error_prefix(err, "network '%s'", item->network->name) : 0;
}

/* One network gives the default route of a family, so only one may ask for it. */
static int check_one_default(const struct plan *plan, sa_family_t family, struct error *err)
{
	const char *asks = NULL;

	for (unsigned i = 0; i < plan->n; i++) {
		const struct selection *selection = plan->items[i].selection;

		for (unsigned j = 0; j < selection->n_gateways; j++) {
			if (selection->gateways[j].family != family)
				continue;
			if (asks)
				return error_set(err, -EINVAL,
					"networks '%s' and '%s' both ask for the %s default route",
					asks, selection->network,
					family == AF_INET ? "IPv4" : "IPv6");
			asks = selection->network;
		}
	}
	return 0;
}

/* The file is read once for each time that it is selected: seldom more than one. */
static int load_item(struct host *host, int networks, const struct selection *selection,
	struct plan *plan, struct error *err)
{
	struct plan_item *item = &plan->items[plan->n];
	int r;

	*item = (struct plan_item){ .selection = selection };
	r = network_load(networks, selection->network, &item->network, err);
	if (r < 0)
		return r == -ENOENT ? r : error_prefix(err, "in '%s'", host->etc);
	for (unsigned i = 0; i < plan->n; i++)
		if (!strcmp(plan->items[i].selection->network, selection->network))
			item->occurrence++;
	plan->n++;
	r = parent_find(&host->nl, item->network, &item->parent, err);
	if (r < 0)
		return error_prefix(err, "network '%s'", selection->network);
	/* Pools go by the parent's own name: an alternative one would be a second pool. */
	item->network->parent = item->parent.name;
	return 0;
}

/**
 * plan_load() - read and check everything but what is in the container's namespace
 * @host:    the host
 * @request: what the container asks for; lives as long as the plan
 * @ret:     the plan; plan_free() frees it, also on failure
 * @err:     filled on failure
 *
 * Return: 0, or why the request cannot be met.
 */
int plan_load(struct host *host, const struct attach_request *request, struct plan *ret,
	struct error *err)
{
	autoclose int networks = -1;
	int r = host_open_networks(host, &networks, err);

	ret->n = 0;
	ret->n_host = 0;
	ret->host_settings6 = -1;
	ret->uses = (struct host_uses){ 0 };
	for (unsigned i = 0; r == 0 && i < request->selections->n; i++)
		r = load_item(host, networks, &request->selections->list[i], ret, err);
	if (r == 0)
		r = load_host_ips(ret, &host->nl, err);
	if (r == 0)
		r = load_uses(ret, &host->nl, err);
	for (unsigned i = 0; r == 0 && i < ret->n; i++)
		r = check_item(ret, &ret->items[i], err);
	if (r == 0)
		r = check_one_default(ret, AF_INET, err);
	if (r == 0)
		r = check_one_default(ret, AF_INET6, err);
	return r == 0 ? host_access_prepare(ret, err) : r;
}

/**
 * plan_plugins() - fail where a plugin is not installed, or not trusted, that will be run
 * @plan: the plan, joined (plan_join()) if there is what to join
 * @err:  filled on failure
 *
 * Return: 0, or what delegate_plan() gave.
 */
int plan_plugins(struct plan *plan, struct error *err)
{
	for (unsigned i = 0; i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];
		int r;

		if (item->joined || item->plugin || item->network->ipam != NETWORK_IPAM_PLUGIN)
			continue;
		r = delegate_plan(item->network, item->selection, &item->plugin, err);
		if (r < 0)
			return error_prefix(err, "network '%s'", item->network->name);
	}
	return 0;
}

static bool is_planned(const struct plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (!strcmp(plan->items[i].interface, name))
			return true;
	return false;
}

static int is_taken(struct nl *nl, const char *name, bool *ret, struct error *err)
{
	struct rtnl_link link;
	int r = rtnl_link_get(nl, RTNL_HERE, name, &link, NULL);

	if (r < 0 && r != -ENODEV)
		r = rtnl_link_get(nl, RTNL_HERE, name, &link, err);
	if (r < 0 && r != -ENODEV)
		return error_prefix(err, "cannot look for interface '%s' in the container", name);
	*ret = r == 0;
	return 0;
}

static int check_interface(const struct plan_item *item, struct nl *nl, struct error *err)
{
	bool taken = false;
	int r = is_taken(nl, item->interface, &taken, err);

	if (r == 0 && taken)
		r = error_set(err, -EEXIST,
			"interface '%s' is taken in the container's network namespace: ask for "
			"another name (%s@NAME), or start the container without other networks",
			item->interface, item->network->name);
	return r;
}

/* The first of eth0, eth1, ... that nobody has. */
static int choose_interface(
	struct plan *plan, struct plan_item *item, struct nl *nl, unsigned *next, struct error *err)
{
	bool taken = true;

	while (taken) {
		char name[INTERFACE_NAME_MAX + 1];
		char number[TEXT_UINT];
		int r;

		if (*next > 9999)
			return error_set(
				err, -EEXIST, "no interface name from eth0 to eth9999 is free");
		text_join(name, sizeof(name), "eth", text_uint((*next)++, number));
		taken = is_planned(plan, name);
		r = taken ? 0 : is_taken(nl, name, &taken, err);
		if (r < 0)
			return r;
		if (!taken)
			memcpy(item->interface, name, sizeof(name));
	}
	return 0;
}

/**
 * plan_interfaces() - settle the interfaces' names in the container
 * @plan: the plan; names go to the items that are not joined
 * @nl:   a socket in the container's namespace
 * @err:  filled on failure
 *
 * Return: 0; -EEXIST: a name that was asked for is taken.
 */
int plan_interfaces(struct plan *plan, struct nl *nl, struct error *err)
{
	unsigned next = 0;
	int r = 0;

	for (unsigned i = 0; i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];

		memcpy(item->interface, item->selection->interface, sizeof(item->interface));
	}
	for (unsigned i = 0; r == 0 && i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];

		if (item->joined)
			continue;
		if (*item->interface)
			r = check_interface(item, nl, err);
		else
			r = choose_interface(plan, item, nl, &next, err);
	}
	return r;
}

static bool endpoint_has_ip(const struct record_endpoint *endpoint, const struct ip *ip)
{
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		if (ip_equal(&endpoint->addresses[i].ip, ip))
			return true;
	return false;
}

/* What is there cannot be had in another form: it is one interface for all of the pod. */
static int check_same(const struct selection *selection, const struct record_endpoint *endpoint,
	const char *owner, struct error *err)
{
	char text[IP_TEXT];

	for (unsigned i = 0; i < selection->n_ips; i++)
		if (!endpoint_has_ip(endpoint, &selection->ips[i].ip))
			return error_set(err, -EEXIST,
				"container '%s' has network '%s' in this namespace already, "
				"without address '%s': a member of its pod shares what it has",
				owner, selection->network, ip_format(&selection->ips[i].ip, text));
	if (selection->has_mac && memcmp(selection->mac, endpoint->mac, MAC_SIZE) != 0)
		return error_set(err, -EEXIST,
			"container '%s' has network '%s' in this namespace already, with another "
			"MAC than '%s': a member of its pod shares what it has",
			owner, selection->network, mac_format(selection->mac, text));
	if (*selection->interface && strcmp(selection->interface, endpoint->interface) != 0)
		return error_set(err, -EEXIST,
			"container '%s' has network '%s' in this namespace already, as interface "
			"'%s' and not '%s': a member of its pod shares what it has",
			owner, selection->network, endpoint->interface, selection->interface);
	return 0;
}

static const struct record_endpoint *nth_endpoint(
	const struct record *record, const char *network, unsigned n)
{
	for (unsigned i = 0; i < record->n_endpoints; i++)
		if (!strcmp(record->endpoints[i].network, network) && n-- == 0)
			return &record->endpoints[i];
	return NULL;
}

/**
 * plan_join() - find what another container of the pod has already
 * @plan:  the plan: items that are there are marked as joined
 * @owner: the record that owns the namespace's endpoints
 * @err:   filled on failure
 *
 * Return: 0; -EEXIST: it has a network that is asked for, but in another form.
 */
int plan_join(struct plan *plan, const struct record *owner, struct error *err)
{
	for (unsigned i = 0; i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];
		const struct record_endpoint *endpoint =
			nth_endpoint(owner, item->selection->network, item->occurrence);
		int r;

		item->joined = endpoint != NULL;
		if (endpoint)
			item->endpoint = (unsigned)(endpoint - owner->endpoints);
		r = endpoint ? check_same(item->selection, endpoint, owner->id, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * plan_free() - free what a plan holds; a destructor for cleanup()
 * @plan: the plan
 */
void plan_free(struct plan *plan)
{
	for (unsigned i = 0; i < plan->n; i++) {
		network_free(&plan->items[i].network);
		json_free(&plan->items[i].plugin);
		json_free(&plan->items[i].answer);
		free(plan->items[i].given);
	}
	plan->n = 0;
	host_uses_free(&plan->uses);
	if (plan->host_settings6 >= 0)
		close(plan->host_settings6);
	plan->host_settings6 = -1;
}
