/* SPDX-License-Identifier: MIT */
#ifndef IPAM_POOL_H
#define IPAM_POOL_H

#include <stddef.h>

#include "ipam/claims.h"
#include "schema/ip.h"

struct error;
struct hints;

/* What is wanted of a pool. */
struct pool_request {
	struct cidr subnet;	   /* names the hint file */
	struct cidr range;	   /* inside the subnet: where the address comes from */
	const struct ip *reserved; /* never handed out; other families are passed over */
	size_t n_reserved;
	const char *owner;   /* CONTAINER/INTERFACE; its id's lock is held */
	const char *key;     /* who gets the same address again */
	const char *network; /* in which network */
};

int pool_allocate(int pool, struct hints *hints, const struct pool_request *request, struct ip *ret,
	struct error *err);
int pool_take(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int pool_release(int pool, struct hints *hints, const struct cidr *address, const char *owner,
	struct error *err);
int pool_list_owner(
	int pool, const char *owner, claims_list_fn *found, void *arg, struct error *err);
int pool_count(int pool, const struct cidr *subnet, unsigned long *ret, struct error *err);

#endif
