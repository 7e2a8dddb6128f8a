// SPDX-License-Identifier: MIT
/*
 * oci-macvlan version: of the program, and of what it needs from the kernel and the host.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "hook/cli/cli.h"
#include "hook/cli/options.h"
#include "hook/dhcp.h"
#include "hook/nl.h"
#include "schema/cleanup.h"
#include "schema/error.h"

/* Only networks whose addresses come from a DHCP server need one. */
static void print_client(void)
{
	const char *path = dhcp_client_path();

	printf("DHCP client %s\n", path ? path : "no");
}

/**
 * cli_version() - the command version
 * @cli: its arguments
 * @err: filled on failure
 *
 * Return: 0; -EINVAL: misuse; what nl_open() gave.
 */
int cli_version(struct cli *cli, struct error *err)
{
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	const struct cli_option options[] = { { .name = NULL } };
	struct utsname names = { 0 };
	uint64_t cookie;
	int r = options_parse(cli, options, err);

	if (r == 0)
		r = nl_open(&nl, err);
	if (r < 0)
		return r;
	uname(&names);
	printf("oci-macvlan %s\n", OCI_MACVLAN_VERSION);
	printf("kernel %s\n", names.release);
	printf("SO_NETNS_COOKIE %s\n", nl_netns_cookie(&nl, &cookie, NULL) == 0
					       ? "yes"
					       : "no: Linux 5.14 or newer is needed");
	print_client();
	return 0;
}
