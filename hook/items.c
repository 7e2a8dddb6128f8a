// SPDX-License-Identifier: MIT
/*
 * The new endpoints of an attach: each gets a key that it goes by, addresses, a MAC and a link. The
 * addresses of all are tried out on the LAN in one wait.
 */
#include "hook/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hook/dhcp.h"
#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/machine.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "hook/plugin.h"
#include "hook/probe.h"
#include "hook/reconcile.h"
#include "hook/routes.h"
#include "ipam/candidates.h"
#include "ipam/claims.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/record.h"
#include "schema/text.h"

/* How often room is looked for while others free some, and how long the pauses are: 1 ms at first,
 * each four times the one before.
 */
#define ROOM_TRIES 6
#define ROOM_PAUSE_NS 250000L

/* How often a plugin may give what cannot be had. */
#define GIVEN_TRIES 8

/* The same network twice in one container: each has a key, a MAC and an address of its own. */
static void set_key(struct record_endpoint *endpoint, const char *key, unsigned occurrence)
{
	if (occurrence == 0)
		text_join(endpoint->key, sizeof(endpoint->key), key);
	else
		snprintf(endpoint->key, sizeof(endpoint->key), "%.*s~%u",
			(int)(sizeof(endpoint->key) - 5), key, occurrence + 1);
}

/* Goes by the container's name where it has one, unless another live container has that name. */
static int choose_key(const struct items *items, const struct ipam_request *request,
	struct record_endpoint *endpoint, const struct plan_item *item, bool *ret_is_name,
	struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	bool freed = false;
	int r;

	*ret_is_name = false;
	set_key(endpoint, items->id, item->occurrence);
	if (!items->name)
		return 0;
	set_key(endpoint, items->name, item->occurrence);
	r = ipam_claim_key(&items->host->store, request, holder, err);
	if (r == -EEXIST && reconcile_holder(items->host, holder, &freed, err) == 0 && freed)
		r = ipam_claim_key(&items->host->store, request, holder, err);
	if (r == -EEXIST) {
		log_notice("container '%s': the name '%s' is taken by '%s', so it goes by its id",
			items->id, items->name, holder);
		set_key(endpoint, items->id, item->occurrence);
		return 0;
	}
	*ret_is_name = r == 0;
	return r;
}

/* 02:42 and the IPv4 address, as Docker has it; else a hash that the same container gets again. */
static void choose_mac(
	const struct plan_item *item, bool key_is_name, struct record_endpoint *endpoint)
{
	if (item->selection->has_mac) {
		memcpy(endpoint->mac, item->selection->mac, MAC_SIZE);
	} else if (endpoint->n_addresses && endpoint->addresses[0].ip.family == AF_INET) {
		endpoint->mac[0] = 0x02;
		endpoint->mac[1] = 0x42;
		memcpy(endpoint->mac + 2, endpoint->addresses[0].ip.bytes, 4);
	} else {
		/* One container's name may be another's id. */
		machine_mac(item->network->name, key_is_name ? "name" : "id", endpoint->key,
			item->parent.mac, endpoint->mac);
	}
}

/* Again after what the dead left is freed: all of it when the pool is full, else the holder. Other
 * attaches may want room at the same time, and be at work on what would do for us: so after a look
 * that found nothing to free we try once more, and where somebody is at work, we wait a little.
 */
static int allocate(const struct items *items, const struct ipam_request *request,
	struct ipam_result *ret, struct error *err)
{
	int r = ipam_allocate(&items->host->store, request, ret, err);
	bool hope = r == -ENOSPC || r == -EADDRINUSE;

	for (unsigned try = 0; hope && try < ROOM_TRIES && !deadline_passed(); try++) {
		if (try > 0)
			nanosleep(&(struct timespec){ .tv_nsec = ROOM_PAUSE_NS << 2 * try }, NULL);
		hope = false;
		if (r == -ENOSPC)
			hope = reconcile_made_room(items->host);
		else
			reconcile_holder(items->host, ret->holder, &hope, NULL);
		r = ipam_allocate(&items->host->store, request, ret, err);
		hope = hope && (r == -ENOSPC || r == -EADDRINUSE);
	}
	return r;
}

/* An endpoint on its way. */
struct work {
	struct wiring wiring;
	struct ipam_request request;
	bool key_is_name;
	unsigned n_refused; /* how often what its plugin gave could not be had */
};

static struct work begin(const struct items *items, struct plan_item *item)
{
	struct record_endpoint *endpoint = &items->record->endpoints[item->endpoint];

	return (struct work){
		.wiring = {
			.host = items->host,
			.netns = items->netns,
			.id = items->record->id,
			.item = item,
			.record = items->record,
			.endpoint = endpoint,
		},
		.request = {
			.network = item->network,
			.selection = item->selection,
			.host = items->plan->host,
			.n_host = items->plan->n_host,
			.uses = items->plan->uses.list,
			.n_uses = items->plan->uses.n,
			.id = items->record->id,
			.interface = endpoint->interface,
			.key = endpoint->key,
		},
	};
}

/* An error says in which network it is. */
static int in_network(const struct work *work, int r, struct error *err)
{
	return r < 0 ? error_prefix(err, "network '%s'", work->request.network->name) : r;
}

static struct plugin_request plugin_request(const struct items *items, struct work *work)
{
	return (struct plugin_request){
		.host = items->host,
		.record = items->record,
		.endpoint = work->wiring.endpoint,
		.item = &items->plan->items[work->wiring.item - items->plan->items],
		.ipam = &work->request,
		.pid = items->netns->pid,
	};
}

/* Not where the container asks for just that address. */
static bool may_ask_again(struct work *work)
{
	return work->request.selection->n_ips == 0 && ++work->n_refused < GIVEN_TRIES;
}

/* Until the plugin gives what can be had, as far as is known on this host. With @refusal: why that
 * is not what it gave before.
 */
static int claim_given(const struct items *items, struct work *work, const struct error *refusal,
	struct ipam_result *ret, struct error *err)
{
	const struct plugin_request request = plugin_request(items, work);
	struct error why;
	int r = refusal ? plugin_ask_again(&request, refusal, err) : plugin_ask(&request, err);

	if (r == 0)
		r = allocate(items, &work->request, ret, err);
	while (r == -EADDRINUSE && may_ask_again(work)) {
		why = *err;
		r = plugin_ask_again(&request, &why, err);
		if (r == 0)
			r = allocate(items, &work->request, ret, err);
	}
	return r;
}

static void set_addresses(const struct work *work, const struct ipam_result *result)
{
	struct record_endpoint *endpoint = work->wiring.endpoint;

	endpoint->n_addresses = result->n;
	memcpy(endpoint->addresses, result->addresses, sizeof(endpoint->addresses));
}

/* The names must be this endpoint's alone before its client tells them to a server. */
static int claim_names(const struct items *items, struct work *work, struct error *err)
{
	const struct dhcp_naming naming = {
		.host = items->host,
		.request = &work->request,
		.item = work->wiring.item,
		.config = items->config,
		.endpoint = work->wiring.endpoint,
		.cookie = items->record->netns_cookie,
		.is_named = items->name != NULL,
		.key_is_name = work->key_is_name,
	};

	return dhcp_claim_names(&naming, err);
}

static int claim(const struct items *items, struct work *work, struct error *err)
{
	struct record_endpoint *endpoint = work->wiring.endpoint;
	struct ipam_result result = { 0 };
	int r = choose_key(
		items, &work->request, endpoint, work->wiring.item, &work->key_is_name, err);

	if (r == 0)
		r = claim_names(items, work, err);
	if (r == 0)
		r = endpoint->plugin.program ? claim_given(items, work, NULL, &result, err)
					     : allocate(items, &work->request, &result, err);
	if (r < 0)
		return in_network(work, r, err);
	set_addresses(work, &result);
	return 0;
}

/* Where nobody listens, or nobody but our own, nobody has to be asked. */
static bool must_be_tried(const struct work *work)
{
	const struct parent *parent = &work->wiring.item->parent;

	if (work->request.network->is_isolated ||
		!probe_is_needed(work->wiring.host, &work->request, work->wiring.endpoint))
		return false;
	if (parent->is_up && parent->has_carrier)
		return true;
	log_notice("network '%s': parent '%s' has no carrier, so nobody is asked whether the "
		   "addresses of container '%s' are in use",
		work->request.network->name, parent->name, work->request.id);
	return false;
}

/* A container that goes by its name has the same address again as long as it has the name. */
static struct ra choose_ra(const struct items *items, const struct work *work)
{
	const struct plan_item *item = work->wiring.item;
	struct ra ra = { .is_wanted = item->network->ipv6 == NETWORK_IPV6_RA };

	if (!ra.is_wanted)
		return ra;
	ra.takes_default = routes_by_ra(items->plan, item);
	machine_token(item->network->name, work->key_is_name ? "name" : "id",
		work->wiring.endpoint->key, item->parent.mac, ra.token);
	return ra;
}

static void add_probe(struct probes *probes, const struct work *work)
{
	choose_mac(work->wiring.item, work->key_is_name, work->wiring.endpoint);
	probes_add(probes, &work->request, &work->wiring);
}

static int wire(struct work *work, struct probes *probes, struct error *err)
{
	/* Tells of all that are not made yet, and so names the network itself. */
	int r = probes_hand_over(probes, &work->wiring, err);

	if (r < 0)
		return r;
	/* Of the addresses as they are now. */
	choose_mac(work->wiring.item, work->key_is_name, work->wiring.endpoint);
	r = endpoint_wire(&work->wiring, err);
	if (r == 0)
		r = probes_look_back(probes, &work->wiring, err);
	return r < 0 ? in_network(work, r, err) : deadline_check("attaching", err);
}

/* The endpoint whose plugin gave what somebody on the LAN has; NULL: it is none, or was it too
 * often.
 */
static struct work *find_refused(struct work works[], unsigned n, const struct probes *probes)
{
	for (unsigned i = 0; probes->refused && i < n; i++)
		if (&works[i].wiring == probes->refused->wiring &&
			works[i].wiring.endpoint->plugin.program && may_ask_again(&works[i]))
			return &works[i];
	return NULL;
}

/* Returns 0 where all are to be tried out again. */
static int replace_given(const struct items *items, struct work *work, const struct error *refusal,
	struct error *err)
{
	struct record_endpoint *endpoint = work->wiring.endpoint;
	struct ipam_result result = { 0 };
	int r = 0;

	for (unsigned i = 0; r == 0 && i < endpoint->n_addresses; i++)
		r = candidates_drop(
			&items->host->store, &work->request, &endpoint->addresses[i], NULL, err);
	if (r < 0)
		return in_network(work, r, err);
	endpoint->n_addresses = 0;
	r = claim_given(items, work, refusal, &result, err);
	if (r < 0)
		return in_network(work, r, err);
	set_addresses(work, &result);
	return 0;
}

static void begin_probes(const struct items *items, struct probes *probes)
{
	probes->host = items->host;
	probes->trial = NETNS_CLOSED;
	probes->changes = NL_CLOSED;
	probes->refused = NULL;
	probes->n = 0;
}

static int try_out_once(const struct items *items, struct work works[], unsigned n,
	struct probes *probes, struct error *err)
{
	begin_probes(items, probes);
	for (unsigned i = 0; i < n; i++)
		if (must_be_tried(&works[i]))
			add_probe(probes, &works[i]);
	return probes->n > 0 ? probes_run(probes, items->netns, err) : 0;
}

/* All addresses that are new on the LAN, until nobody has one of them. */
static int try_out(const struct items *items, struct work works[], unsigned n,
	struct probes *probes, struct error *err)
{
	int r = try_out_once(items, works, n, probes, err);

	while (r == -EADDRINUSE) {
		struct work *work = find_refused(works, n, probes);

		if (!work)
			break;
		r = probes_end_trial(probes, err);
		if (r == 0)
			r = replace_given(items, work, &probes->refusal, err);
		probes_close(probes);
		if (r == 0)
			r = try_out_once(items, works, n, probes, err);
	}
	return r;
}

/**
 * items_attach() - make all new endpoints of an attach
 * @items: whose
 * @err:   filled on failure; what was made is left for detach
 *
 * Return: 0, or why not.
 */
int items_attach(const struct items *items, struct error *err)
{
	struct probes probes cleanup(probes_close); /* its list is long, and not cleared */
	struct work works[SELECTIONS_MAX];
	unsigned n = 0;
	int r = 0;

	begin_probes(items, &probes);
	for (unsigned i = 0; r == 0 && i < items->plan->n; i++) {
		if (items->plan->items[i].joined)
			continue;
		works[n] = begin(items, &items->plan->items[i]);
		r = claim(items, &works[n], err);
		if (r == 0)
			works[n].wiring.ra = choose_ra(items, &works[n]);
		n++;
	}
	if (r == 0)
		r = try_out(items, works, n, &probes, err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = wire(&works[i], &probes, err);
	/* After all are made: routers and servers may take their time. */
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = in_network(&works[i], dhcp_start(&works[i].wiring, err), err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = in_network(&works[i], endpoint_await_ra(&works[i].wiring, err), err);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = in_network(&works[i], dhcp_await(&works[i].wiring, err), err);
	if (r < 0)
		probes_end_trial(&probes, NULL);
	return r;
}
