// SPDX-License-Identifier: MIT
/*
 * Checks of CNI IPAM plugins: are they there, and do they know of what they have given.
 */
#include <string.h>

#include "hook/cli/check.h"
#include "hook/host.h"
#include "hook/judge.h"
#include "hook/reconcile.h"
#include "ipam/delegate.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/record.h"

/**
 * check_plugin_program() - is the plugin there that a network names
 * @check: the check
 * @on:    the network
 */
void check_plugin_program(struct check *check, const struct check_network *on)
{
	autofree char *program = NULL;
	struct error err;

	if (on->network->ipam == NETWORK_IPAM_PLUGIN &&
		delegate_find(on->network, &program, &err) < 0)
		check_say(check, CHECK_BROKEN, "network '%s': %s", on->network->name, err.text);
}

/* Containers whose plugin is gone, or hangs, are told of one by one; it is waited for once. */
static int check_given(void *arg, const struct record *record,
	const struct record_endpoint *endpoint, enum endpoint_state state, struct error *err)
{
	struct check *check = arg;
	const struct delegate delegate = {
		.id = record->id,
		.endpoint = endpoint,
		.home = check->host->nl.fd,
	};
	const struct record_member *member;
	struct error failure;
	int r;

	(void)err;
	if (state != ENDPOINT_LIVE || !endpoint->plugin.program)
		return 0;
	/* Into whose namespace the plugin can look. */
	if (judge_living_member(record, &member, NULL) < 0 || !member)
		return 0;
	if (delegate_is_gone(endpoint)) {
		check_say(check, CHECK_WARNING,
			"container '%s' (%s): IPAM plugin '%s' is gone, and cannot take back what it "
			"gave interface '%s': install it again",
			record->id, record->name, endpoint->plugin.program, endpoint->interface);
		return 0;
	}
	if (check->host->is_plugin_hung)
		return 0;
	r = delegate_check(&delegate, member->pid, &failure);
	if (r < 0)
		check_say(check, CHECK_WARNING,
			"container '%s' (%s), interface '%s': %s: another container may be given "
			"its addresses: see to the plugin, then restart the container",
			record->id, record->name, endpoint->interface, failure.text);
	check->host->is_plugin_hung = r == -ETIME;
	return 0;
}

/**
 * check_plugins() - do plugins know of the addresses that live containers have of them
 * @check: the check
 */
void check_plugins(struct check *check)
{
	/* Records that cannot be read are said by check_endpoints(). */
	static const struct reconcile_output silent = { 0 };
	struct error err;

	if (check->host && reconcile_list(check->host, check_given, check, &silent, &err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
}
