/* SPDX-License-Identifier: MIT */
#ifndef HOOK_LOG_H
#define HOOK_LOG_H

struct store;

void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const struct store *store, const char *text);
void log_sweep(const struct store *store);

#endif
