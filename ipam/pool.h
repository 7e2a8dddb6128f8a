/* SPDX-License-Identifier: MIT */
#ifndef IPAM_POOL_H
#define IPAM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	bool is_other;	     /* not the same address again: it turned out to be somebody else's */
};

/* What is known of the last use of an address that has ended. */
struct pool_past {
	bool is_known;
	bool is_same;	       /* it was by the same key in the same network */
	uint64_t ms;	       /* how long ago it ended */
	uint8_t mac[MAC_SIZE]; /* whose it was */
};

int pool_allocate(int pool, struct hints *hints, const struct pool_request *request, struct ip *ret,
	struct error *err);
int pool_take(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int pool_take_next(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int pool_release(int pool, struct hints *hints, const struct cidr *address, const char *owner,
	struct error *err);
int pool_list_owner(
	int pool, const char *owner, claims_list_fn *found, void *arg, struct error *err);
unsigned pool_peek(int pool, struct hints *hints, const struct pool_request *request,
	struct ip ret[], unsigned max);
void pool_note_past(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, const uint8_t mac[MAC_SIZE]);
void pool_recall_past(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, struct pool_past *ret);
int pool_count(int pool, const struct cidr *subnet, unsigned long *ret, struct error *err);

#endif
