/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_CALLS_H
#define TESTS_CRASH_CALLS_H

/* How many errors may fit a system call. */
#define CALLS_ERRORS_MAX 8

const char *calls_name(int nr);
const int *calls_errors(int nr);

#endif
