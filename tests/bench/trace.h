/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_TRACE_H
#define TESTS_BENCH_TRACE_H

#include "tests/bench/spawn.h"

/* What a command takes, other than time. */
struct trace {
	/* Of its largest process, in KiB. */
	unsigned long resident; /* at most: VmHWM, with all pages of files that are mapped */
	unsigned long
		own; /* at the end: what it shares with nobody (anonymous), or by its own will */
	/* Of all of its processes. */
	unsigned long calls;  /* of the kernel */
	unsigned long faults; /* pages that were touched for the first time (proc(5): minflt) */
};

void trace_run(const struct spawn_command *command, int log, int *ret_status, struct trace *ret);

#endif
