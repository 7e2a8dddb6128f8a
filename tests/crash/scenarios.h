/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_SCENARIOS_H
#define TESTS_CRASH_SCENARIOS_H

#include <stdbool.h>

#include "tests/crash/world.h"

/* What follows a disturbed run. */
enum after {
	AFTER_SAME_INIT, /* the hook is called once more for the container that lives */
	AFTER_NEW_INIT,	 /* init dies; the same id starts again */
	AFTER_GC_ALIVE,	 /* gc while init lives; then it ends as usual */
	AFTER_GC_DEAD,	 /* init dies, its namespace is kept alive; gc */
	AFTER_GC_GONE,	 /* init dies with its namespace; gc */
	AFTER_POSTSTOP,	 /* init dies; poststop */
	AFTER_MAX,
};

extern const struct scenario scenarios[];
extern const unsigned n_scenarios;

bool scenario_is_meant(const struct scenario *scenario, const char *words);
bool after_fits(const struct scenario *scenario, enum after after);
const char *after_name(enum after after);
bool after_kill(struct world *world, enum after after);

#endif
