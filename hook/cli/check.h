/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_CHECK_H
#define HOOK_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hook/nl.h"
#include "hook/parent.h"
#include "hook/rtnl.h"
#include "schema/ip.h"

struct cli;
struct error;
struct host;
struct network;
struct platform;

/* How bad it is. Only what is broken makes the command fail. */
enum severity {
	CHECK_OK,
	CHECK_NOTE,    /* as it should be, but good to know */
	CHECK_WARNING, /* containers start, and something may surprise the user */
	CHECK_BROKEN,  /* containers do not start, or start without their network */
};

/* What is looked at, and what was found so far. */
struct check {
	struct cli *cli;
	int networks;	   /* ETC/networks, or -1 */
	struct nl nl;	   /* in the host's namespace */
	struct host *host; /* NULL: there is no RUN, or we may not look at it */
	struct ip *ips;	   /* the host's own addresses */
	size_t n_ips;
	const struct platform *platform; /* what the user was told of; NULL: nothing */
	enum severity worst;		 /* of what was found since it was cleared */
};

/* A network that could be read, on a parent that is there. */
struct check_network {
	const struct network *network;
	struct parent parent;
	struct rtnl_link link; /* the parent */
};

/* check.c */
void check_say(struct check *check, enum severity severity, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool check_is_host_ip(const struct check *check, const struct ip *ip);
ssize_t check_read_line(const char *path, char *ret, size_t size);
int check_load(const char *path, size_t max, char **ret, size_t *ret_size, struct error *err);

/* check_host.c: who we are, the kernel, the runtimes */
void check_rights(struct check *check);
void check_kernel(struct check *check);
bool check_lacks_module(const char *module);
void check_runtimes(struct check *check);

/* check_network.c: one network, its parent, its addresses */
void check_network(struct check *check, const char *name);

/* check_parent.c */
int check_parent_find(
	struct check *check, const struct network *network, struct check_network *ret);
void check_parent_link(struct check *check, const struct check_network *on);
void check_parent_bridge(struct check *check, const struct check_network *on);
void check_parent_platform(struct check *check, const struct check_network *on);

/* check_access.c */
void check_host_access(struct check *check, const struct check_network *on);

/* check_dns.c */
void check_dns(struct check *check, const struct check_network *on);

/* check_plugins.c */
void check_plugin_program(struct check *check, const struct check_network *on);
void check_plugins(struct check *check);

/* check_hooks.c: the files that make podman and CDI run the hook */
void check_hooks(struct check *check);

/* check_state.c: what is in RUN */
void check_quarantines(struct check *check);
void check_endpoints(struct check *check);
void check_doubts(struct check *check);
void check_errors(struct check *check);

#endif
