/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_HASH_H
#define SCHEMA_HASH_H

#include <stdint.h>

#define HASH_SIZE 32
#define HASH_HEX (2 * HASH_SIZE + 1)

void hash_strings(const char *const strings[], uint8_t ret[HASH_SIZE]);
uint64_t hash_strings_u64(const char *const strings[]);
uint64_t hash_quick(const char *text);
uint64_t hash_quick_strings(const char *const strings[]);
const char *hash_strings_hex(const char *const strings[], char ret[HASH_HEX]);

#endif
