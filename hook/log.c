// SPDX-License-Identifier: MIT
/*
 * The system's log, and RUN/errors, the last 64 errors. crun throws a hook's stderr away, so the
 * line that a person needs has to be somewhere else as well. Never waits: a hook must not hang
 * because journald does (syslog(3) would).
 */
#include "hook/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "ipam/store.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"

#define ERRORS_FILE "errors"
#define ERRORS_TEMPORARY ERRORS_FILE ".tmp"
#define ERRORS_KEPT 64
#define ERRORS_SIZE_MAX ((ERRORS_KEPT + 1) * (ERROR_TEXT_MAX + 32))
/* RUN/errors is locked under an id that no container can have. */
#define ERRORS_LOCK "/errors"
/* A millisecond each. */
#define ERRORS_LOCK_TRIES 100

/* One datagram in syslog's form (RFC 3164); lost where nobody listens or the queue is full. */
static void send_syslog(int priority, const char *text)
{
	struct sockaddr_un log = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char line[ERROR_TEXT_MAX + 64];
	int length = snprintf(line, sizeof(line), "<%d>%s[%d]: %s", LOG_DAEMON | priority,
		program_invocation_short_name, (int)getpid(), text);

	if (fd < 0 || length < 0)
		return;
	if ((size_t)length >= sizeof(line))
		length = sizeof(line) - 1;
	sendto(fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&log,
		sizeof(log));
}

/**
 * log_notice() - tell the administrator of something that is no failure
 * @format: the line; control characters in it are escaped
 */
void log_notice(const char *format, ...)
{
	struct error line;
	va_list arguments;

	va_start(arguments, format);
	error_set_va(&line, 0, format, arguments); /* for its escaping */
	va_end(arguments);
	send_syslog(LOG_NOTICE, line.text);
}

/* The part of the old file that stays: its last lines, one less than are kept. */
static const char *last_lines(const char *text, size_t size)
{
	unsigned lines = 0;

	for (const char *at = text + size; at > text; at--)
		if (at[-1] == '\n' && lines++ == ERRORS_KEPT - 1)
			return at;
	return text;
}

static void keep_error(const struct store *store, const char *text)
{
	autofree char *old = NULL;
	autofree char *new = NULL;
	size_t old_size = 0;
	time_t now = time(NULL);
	struct tm utc;
	char stamp[32];
	int length;

	/* Held for as long as it takes to write a few KB; but never wait for who was stopped there.
	 */
	for (unsigned try = 0; store_trylock_id(store, ERRORS_LOCK, NULL) < 0; try++) {
		if (try == ERRORS_LOCK_TRIES)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (file_read(store->dir, ERRORS_FILE, ERRORS_SIZE_MAX, &old, &old_size, NULL) < 0)
		old_size = 0;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
	length = asprintf(&new, "%s%s %s\n", old ? last_lines(old, old_size) : "", stamp, text);
	if (length > 0)
		file_replace(store->dir, ERRORS_FILE, ERRORS_TEMPORARY, new, (size_t)length, NULL);
	store_unlock_id(store, ERRORS_LOCK);
}

/**
 * log_error() - keep an error for people: in the system's log and in RUN/errors
 * @store: RUN, or NULL where it could not be opened
 * @text:  one line, escaped (an error's text is)
 */
void log_error(const struct store *store, const char *text)
{
	send_syslog(LOG_ERR, text);
	if (store && store->dir >= 0)
		keep_error(store, text);
}

/**
 * log_read_errors() - the errors that were kept
 * @store:    RUN
 * @ret:      lines of a time and the error, the oldest first, and a NUL; the caller frees it
 * @ret_size: how many bytes there are without that NUL
 * @err:      filled on failure
 *
 * Return: 0; -ENOENT: there was no error; what file_read() returns.
 */
int log_read_errors(const struct store *store, char **ret, size_t *ret_size, struct error *err)
{
	return file_read(store->dir, ERRORS_FILE, ERRORS_SIZE_MAX, ret, ret_size, err);
}

/**
 * log_sweep() - remove what a process has left that was killed while it kept an error
 * @store: RUN
 *
 * The next error would do it as well.
 */
void log_sweep(const struct store *store)
{
	if (store_trylock_id(store, ERRORS_LOCK, NULL) < 0)
		return;
	unlinkat(store->dir, ERRORS_TEMPORARY, 0);
	store_unlock_id(store, ERRORS_LOCK);
}
