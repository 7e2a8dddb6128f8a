// SPDX-License-Identifier: MIT
/*
 * hook/nl.c: a socket is of use after an answer that was not read to its end.
 */
#include "hook/nl.h"

#include <errno.h>

#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static int refuse_link(void *arg, const struct rtnl_link *link)
{
	(void)arg;
	(void)link;
	return -EDOM;
}

static int count_link(void *arg, const struct rtnl_link *link)
{
	unsigned *n = arg;

	(void)link;
	++*n;
	return 0;
}

int main(void)
{
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	struct error err = { 0 };
	unsigned n = 0;

	ok(nl_open(&nl, &err) == 0, "a socket is opened (%s)", err.text);
	is_int(rtnl_link_list(&nl, refuse_link, NULL, &err), -EDOM,
		"a list that its reader refuses fails with the reader's error");
	is_int(rtnl_link_list(&nl, count_link, &n, &err), 0,
		"the next list on this socket is not refused as busy");
	ok(n > 0, "and it has links");
	return tap_done();
}
