// SPDX-License-Identifier: MIT
/*
 * A runtime or a hook may fail because something that it needs was killed, and for no other reason.
 * These are the failures that a kill explains: what is said, who must have been hit, and why.
 */
#include <stdio.h>
#include <string.h>

#include "tests/crash/storm.h"

#define BIT(victim) (1U << (victim))
#define RUNTIME_OR_INIT (BIT(STORM_RUNTIME) | BIT(STORM_INIT))
#define ANY (RUNTIME_OR_INIT | BIT(STORM_HOOK))

/* Who speaks: the runtime of itself, the runtime of a hook, or the hook inside of that. */
enum speaker { OF_ITSELF, OF_HOOK, BY_HOOK };

/* The stages of a runtime count as runtime, and as init from when they are init. The last one that
 * speaks of itself takes what the others leave: no failure of ours looks like that.
 */
static const struct excuse {
	const char *said;
	enum speaker speaker;
	unsigned victims; /* one of them at least, of this container */
	const char *why;
} excuses[] = {
	{ "signal: killed", OF_HOOK, ANY, "a hook was hit, or the child that was to be one" },
	{ "is in use by pid", BY_HOOK, RUNTIME_OR_INIT,
		"the runtime was hit and has left an init that it does not know: while that lives, "
		"its id is taken" },
	{ "is dead", BY_HOOK, RUNTIME_OR_INIT, "init was hit before the hook came to it" },
	{ "died meanwhile", BY_HOOK, RUNTIME_OR_INIT, "init was hit while the hook worked" },
	{ "container with given ID already exists", OF_ITSELF, ANY,
		"it comes straight back, and who was hit before has left its folder" },
	{ "container not running", OF_ITSELF, RUNTIME_OR_INIT,
		"init was hit before it was to end" },
	{ "cannot start an already running container", OF_ITSELF, RUNTIME_OR_INIT,
		"init was hit as it opened its fifo, and the runtime reads nothing" },
	{ "unable to start container process", OF_ITSELF, RUNTIME_OR_INIT,
		"a stage was hit, and the runtime hears nothing from it" },
	{ "level=error", OF_ITSELF, RUNTIME_OR_INIT, "a stage or init was hit at another moment" },
};

_Static_assert(sizeof(excuses) / sizeof(excuses[0]) <= STORM_EXCUSES_MAX, "no counter is left");

static bool was_hit(unsigned victims, const unsigned kills[STORM_VICTIMS])
{
	for (unsigned i = 0; i < STORM_VICTIMS; i++)
		if (victims & BIT(i) && kills[i] > 0)
			return true;
	return false;
}

/**
 * storm_excuse() - does a kill explain a failure
 * @storm:  the storm, which counts how often which excuse was needed
 * @output: what the runtime said
 * @kills:  how often the container's processes were hit
 *
 * Return: whether it does.
 */
bool storm_excuse(
	const struct storm *storm, const char *output, const unsigned kills[STORM_VICTIMS])
{
	const char *hook = strstr(output, "oci-macvlan-hook: ");
	enum speaker speaker = hook				? BY_HOOK
			       : strstr(output, "running hook") ? OF_HOOK
								: OF_ITSELF;

	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++)
		if (excuses[i].speaker == speaker && was_hit(excuses[i].victims, kills) &&
			strstr(hook ? hook : output, excuses[i].said)) {
			__atomic_fetch_add(&storm->shared->excused[i], 1, __ATOMIC_RELAXED);
			return true;
		}
	return false;
}

/**
 * storm_print_excuses() - print as TAP comments how often which excuse was needed
 * @storm: the storm
 */
void storm_print_excuses(const struct storm *storm)
{
	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++)
		if (storm->shared->excused[i] > 0)
			printf("# %4u times \"%s\": %s\n", storm->shared->excused[i],
				excuses[i].said, excuses[i].why);
}
