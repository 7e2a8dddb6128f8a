/* SPDX-License-Identifier: MIT */
#ifndef IPAM_CANDIDATES_H
#define IPAM_CANDIDATES_H

#include <stdbool.h>

#include "ipam/ipam.h"
#include "ipam/pool.h"

/* For who has addresses of ipam_allocate() and looks whether somebody on the LAN has them, too. */
bool candidates_is_static(const struct ipam_request *request, const struct ip *ip);
unsigned candidates_peek(struct store *store, const struct ipam_request *request,
	sa_family_t family, struct ip ret[], unsigned max);
int candidates_take(struct store *store, const struct ipam_request *request, const struct ip *ip,
	struct error *err);
int candidates_next(struct store *store, const struct ipam_request *request, sa_family_t family,
	struct cidr *ret, struct error *err);
int candidates_drop(struct store *store, const struct ipam_request *request,
	const struct cidr *address, const uint8_t *holder, struct error *err);
int candidates_past(struct store *store, const struct ipam_request *request, const struct ip *ip,
	struct pool_past *ret, struct error *err);

#endif
