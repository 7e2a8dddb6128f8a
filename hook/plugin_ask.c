// SPDX-License-Identifier: MIT
/*
 * An endpoint has its addresses from a CNI IPAM plugin. What nobody may have (ipam_check_given())
 * is an error of the plugin's; what somebody has it cannot know: then it takes that back, and is
 * asked for another.
 */
#include <stdlib.h>
#include <time.h>

#include "hook/host.h"
#include "hook/log.h"
#include "hook/plan.h"
#include "hook/plugin.h"
#include "hook/reconcile.h"
#include "ipam/delegate.h"
#include "ipam/ipam.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/record.h"

/* How often one that refuses is asked again while others free room, and how long the pauses are: 4
 * ms at first, each four times the one before.
 */
#define ROOM_TRIES 4
#define ROOM_PAUSE_NS 1000000L

static struct delegate begin(const struct plugin_request *request)
{
	return plugin_delegate(request->host, request->record, request->endpoint);
}

/* Why it has refused we cannot know: it may be for want of room, which the dead have. A DEL comes
 * between two ADDs, by CNI; where it fails, another ADD would, too.
 */
static bool makes_room(const struct plugin_request *request, unsigned try)
{
	const struct delegate delegate = begin(request);
	struct error err;

	if (deadline_passed() || !reconcile_made_room(request->host))
		return false;
	if (try > 0)
		nanosleep(&(struct timespec){ .tv_nsec = ROOM_PAUSE_NS << 2 * try }, NULL);
	return plugin_del(request->host, &delegate, &err) == 0;
}

/* Where it refuses and dead containers have something that is freed, it is asked again. */
static int add(const struct plugin_request *request, struct error *err)
{
	const struct delegate delegate = begin(request);
	struct plan_item *item = request->item;
	int r = delegate_add(&delegate, request->pid, &item->answer, item->given, err);

	for (unsigned try = 0; plugin_is_refusal(r) && try < ROOM_TRIES; try++) {
		if (!makes_room(request, try))
			break;
		r = delegate_add(&delegate, request->pid, &item->answer, item->given, err);
	}
	request->endpoint->plugin.has_refused = plugin_is_refusal(r);
	if (r == 0)
		request->endpoint->plugin.result = json_root(item->answer);
	return r;
}

static int check_host(struct host *host, const struct ip_config *given, struct error *err)
{
	bool is_own = false;
	char text[IP_TEXT];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < given->n_addresses; i++) {
		r = host_has_ip(host, &given->addresses[i].ip, &is_own, err);
		if (r == 0 && is_own)
			r = error_set(err, -EADDRINUSE,
				"address '%s' is the host's own address: keep the plugin from "
				"giving it",
				ip_format(&given->addresses[i].ip, text));
	}
	return r;
}

static int check(const struct plugin_request *request, struct error *err)
{
	int r = ipam_check_given(request->ipam, err);

	if (r == 0)
		r = check_host(request->host, request->item->given, err);
	if (r < 0)
		error_prefix(err, "IPAM plugin '%s'", request->endpoint->plugin.program);
	return r;
}

/**
 * plugin_ask() - have an endpoint's plugin give it addresses
 * @request: the endpoint, which says afterwards what the plugin has answered, or that it has
 *           refused; what that means is given to its plan item and its IPAM request
 * @err:     filled on failure; plugin_give_back() is needed all the same
 *
 * Return: 0; -EADDRINUSE: it gives what the host has; what ipam_check_given() or delegate_add()
 * gave.
 */
int plugin_ask(const struct plugin_request *request, struct error *err)
{
	int r;

	request->item->given = calloc(1, sizeof(*request->item->given));
	if (!request->item->given)
		return error_set(err, -ENOMEM, "out of memory");
	request->ipam->given = request->item->given;
	r = add(request, err);
	return r == 0 ? check(request, err) : r;
}

static bool is_same(const struct ip_config *one, const struct ip_config *other)
{
	if (one->n_addresses != other->n_addresses)
		return false;
	for (unsigned i = 0; i < one->n_addresses; i++)
		if (!ip_equal(&one->addresses[i].ip, &other->addresses[i].ip))
			return false;
	return true;
}

static int give_back(const struct plugin_request *request, struct error *err)
{
	const struct delegate delegate = begin(request);
	struct plan_item *item = request->item;
	int r = plugin_del(request->host, &delegate, err);

	if (r < 0)
		return r;
	request->endpoint->plugin.result = NULL;
	json_free(&item->answer);
	*item->given = (struct ip_config){ 0 };
	return 0;
}

/**
 * plugin_ask_again() - have an endpoint's plugin take back what it gave, and give something else
 * @request: the endpoint, after plugin_ask(); nothing of what it was given is claimed
 * @why:     why that cannot be had
 * @err:     filled on failure, as for plugin_ask()
 *
 * Return: as plugin_ask(); -EEXIST: it gives the same again.
 */
int plugin_ask_again(
	const struct plugin_request *request, const struct error *why, struct error *err)
{
	const struct ip_config before = *request->item->given;
	struct error next;
	int r;

	log_notice("container '%s': %s; IPAM plugin '%s' is asked for another", request->record->id,
		why->text, request->endpoint->plugin.program);
	r = give_back(request, &next);
	if (r == 0)
		r = add(request, &next);
	if (r == 0 && is_same(&before, request->item->given))
		return error_set(err, -EEXIST, "%s", why->text);
	if (r == 0)
		r = check(request, &next);
	if (r == -EADDRINUSE)
		*err = next;
	else if (r < 0)
		error_set(err, r, "%s; no other: %s", why->text, next.text);
	return r;
}
