// SPDX-License-Identifier: MIT
/*
 * The watcher's proof: what it must find is made by hand, and it finds it.
 */
#include <string.h>
#include <sys/wait.h>

#include "tests/lab/kernel.h"
#include "tests/crash/storm.h"
#include "tests/unit/tap.h"

/* Two namespaces with the gateway's address and one MAC: that the kernel does not refuse it, they
 * are on different parents.
 */
static const char make_doubles[] =
	"ip link add other type veth peer name other-peer; ip link set other up\n"
	"for parent in eth0 other; do\n"
	"	ip netns add \"on-$parent\"; ip netns set \"on-$parent\" auto\n"
	"	ip link add eth0 link \"$parent\" netns \"on-$parent\" \\\n"
	"		address 02:42:0a:00:00:01 type macvlan mode bridge\n"
	"	ip -n \"on-$parent\" address add 10.0.0.1/24 dev eth0\n"
	"	ip -n \"on-$parent\" link set eth0 up\n"
	"done\n";

static const char remove_doubles[] =
	"for parent in eth0 other; do ip netns del \"on-$parent\"; done\n"
	"ip link del other\n";

static bool run_script(const struct storm *storm, const char *script)
{
	const char *argv[] = { "sh", "-euc", script, NULL };
	struct storm_result result;

	storm_run(storm, "/", argv, &result);
	if (result.status != 0)
		storm_fail(storm, "proof: %s", result.output);
	return result.status == 0;
}

/**
 * storm_prove_watcher() - let the watcher find what it must
 * @storm: the storm
 */
void storm_prove_watcher(const struct storm *storm)
{
	static const unsigned all[STORM_FINDINGS] = {
		[STORM_SAME_ADDRESS] = 1,
		[STORM_SAME_MAC] = 1,
		[STORM_UNCLAIMED] = 2,
		[STORM_RESERVED] = 2,
	};
	static const unsigned none[STORM_FINDINGS];
	struct storm_watch watch;
	bool made;

	storm_watch_open(storm, &watch);
	watch.expected = true;
	made = run_script(storm, make_doubles);
	storm_watch_scan(&watch);
	ok(made && memcmp(watch.found, all, sizeof(all)) == 0,
		"the watcher sees doubles made by hand: %u address, %u MAC, %u unclaimed, %u "
		"reserved",
		watch.found[STORM_SAME_ADDRESS], watch.found[STORM_SAME_MAC],
		watch.found[STORM_UNCLAIMED], watch.found[STORM_RESERVED]);
	made = run_script(storm, remove_doubles);
	memset(watch.found, 0, sizeof(watch.found));
	storm_watch_scan(&watch);
	ok(made && memcmp(watch.found, none, sizeof(none)) == 0, "and none when they are gone");
	storm_watch_close(&watch);
}
