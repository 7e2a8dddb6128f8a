// SPDX-License-Identifier: MIT
/*
 * The candidates of a range, numbered from 0 on, and their bits in the bitmap of the subnet.
 */
#include "ipam/window.h"

#include "ipam/hint.h"

/**
 * window_of() - the candidates of a range
 * @subnet: the subnet, whose bitmap it is
 * @range:  the range, inside the subnet
 *
 * Return: the window.
 */
struct window window_of(const struct cidr *subnet, const struct cidr *range)
{
	struct ip first = cidr_first(range);
	struct ip last = cidr_last(range);
	ip_value behind = ip_to_value(&last) - ip_to_value(&first);
	uint32_t bits = hint_bits(subnet);

	return (struct window){
		.family = first.family,
		.first = ip_to_value(&first),
		.count = behind < bits ? (uint32_t)behind + 1 : bits,
		.bits = bits,
	};
}

/**
 * window_bit_at() - the bit of a candidate
 * @window: the window
 * @offset: the candidate's number
 *
 * Return: the bit in the subnet's bitmap.
 */
uint32_t window_bit_at(const struct window *window, uint32_t offset)
{
	return (uint32_t)(window->first + offset) & (window->bits - 1);
}

/**
 * window_offset_of() - the candidate of a bit
 * @window: the window
 * @bit:    the bit
 *
 * Return: its number; window->count or more where it is outside.
 */
uint32_t window_offset_of(const struct window *window, uint32_t bit)
{
	return (bit - (uint32_t)window->first) & (window->bits - 1);
}

/**
 * window_ip() - the address of a candidate
 * @window: the window
 * @offset: the candidate's number
 *
 * Return: the address.
 */
struct ip window_ip(const struct window *window, uint32_t offset)
{
	return ip_from_value(window->family, window->first + offset);
}

/**
 * window_next_clear() - the first candidate of some whose bit is clear
 * @window: the window
 * @words:  the bitmap
 * @offset: the first one to look at
 * @end:    behind the last
 *
 * Return: its number, or @end.
 */
uint32_t window_next_clear(
	const struct window *window, const uint64_t *words, uint32_t offset, uint32_t end)
{
	while (offset < end) {
		uint32_t bit = window_bit_at(window, offset);
		uint64_t clear = ~__atomic_load_n(&words[bit / 64], __ATOMIC_RELAXED) >> bit % 64;
		uint32_t here = 64 - bit % 64;
		uint32_t found = clear ? (uint32_t)__builtin_ctzll(clear) : 64;

		if (here > window->bits - bit)
			here = window->bits - bit; /* behind its end, the bitmap begins again */
		if (found < here)
			return offset + found < end ? offset + found : end;
		offset += here;
	}
	return end;
}
