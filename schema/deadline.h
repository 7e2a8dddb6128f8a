/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_DEADLINE_H
#define SCHEMA_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

void deadline_start(unsigned milliseconds);
bool deadline_passed(void);
int deadline_check(const char *what, struct error *err);
int deadline_remaining_ms(void);
int64_t deadline_clock_ms(void);

#endif
