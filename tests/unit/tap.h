/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdbool.h>

/* One line of TAP: "ok N - NAME" or "not ok N - NAME" with the place. Returns the condition. */
#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)
#define is_str(got, expected, ...) tap_is_str((got), (expected), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, expected, ...) \
	tap_is_int((long long)(got), (long long)(expected), __FILE__, __LINE__, __VA_ARGS__)

bool tap_ok(bool passed, const char *file, int line, const char *condition, const char *name, ...)
	__attribute__((format(printf, 5, 6)));
bool tap_is_str(const char *got, const char *expected, const char *file, int line, const char *name,
	...) __attribute__((format(printf, 5, 6)));
bool tap_is_int(long long got, long long expected, const char *file, int line, const char *name,
	...) __attribute__((format(printf, 5, 6)));
int tap_done(void);

/* A new folder below /tmp; removed, with all in it, at exit. */
const char *tap_tempdir(void);

#endif
