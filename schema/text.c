// SPDX-License-Identifier: MIT
/*
 * Short texts out of a few strings and numbers: names of files, addresses. An attach makes 60 of
 * them, and with printf(3) they took a tenth of its own time. Messages for people are made with
 * printf(3), where nobody waits.
 */
#include "schema/text.h"

#include <string.h>

/**
 * text_join_parts() - put strings one behind the other
 * @ret:   where to
 * @size:  of @ret, in bytes, at least 1; what does not fit is cut off
 * @parts: the strings; ends with NULL
 *
 * Return: @ret.
 */
const char *text_join_parts(char *ret, size_t size, const char *const parts[])
{
	char *to = ret;
	const char *end = ret + size - 1;

	for (; *parts; parts++)
		to = mempcpy(to, *parts, strnlen(*parts, (size_t)(end - to)));
	*to = '\0';
	return ret;
}

/**
 * text_put_uint() - write a number in decimal
 * @to:    where to; there is room
 * @value: the number
 *
 * Return: behind its last digit; there is no NUL.
 */
char *text_put_uint(char *to, uint64_t value)
{
	char digits[TEXT_UINT];
	size_t n = 0;

	do
		digits[sizeof(digits) - ++n] = (char)('0' + value % 10);
	while (value /= 10);
	return mempcpy(to, digits + sizeof(digits) - n, n);
}

/**
 * text_uint() - a number in decimal
 * @value: the number
 * @ret:   where to
 *
 * Return: @ret.
 */
const char *text_uint(uint64_t value, char ret[TEXT_UINT])
{
	*text_put_uint(ret, value) = '\0';
	return ret;
}

/**
 * text_put_hex() - write a number in hexadecimal
 * @to:         where to; there is room
 * @value:      the number
 * @min_digits: how many digits at least, with zeros in front; 1 or more
 *
 * Return: behind its last digit; there is no NUL.
 */
char *text_put_hex(char *to, unsigned value, unsigned min_digits)
{
	unsigned digits = min_digits;

	while (digits < 2 * sizeof(value) && value >> 4 * digits)
		digits++;
	while (digits-- > 0)
		*to++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
	return to;
}
