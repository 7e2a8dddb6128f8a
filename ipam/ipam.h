/* SPDX-License-Identifier: MIT */
#ifndef IPAM_IPAM_H
#define IPAM_IPAM_H

#include <stddef.h>

#include "ipam/claims.h"
#include "schema/ip.h"
#include "schema/network.h"

struct error;
struct ip_config;
struct record_endpoint;
struct selection;
struct store;

/* An address of another's that the host relies on. */
struct ipam_use {
	struct ip ip;
	const char *what; /* it is to the host: "the host's resolver", ... */
};

/* The addresses of one endpoint: asked for and got. */
struct ipam_request {
	const struct network *network;
	const struct selection *selection;
	const struct ip *host; /* the host's own addresses, which nobody gets */
	size_t n_host;
	const struct ipam_use *uses; /* what the host relies on */
	size_t n_uses;
	/* The addresses come from elsewhere, and are these; NULL: from the network's subnets. */
	const struct ip_config *given;
	const char *id; /* the container whose record holds the endpoint; its lock is held */
	const char *interface;
	const char *key; /* who gets the same address again */
};

struct ipam_result {
	unsigned n;
	struct cidr addresses[NETWORK_SUBNETS_MAX]; /* IPv4 before IPv6 */
	char holder[CLAIMS_OWNER_MAX + 1];	    /* on -EADDRINUSE: who has the address */
};

/* What else than addresses is one endpoint's alone on a parent. */
enum ipam_name {
	IPAM_CLIENT_ID, /* by which a DHCP server knows it */
	IPAM_HOSTNAME,
};

int ipam_check(const struct ipam_request *request, struct error *err);
int ipam_check_given(const struct ipam_request *request, struct error *err);
int ipam_claim_key(struct store *store, const struct ipam_request *request,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int ipam_claim_name(struct store *store, const struct ipam_request *request, enum ipam_name kind,
	const char *text, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err);
int ipam_release_name(struct store *store, const struct ipam_request *request, enum ipam_name kind,
	const char *text, const char *holder, struct error *err);
int ipam_allocate(struct store *store, const struct ipam_request *request, struct ipam_result *ret,
	struct error *err);
int ipam_release(struct store *store, const char *id, const struct record_endpoint *endpoint,
	struct error *err);
int ipam_list(struct store *store, const char *id, const struct record_endpoint *endpoint,
	claims_list_fn *found, void *arg, struct error *err);
int ipam_count(const struct store *store, const struct network *network, unsigned subnet,
	unsigned long *ret_used, ip_value *ret_total, struct error *err);

#endif
