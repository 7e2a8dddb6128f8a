// SPDX-License-Identifier: MIT
/*
 * Who is in the way: the kernel says EINVAL or EADDRINUSE, the records say which container it is.
 */
#include "hook/conflicts.h"

#include <string.h>

#include "hook/host.h"
#include "hook/reconcile.h"
#include "schema/error.h"
#include "schema/record.h"

/* A record that cannot be read is nobody who is in the way. */
static const struct reconcile_output silent = { 0 };

struct search {
	const char *id; /* whose endpoint is refused */
	const struct record_endpoint *endpoint;
	bool (*conflicts)(const struct record_endpoint *a, const struct record_endpoint *b);
	char found[CONTAINER_ID_MAX + 1];
	enum network_mode found_mode;
};

static bool modes_conflict(const struct record_endpoint *a, const struct record_endpoint *b)
{
	return a->mode == NETWORK_PASSTHRU || b->mode == NETWORK_PASSTHRU;
}

static bool macs_conflict(const struct record_endpoint *a, const struct record_endpoint *b)
{
	return b->ifindex != 0 && !memcmp(a->mac, b->mac, MAC_SIZE);
}

static int look_at(void *arg, const struct record *record, const struct record_endpoint *endpoint,
	enum endpoint_state state, struct error *err)
{
	struct search *search = arg;
	bool is_self = !strcmp(record->id, search->id) &&
		       !strcmp(endpoint->interface, search->endpoint->interface);

	(void)err;
	if (state != ENDPOINT_LIVE || is_self ||
		strcmp(endpoint->parent, search->endpoint->parent) != 0 ||
		!search->conflicts(search->endpoint, endpoint))
		return 0;
	memcpy(search->found, record->id, sizeof(search->found));
	search->found_mode = endpoint->mode;
	return 1;
}

/**
 * conflicts_refuse_mode() - fail if another endpoint's mode excludes one of this mode
 * @host:     the host
 * @id:       the container
 * @endpoint: its endpoint, not created yet
 * @err:      filled on failure: names the other container
 *
 * In mode passthru the parent belongs to one endpoint alone (macvlan_common_newlink() in
 * drivers/net/macvlan.c).
 *
 * Return: 0: none of ours is in the way; -EBUSY.
 */
int conflicts_refuse_mode(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	struct search search = { .id = id, .endpoint = endpoint, .conflicts = modes_conflict };
	int r = reconcile_list(host, look_at, &search, &silent, err);

	if (r < 0 || !*search.found)
		return r;
	if (search.found_mode == NETWORK_PASSTHRU)
		return error_set(err, -EBUSY,
			"parent '%s' belongs to container '%s' alone: it is in mode passthru",
			endpoint->parent, search.found);
	return error_set(err, -EBUSY,
		"mode passthru wants parent '%s' for itself, but container '%s' has an endpoint "
		"on it",
		endpoint->parent, search.found);
}

/**
 * conflicts_refuse_mac() - say who has the MAC that an endpoint cannot get
 * @host:     the host
 * @id:       the container
 * @endpoint: its endpoint, created but not up
 * @err:      filled: names the other container, where it is one of ours
 *
 * Return: -EADDRINUSE.
 */
int conflicts_refuse_mac(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err)
{
	struct search search = { .id = id, .endpoint = endpoint, .conflicts = macs_conflict };
	char mac[MAC_TEXT];

	mac_format(endpoint->mac, mac);
	if (reconcile_list(host, look_at, &search, &silent, err) == 0 && *search.found)
		return error_set(err, -EADDRINUSE,
			"MAC '%s' is in use by container '%s' on parent '%s'", mac, search.found,
			endpoint->parent);
	return error_set(err, -EADDRINUSE,
		"MAC '%s' is in use on parent '%s', by an interface that is not one of ours", mac,
		endpoint->parent);
}
