/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_ERROR_H
#define SCHEMA_ERROR_H

#include <errno.h>
#include <stdarg.h>

/* The longest error line, with its end; a longer one is cut. */
#define ERROR_TEXT_MAX 1024

/* One failure: a negative errno and one printable line, contexts outermost first. */
struct error {
	int code;
	char text[ERROR_TEXT_MAX];
};

int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_set_va(struct error *err, int code, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));
int error_set_errno(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
