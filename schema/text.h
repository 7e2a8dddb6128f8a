/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_TEXT_H
#define SCHEMA_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_UINT 21 /* the longest number, 2^64 - 1, and a NUL */

/* Puts strings one behind the other; see text_join_parts(). */
#define text_join(ret, size, ...) \
	text_join_parts((ret), (size), (const char *const[]){ __VA_ARGS__, NULL })

const char *text_join_parts(char *ret, size_t size, const char *const parts[]);
const char *text_uint(uint64_t value, char ret[TEXT_UINT]);
char *text_put_hex(char *to, unsigned value, unsigned min_digits);
char *text_put_uint(char *to, uint64_t value);

#endif
