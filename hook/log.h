/* SPDX-License-Identifier: MIT */
#ifndef HOOK_LOG_H
#define HOOK_LOG_H

#include <stddef.h>

struct error;
struct store;

void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const struct store *store, const char *text);
int log_read_errors(const struct store *store, char **ret, size_t *ret_size, struct error *err);
void log_sweep(const struct store *store);

#endif
