/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_ALLOCATE_H
#define TESTS_BENCH_ALLOCATE_H

#include <stdbool.h>

#include "tests/bench/race.h"

void allocate_race(struct race *race, bool whole);

#endif
