/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_LAB_H
#define TESTS_CRASH_LAB_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tests/crash/trace.h"
#include "tests/lab/box.h"

/*
 * A lab for containers without a runtime: a process in a network namespace is one, and the real
 * hook is called for it as a runtime would. The machine is tests/isolate.sh's, with two parents,
 * eth0 and eth1 (tests/crash/lab.sh).
 */

#define LAB_TEXT 65536
#define LAB_PATH 256
/* The network that names no parent. */
#define LAB_ISOLATED "isolated"
/* The network by plugin host-local, and what that has handed out (tests/isolate.sh's /run is
 * empty). */
#define LAB_PLUGIN "plugin"
#define LAB_ASKED "asked"
#define LAB_LEASES "/run/crash-leases"
/* Those whose IPv4 addresses come from a DHCP server; the second one waits for it only briefly, and
 * the third one in vain.
 */
#define LAB_LEASED "leased"
#define LAB_LEASED_SOON LAB_LEASED "-soon"
#define LAB_LEASED_NEVER LAB_LEASED "-never"

struct lab {
	char hook[PATH_MAX];
	char cli[PATH_MAX];
	char etc[LAB_PATH];
	char run[LAB_PATH];
	char bundle[LAB_PATH];
	char rootfs[LAB_PATH]; /* of all containers, and empty: what they need is made */
};

void lab_setup(struct lab *lab, const char *build);
void lab_write_networks(const struct lab *lab, bool host_access);
void lab_wipe_run(const struct lab *lab);
bool lab_has_network(const struct lab *lab, const char *name);
void lab_write(const char *dir, const char *name, const char *text);

void lab_hook(const struct lab *lab, const struct box *box, const char *stage, trace_fn *judge,
	void *arg, struct trace_result *ret);
void lab_cli(const struct lab *lab, const char *const arguments[], trace_fn *judge, void *arg,
	struct trace_result *ret);
void lab_settle(const struct lab *lab);
bool lab_succeeded(const struct trace_result *result);

void lab_list_state(const struct lab *lab, char ret[LAB_TEXT]);
void lab_list_netns(const struct box *box, char ret[LAB_TEXT]);
void lab_list_host(char ret[LAB_TEXT]);
void lab_wipe_host(void);
bool lab_is_reached(const char *address);
void lab_list_parents(char ret[LAB_TEXT]);
bool lab_claim_owner(const struct lab *lab, const char *address, char *ret, size_t size);

#endif
