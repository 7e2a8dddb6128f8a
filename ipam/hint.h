/* SPDX-License-Identifier: MIT */
#ifndef IPAM_HINT_H
#define IPAM_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/ip.h"

struct error;

/* The largest bitmap, and so the most addresses of one range that are handed out automatically:
 * 128 KiB of memory. An IPv6 subnet has far more, but no LAN has as many hosts.
 */
#define HINT_BITS_MAX (1U << 20)

struct hint_file;

/* Where to look for a free address: nothing in it is trusted, whatever it says is only slower. */
struct hint {
	struct hint_file *file; /* mapped; NULL: none */
	size_t size;		/* of the mapping, in bytes */
	uint32_t bits;		/* of the bitmap, a power of two */
};

#define HINT_CLOSED ((struct hint){ NULL, 0, 0 })

/* Hints of one pool that stay open: to map one, and more so to unmap it, costs more than all
 * the rest of a release. A zeroed one has none.
 */
#define HINTS_MAX 4
struct hints {
	unsigned n;
	unsigned last; /* the one that was opened last */
	struct open_hint {
		struct cidr subnet;
		struct hint hint; /* with no file: the subnet has none */
	} open[HINTS_MAX];
};

/* Who gave an address back last, and when. */
struct hint_past {
	uint64_t ms;  /* CLOCK_BOOTTIME */
	uint64_t key; /* a hash */
	uint8_t mac[MAC_SIZE];
};

int hint_open(
	int pool, const struct cidr *subnet, bool create, struct hint *ret, struct error *err);
void hint_close(struct hint *hint);
const struct hint *hints_get(struct hints *hints, int pool, const struct cidr *subnet, bool create);
void hints_close(struct hints *hints);

uint32_t hint_bits(const struct cidr *subnet);
uint64_t *hint_words(const struct hint *hint);

bool hint_recall(const struct hint *hint, uint64_t key, uint32_t *ret);
void hint_remember(const struct hint *hint, uint64_t key, uint32_t bit);
bool hint_recall_cursor(const struct hint *hint, uint64_t range, uint32_t *ret);
void hint_remember_cursor(const struct hint *hint, uint64_t range, uint32_t bit);
bool hint_recall_past(const struct hint *hint, uint32_t bit, struct hint_past *ret);
void hint_note_past(const struct hint *hint, uint32_t bit, const struct hint_past *past);

size_t bitmap_words(uint32_t bits);
bool bitmap_test(const uint64_t *words, uint32_t bit);
bool bitmap_set(uint64_t *words, uint32_t bit);
void bitmap_clear(uint64_t *words, uint32_t bit);

#endif
