// SPDX-License-Identifier: MIT
/*
 * The containers of a scenario: what is there before, what is done, and how all of it ends.
 */
#include "tests/crash/world.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/error.h"

/* A container that asks for an address gets it at once; this is much for a busy machine. */
#define AT_ONCE_SECONDS 5.0

#define BOTH "\"io.oci-macvlan.networks\":\"macvlan0,macvlan1\""
#define FIRST "\"io.oci-macvlan.networks\":\"macvlan0\""
#define X_HAS                                                                           \
	"\"io.oci-macvlan.networks\":\"macvlan1\",\"io.oci-macvlan.ip\":\"10.1.0.77\"," \
	"\"io.oci-macvlan.ip6\":\"2001:db8:1:1::77\""

static const char *const gc[] = { "gc", NULL };
static const char *const rm_isolated[] = { "network", "rm", "-f", LAB_ISOLATED, NULL };

/* What a box's program said, behind what it should have done. */
static bool succeeded(struct world *world, const char *what, const struct box *box)
{
	char text[96];

	snprintf(text, sizeof(text), "%s %s failed (status 0x%x)", what, box ? box->id : "",
		world->result.status);
	return check(world, lab_succeeded(&world->result), text, world->result.err);
}

/**
 * world_hook() - run the hook for a container, undisturbed; it must succeed
 * @world: the world
 * @box:   the container
 * @stage: createRuntime or poststop
 *
 * Return: whether it did.
 */
bool world_hook(struct world *world, const struct box *box, const char *stage)
{
	lab_hook(world->lab, box, stage, NULL, NULL, &world->result);
	return succeeded(world, stage, box);
}

/**
 * world_cli() - run a command, undisturbed; it must succeed
 * @world:     the world
 * @arguments: the command
 *
 * Return: whether it did.
 */
bool world_cli(struct world *world, const char *const arguments[])
{
	lab_cli(world->lab, arguments, NULL, NULL, &world->result);
	return succeeded(world, arguments[0], NULL);
}

/**
 * world_is_leased() - is it about a network that has its addresses from a DHCP server
 * @world: the world
 *
 * Return: true when it is.
 */
bool world_is_leased(const struct world *world)
{
	return strstr(world->scenario->annotations, LAB_LEASED) != NULL;
}

/**
 * world_is_isolated() - is it about the network that has no parent
 * @world: the world
 *
 * Return: true when it is.
 */
bool world_is_isolated(const struct world *world)
{
	return strstr(world->scenario->annotations, LAB_ISOLATED) != NULL;
}

/**
 * world_network() - the network that is removed where one is
 * @world: the world
 *
 * Return: its name.
 */
const char *world_network(const struct world *world)
{
	if (strstr(world->scenario->annotations, "\"" LAB_PLUGIN "\""))
		return LAB_PLUGIN;
	if (world_is_leased(world))
		return LAB_LEASED;
	return world_is_isolated(world) ? LAB_ISOLATED : "macvlan0";
}

/**
 * world_rm() - network rm -f, undisturbed; it must succeed
 * @world: the world
 *
 * Return: whether it did.
 */
bool world_rm(struct world *world)
{
	const char *const rm[] = { "network", "rm", "-f", world_network(world), NULL };

	return world_cli(world, rm);
}

/**
 * world_finish() - end a container as a runtime does: init dies, poststop
 * @world: the world
 * @box:   the container; one that is not there is fine
 *
 * Return: whether poststop succeeded.
 */
bool world_finish(struct world *world, struct box *box)
{
	bool passed = true;

	if (!*box->id)
		return true;
	box_kill(box);
	/* b's links end with its namespace, which is faster. a's MAC must be free for the next a.
	 */
	if (box == &world->b)
		box_unpin(box);
	passed = world_hook(world, box, "poststop");
	box_unpin(box);
	*box = BOX_NONE;
	return passed;
}

/**
 * world_finish_all() - end all containers but x and o, and put removed networks back
 * @world: the world
 *
 * Return: whether their poststops succeeded.
 */
bool world_finish_all(struct world *world)
{
	struct box *const boxes[] = { &world->b, &world->a, &world->m, &world->half };
	bool passed = true;

	for (unsigned i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
		passed &= world_finish(world, boxes[i]);
	if (world->scenario->place == PLACE_ADDS)
		passed &= world_finish(world, &world->o);
	box_unpin(&world->old);
	world->old = BOX_NONE;
	lab_write_networks(world->lab, world->scenario->host_access);
	return passed;
}

/* A pod's owner. Where a adds something to the pod, that stays until the pod ends: so the owner of
 * such a pod is a new one each time.
 */
static bool start_owner(struct world *world)
{
	bool joins = world->scenario->place == PLACE_JOINS;
	bool passed;

	box_start(&world->o, "o", joins ? world->scenario->annotations : FIRST, NULL);
	passed = world_hook(world, &world->o, "createRuntime");
	lab_list_netns(&world->o, world->pod_netns);
	return passed;
}

static bool begin_bystanders(struct world *world)
{
	bool passed;

	box_start(&world->x, "x", X_HAS, NULL);
	lab_list_netns(&world->x, world->fresh_netns);
	if (world->scenario->place == PLACE_FIRST) {
		box_kill(&world->x);
		box_unpin(&world->x);
		return true;
	}
	passed = world_hook(world, &world->x, "createRuntime");
	lab_list_netns(&world->x, world->x_netns);
	if (world->scenario->place == PLACE_JOINS)
		passed &= start_owner(world);
	lab_list_state(world->lab, world->base);
	return passed;
}

/* As an engine's bridge does, before any hook is called. */
static bool give_nsid(struct world *world, const struct box *box)
{
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	struct error err;
	bool is_shared = true;
	int nsid;
	int r = nl_open(&nl, &err);

	if (r == 0)
		r = rtnl_nsid_add(&nl, box->netns, (uint64_t)box->pid, &nsid, &is_shared, &err);
	return check(world, r == 0 && !is_shared, "the namespace gets no id", NULL);
}

static bool start_a(struct world *world)
{
	bool passed = world->scenario->place != PLACE_ADDS || start_owner(world);

	/* The parent is there as long as its network; a's attach is to make it. */
	if (world_is_isolated(world))
		passed &= world_rm(world) && check_no_parents(world);
	lab_write_networks(world->lab, world->scenario->host_access);
	if (world->scenario->place == PLACE_FIRST)
		lab_wipe_run(world->lab);
	box_start(&world->a, "a", world->scenario->annotations,
		world->o.netns >= 0 ? &world->o : NULL);
	if (world->scenario->place == PLACE_NAMED)
		passed &= give_nsid(world, &world->a);
	return passed;
}

/* What a namespace looks like with a in it, and what an attach leaves in one. */
static bool learn_listings(struct world *world)
{
	struct box *a = &world->a;
	bool passed = start_a(world);

	if (world->scenario->refused) {
		lab_hook(world->lab, a, "createRuntime", NULL, NULL, &world->result);
		passed &= check(world, !lab_succeeded(&world->result), "it is not refused", NULL);
	} else {
		passed &= world_hook(world, a, "createRuntime");
	}
	lab_list_netns(a, world->whole_netns);
	box_kill(a);
	passed &= world_hook(world, a, "poststop");
	lab_list_netns(a, world->clean_netns);
	passed &= world_finish_all(world);
	if (world->scenario->place == PLACE_FIRST)
		lab_list_state(world->lab, world->base);
	return passed && check_base(world);
}

/**
 * world_begin() - start a scenario's bystanders, and learn what an undisturbed run does
 * @world:    filled; world_end() ends it
 * @lab:      the lab
 * @scenario: the scenario
 *
 * Return: whether all of that went well; else the scenario cannot be run.
 */
bool world_begin(struct world *world, const struct lab *lab, const struct scenario *scenario)
{
	*world = (struct world){ .lab = lab,
		.scenario = scenario,
		.x = BOX_NONE,
		.o = BOX_NONE,
		.m = BOX_NONE,
		.a = BOX_NONE,
		.old = BOX_NONE,
		.b = BOX_NONE,
		.half = BOX_NONE,
		.where = "undisturbed" };
	lab_wipe_run(lab);
	lab_write_networks(lab, scenario->host_access);
	/* Of the scenario before this one. */
	if (!world_cli(world, rm_isolated))
		return false;
	lab_write_networks(lab, scenario->host_access);
	return begin_bystanders(world) && learn_listings(world);
}

/**
 * world_end() - end all containers, in whatever state they are
 * @world: the world
 */
void world_end(struct world *world)
{
	struct box *const boxes[] = { &world->a, &world->b, &world->m, &world->half, &world->o,
		&world->x, &world->old };

	for (unsigned i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		box_kill(boxes[i]);
		clients_kill(boxes[i]);
		box_unpin(boxes[i]);
	}
}

/* Kills an attach when all is made and only the final record is missing. */
static struct trace_verdict kill_at_the_end(void *arg, const struct trace_call *call)
{
	unsigned *renames = arg;

	if (call->process == 0 && call->nr == SYS_renameat && ++*renames == 2)
		return (struct trace_verdict){ .what = TRACE_KILL };
	return (struct trace_verdict){ .what = TRACE_GO };
}

static bool prepare_gc(struct world *world)
{
	unsigned renames = 0;

	box_start(&world->half, "half", BOTH, NULL);
	lab_hook(world->lab, &world->half, "createRuntime", kill_at_the_end, &renames,
		&world->result);
	box_kill(&world->half);
	return check(world, renames == 2, "an attach was not killed at its end", NULL);
}

/**
 * world_prepare() - have everything as it is before the scenario's operation
 * @world: the world
 *
 * Return: whether it is.
 */
bool world_prepare(struct world *world)
{
	const struct scenario *scenario = world->scenario;
	bool passed = start_a(world);

	if (scenario->op == OP_ATTACH)
		return passed;
	passed &= world_hook(world, &world->a, "createRuntime");
	if (scenario->place == PLACE_OWNS) {
		box_start(&world->m, "m", scenario->annotations, &world->a);
		passed &= world_hook(world, &world->m, "createRuntime");
	}
	if (scenario->op == OP_REVIVE)
		clients_kill(&world->a);
	/* Its event script may still be busy, and gc passes over what is locked. */
	lab_settle(world->lab);
	if (scenario->op == OP_RM || scenario->op == OP_REVIVE)
		return passed;
	box_kill(&world->a);
	if (scenario->place == PLACE_GONE)
		box_unpin(&world->a);
	return passed && (scenario->op != OP_GC || prepare_gc(world));
}

/**
 * world_do() - do the scenario's operation
 * @world: the world; its result is how it ended
 * @judge: what disturbs it
 * @arg:   for @judge
 */
void world_do(struct world *world, trace_fn *judge, void *arg)
{
	switch (world->scenario->op) {
	case OP_ATTACH:
		lab_hook(world->lab, &world->a, "createRuntime", judge, arg, &world->result);
		break;
	case OP_DETACH:
		lab_hook(world->lab, &world->a, "poststop", judge, arg, &world->result);
		break;
	case OP_GC:
	case OP_REVIVE:
		lab_cli(world->lab, gc, judge, arg, &world->result);
		break;
	case OP_RM:
		lab_cli(world->lab,
			(const char *const[]){ "network", "rm", "-f", world_network(world), NULL },
			judge, arg, &world->result);
		break;
	}
}

/**
 * world_start_b() - start another container: at once, and it shares nothing with any other
 * @world: the world
 *
 * Return: whether it did.
 */
bool world_start_b(struct world *world)
{
	/* Where the network was removed, somebody makes it again. */
	lab_write_networks(world->lab, world->scenario->host_access);
	box_start(&world->b, "b", BOTH, NULL);
	if (!world_hook(world, &world->b, "createRuntime"))
		return false;
	if (world->result.seconds > world->slowest)
		world->slowest = world->result.seconds;
	return check(world, world->result.seconds < AT_ONCE_SECONDS, "another waits too long",
		       NULL) &&
	       check_whole(world, &world->b) && check_shared(world);
}

/**
 * world_start_again() - the same id again: in another namespace, or in its pod
 * @world: the world
 *
 * Return: whether it is wholly there, shares nothing, and has left its old namespace.
 */
bool world_start_again(struct world *world)
{
	const struct box *pod = world->o.netns >= 0 ? &world->o : NULL;

	box_kill(&world->a);
	world->old = world->a;
	world->a = BOX_NONE;
	if (world->scenario->place == PLACE_OWNS)
		pod = &world->m;
	box_start(&world->a, "a", world->scenario->annotations, pod);
	if (world->scenario->refused) {
		lab_hook(world->lab, &world->a, "createRuntime", NULL, NULL, &world->result);
		return check(world, !lab_succeeded(&world->result), "it is not refused", NULL) &&
		       check_left(world, &world->a) && check_left(world, &world->old);
	}
	return world_hook(world, &world->a, "createRuntime") && check_whole(world, &world->a) &&
	       check_shared(world) && (pod || check_left(world, &world->old));
}
