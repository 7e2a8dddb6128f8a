/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_RACE_H
#define TESTS_BENCH_RACE_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/bench/contestants.h"

/* Contestants that do the same, by turns, and what each took: one line of CSV for each process,
 *
 *	question,case,contestant,round,wall_us,cpu_us
 */

#define RACE_CONTESTANTS_MAX 12

struct race {
	const struct place *place;
	const char *question;
	const char *kase; /* under which circumstances: part of the question */
	bool whole;	  /* contestants are whole containers: see race_attach() */
	unsigned rounds;
	unsigned n;
	const struct contestant *contestants[RACE_CONTESTANTS_MAX];
	unsigned seed;	  /* of the order in which they take turns */
	int log;	  /* what the contestants say */
	unsigned crowd_n; /* endpoints that are on the parent all the time */
	struct box *crowd;
};

void race_enter(struct race *race, const char *names);
void race_attach(struct race *race);
void race_detach(struct race *race, bool alive);
void race_parallel(struct race *race, unsigned at_once, unsigned total);
void race_trace(struct race *race, bool work);
void race_gather_crowd(struct race *race, unsigned n);
void race_end(struct race *race);

#endif
