/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_H
#define HOOK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "hook/nl.h"
#include "ipam/store.h"
#include "schema/name.h"

struct error;
struct ip;

#define HOST_ETC_DEFAULT "/etc/oci-macvlan"
#define HOST_RUN_DEFAULT "/run/oci-macvlan"

/* How many ids' locks are held at a time: a pod member's own and its owner's; and, tried while
 * these are held, those of a dead container and its owner, when room is needed.
 */
#define HOST_LOCKS_MAX 4

/* Of which plugins what is not taken back is forgotten; the log says so. */
enum host_forgets {
	HOST_FORGETS_NONE,
	HOST_FORGETS_GONE,   /* that were uninstalled */
	HOST_FORGETS_FAILED, /* and those whose DEL fails */
};

/* Where we work: the two folders, and the network namespace that has the parents. */
struct host {
	const char *etc;
	const char *run;
	struct store store;
	struct nl nl;
	uint64_t cookie;     /* SO_NETNS_COOKIE of the host's namespace */
	bool is_plugin_hung; /* one did not end in time: no other is waited for */
	bool is_systemd_ill; /* it gave a client no unit: it is not asked again */
	enum host_forgets forgets;
	char locked[HOST_LOCKS_MAX][CONTAINER_ID_MAX + 1]; /* ids; "": a free slot */
};

#define HOST_CLOSED ((struct host){ .store = STORE_CLOSED, .nl = NL_CLOSED })

int host_open(const char *etc, const char *run, bool create, struct host *ret, struct error *err);
void host_close(struct host *host);
int host_open_networks(const struct host *host, int *ret, struct error *err);
int host_is_rootless(bool *ret, struct error *err);
int host_refuse_rootless(struct error *err);
int host_check_capable(struct error *err);
int host_has_ip(struct host *host, const struct ip *ip, bool *ret, struct error *err);

int host_lock(struct host *host, const char *id, struct error *err);
int host_trylock(struct host *host, const char *id, struct error *err);
void host_unlock(struct host *host, const char *id);

#endif
