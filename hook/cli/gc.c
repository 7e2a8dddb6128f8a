// SPDX-License-Identifier: MIT
/*
 * oci-macvlan gc: frees what dead containers left.
 */
#include <stdio.h>

#include "hook/cli/cli.h"
#include "hook/cli/options.h"
#include "hook/reconcile.h"
#include "schema/cleanup.h"

static void print_freed(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static void print_failure(void *arg, const struct error *err)
{
	cli_report(arg, err);
}

/**
 * cli_gc() - the command gc
 * @cli: its arguments
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse; what opening RUN and reconcile_all() gave.
 */
int cli_gc(struct cli *cli, struct error *err)
{
	struct host host cleanup(host_close) = HOST_CLOSED;
	const struct reconcile_output output = { print_freed, print_failure, cli };
	bool dry_run = false;
	const struct cli_option options[] = {
		{ .name = "dry-run", .flag = &dry_run },
		{ .name = NULL },
	};
	bool open = false;
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = cli_open_host(cli, &host, &open, err);
	if (r < 0 || !open)
		return r;
	return reconcile_all(&host, dry_run, &output, err);
}
