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

struct search {
	const char *id; /* whose endpoint is refused */
	const struct record_endpoint *endpoint;
	bool (*conflicts)(const struct record_endpoint *a, const struct record_endpoint *b);
	char found[CONTAINER_ID_MAX + 1];
	enum network_mode found_mode;
	struct error unread; /* why the first record cannot be read; code 0: all can be */
};

/* A later version may have written it. (What another host namespace has is not on our parents.) */
static void note_unread(void *arg, const struct error *err)
{
	struct search *search = arg;

	if (err->code != -EXDEV && search->unread.code == 0)
		search->unread = *err;
}

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

static int run_search(struct host *host, struct search *search, struct error *err)
{
	const struct reconcile_output output = { .failed = note_unread, .arg = search };

	return reconcile_list(host, look_at, search, &output, err);
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
	int r = run_search(host, &search, err);

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
 * conflicts_refuse_unknown() - say that a mode is excluded by something that we cannot name
 * @host:     the host
 * @id:       the container
 * @endpoint: its endpoint, which the kernel refuses, and conflicts_refuse_mode() does not
 * @err:      filled: names the record that cannot be read, where there is one
 *
 * Return: -EINVAL.
 */
int conflicts_refuse_unknown(struct host *host, const char *id,
	const struct record_endpoint *endpoint, struct error *err)
{
	struct search search = { .id = id, .endpoint = endpoint, .conflicts = modes_conflict };
	const char *mode = network_mode_name(endpoint->mode);

	if (run_search(host, &search, err) == 0 && search.unread.code < 0)
		return error_set(err, -EINVAL,
			"mode %s is not possible on parent '%s': another macvlan is there, perhaps "
			"of a container whose record cannot be read, and one in mode passthru "
			"wants the parent for itself: %s",
			mode, endpoint->parent, search.unread.text);
	return error_set(err, -EINVAL,
		"mode %s is not possible on parent '%s': a macvlan that is not one of ours is "
		"there, and one in mode passthru wants the parent for itself",
		mode, endpoint->parent);
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
	if (run_search(host, &search, err) == 0 && *search.found)
		return error_set(err, -EADDRINUSE,
			"MAC '%s' is in use by container '%s' on parent '%s'", mac, search.found,
			endpoint->parent);
	if (search.unread.code < 0)
		return error_set(err, -EADDRINUSE,
			"MAC '%s' is in use on parent '%s', perhaps by a container whose record "
			"cannot be read: %s",
			mac, endpoint->parent, search.unread.text);
	return error_set(err, -EADDRINUSE,
		"MAC '%s' is in use on parent '%s', by an interface that is not one of ours", mac,
		endpoint->parent);
}
