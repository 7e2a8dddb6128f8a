/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/error.h"

/* What libFuzzer calls, again and again in one process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for any input; libFuzzer saves the input that breaks it. */
#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* A failure is a negative errno, and said in one printable line that is not empty. */
static inline void must_be_told(int r, const struct error *err)
{
	must(r < 0 && r > -4096 && err->code == r && err->text[0]);
	for (const char *c = err->text; *c; c++)
		must((unsigned char)*c >= ' ' && *c != 0x7f);
}

#endif
