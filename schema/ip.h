/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_IP_H
#define SCHEMA_IP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct error;

#define IP_TEXT 46
#define CIDR_TEXT 50
#define MAC_TEXT 18
#define MAC_SIZE 6

__extension__ typedef unsigned __int128 ip_value;

/* An address in network byte order: IPv4 in the first four bytes, the others zero. */
struct ip {
	sa_family_t family; /* AF_INET or AF_INET6; 0: none */
	uint8_t bytes[16];
};

/* An address with its prefix length, or a subnet where the host part is zero. */
struct cidr {
	struct ip ip;
	uint8_t len;
};

unsigned ip_bits(sa_family_t family);
int ip_parse(const char *text, struct ip *ret, struct error *err);
const char *ip_format(const struct ip *ip, char ret[IP_TEXT]);
bool ip_equal(const struct ip *a, const struct ip *b);
ip_value ip_to_value(const struct ip *ip);
struct ip ip_from_value(sa_family_t family, ip_value value);
bool ip_is_assignable(const struct ip *ip);
bool ip_is_link_local(const struct ip *ip);

int cidr_parse(const char *text, struct cidr *ret, struct error *err);
int cidr_parse_subnet(const char *text, struct cidr *ret, struct error *err);
const char *cidr_format(const struct cidr *cidr, char ret[CIDR_TEXT]);
struct cidr cidr_subnet(const struct cidr *cidr);
struct ip cidr_first(const struct cidr *subnet);
struct ip cidr_last(const struct cidr *subnet);
bool cidr_contains(const struct cidr *subnet, const struct ip *ip);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
bool cidr_reserves(const struct cidr *subnet, const struct ip *ip);

int mac_parse(const char *text, uint8_t ret[MAC_SIZE], struct error *err);
const char *mac_format(const uint8_t mac[MAC_SIZE], char ret[MAC_TEXT]);

#endif
