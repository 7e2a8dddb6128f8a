/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_MEMORY_H
#define TESTS_BENCH_MEMORY_H

#include "tests/bench/spawn.h"

/* Of the largest process of a command, in KiB. */
struct memory {
	unsigned long resident; /* at most: VmHWM, with all pages of files that are mapped */
	unsigned long
		own; /* at the end: what it shares with nobody (anonymous), or by its own will */
};

void memory_run(const struct spawn_command *command, int log, int *ret_status, struct memory *ret);

#endif
