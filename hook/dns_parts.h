/* SPDX-License-Identifier: MIT */
#ifndef HOOK_DNS_PARTS_H
#define HOOK_DNS_PARTS_H

/* What dns.c, dns_target.c and dns_made.c share. */

#include <stdbool.h>
#include <stdint.h>

struct error;
struct netns;
struct store;

#define DNS_FOLDER_NAME "etc"
#define DNS_FILE_NAME "resolv.conf"
/* RUN/dns/ID.conf is what is mounted, RUN/dns/ID.made where we made a file to mount it on. */
#define DNS_CONF_SUFFIX ".conf"
#define DNS_MADE_SUFFIX ".made"
#define DNS_NAME_MAX 256

/* /etc/resolv.conf as the container's init sees it. */
struct dns_target {
	int mntns;	 /* the mount namespace */
	int root;	 /* the root file system, in it */
	int etc;	 /* -1: there is none */
	int file;	 /* -1: there is none */
	bool is_covered; /* a mount is there, of the engine or ours */
	bool is_empty;	 /* a regular file of no size */
};

#define DNS_TARGET_CLOSED ((struct dns_target){ .mntns = -1, .root = -1, .etc = -1, .file = -1 })

int dns_open_below(int dir, const char *path, uint64_t flags, uint64_t resolve);
int dns_target_open(
	const struct netns *netns, const char *root, struct dns_target *ret, struct error *err);
int dns_target_mount(const struct dns_target *target, int file, struct error *err);
void dns_target_close(struct dns_target *target);

/* The container that a file is made for. */
struct dns_maker {
	const struct store *store;
	int dir; /* RUN/dns */
	const char *id;
	const char *root; /* its root file system, for the host */
};

int dns_made_add(const struct dns_maker *maker, const struct dns_target *target, struct error *err);
int dns_made_remove(const struct store *store, const char *id, struct error *err);

#endif
