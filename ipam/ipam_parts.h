/* SPDX-License-Identifier: MIT */
#ifndef IPAM_IPAM_PARTS_H
#define IPAM_IPAM_PARTS_H

#include <stdbool.h>

#include "ipam/ipam.h"
#include "ipam/pool.h"

struct store_pool;

/* names.c */
const char *ipam_owner(const char *id, const char *interface, char ret[CLAIMS_OWNER_MAX + 1]);
int ipam_release_names(struct store_pool *pool, const struct record_endpoint *endpoint,
	const char *owner, struct error *err);

/* One endpoint's allocation on its way: what ipam.c and candidates.c share. */
struct allocation {
	struct store *store;
	const struct ipam_request *request;
	struct store_pool *pool;
	char owner[CLAIMS_OWNER_MAX + 1];
	struct ip *reserved;
	size_t n_reserved;
	struct ipam_result result;
};

int ipam_begin(struct store *store, const struct ipam_request *request, struct allocation *ret,
	struct error *err);
void ipam_end(struct allocation *allocation);
struct pool_request ipam_pool_request(
	const struct allocation *allocation, const struct network_subnet *subnet);
bool ipam_subnet_of(
	const struct ipam_request *request, const struct ip *ip, struct network_subnet *ret);
int ipam_take_automatic(const struct allocation *allocation, sa_family_t family, bool is_other,
	struct cidr *ret, struct error *err);

#endif
