// SPDX-License-Identifier: MIT
/*
 * The life of an endpoint.
 *
 * An attach plans, then acts. plan.c reads and checks everything from outside (but a plugin may be
 * missing until it is known that one is needed: who joins a pod needs none). Parents that are
 * missing are made (parent_make.c). Then, under the lock of the container's id:
 *
 *   intent   a record is written that names the networks, the parents, the namespace and init
 *   owner    RUN/netns/COOKIE says whose record has this namespace's endpoints
 *   plugin   the ADD of a CNI IPAM plugin, where one gives the addresses (items.c, as the next)
 *   claims   the addresses, as links in RUN/pools/PARENT
 *   link     created in the container's namespace, given its addresses, set up (endpoint.c); before
 *            that, the addresses are tried out on the LAN (probes.c)
 *   lease    of a network with DHCP, from a client that stays with the container (dhcp.c)
 *   routes   those of the networks, and one default route a family
 *   host     where the network has host_access: the host's routes to it (host_access.c)
 *   dns      RUN/dns/ID.conf, mounted on the container's /etc/resolv.conf (dns.c)
 *   final    the record again, with indexes, MACs and addresses as read back
 *
 * Whatever fails, the undo is detach(), the same that poststop and gc call; it works from any
 * half-made state, because there is never a claim or a link without a record that leads to it. "No
 * record" means that there is nothing to do. From an intent, detach looks for the container's
 * claims in the parents' pools, and in the namespace for a link with an index that only this
 * endpoint's has (endpoint_link.c).
 *
 * A namespace may be shared (a pod). Who comes first owns its endpoints; a later member that asks
 * for a network that is there joins the owner's record, and one that asks for another network adds
 * to it. Its own record only says whom it joined. The last member to leave takes all down.
 */
#include "hook/attach.h"

#include <stdio.h>
#include <string.h>

#include "hook/config.h"
#include "hook/detach.h"
#include "hook/dhcp.h"
#include "hook/dns.h"
#include "hook/host.h"
#include "hook/host_access.h"
#include "hook/items.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/plan.h"
#include "hook/previous.h"
#include "hook/returns.h"
#include "hook/routes.h"
#include "hook/rtnl.h"
#include "ipam/claims.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

/* How much time the undo has, whatever the attach has used. */
#define UNDO_MS 10000
/* Two members of a pod that start at once may each find the other on the way. */
#define OWNER_TRIES 64

/* An attach under way. */
struct attachment {
	struct host *host;
	const struct attach_request *request;
	struct plan *plan;
	struct netns *netns;
	struct record *record; /* the one that gets the endpoints: ours or the owner's */
	unsigned first;	       /* its first endpoint that is new */
	struct routes_first first_routes;
	struct config *config;
};

/* Puts the plan's new endpoints into the record, as intents. */
static int add_intents(struct attachment *a, struct error *err)
{
	int r = 0;

	a->first = a->record->n_endpoints;
	for (unsigned i = 0; r == 0 && i < a->plan->n; i++) {
		struct plan_item *item = &a->plan->items[i];
		struct record_endpoint *endpoint;

		if (item->joined)
			continue;
		item->endpoint = a->record->n_endpoints;
		endpoint = record_add_endpoint(a->record);
		if (!endpoint)
			return error_set(err, -E2BIG, "more than %d endpoints in one namespace",
				RECORD_ENDPOINTS_MAX);
		endpoint->mode = item->network->mode;
		endpoint->host_access = item->network->host_access;
		text_join(endpoint->network, sizeof(endpoint->network), item->network->name);
		memcpy(endpoint->interface, item->interface, sizeof(endpoint->interface));
		memcpy(endpoint->parent, item->parent.name, sizeof(endpoint->parent));
		endpoint->parent_ifindex = item->parent.ifindex;
		endpoint->is_dhcp = item->network->ipam == NETWORK_IPAM_DHCP;
		if (endpoint->is_dhcp)
			r = dhcp_describe(item, a->config, &endpoint->dhcp, err);
		if (r == 0 && item->plugin)
			r = record_set_plugin(endpoint, item->plugin, err);
	}
	return r;
}

/* Before the record says that something new is a plugin's: it could not be told from the old. */
static int settle_returns(struct attachment *a, struct error *err)
{
	for (unsigned i = a->first; i < a->record->n_endpoints; i++)
		if (a->record->endpoints[i].plugin.program)
			return returns_settle(a->host, a->record->id, err);
	return 0;
}

/* Runtimes set it up in the namespaces that they make; one that is joined by its path may have
 * nobody who did.
 */
static int set_lo_up(struct nl *nl, struct error *err)
{
	bool is_up = false;
	int r = rtnl_link_is_up(nl, "lo", &is_up, err);

	/* By another name it is still the first link of its namespace. */
	if (r == -ENODEV || (r == 0 && !is_up))
		r = rtnl_link_set_up(nl, 1, err);
	return r < 0 ? error_prefix(err, "cannot set 'lo' up") : 0;
}

/* Everything between the intent and the final record. */
static int attach_items(struct attachment *a, struct error *err)
{
	const struct items items = {
		.host = a->host,
		.netns = a->netns,
		.plan = a->plan,
		.record = a->record,
		.id = a->request->id,
		.name = a->request->name,
		.config = a->config,
	};
	int r = set_lo_up(&a->netns->nl, err);

	if (r == 0)
		r = items_attach(&items, err);
	if (r == 0)
		r = routes_add(a->netns, a->plan, a->record, &a->first_routes, err);
	if (r == 0)
		r = host_access_add(a->host, a->netns, a->plan, a->record, err);
	if (r == 0)
		dns_write(a->host,
			&(struct dns_request){ a->request->id, a->plan, a->netns, a->config });
	if (r == 0)
		r = netns_check_init(a->netns, err);
	if (r < 0)
		return r;
	dhcp_settle(a->plan, a->record);
	r = record_save(a->host->store.containers, a->record, err);
	if (r < 0)
		return r;
	routes_settle(a->netns, &a->first_routes);
	dhcp_catch_up(a->host, a->netns, a->plan, a->record);
	return 0;
}

/* The undo has time of its own, and must not hide why it was needed. */
static void undo_own(struct attachment *a)
{
	struct error err;

	deadline_start(UNDO_MS);
	if (detach_all(a->host, a->record, &err) < 0)
		log_notice(
			"container '%s': cannot undo the attach: %s; 'oci-macvlan gc' tries again",
			a->request->id, err.text);
	routes_undo(a->netns, &a->first_routes);
}

static struct record_member self_as_member(const struct attachment *a)
{
	struct record_member member = { .pid = a->netns->pid, .start = a->netns->start };

	text_join(member.id, sizeof(member.id), a->request->id);
	return member;
}

static int make_own_record(struct attachment *a, struct record **ret, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct record_member self = self_as_member(a);
	int r = record_new(a->request->id, &record, err);

	if (r == 0)
		r = rtnl_nsid_add(&a->host->nl, a->netns->fd, a->netns->cookie, &record->nsid,
			&record->nsid_shared, err);
	if (r == 0)
		r = record_add_member(record, &self, err);
	if (r < 0)
		return r;
	record->netns_cookie = a->netns->cookie;
	record->host_cookie = a->host->cookie;
	config_name(a->config, record->name);
	*ret = record;
	record = NULL;
	return 0;
}

/* The first container in its namespace. Returns 1 where another came between: look again. */
static int attach_as_owner(struct attachment *a, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	char holder[CLAIMS_OWNER_MAX + 1];
	char cookie[TEXT_UINT];
	int r = plan_plugins(a->plan, err);

	if (r == 0)
		r = plan_interfaces(a->plan, &a->netns->nl, err);
	if (r == 0)
		r = make_own_record(a, &record, err);
	if (r < 0)
		return r;
	a->record = record;
	r = add_intents(a, err);
	if (r == 0)
		r = settle_returns(a, err);
	if (r == 0)
		r = record_save(a->host->store.containers, record, err);
	if (r < 0)
		return r;
	r = claims_take(
		a->host->store.netns, text_uint(a->netns->cookie, cookie), record->id, holder, err);
	if (r == -EEXIST) {
		r = record_remove(a->host->store.containers, record->id, err);
		return r < 0 ? r : 1;
	}
	if (r == 0)
		r = attach_items(a, err);
	if (r < 0)
		undo_own(a);
	return r;
}

static int save_joined(struct attachment *a, struct error *err)
{
	cleanup(record_free) struct record *joined = NULL;
	int r = record_new(a->request->id, &joined, err);

	if (r < 0)
		return r;
	snprintf(joined->joined, sizeof(joined->joined), "%s", a->record->id);
	return record_save(a->host->store.containers, joined, err);
}

/* Takes the new endpoints and the member out again; each as far as it goes. */
static void undo_joined(struct attachment *a)
{
	struct error err;
	int r;

	deadline_start(UNDO_MS);
	r = detach_endpoints(a->host, a->record, a->first, &err);
	if (r < 0)
		log_notice(
			"container '%s': cannot undo the attach: %s; 'oci-macvlan gc' tries again",
			a->request->id, err.text);
	r = detach_member(a->host, a->record, a->request->id, &err);
	if (r == 0)
		r = dns_remove(a->host, a->request->id, &err);
	if (r == 0 && strcmp(a->record->id, a->request->id) != 0)
		r = record_remove(a->host->store.containers, a->request->id, &err);
	if (r < 0)
		log_notice("container '%s': cannot leave its pod again: %s; 'oci-macvlan gc' tries "
			   "again",
			a->request->id, err.text);
	routes_undo(a->netns, &a->first_routes);
}

/* Our record comes before the owner's, so that our poststop finds the owner in any case. */
static int save_membership(struct attachment *a, struct error *err)
{
	int r = 0;

	if (strcmp(a->record->id, a->request->id) != 0)
		r = save_joined(a, err);
	return r == 0 ? record_save(a->host->store.containers, a->record, err) : r;
}

/* Is this very container in the record? One of its id may be there that died without a poststop. */
static bool has_member(const struct record *record, const struct record_member *self)
{
	const struct record_member *member = record_member_of(record, self->id);

	return member && member->pid == self->pid && member->start == self->start;
}

/* Another container's record (or our own, of before) owns this namespace's endpoints. Its lock is
 * held.
 */
static int attach_as_member(struct attachment *a, struct record *owner, struct error *err)
{
	struct record_member self = self_as_member(a);
	int r = plan_join(a->plan, owner, err);

	a->record = owner;
	if (r == 0)
		r = plan_plugins(a->plan, err);
	if (r == 0)
		r = dhcp_join(a->host, a->plan, owner, err);
	if (r == 0)
		r = plan_interfaces(a->plan, &a->netns->nl, err);
	if (r == 0)
		r = add_intents(a, err);
	if (r == 0)
		r = settle_returns(a, err);
	if (r < 0)
		return r;
	if (a->first == owner->n_endpoints && has_member(owner, &self))
		return 0; /* called again: it has everything */
	r = record_add_member(owner, &self, err);
	if (r < 0)
		return r;
	r = save_membership(a, err);
	if (r == 0)
		r = attach_items(a, err);
	if (r < 0)
		undo_joined(a);
	return r;
}

/* One look at who owns the namespace, and the attach that follows from it. */
static int attach_once(struct attachment *a, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	int r = previous_find_owner(a->host, a->netns, a->request->id, &owner, err);

	if (r < 0)
		return r;
	if (!owner)
		return attach_as_owner(a, err);
	r = attach_as_member(a, owner, err);
	if (strcmp(owner->id, a->request->id) != 0)
		host_unlock(a->host, owner->id);
	return r;
}

/* Init is looked at under the lock: of a runtime that was killed, a hook may still wait for the
 * lock while its container ends and comes back, and would then attach a namespace that nobody uses.
 */
static int attach_locked(struct attachment *a, struct error *err)
{
	int r = netns_enter(a->request->pid, a->host->cookie, a->netns, err);

	if (r < 0)
		return r;
	/* Whatever plugin the container had, it is not to be kept from starting by that for ever.
	 */
	a->host->forgets = HOST_FORGETS_FAILED;
	r = previous_settle(a->host, a->netns, a->request->id, err);
	a->host->forgets = HOST_FORGETS_NONE;
	if (r < 0)
		return r;
	for (unsigned try = 0; try < OWNER_TRIES; try++) {
		r = attach_once(a, err);
		if (r <= 0)
			return r;
	}
	return error_set(err, -EAGAIN, "other containers of its pod come and go too fast");
}

/**
 * attach() - attach a container to all networks that it asks for, or to none
 * @host:    the host; the process is in its namespace, and in the container's afterwards
 * @request: what the container asks for
 * @err:     filled on failure
 *
 * Safe to call again for a container that is attached (prestart and createRuntime both set).
 *
 * Return: 0, or why not; then nothing of it is left.
 */
int attach(struct host *host, const struct attach_request *request, struct error *err)
{
	cleanup(plan_free) struct plan plan; /* 20 KiB, which plan_load() fills as needed */
	cleanup(netns_close) struct netns netns = NETNS_CLOSED;
	struct config config; /* its bundle is filled as needed, too */
	struct attachment a = {
		.host = host, .request = request, .plan = &plan, .netns = &netns, .config = &config
	};
	int r = plan_load(host, request, &plan, err);

	config.request = request;
	config.state = CONFIG_UNREAD;
	if (r == 0)
		r = dhcp_prepare(&plan, err);
	if (r == 0)
		r = parents_prepare(host, &plan, err);
	if (r == 0)
		r = host_lock(host, request->id, err);
	if (r < 0)
		return r;
	r = attach_locked(&a, err);
	host_unlock(host, request->id);
	return r;
}
