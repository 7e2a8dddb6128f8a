/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_RECORD_H
#define SCHEMA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/ip.h"
#include "schema/name.h"
#include "schema/network.h"

struct error;
struct json;
struct json_doc;

/* Most of a large one are configurations of CNI IPAM plugins. */
#define RECORD_FILE_MAX (1024 * 1024)
#define RECORD_MEMBERS_MAX 128
#define RECORD_ENDPOINTS_MAX 32

/* A container that uses the endpoints: dead when its init is. */
struct record_member {
	char id[CONTAINER_ID_MAX + 1];
	pid_t pid;
	uint64_t start; /* of init, in clock ticks since boot (proc(5), stat field 22) */
};

/* The longest DHCP option 61 behind the byte of its type. */
#define RECORD_CLIENT_ID_MAX 254

/* An endpoint that has its IPv4 address by DHCP: all that whoever starts its client again, or hears
 * of another lease, has to know.
 */
struct record_dhcp {
	char hostname[HOSTNAME_MAX + 1];	  /* "": none is said */
	char client_id[RECORD_CLIENT_ID_MAX + 1]; /* "": the MAC */
	unsigned probe_ms;  /* how long the client asks whether an address is in use */
	bool gives_default; /* the server's router is the default route */
	bool gives_dns;
	bool gives_mtu;
	struct ip gateway; /* asked for as default route in place of the server's; family 0: none */
	/* The network's own, as in its file; in a document that lives longer than the record. The
	 * last two are not known to version 0.1.0, and written only where the file has them.
	 */
	const struct json *routes;
	const struct json *subnets;	      /* what leases may be; NULL: anything */
	const struct json *service_addresses; /* NULL: none */
};

/* The CNI IPAM plugin that an endpoint has its addresses from, and what it is given: the same in
 * the end as in the beginning, whatever has become of the network's file. Its parts lie in
 * documents that live longer than the record.
 */
struct record_plugin {
	const char *program; /* its path; NULL: there is no plugin */
	const char *path;    /* CNI_PATH */
	const char *args;    /* CNI_ARGS */
	const struct json *config;
	const struct json *result; /* what it has answered; NULL: it is not known yet */
	bool has_refused;	   /* not in the file: its ADD failed, and so gave nothing */
};

/* One interface in the namespace. An intent until ifindex is known: then it has no MAC and no
 * addresses in the record, but may have a link and claims.
 */
struct record_endpoint {
	char network[NETWORK_NAME_MAX + 1];
	char interface[INTERFACE_NAME_MAX + 1];
	char parent[INTERFACE_NAME_MAX + 1]; /* also the name of its pool */
	int parent_ifindex;		     /* in the host's namespace */
	enum network_mode mode;
	bool host_access; /* the host reaches it, and it the host */
	bool is_dhcp;
	struct record_dhcp dhcp;
	int ifindex;			/* in the container's namespace; 0: an intent */
	char key[CONTAINER_ID_MAX + 1]; /* what the same address again, and a hashed MAC, go by */
	uint8_t mac[MAC_SIZE];
	unsigned n_addresses;
	struct record_plugin plugin;
	struct cidr addresses[NETWORK_SUBNETS_MAX];
};

/* RUN/containers/ID.json: all that detach needs. With joined set there is nothing but that: the
 * container is a member in the record of another, whose namespace it shares.
 */
struct record {
	char id[CONTAINER_ID_MAX + 1];
	char joined[CONTAINER_ID_MAX + 1]; /* the owner's id; "": this one is an owner */
	char name[CONTAINER_NAME_MAX + 1]; /* what ps and inspect show */
	uint64_t netns_cookie;		   /* SO_NETNS_COOKIE of the container's namespace */
	uint64_t host_cookie;		   /* and of the namespace that it was attached from */
	int nsid;			   /* of the container's namespace in the host's */
	bool nsid_shared;		   /* the id was there before us */
	unsigned n_members;
	unsigned n_endpoints;
	struct json_doc *doc; /* where it was read from, if parts of it lie there; freed with it */
	/* Last, and not cleared when a record is made: each entry is written whole as it is added.
	 */
	struct record_member members[RECORD_MEMBERS_MAX];
	struct record_endpoint endpoints[RECORD_ENDPOINTS_MAX];
};

int record_new(const char *id, struct record **ret, struct error *err);
void record_free(struct record **record);
int record_parse(const char *text, size_t size, struct record **ret, struct error *err);
int record_format(const struct record *record, char **ret, size_t *ret_size, struct error *err);
int record_load(int dir, const char *id, struct record **ret, struct error *err);
bool record_is_torn(int dir, const char *id);
int record_save(int dir, const struct record *record, struct error *err);
int record_remove(int dir, const char *id, struct error *err);
const struct record_member *record_member_of(const struct record *record, const char *id);
int record_add_member(struct record *record, const struct record_member *member, struct error *err);
struct record_endpoint *record_add_endpoint(struct record *record);
int record_set_plugin(
	struct record_endpoint *endpoint, const struct json_doc *doc, struct error *err);
bool record_has_family(const struct record_endpoint *endpoint, sa_family_t family);
unsigned record_first_intent(const struct record *record);
void record_drop_member(struct record *record, const char *id);

#endif
