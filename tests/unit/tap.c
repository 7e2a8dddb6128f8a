// SPDX-License-Identifier: MIT
/*
 * What unit tests share: TAP output (testanything.org) and a scratch folder.
 */
#include "tests/unit/tap.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;
static int failed;
static char tempdir[64];
static pid_t tempdir_of;

__attribute__((format(printf, 4, 0))) static bool report(
	bool passed, const char *file, int line, const char *name, va_list arguments)
{
	printf("%sok %d - ", passed ? "" : "not ", ++count);
	vprintf(name, arguments);
	putchar('\n');
	if (!passed) {
		failed++;
		printf("# at %s:%d\n", file, line);
	}
	fflush(stdout);
	return passed;
}

bool tap_ok(bool passed, const char *file, int line, const char *condition, const char *name, ...)
{
	va_list arguments;

	va_start(arguments, name);
	report(passed, file, line, name, arguments);
	va_end(arguments);
	if (!passed)
		printf("# false: %s\n", condition);
	return passed;
}

bool tap_is_str(
	const char *got, const char *expected, const char *file, int line, const char *name, ...)
{
	bool passed = got && expected && !strcmp(got, expected);
	va_list arguments;

	va_start(arguments, name);
	report(passed, file, line, name, arguments);
	va_end(arguments);
	if (!passed)
		printf("# got '%s', expected '%s'\n", got ? got : "(null)",
			expected ? expected : "(null)");
	return passed;
}

bool tap_is_int(
	long long got, long long expected, const char *file, int line, const char *name, ...)
{
	va_list arguments;

	va_start(arguments, name);
	report(got == expected, file, line, name, arguments);
	va_end(arguments);
	if (got != expected)
		printf("# got %lld, expected %lld\n", got, expected);
	return got == expected;
}

int tap_done(void)
{
	printf("1..%d\n", count);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

/* Only by the process that made it: forked children of a test exit too. */
static void remove_tempdir(void)
{
	if (getpid() == tempdir_of)
		nftw(tempdir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *tap_tempdir(void)
{
	if (tempdir[0])
		return tempdir;
	strcpy(tempdir, "/tmp/oci-macvlan-unit-XXXXXX");
	if (!mkdtemp(tempdir)) {
		perror("mkdtemp");
		exit(EXIT_FAILURE);
	}
	tempdir_of = getpid();
	atexit(remove_tempdir);
	return tempdir;
}
