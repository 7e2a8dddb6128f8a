/* SPDX-License-Identifier: MIT */
#ifndef HOOK_LAN_H
#define HOOK_LAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/ip.h"

struct error;

/* The largest frame that is of interest: what is behind it is not read. */
#define LAN_FRAME_MAX 256

/* An interface's view of its LAN: a packet socket that hears of ARP and neighbour discovery. */
struct lan {
	int fd;
	int ifindex;
	uint8_t mac[MAC_SIZE]; /* our own, which is never heard */
};

#define LAN_CLOSED ((struct lan){ .fd = -1 })

/* What another machine says of an address. */
struct lan_frame {
	bool is_probe; /* it is about to take it; else it has it */
	struct ip ip;
	uint8_t mac[MAC_SIZE];
};

int lan_open(int ifindex, const uint8_t mac[MAC_SIZE], struct lan *ret, struct error *err);
void lan_close(struct lan *lan);
int lan_probe(const struct lan *lan, const struct ip *ip, struct error *err);
int lan_announce(const struct lan *lan, const struct ip *ip, struct error *err);
bool lan_read(const struct lan *lan, struct lan_frame *ret);
bool lan_parse(
	const uint8_t *frame, size_t size, const uint8_t own[MAC_SIZE], struct lan_frame *ret);

#endif
