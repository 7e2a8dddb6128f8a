/* SPDX-License-Identifier: MIT */
#ifndef HOOK_RA_H
#define HOOK_RA_H

#include <stdbool.h>
#include <stdint.h>

#include "hook/machine.h"

struct error;
struct nl;
struct record_endpoint;

/* How a link gets its IPv6 addresses from routers. */
struct ra {
	bool is_wanted;
	bool detect_duplicates;
	bool takes_default; /* the default route, too */
	bool is_deaf;	    /* until ra_hear(): no addresses of what routers say */
	uint8_t token[MACHINE_TOKEN_SIZE];
};

/* What has come of it so far. */
enum ra_state {
	RA_NONE,      /* no router has said anything */
	RA_UNDER_WAY, /* duplicates are looked for */
	RA_FAILED,    /* there is one */
	RA_SILENT,    /* no router has answered in time: the endpoint's own link looks for them */
	RA_DONE,
};

int ra_prepare(
	struct nl *nl, int ifindex, const char *interface, const struct ra *ra, struct error *err);
int ra_hear(int settings, const char *interface, bool hears, struct error *err);
int ra_start(struct nl *nl, int ifindex, const struct ra *ra, struct error *err);
int ra_look(struct nl *nl, int ifindex, const struct ra *ra, enum ra_state *ret,
	struct record_endpoint *ret_endpoint, struct error *err);
int ra_wait(struct nl *nl, int ifindex, const struct ra *ra, struct record_endpoint *endpoint,
	struct error *err);

#endif
