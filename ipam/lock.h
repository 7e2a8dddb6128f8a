/* SPDX-License-Identifier: MIT */
#ifndef IPAM_LOCK_H
#define IPAM_LOCK_H

#include <stdint.h>

struct error;

/* The bytes of RUN/lock. Ids have all others. */
#define LOCK_BOOT 0
#define LOCK_SWEEP 1
#define LOCK_IDS 2

int64_t lock_offset(const char *id);
int lock_take(int fd, int64_t offset, const char *what, struct error *err);
int lock_try(int fd, int64_t offset);
void lock_drop(int fd, int64_t offset);

#endif
