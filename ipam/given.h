/* SPDX-License-Identifier: MIT */
#ifndef IPAM_GIVEN_H
#define IPAM_GIVEN_H

#include "ipam/claims.h"

struct error;
struct ip;
struct record_endpoint;
struct store;

/* An address that others have chosen for an endpoint. */
struct given {
	const char *id; /* the container whose record holds the endpoint; its lock is held */
	const struct record_endpoint *endpoint;
	const struct ip *ip;
};

int given_claim(struct store *store, const struct given *given,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int given_release(struct store *store, const struct given *given, struct error *err);

#endif
