/* SPDX-License-Identifier: MIT */
#ifndef IPAM_WINDOW_H
#define IPAM_WINDOW_H

#include <stdint.h>

#include "schema/ip.h"

/* The candidates of a range: FIRST and the COUNT - 1 behind it. A range of more than HINT_BITS_MAX
 * addresses ends there, so that each candidate has a bit of its own.
 */
struct window {
	sa_family_t family;
	ip_value first;
	uint32_t count;
	uint32_t bits; /* of the subnet's bitmap */
};

struct window window_of(const struct cidr *subnet, const struct cidr *range);
uint32_t window_bit_at(const struct window *window, uint32_t offset);
uint32_t window_offset_of(const struct window *window, uint32_t bit);
struct ip window_ip(const struct window *window, uint32_t offset);
uint32_t window_next_clear(
	const struct window *window, const uint64_t *words, uint32_t offset, uint32_t end);

#endif
