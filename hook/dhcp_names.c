// SPDX-License-Identifier: MIT
/*
 * The names by which a DHCP server knows a container: a client identifier and a host name. A server
 * reserves addresses for either. If two clients had one name, the second would be given the address
 * of the first, whose lease would end. So each is claimed in the parent's pool before any client is
 * started, as addresses are, whatever the name was made of; the claims end with the endpoint. A
 * container whose name is taken goes by its id.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/plan.h"
#include "hook/reconcile.h"
#include "ipam/ipam.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/* As much of an id as makes a host name, as engines do. */
#define SHORT_ID 12

/* Version 0.1.0 knows nothing of such claims: where it detaches, they stay. No record leads to one.
 */
static bool free_orphan(
	const struct dhcp_naming *naming, enum ipam_name kind, const char *text, const char *holder)
{
	cleanup(record_free) struct record *record = NULL;
	struct host *host = naming->host;
	char id[CLAIMS_OWNER_MAX + 1];
	bool freed = false;

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(holder, "/"), holder);
	if (name_check_container_id(id, NULL) < 0 || host_trylock(host, id, NULL) < 0)
		return false;
	if (record_load(host->store.containers, id, &record, NULL) == -ENOENT)
		freed = ipam_release_name(
				&host->store, naming->request, kind, text, holder, NULL) == 0;
	host_unlock(host, id);
	return freed;
}

static int claim_once(const struct dhcp_naming *naming, enum ipam_name kind, const char *text,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	struct host *host = naming->host;
	bool freed = false;
	int r = ipam_claim_name(&host->store, naming->request, kind, text, ret_holder, err);

	if (r == -EEXIST && reconcile_holder(host, ret_holder, &freed, NULL) == 0 && freed)
		r = ipam_claim_name(&host->store, naming->request, kind, text, ret_holder, err);
	if (r == -EEXIST && free_orphan(naming, kind, text, ret_holder))
		r = ipam_claim_name(&host->store, naming->request, kind, text, ret_holder, err);
	return r;
}

static void say_taken(const struct dhcp_naming *naming, const char *text, const char *holder)
{
	log_notice("container '%s': '%s' has the DHCP server's name '%s', so it goes by its id",
		naming->request->id, holder, text);
}

/* The name that was asked for is another's already. */
static bool is_name_lost(const struct dhcp_naming *naming)
{
	return naming->is_named && !naming->key_is_name;
}

static int refuse_client_id(
	const char *client_id, const char *holder, const char *advice, struct error *err)
{
	return error_set(err, -EADDRINUSE, "'%s' has the DHCP client_id '%s' on this parent: %s",
		holder, client_id, advice);
}

/* The container's id; and where another container has that for a name, what nobody could know. */
static int claim_client_id_of_id(
	const struct dhcp_naming *naming, char holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	char *client_id = naming->endpoint->dhcp.client_id;
	const char *id = naming->key_is_name ? naming->request->id : naming->endpoint->key;
	char unknown[CONTAINER_ID_MAX + 1];
	int r = dhcp_describe_client_id(naming->item, id, client_id, err);

	if (r == 0)
		r = claim_once(naming, IPAM_CLIENT_ID, client_id, holder, err);
	if (r != -EEXIST)
		return r;
	snprintf(unknown, sizeof(unknown), "%.64s~%" PRIx64, id, naming->cookie);
	r = dhcp_describe_client_id(naming->item, unknown, client_id, err);
	return r == 0 ? claim_once(naming, IPAM_CLIENT_ID, client_id, holder, err) : r;
}

static int claim_client_id(const struct dhcp_naming *naming, struct error *err)
{
	const char *template = naming->item->network->dhcp.client_id;
	char *client_id = naming->endpoint->dhcp.client_id;
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	int r = 0;

	if (!*client_id)
		return 0;
	if (naming->key_is_name)
		r = dhcp_describe_client_id(naming->item, naming->endpoint->key, client_id, err);
	if (r < 0)
		return r;
	r = is_name_lost(naming) && dhcp_has_name(template)
		    ? -EEXIST
		    : claim_once(naming, IPAM_CLIENT_ID, client_id, holder, err);
	if (r == -EEXIST && !dhcp_has_name(template))
		return refuse_client_id(client_id, holder,
			"have {name} in the network's client_id, so that each container has its "
			"own",
			err);
	if (r != -EEXIST)
		return r;
	if (*holder)
		say_taken(naming, client_id, holder);
	r = claim_client_id_of_id(naming, holder, err);
	return r == -EEXIST ? refuse_client_id(client_id, holder, "end that container", err) : r;
}

static int claim_hostname_once(const struct dhcp_naming *naming, struct error *err)
{
	const char *hostname = naming->endpoint->dhcp.hostname;
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	int r = claim_once(naming, IPAM_HOSTNAME, hostname, holder, err);

	if (r == -EEXIST)
		say_taken(naming, hostname, holder);
	return r;
}

/* Where the network's file says one for all, all are called that, and nobody else is: one of them
 * has the claim, and when that has ended, the next that hears of its server (dhcp_reclaim_names()).
 */
static int claim_hostname(const struct dhcp_naming *naming, struct error *err)
{
	char *hostname = naming->endpoint->dhcp.hostname;
	char holder[CLAIMS_OWNER_MAX + 1];
	char short_id[SHORT_ID + 1];
	int r = 0;

	snprintf(short_id, sizeof(short_id), "%s", naming->request->id);
	if (naming->key_is_name || is_name_lost(naming))
		r = dhcp_describe_hostname(naming->item, naming->config,
			naming->key_is_name ? naming->endpoint->key : short_id, hostname, err);
	if (r < 0 || !*hostname)
		return r;
	if (!dhcp_has_name(naming->item->network->dhcp.hostname)) {
		r = claim_once(naming, IPAM_HOSTNAME, hostname, holder, err);
		return r == -EEXIST ? 0 : r;
	}
	r = claim_hostname_once(naming, err);
	if (r != -EEXIST)
		return r;
	r = dhcp_describe_hostname(naming->item, NULL, short_id, hostname, err);
	if (r == 0)
		r = claim_hostname_once(naming, err);
	if (r == -EEXIST) {
		*hostname = '\0'; /* it can do without */
		return 0;
	}
	return r;
}

/**
 * dhcp_claim_names() - have the names that an endpoint's client says be its own
 * @naming: the endpoint, described (dhcp_describe()), and with its key; its record says that it may
 *          have claims
 * @err:    filled on failure
 *
 * ipam_release() gives them back.
 *
 * Return: 0, also where it has no client; -EADDRINUSE: another has the client identifier, and the
 * network's file leaves no other; -ENAMETOOLONG; or what symlink(2) gave.
 */
int dhcp_claim_names(const struct dhcp_naming *naming, struct error *err)
{
	int r;

	if (!naming->endpoint->is_dhcp)
		return 0;
	r = claim_client_id(naming, err);
	return r == 0 ? claim_hostname(naming, err) : r;
}

/**
 * dhcp_reclaim_names() - claim the names that the client of a living container says already
 * @host:     the host
 * @id:       the container whose record has the endpoint; its lock is held
 * @endpoint: the endpoint, which is made
 *
 * Version 0.1.0 did not claim them. What another container has by now stays its: this one's server
 * has been told.
 */
void dhcp_reclaim_names(struct host *host, const char *id, const struct record_endpoint *endpoint)
{
	const struct network network = { .parent = endpoint->parent };
	const struct ipam_request request = {
		.network = &network,
		.id = id,
		.interface = endpoint->interface,
	};
	char holder[CLAIMS_OWNER_MAX + 1];

	if (*endpoint->dhcp.client_id)
		ipam_claim_name(&host->store, &request, IPAM_CLIENT_ID, endpoint->dhcp.client_id,
			holder, NULL);
	if (*endpoint->dhcp.hostname)
		ipam_claim_name(&host->store, &request, IPAM_HOSTNAME, endpoint->dhcp.hostname,
			holder, NULL);
}
