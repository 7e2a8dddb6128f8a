// SPDX-License-Identifier: MIT
/*
 * What is disturbed, and what may follow.
 */
#include "tests/crash/scenarios.h"

#include <stddef.h>
#include <string.h>

#include "tests/crash/world.h"

#define NETWORKS(value) "\"io.oci-macvlan.networks\":" value
#define AUTO1 NETWORKS("\"macvlan0\"")
#define NAMED NETWORKS("\"named\"") /* with DNS */
#define TRIED NETWORKS("\"tried\"") /* its addresses are tried out on the LAN */
#define TRIED_NAMED TRIED ",\"io.oci-macvlan.name\":\"web\""
#define STRANGERS                                      \
	NETWORKS("\"[{\\\"name\\\":\\\"macvlan0\\\"}," \
		 "{\\\"name\\\":\\\"tried\\\",\\\"ips\\\":[\\\"10.3.0.1\\\"]}]\"")
#define AUTO2 NETWORKS("\"macvlan0,macvlan1\"")
#define NAMED2 AUTO2 ",\"io.oci-macvlan.name\":\"web\""
#define STATIC(network, interface, n)                                                           \
	"{\\\"name\\\":\\\"macvlan" network                                                     \
	"\\\",\\\"interface\\\":\\\"" interface "\\\",\\\"mac\\\":\\\"02:42:0a:0" network       \
	":00:32\\\",\\\"ips\\\":[\\\"10." network ".0." n "\\\",\\\"2001:db8:" network ":1::" n \
	"\\\"]}"
#define STATIC1 NETWORKS("\"[" STATIC("0", "eth0", "50") "]\"")
#define STATIC2 NETWORKS("\"[" STATIC("0", "eth0", "50") "," STATIC("1", "lan1", "50") "]\"")
/* The pod has a default route already. */
#define DEFAULT2                                                                      \
	NETWORKS("\"[{\\\"name\\\":\\\"macvlan0\\\"},{\\\"name\\\":\\\"macvlan1\\\"," \
		 "\\\"default-route\\\":[\\\"10.1.0.1\\\",\\\"2001:db8:1:1::1\\\"]}]\"")
/* x has that address of macvlan1: macvlan0 is attached by then, and has to be undone. */
#define REFUSED                                        \
	NETWORKS("\"[{\\\"name\\\":\\\"macvlan0\\\"}," \
		 "{\\\"name\\\":\\\"macvlan1\\\",\\\"ips\\\":[\\\"10.1.0.77\\\"]}]\"")

/* Its addresses are given by plugin host-local. */
#define PLUGIN NETWORKS("\"" LAB_PLUGIN "\"")
#define ASKED NETWORKS("\"" LAB_ASKED "\"")
#define PLUGIN2 NETWORKS("\"macvlan0," LAB_PLUGIN "\"")
#define PLUGIN_REFUSED                                       \
	NETWORKS("\"[{\\\"name\\\":\\\"" LAB_PLUGIN "\\\"}," \
		 "{\\\"name\\\":\\\"macvlan1\\\",\\\"ips\\\":[\\\"10.1.0.77\\\"]}]\"")
/* There is a lease by then. */
#define UNLEASED NETWORKS("\"" LAB_LEASED "," LAB_LEASED_NEVER "\"")
/* No client is started: all addresses are claimed before that. */
#define REFUSED_LEASED                                       \
	NETWORKS("\"[{\\\"name\\\":\\\"" LAB_LEASED "\\\"}," \
		 "{\\\"name\\\":\\\"macvlan1\\\",\\\"ips\\\":[\\\"10.1.0.77\\\"]}]\"")
#define LEASED NETWORKS("\"" LAB_LEASED "\"")
#define LEASED_SOON NETWORKS("\"" LAB_LEASED_SOON "\"")
/* Its parent is made by the attach. */
#define ISOLATED NETWORKS("\"" LAB_ISOLATED "\"")

const struct scenario scenarios[] = {
	{ "attach, 1 automatic", OP_ATTACH, PLACE_ALONE, AUTO1, false, false, WHOM_PROGRAM },
	{ "attach, 1 automatic, no RUN yet", OP_ATTACH, PLACE_FIRST, AUTO1, false, false,
		WHOM_PROGRAM },
	{ "attach, 1 static", OP_ATTACH, PLACE_ALONE, STATIC1, false, false, WHOM_PROGRAM },
	{ "attach, 2 automatic with a name", OP_ATTACH, PLACE_ALONE, NAMED2, false, false,
		WHOM_PROGRAM },
	{ "attach, 2 static", OP_ATTACH, PLACE_ALONE, STATIC2, false, false, WHOM_PROGRAM },
	{ "attach in a pod, 1 joined", OP_ATTACH, PLACE_JOINS, AUTO1, false, false, WHOM_PROGRAM },
	{ "attach in a pod, 2 joined, static", OP_ATTACH, PLACE_JOINS, STATIC2, false, false,
		WHOM_PROGRAM },
	{ "attach in a pod, 1 added", OP_ATTACH, PLACE_ADDS, AUTO2, false, false, WHOM_PROGRAM },
	{ "attach in a pod, 1 added with the default route", OP_ATTACH, PLACE_ADDS, DEFAULT2, false,
		false, WHOM_PROGRAM },
	{ "attach that is refused", OP_ATTACH, PLACE_ALONE, REFUSED, true, false, WHOM_PROGRAM },
	{ "attach in a pod that is refused", OP_ATTACH, PLACE_ADDS, REFUSED, true, false,
		WHOM_PROGRAM },
	{ "detach, 1 automatic", OP_DETACH, PLACE_ALONE, AUTO1, false, false, WHOM_PROGRAM },
	{ "detach, 2 automatic with a name", OP_DETACH, PLACE_ALONE, NAMED2, false, false,
		WHOM_PROGRAM },
	{ "detach, 2 static", OP_DETACH, PLACE_ALONE, STATIC2, false, false, WHOM_PROGRAM },
	{ "shared id, attach, 2 automatic", OP_ATTACH, PLACE_NAMED, NAMED2, false, false,
		WHOM_PROGRAM },
	{ "shared id, attach that is refused", OP_ATTACH, PLACE_NAMED, REFUSED, true, false,
		WHOM_PROGRAM },
	{ "shared id, detach, 2 automatic", OP_DETACH, PLACE_NAMED, AUTO2, false, false,
		WHOM_PROGRAM },
	{ "shared id, gc, 2 static", OP_GC, PLACE_NAMED, STATIC2, false, false, WHOM_PROGRAM },
	{ "detach, 1, namespace gone", OP_DETACH, PLACE_GONE, AUTO1, false, false, WHOM_PROGRAM },
	{ "detach, 2 static, namespace gone", OP_DETACH, PLACE_GONE, STATIC2, false, false,
		WHOM_PROGRAM },
	{ "detach of a pod's member", OP_DETACH, PLACE_JOINS, AUTO2, false, false, WHOM_PROGRAM },
	{ "detach of a pod's member that added", OP_DETACH, PLACE_ADDS, AUTO2, false, false,
		WHOM_PROGRAM },
	{ "detach of a pod's owner", OP_DETACH, PLACE_OWNS, NAMED2, false, false, WHOM_PROGRAM },
	{ "gc, 1 automatic", OP_GC, PLACE_ALONE, AUTO1, false, false, WHOM_PROGRAM },
	{ "gc, 2 static, namespace gone", OP_GC, PLACE_GONE, STATIC2, false, false, WHOM_PROGRAM },
	{ "gc, a pod's member", OP_GC, PLACE_JOINS, AUTO2, false, false, WHOM_PROGRAM },
	{ "gc, a pod's owner", OP_GC, PLACE_OWNS, AUTO2, false, false, WHOM_PROGRAM },
	{ "network rm -f, 1 automatic", OP_RM, PLACE_ALONE, AUTO1, false, false, WHOM_PROGRAM },
	{ "network rm -f, 2 static", OP_RM, PLACE_ALONE, STATIC2, false, false, WHOM_PROGRAM },
	{ "network rm -f, a pod with 1", OP_RM, PLACE_OWNS, AUTO1, false, false, WHOM_PROGRAM },
	{ "network rm -f, a pod with 2", OP_RM, PLACE_OWNS, AUTO2, false, false, WHOM_PROGRAM },
	{ "host access, attach, 1 automatic", OP_ATTACH, PLACE_ALONE, AUTO1, false, true,
		WHOM_PROGRAM },
	{ "host access, attach, 2 automatic with a name", OP_ATTACH, PLACE_ALONE, NAMED2, false,
		true, WHOM_PROGRAM },
	{ "host access, attach in a pod, 1 added", OP_ATTACH, PLACE_ADDS, AUTO2, false, true,
		WHOM_PROGRAM },
	{ "host access, attach in a pod, 1 joined", OP_ATTACH, PLACE_JOINS, AUTO1, false, true,
		WHOM_PROGRAM },
	{ "host access, attach that is refused", OP_ATTACH, PLACE_ALONE, REFUSED, true, true,
		WHOM_PROGRAM },
	{ "host access, detach, 2 automatic", OP_DETACH, PLACE_ALONE, AUTO2, false, true,
		WHOM_PROGRAM },
	{ "host access, detach, 1, namespace gone", OP_DETACH, PLACE_GONE, AUTO1, false, true,
		WHOM_PROGRAM },
	{ "host access, detach of a pod's owner", OP_DETACH, PLACE_OWNS, AUTO1, false, true,
		WHOM_PROGRAM },
	{ "host access, gc, 2 automatic", OP_GC, PLACE_ALONE, AUTO2, false, true, WHOM_PROGRAM },
	{ "host access, network rm -f, 2 automatic", OP_RM, PLACE_ALONE, AUTO2, false, true,
		WHOM_PROGRAM },
	{ "attach, 1 tried out on the LAN", OP_ATTACH, PLACE_ALONE, TRIED, false, false,
		WHOM_PROGRAM },
	{ "attach, 1 with a name, tried out on the LAN", OP_ATTACH, PLACE_FIRST, TRIED_NAMED, false,
		false, WHOM_PROGRAM },
	{ "attach that asks for a stranger's address", OP_ATTACH, PLACE_ALONE, STRANGERS, true,
		false, WHOM_PROGRAM },
	{ "detach, 1 that was tried out", OP_DETACH, PLACE_ALONE, TRIED, false, false,
		WHOM_PROGRAM },
	{ "attach, 1 with DNS", OP_ATTACH, PLACE_ALONE, NAMED, false, false, WHOM_PROGRAM },
	{ "attach in a pod, 1 joined, with DNS", OP_ATTACH, PLACE_JOINS, NAMED, false, false,
		WHOM_PROGRAM },
	{ "detach, 1 with DNS, namespace gone", OP_DETACH, PLACE_GONE, NAMED, false, false,
		WHOM_PROGRAM },
	{ "detach of a pod's owner with DNS", OP_DETACH, PLACE_OWNS, NAMED, false, false,
		WHOM_PROGRAM },
	{ "gc, 1 with DNS", OP_GC, PLACE_ALONE, NAMED, false, false, WHOM_PROGRAM },
	{ "gc, a pod's member with DNS", OP_GC, PLACE_JOINS, NAMED, false, false, WHOM_PROGRAM },
	{ "attach, no parent", OP_ATTACH, PLACE_ALONE, ISOLATED, false, false, WHOM_PROGRAM },
	{ "network rm -f, no parent", OP_RM, PLACE_ALONE, ISOLATED, false, false, WHOM_PROGRAM },
	{ "plugin, attach", OP_ATTACH, PLACE_ALONE, PLUGIN, false, false, WHOM_PROGRAM },
	{ "plugin, attach, asked again", OP_ATTACH, PLACE_ALONE, ASKED, false, false,
		WHOM_PROGRAM },
	{ "plugin, attach in a pod, 1 added", OP_ATTACH, PLACE_ADDS, PLUGIN2, false, false,
		WHOM_PROGRAM },
	{ "plugin, attach that is refused", OP_ATTACH, PLACE_ALONE, PLUGIN_REFUSED, true, false,
		WHOM_PROGRAM },
	{ "plugin, detach", OP_DETACH, PLACE_ALONE, PLUGIN, false, false, WHOM_PROGRAM },
	{ "plugin, detach, namespace gone", OP_DETACH, PLACE_GONE, PLUGIN, false, true,
		WHOM_PROGRAM },
	{ "plugin, gc", OP_GC, PLACE_ALONE, PLUGIN, false, false, WHOM_PROGRAM },
	{ "plugin, network rm -f", OP_RM, PLACE_ALONE, PLUGIN, false, false, WHOM_PROGRAM },
	{ "DHCP, attach", OP_ATTACH, PLACE_ALONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, attach in a pod, joined", OP_ATTACH, PLACE_JOINS, LEASED, false, false,
		WHOM_PROGRAM },
	{ "DHCP, attach that is refused", OP_ATTACH, PLACE_ALONE, REFUSED_LEASED, true, false,
		WHOM_PROGRAM },
	{ "DHCP, attach that ends without a lease", OP_ATTACH, PLACE_ALONE, UNLEASED, true, false,
		WHOM_PROGRAM },
	{ "DHCP, detach", OP_DETACH, PLACE_ALONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, gc, init dead", OP_GC, PLACE_ALONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, gc, namespace gone", OP_GC, PLACE_GONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, gc, client dead", OP_REVIVE, PLACE_ALONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, network rm -f", OP_RM, PLACE_ALONE, LEASED, false, false, WHOM_PROGRAM },
	{ "DHCP, host access, attach", OP_ATTACH, PLACE_ALONE, LEASED, false, true, WHOM_PROGRAM },
	{ "DHCP, attach: the first fork", OP_ATTACH, PLACE_ALONE, LEASED, false, false, WHOM_FORK },
	{ "DHCP, attach: the client", OP_ATTACH, PLACE_ALONE, LEASED_SOON, false, false,
		WHOM_CLIENT },
	{ "DHCP, attach: the event 'deconfig'", OP_ATTACH, PLACE_ALONE, LEASED_SOON, false, false,
		WHOM_DECONFIG },
	{ "DHCP, attach: the event 'bound'", OP_ATTACH, PLACE_ALONE, LEASED_SOON, false, false,
		WHOM_BOUND },
};

const unsigned n_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);

static const char *const gc[] = { "gc", NULL };

/**
 * scenario_is_meant() - do a command line's words mean a scenario
 * @scenario: the scenario
 * @words:    how its name begins; behind a '-': how it does not; "": all are meant
 *
 * Return: true when they do.
 */
bool scenario_is_meant(const struct scenario *scenario, const char *words)
{
	if (*words == '-')
		return strncmp(scenario->name, words + 1, strlen(words + 1)) != 0;
	return !strncmp(scenario->name, words, strlen(words));
}

/**
 * after_fits() - can this follow
 * @scenario: what was done
 * @after:    what would follow
 *
 * Return: true when it can.
 */
bool after_fits(const struct scenario *scenario, enum after after)
{
	bool is_pod = scenario->place == PLACE_JOINS || scenario->place == PLACE_ADDS ||
		      scenario->place == PLACE_OWNS;

	switch (after) {
	case AFTER_SAME_INIT:
	case AFTER_GC_ALIVE:
		return scenario->op == OP_ATTACH || scenario->op == OP_RM ||
		       scenario->op == OP_REVIVE;
	case AFTER_GC_DEAD:
		return scenario->place != PLACE_GONE;
	case AFTER_GC_GONE:
		return !is_pod;
	case AFTER_NEW_INIT:
		return scenario->op != OP_RM;
	case AFTER_POSTSTOP:
		return true;
	case AFTER_MAX:
		break;
	}
	return false;
}

/**
 * after_name() - what follows, in words
 * @after: what follows
 *
 * Return: the words.
 */
const char *after_name(enum after after)
{
	static const char *const names[AFTER_MAX] = { "then the same again",
		"then init dies and the id starts again", "then gc, init alive",
		"then init dies, gc", "then init dies with its namespace, gc",
		"then init dies, poststop" };

	return names[after];
}

/* Whole, with its client, or nothing of it. */
static bool gc_alive_leased(struct world *world, const char *listing)
{
	bool is_left = !strcmp(listing, world->clean_netns) || !strcmp(listing, world->fresh_netns);

	if (world->scenario->place == PLACE_JOINS)
		return check_left(world, &world->a) && check_client(world);
	return is_left ? check_left(world, &world->a)
		       : check_whole(world, &world->a) && check_client(world);
}

/* gc leaves a living container as it is: attached or, if it was killed before, nothing of it. */
static bool gc_alive(struct world *world)
{
	struct box *a = &world->a;
	char listing[LAB_TEXT];

	lab_settle(world->lab);
	if (!world_cli(world, gc))
		return false;
	if (world->scenario->op == OP_RM)
		return check_shared(world);
	lab_list_netns(a, listing);
	if (world_is_leased(world))
		return check_shared(world) && gc_alive_leased(world, listing);
	return check_shared(world) && (!strcmp(listing, world->whole_netns) ||
					      check_left(world, a) || check_whole(world, a));
}

static bool same_again(struct world *world)
{
	if (world->scenario->op == OP_RM)
		return world_rm(world) && check_no_parents(world);
	if (!world->scenario->refused)
		return world_hook(world, &world->a, "createRuntime") &&
		       check_whole(world, &world->a) && check_shared(world);
	lab_hook(world->lab, &world->a, "createRuntime", NULL, NULL, &world->result);
	return check(world, !lab_succeeded(&world->result), "it is not refused", NULL) &&
	       check_left(world, &world->a);
}

/* Nothing of a is left but what its end leaves; afterwards its poststop finds nothing to do. */
static bool gc_dead(struct world *world, bool gone)
{
	box_kill(&world->a);
	if (gone)
		box_unpin(&world->a);
	lab_settle(world->lab);
	return world_cli(world, gc) && check_left(world, &world->a) && check_no_client(world);
}

static bool poststop(struct world *world)
{
	box_kill(&world->a);
	if (!world_hook(world, &world->a, "poststop") || !check_left(world, &world->a))
		return false;
	if (!check_no_client(world))
		return false;
	/* A temporary file may be there until it is written again: of the record of a pod's owner,
	 * who goes on, or of the errors.
	 */
	if (world->scenario->place != PLACE_JOINS && !world->scenario->refused)
		return true;
	return world_cli(world, gc);
}

/**
 * after_kill() - let follow what may follow, to the end, and see that nothing is left
 * @world: the world, whose operation was disturbed
 * @after: what follows
 *
 * Another container starts first, and ends last.
 *
 * Return: whether all was well.
 */
bool after_kill(struct world *world, enum after after)
{
	bool passed = check_shared(world) && world_start_b(world);

	switch (after) {
	case AFTER_SAME_INIT:
		passed = passed && same_again(world);
		break;
	case AFTER_NEW_INIT:
		passed = passed && world_start_again(world);
		break;
	case AFTER_GC_ALIVE:
		passed = passed && gc_alive(world);
		break;
	case AFTER_GC_DEAD:
	case AFTER_GC_GONE:
		passed = passed && gc_dead(world, after == AFTER_GC_GONE);
		break;
	case AFTER_POSTSTOP:
		passed = passed && poststop(world);
		break;
	case AFTER_MAX:
		break;
	}
	/* What was done to a has left b as it is; a second rm takes b, too. */
	if (world->scenario->op != OP_RM)
		passed = passed && check_whole(world, &world->b);
	return world_finish_all(world) && passed && check_base(world);
}
