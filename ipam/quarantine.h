/* SPDX-License-Identifier: MIT */
#ifndef IPAM_QUARANTINE_H
#define IPAM_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipam/claims.h"
#include "schema/ip.h"

struct store;

/* An address that somebody on the LAN has. */
struct quarantine {
	uint8_t mac[MAC_SIZE]; /* whose it is; zero: not known */
	uint64_t seconds;      /* until it may be handed out again; 0: from now on */
};

bool quarantine_parse(const char *owner, struct quarantine *ret);
void quarantine_put(int pool, const struct ip *ip, const uint8_t mac[MAC_SIZE]);
bool quarantine_lift(const struct store *store, int pool, const struct ip *ip);
bool quarantine_expire(const struct store *store, int pool);

#endif
