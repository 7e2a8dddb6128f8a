// SPDX-License-Identifier: MIT
/*
 * Contestants that are whole containers, as runtimes and engines run them: there the network is
 * one thing of many. They make a namespace of their own and are over when it is measured; so the
 * container itself looks whether it has an eth0, and fails where that is not as it should be.
 *
 * tests/bench/bundles.sh and tests/bench/engines.sh prepare what these commands name.
 */
#include <string.h>

#include "tests/bench/contestants.h"

#define ENV "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The case is the runtime and its options. */
#define RUNTIME(bundle) "@dir@/bin/@case@ run --bundle @dir@/bundles/" bundle " @id@"

#define ETH0 "/proc/sys/net/ipv4/conf/eth0"
#define HAS_LAN "/bin/busybox test -e " ETH0
#define HAS_NO_LAN "/bin/busybox test ! -e " ETH0

#define PODMAN                                                                             \
	"@dir@/bin/podman --root @dir@/podman/root --runroot @dir@/podman/runroot "        \
	"--tmpdir @dir@/podman/tmp --storage-driver vfs --hooks-dir @dir@/podman/hooks.d " \
	"--runtime @dir@/bin/crun run --rm --cgroup-parent /@cgroup@ "

#define PODMAN_ENV ENV " CONTAINERS_CONF=@dir@/containers.conf TMPDIR=@dir@"

#define DOCKER "@dir@/bin/docker --host unix://@dir@/docker.sock run --rm "

#define DOCKER_ENV ENV " DOCKER_CONFIG=@dir@/docker.config"

#define IMAGE " localhost/busybox "

static const struct contestant contestants[] = {
	{ .name = "run-none", .attach = RUNTIME("none"), .makes_nothing = true },
	{ .name = "run-empty", .attach = RUNTIME("empty"), .makes_nothing = true },
	/* Runtimes differ in when they run poststop hooks, and a bundle asks for none. */
	{ .name = "run-ours",
		.attach = RUNTIME("ours"),
		.detach = "@build@/oci-macvlan-hook --etc @dir@/etc --run @dir@/run poststop",
		.detach_input = "{\"ociVersion\":\"1.0.2\",\"id\":\"@id@\",\"status\":\"stopped\","
				"\"pid\":0,\"bundle\":\"@dir@/bundles/ours\","
				"\"annotations\":{\"io.oci-macvlan.networks\":\"bench\"}}",
		.makes_nothing = true },
	{ .name = "podman-none",
		.attach = PODMAN "--network none" IMAGE HAS_NO_LAN,
		.attach_env = PODMAN_ENV,
		.makes_nothing = true },
	{ .name = "podman-macvlan",
		.attach = PODMAN "--network bench" IMAGE HAS_LAN,
		.attach_env = PODMAN_ENV,
		.makes_nothing = true },
	{ .name = "podman-ours",
		.attach = PODMAN
		"--network none --annotation io.oci-macvlan.networks=bench" IMAGE HAS_LAN,
		.attach_env = PODMAN_ENV,
		.makes_nothing = true },
	{ .name = "docker-none",
		.attach = DOCKER "--network none" IMAGE HAS_NO_LAN,
		.attach_env = DOCKER_ENV,
		.makes_nothing = true },
	{ .name = "docker-macvlan",
		.attach = DOCKER "--network bench" IMAGE HAS_LAN,
		.attach_env = DOCKER_ENV,
		.makes_nothing = true },
};

/**
 * contestant_find_engine() - look up a contestant that is a whole container
 * @name: its name
 *
 * Return: the contestant, or NULL where there is none.
 */
const struct contestant *contestant_find_engine(const char *name)
{
	for (unsigned i = 0; i < sizeof(contestants) / sizeof(contestants[0]); i++)
		if (!strcmp(contestants[i].name, name))
			return &contestants[i];
	return NULL;
}
