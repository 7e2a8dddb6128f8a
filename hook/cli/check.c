// SPDX-License-Identifier: MIT
/*
 * oci-macvlan check: what would stop an attach, or surprise the user, in one line each with what to
 * do about it. The checks are in the two tables here and in check_network.c; each is a function
 * that says what it finds.
 *
 * Nothing is changed: nothing is created or brought up, and no kernel module is loaded. What can be
 * told only by trying is not told.
 */
#include "hook/cli/check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hook/cli/cli.h"
#include "hook/cli/networks.h"
#include "hook/cli/options.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"

#define GROW 64

/* On the machine, before and behind its networks. */
static void (*const checks_before[])(struct check *check) = {
	check_rights,
	check_kernel,
};

static void (*const checks_behind[])(struct check *check) = {
	check_hooks,
	check_runtimes,
	check_endpoints,
	check_doubts,
	check_plugins,
	check_quarantines,
	check_errors,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *severity_name(enum severity severity)
{
	switch (severity) {
	case CHECK_OK:
		return "ok";
	case CHECK_NOTE:
		return "note";
	case CHECK_WARNING:
		return "warning";
	case CHECK_BROKEN:
		return "broken";
	}
	return "?";
}

/**
 * check_say() - print what was found
 * @check:    marked as failed where it is broken
 * @severity: how bad it is
 * @format:   one line: where, what it means, what to do; control characters in it are escaped
 */
void check_say(struct check *check, enum severity severity, const char *format, ...)
{
	struct error line;
	va_list arguments;

	va_start(arguments, format);
	error_set_va(&line, 0, format, arguments); /* for its escaping */
	va_end(arguments);
	printf("%-7s  %s\n", severity_name(severity), line.text);
	if (severity > check->worst)
		check->worst = severity;
	if (severity == CHECK_BROKEN)
		check->cli->failed = true;
}

/**
 * check_is_host_ip() - is it one of the host's own addresses
 * @check: has them
 * @ip:    the address
 *
 * Return: true when it is.
 */
bool check_is_host_ip(const struct check *check, const struct ip *ip)
{
	for (size_t i = 0; i < check->n_ips; i++)
		if (ip_equal(&check->ips[i], ip))
			return true;
	return false;
}

/**
 * check_read_line() - the first line of a file of /proc or /sys, whose size is not known
 * @path: the file
 * @ret:  the line without its end; "" on failure
 * @size: of @ret, in bytes, at least 1; a longer line is cut
 *
 * Return: its length, or what open(2) and read(2) gave.
 */
ssize_t check_read_line(const char *path, char *ret, size_t size)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n < 0 ? 0 : n] = '\0';
	if (n < 0)
		return -errno;
	ret[strcspn(ret, "\n")] = '\0';
	return (ssize_t)strlen(ret);
}

/**
 * check_load() - read a file of the system whole, through symbolic links
 * @path:     the file
 * @max:      the largest size that is accepted, in bytes
 * @ret:      its bytes with a NUL behind them; the caller frees it
 * @ret_size: how many there are without that NUL
 * @err:      filled on failure
 *
 * Return: 0, -ENOENT, or what realpath(3) and file_read() returned.
 */
int check_load(const char *path, size_t max, char **ret, size_t *ret_size, struct error *err)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return error_set_errno(err, "cannot read '%s'", path);
	return file_read(AT_FDCWD, real, max, ret, ret_size, err);
}

static int add_ip(void *arg, const struct ip *ip)
{
	struct check *check = arg;
	struct ip *grown;

	if (check->n_ips % GROW == 0) {
		grown = reallocarray(check->ips, check->n_ips + GROW, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		check->ips = grown;
	}
	check->ips[check->n_ips++] = *ip;
	return 0;
}

static void free_check(struct check *check)
{
	free(check->ips);
	if (check->networks >= 0)
		close(check->networks);
	nl_close(&check->nl);
}

/* A RUN that cannot be opened stops each attach as well; one that is not there is made by it. */
static void open_state(struct check *check, struct host *host)
{
	struct error err;
	bool open = false;

	if (geteuid() != 0)
		return; /* check_rights() says so */
	if (cli_open_host(check->cli, host, &open, &err) < 0)
		check_say(check, CHECK_BROKEN, "%s", err.text);
	else if (open)
		check->host = host;
}

static int check_named_networks(struct check *check, struct error *err)
{
	for (int i = 0; i < check->cli->argc; i++) {
		char name[NETWORK_NAME_MAX + 1];
		int r = networks_resolve(check->networks, check->cli->argv[i], name, err);

		if (r < 0)
			return r;
		check_network(check, name);
	}
	return 0;
}

static int check_all_networks(struct check *check, struct error *err)
{
	struct networks networks cleanup(networks_free) = { 0 };
	int r = networks_list(check->networks, &networks, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < networks.n; i++)
		check_network(check, networks.names[i]);
	if (networks.n == 0)
		check_say(check, CHECK_NOTE,
			"no networks are defined in '%s/" NETWORKS_FOLDER
			"': create one with 'oci-macvlan network create'",
			check->cli->etc);
	return 0;
}

/* Those that were named, else all that have a file. */
static int check_networks(struct check *check, struct error *err)
{
	int r = networks_open(check->cli->etc, &check->networks, err);

	if (r == -EPERM) { /* others may write there: no attach uses a network of it */
		check_say(check, CHECK_BROKEN, "%s", err->text);
		return 0;
	}
	if (r < 0)
		return r;
	return check->cli->argc > 0 ? check_named_networks(check, err)
				    : check_all_networks(check, err);
}

static int run_checks(struct check *check, struct error *err)
{
	int r;

	for (size_t i = 0; i < COUNT(checks_before); i++)
		checks_before[i](check);
	r = check_networks(check, err);
	for (size_t i = 0; r == 0 && i < COUNT(checks_behind); i++)
		checks_behind[i](check);
	return r;
}

/**
 * cli_check() - the command check
 * @cli: its arguments; marked as failed when something is broken
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse, or a name that is none; what opening ETC and asking the kernel gave.
 */
int cli_check(struct cli *cli, struct error *err)
{
	struct host host cleanup(host_close) = HOST_CLOSED;
	struct check check cleanup(free_check) = { .cli = cli, .networks = -1, .nl = NL_CLOSED };
	const struct cli_option options[] = { { .name = NULL } };
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = nl_open(&check.nl, err);
	if (r == 0)
		r = rtnl_addr_list(&check.nl, add_ip, &check, err);
	if (r < 0)
		return r;
	open_state(&check, &host);
	return run_checks(&check, err);
}
