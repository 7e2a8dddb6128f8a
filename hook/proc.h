/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PROC_H
#define HOOK_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

int proc_start_time(pid_t pid, uint64_t *ret, struct error *err);
int proc_is_alive(pid_t pid, uint64_t start, bool *ret, struct error *err);
int proc_outlives(pid_t pid, uint64_t start, int milliseconds, bool *ret, struct error *err);

#endif
