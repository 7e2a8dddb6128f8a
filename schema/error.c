// SPDX-License-Identifier: MIT
/*
 * The one error value. Whoever finds the failure fills it; callers put their context in front;
 * only the programs print it. It is always one printable line, whatever a message quotes.
 */
#include "schema/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* How many bytes the UTF-8 character here has (RFC 3629, by the first two bytes); 0: it is none. */
static size_t utf8_size(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t size = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

	if (c[0] > 0xf4 || (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		(c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* Control characters (C0, DEL, C1) would let input forge lines of a log, or steer a terminal. */
static bool is_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

/* Copies text with \xNN in place of what does not print; cuts it with "..." where it is too long.
 */
static void copy_printable(char *to, size_t size, const char *from)
{
	size_t used = 0;

	while (*from) {
		size_t length = utf8_size(from);
		bool prints = length > 0 && !is_control(from);
		size_t need = prints ? length : 4;

		if (used + need + sizeof("...") > size) {
			memcpy(to + used, "...", 3);
			used += 3;
			break;
		}
		if (prints)
			memcpy(to + used, from, length);
		else
			snprintf(to + used, 5, "\\x%02x", (unsigned char)*from);
		used += need;
		from += prints ? length : 1;
	}
	to[used] = '\0';
}

__attribute__((format(printf, 3, 0))) static int set_text(
	struct error *err, int code, const char *format, va_list arguments, const char *behind)
{
	char text[2 * ERROR_TEXT_MAX];
	size_t used;

	if (!err)
		return code;
	vsnprintf(text, sizeof(text), format, arguments);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, "%s", behind);
	copy_printable(err->text, sizeof(err->text), text);
	err->code = code;
	return code;
}

/**
 * error_set() - fill an error
 * @err:    where to, or NULL where nobody wants it
 * @code:   negative errno
 * @format: the message: lower case, no full stop; control characters in it are escaped
 *
 * Return: @code, so that a function can end with it.
 */
int error_set(struct error *err, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_text(err, code, format, arguments, "");
	va_end(arguments);
	return code;
}

/**
 * error_set_va() - error_set() for a function that has its arguments in a va_list
 * @err:       where to, or NULL
 * @code:      a negative errno
 * @format:    the message
 * @arguments: what goes into it
 *
 * Return: @code.
 */
int error_set_va(struct error *err, int code, const char *format, va_list arguments)
{
	return set_text(err, code, format, arguments, "");
}

/**
 * error_set_errno() - fill an error from errno, with the system's words behind the message
 * @err:    where to, or NULL
 * @format: what was tried
 *
 * Return: -errno.
 */
int error_set_errno(struct error *err, const char *format, ...)
{
	int code = errno;
	char behind[128];
	va_list arguments;

	if (!err)
		return -code;
	snprintf(behind, sizeof(behind), ": %s", strerror(code));
	va_start(arguments, format);
	set_text(err, -code, format, arguments, behind);
	va_end(arguments);
	return -code;
}

/**
 * error_prefix() - put a context in front of an error: "CONTEXT: what was there"
 * @err:    an error that is filled, or NULL
 * @format: the context
 *
 * Return: the error's code (-EINVAL for NULL).
 */
int error_prefix(struct error *err, const char *format, ...)
{
	char context[ERROR_TEXT_MAX];
	char text[2 * ERROR_TEXT_MAX + 2];
	va_list arguments;

	if (!err)
		return -EINVAL;
	va_start(arguments, format);
	vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	snprintf(text, sizeof(text), "%s: %s", context, err->text);
	copy_printable(err->text, sizeof(err->text), text);
	return err->code;
}
