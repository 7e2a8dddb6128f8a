// SPDX-License-Identifier: MIT
/*
 * Checks of what RUN has: endpoints that are not as they should be, addresses that were found to be
 * somebody else's, and the hook's last errors.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"
#include "hook/cli/cli.h"
#include "hook/cli/endpoints.h"
#include "hook/cli/table.h"
#include "hook/endpoint.h"
#include "hook/log.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "ipam/claims.h"
#include "ipam/quarantine.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

#define GROW 64
/* How many of RUN/errors are shown. */
#define ERRORS_SHOWN 5

static void check_endpoint(struct check *check, const struct endpoint *endpoint)
{
	switch (endpoint->state) {
	case ENDPOINT_LIVE:
		break;
	case ENDPOINT_LOST:
		check_say(check, CHECK_WARNING,
			"container '%s' (%s): its interface '%s' on network '%s' is gone, though "
			"it runs; was parent '%s' removed?: restart the container",
			endpoint->id, endpoint->name, endpoint->endpoint.interface,
			endpoint->endpoint.network, endpoint->endpoint.parent);
		break;
	case ENDPOINT_DEAD:
		check_say(check, CHECK_NOTE,
			"container '%s' (%s) is dead, but its endpoint '%s' on network '%s' was "
			"not detached: 'oci-macvlan gc' frees its addresses now, else the next "
			"container that needs them",
			endpoint->id, endpoint->name, endpoint->endpoint.interface,
			endpoint->endpoint.network);
		break;
	}
}

/**
 * check_endpoints() - are all endpoints live
 * @check: the check
 */
void check_endpoints(struct check *check)
{
	struct endpoints endpoints cleanup(endpoints_free) = { 0 };
	struct error err;

	if (!check->host)
		return;
	if (endpoints_collect(check->cli, check->host, NULL, &endpoints, &err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
	for (size_t i = 0; i < endpoints.n; i++)
		check_endpoint(check, &endpoints.all[i]);
}

/* A link of a dead container that may be another's by now is left alone, and so are its addresses.
 */
static int check_doubt(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err)
{
	char addresses[ENDPOINT_ADDRESSES_TEXT] = "";
	char text[CIDR_TEXT];
	struct check *check = arg;
	struct rtnl_link link;
	struct error why;

	(void)err;
	if (state == ENDPOINT_LIVE ||
		endpoint_find_link(check->host, record, endpoint, &link, &why) != -ENOTUNIQ)
		return 0;
	for (unsigned i = 0; i < endpoint->n_addresses; i++)
		table_join(
			addresses, sizeof(addresses), cidr_format(&endpoint->addresses[i], text));
	check_say(check, CHECK_WARNING, "container '%s' (%s), network '%s', addresses %s: %s",
		record->id, record->name, endpoint->network,
		*addresses ? addresses : "not recorded", why.text);
	return 0;
}

/**
 * check_doubts() - which addresses stay taken because one cannot tell whose a link is
 * @check: the check
 */
void check_doubts(struct check *check)
{
	/* Records that cannot be read are said by check_endpoints(). */
	static const struct reconcile_output silent = { 0 };
	struct error err;

	if (check->host && reconcile_list(check->host, check_doubt, check, &silent, &err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
}

/* An address that somebody on the LAN has. */
struct taken {
	char parent[INTERFACE_NAME_MAX + 1];
	struct ip ip;
	struct quarantine quarantine;
};

struct takens {
	struct host *host;
	const char *parent; /* whose pool is read */
	size_t n;
	struct taken *all;
};

static void free_takens(struct takens *takens)
{
	free(takens->all);
}

static int add_taken(void *arg, const char *name, const char *owner, struct error *err)
{
	struct takens *takens = arg;
	struct taken taken = { 0 };
	struct taken *grown;

	if (!quarantine_parse(owner, &taken.quarantine) || taken.quarantine.seconds == 0 ||
		ip_parse(name, &taken.ip, NULL) < 0)
		return 0;
	snprintf(taken.parent, sizeof(taken.parent), "%s", takens->parent);
	if (takens->n % GROW == 0) {
		grown = reallocarray(takens->all, takens->n + GROW, sizeof(*grown));
		if (!grown)
			return error_set(err, -ENOMEM, "out of memory");
		takens->all = grown;
	}
	takens->all[takens->n++] = taken;
	return 0;
}

static int read_pool(void *arg, const char *parent, struct error *err)
{
	struct takens *takens = arg;
	autoclose int pool = -1;
	int r = store_open_pool(&takens->host->store, parent, false, &pool, err);

	takens->parent = parent;
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : claims_list(pool, add_taken, takens, err);
}

static int compare_takens(const void *a, const void *b)
{
	const struct taken *one = a;
	const struct taken *other = b;
	int r = strcmp(one->parent, other->parent);

	if (r == 0)
		r = one->ip.family - other->ip.family;
	return r ? r : memcmp(one->ip.bytes, other->ip.bytes, sizeof(one->ip.bytes));
}

/**
 * check_quarantines() - which addresses are kept back because somebody on the LAN has them
 * @check: the check
 */
void check_quarantines(struct check *check)
{
	struct takens takens cleanup(free_takens) = { .host = check->host };
	struct error err;

	if (!check->host)
		return;
	if (store_list_pools(&check->host->store, read_pool, &takens, &err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
	if (takens.n)
		qsort(takens.all, takens.n, sizeof(*takens.all), compare_takens);
	for (size_t i = 0; i < takens.n; i++) {
		const struct taken *taken = &takens.all[i];
		static const uint8_t unknown[MAC_SIZE];
		bool is_known = memcmp(taken->quarantine.mac, unknown, MAC_SIZE) != 0;
		char ip[IP_TEXT];
		char mac[MAC_TEXT];

		check_say(check, CHECK_NOTE,
			"parent '%s': address %s is in use on the LAN%s%s, and not handed out for "
			"%" PRIu64 " seconds more: if it is to stay there, add it to aux_addresses",
			taken->parent, ip_format(&taken->ip, ip), is_known ? " by MAC " : "",
			is_known ? mac_format(taken->quarantine.mac, mac) : "",
			taken->quarantine.seconds);
	}
}

/* Where the last lines of a text begin. */
static char *last_lines(char *text, size_t size, unsigned lines)
{
	for (char *at = text + size; at > text; at--)
		if (at[-1] == '\n' && lines-- == 0)
			return at;
	return text;
}

/**
 * check_errors() - what the hook failed with of late
 * @check: the check
 */
void check_errors(struct check *check)
{
	autofree char *text = NULL;
	char *rest;
	char *line;
	size_t size;

	if (!check->host || log_read_errors(&check->host->store, &text, &size, NULL) < 0)
		return;
	for (rest = last_lines(text, size, ERRORS_SHOWN); (line = strsep(&rest, "\n"));) {
		char *stamp = strsep(&line, " ");

		if (line)
			check_say(check, CHECK_NOTE, "the hook failed at %s: %s", stamp, line);
	}
}
