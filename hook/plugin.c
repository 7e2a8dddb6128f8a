// SPDX-License-Identifier: MIT
/*
 * What an endpoint has of a CNI IPAM plugin is given back; and who may go on where the plugin does
 * not take it back. plugin_ask.c has it.
 */
#include "hook/plugin.h"

#include <stdio.h>

#include "hook/host.h"
#include "hook/log.h"
#include "ipam/delegate.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"

/* Who was killed sooner, as our own time was over, is not known to hang: the undo asks it again. */
#define VERDICT_MS 9000
#define ADDRESSES_TEXT (NETWORK_SUBNETS_MAX * (CIDR_TEXT + 1) + 4)

/**
 * plugin_delegate() - whom a plugin is to serve
 * @host:     the host
 * @record:   the record
 * @endpoint: the endpoint, with a plugin
 *
 * Return: it; it points into all of them.
 */
struct delegate plugin_delegate(const struct host *host, const struct record *record,
	const struct record_endpoint *endpoint)
{
	return (struct delegate){ .id = record->id, .endpoint = endpoint, .home = host->nl.fd };
}

/**
 * plugin_is_refusal() - has a plugin refused what it was asked for
 * @r: what delegate_add() or delegate_del() gave
 *
 * Return: false also for one that was killed, by us or another, which may have done it before, and
 * for one whose answer is not usable, which has.
 */
bool plugin_is_refusal(int r)
{
	return r == -EREMOTEIO;
}

/**
 * plugin_del() - have a plugin take back what it gave
 * @host:     the host; one plugin that did not end in time is enough for a process
 * @delegate: whom it has served
 * @err:      filled on failure
 *
 * Return: 0; -ETIME; or what delegate_del() gave.
 */
int plugin_del(struct host *host, const struct delegate *delegate, struct error *err)
{
	int had = deadline_remaining_ms();
	int r;

	if (host->is_plugin_hung)
		return error_set(err, -ETIME,
			"IPAM plugin '%s' is not asked: one did not end in time just now",
			delegate->endpoint->plugin.program);
	r = delegate_del(delegate, err);
	host->is_plugin_hung = r == -ETIME && (had < 0 || had >= VERDICT_MS);
	return r;
}

/* " (10.0.0.5/24 2001:db8::5/64)"; of an intent nobody knows. */
static const char *list_addresses(const struct record_endpoint *endpoint, char ret[ADDRESSES_TEXT])
{
	size_t used = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		char text[CIDR_TEXT];

		used += (size_t)snprintf(ret + used, ADDRESSES_TEXT - used, "%s%s",
			i == 0 ? " (" : " ", cidr_format(&endpoint->addresses[i], text));
	}
	if (used > 0)
		snprintf(ret + used, ADDRESSES_TEXT - used, ")");
	return ret;
}

/* Has the plugin failed, and not we, for want of memory, say? Then another try may do. */
static bool is_its_failure(int r)
{
	return plugin_is_refusal(r) || r == -ENOPKG || r == -ETIME || r == -EFBIG ||
	       r == -ECANCELED;
}

static bool may_forget(const struct host *host, const struct record_endpoint *endpoint, int r)
{
	if (!is_its_failure(r))
		return false;
	if (host->forgets == HOST_FORGETS_GONE && r == -ENOPKG)
		return true;
	return host->forgets == HOST_FORGETS_FAILED || endpoint->plugin.has_refused;
}

static int ask_back(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	const struct delegate delegate = plugin_delegate(host, record, endpoint);

	if (delegate_is_gone(endpoint))
		return error_set(
			err, -ENOPKG, "IPAM plugin '%s' is gone", endpoint->plugin.program);
	return plugin_del(host, &delegate, err);
}

/**
 * plugin_give_back() - give back what an endpoint has of a plugin
 * @host:     the host, which says whether a failure may be forgotten
 * @record:   its record
 * @endpoint: the endpoint; one without a plugin has nothing
 * @err:      filled on failure
 *
 * A plugin that has refused ADD has given nothing, and by CNI its DEL is only to make sure: where
 * it fails, it would fail for ever, as what ADD was refused for is in the record.
 *
 * Return: 0; -ENOPKG: the plugin is gone; -ETIME: one that did not end in time is enough for a
 * process; or what delegate_del() gave.
 */
int plugin_give_back(struct host *host, const struct record *record,
	const struct record_endpoint *endpoint, struct error *err)
{
	char addresses[ADDRESSES_TEXT];
	struct error why;
	int r;

	if (!endpoint->plugin.program)
		return 0;
	r = ask_back(host, record, endpoint, &why);
	if (r == 0)
		return 0;
	if (may_forget(host, endpoint, r)) {
		log_notice("container '%s': what interface '%s' has of network '%s'%s may stay "
			   "reserved: %s",
			record->id, endpoint->interface, endpoint->network,
			list_addresses(endpoint, addresses), why.text);
		return 0;
	}
	/* It may come back: then gc gives it back what is its. */
	if (r == -ENOPKG)
		return error_set(err, r,
			"%s: install it again, for it has addresses to take back; or 'oci-macvlan "
			"network rm -f %s' forgets them",
			why.text, endpoint->network);
	return error_set(err, r, "%s", why.text);
}
