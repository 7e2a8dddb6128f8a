/* SPDX-License-Identifier: MIT */
#ifndef IPAM_STORE_H
#define IPAM_STORE_H

#include <stdbool.h>

#include "ipam/hint.h"
#include "schema/name.h"

struct error;
struct index;

/* A pool that stays open until the store is closed. */
struct store_pool {
	char parent[INTERFACE_NAME_MAX + 1]; /* "": none is open here */
	int dir;
	struct hints hints;
	struct index *index; /* its claims by owner; NULL: nobody has asked often enough */
	unsigned looks;	     /* how often all its claims were looked at */
};

struct store_kept;

/* RUN, opened: its folders and its lock file. */
struct store {
	int dir;
	int containers;
	int pools;
	int netns;
	int lock;
	struct store_kept *kept; /* NULL: no pool has been kept open */
};

/* Folders that only some containers need something in. */
#define STORE_DNS "dns"
#define STORE_DHCP "dhcp"

#define STORE_CLOSED \
	((struct store){ .dir = -1, .containers = -1, .pools = -1, .netns = -1, .lock = -1 })

int store_open(const char *run, bool create, struct store *ret, struct error *err);
void store_close(struct store *store);
int store_open_folder(
	const struct store *store, const char *name, bool create, int *ret, struct error *err);
int store_open_pool(
	const struct store *store, const char *parent, bool create, int *ret, struct error *err);
int store_keep_pool(struct store *store, const char *parent, bool create, struct store_pool **ret,
	struct error *err);

int store_lock_id(const struct store *store, const char *id, struct error *err);
int store_trylock_id(const struct store *store, const char *id, struct error *err);
void store_unlock_id(const struct store *store, const char *id);

/* One id or name of a listing. Returns 0 to go on, 1 to stop, -errno (err set) to fail. */
typedef int store_list_fn(void *arg, const char *name, struct error *err);

bool store_is_record(const char *name, unsigned char type, char ret[CONTAINER_ID_MAX + 1]);
int store_list_records(
	const struct store *store, store_list_fn *found, void *arg, struct error *err);
int store_list_pools(const struct store *store, store_list_fn *found, void *arg, struct error *err);

#endif
