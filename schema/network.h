/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_NETWORK_H
#define SCHEMA_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct json;
struct json_doc;

#define NETWORK_FILE_MAX (256 * 1024)
#define NETWORK_SUBNETS_MAX 16
#define NETWORK_AUX_MAX 256
#define NETWORK_ROUTES_MAX 64
#define NETWORK_SOURCE_MACS_MAX 64
#define NETWORK_SERVICE_MAX 64
#define NETWORK_MTU_MIN 68
#define NETWORK_MTU_MAX 65535
/* What the names of the host's interfaces begin with that are ours alone. */
#define NETWORK_PARENT_PREFIX "omv-"

enum network_mode {
	NETWORK_BRIDGE,
	NETWORK_PRIVATE,
	NETWORK_VEPA,
	NETWORK_PASSTHRU,
	NETWORK_SOURCE,
};

/* Who gives the addresses. */
enum network_ipam {
	NETWORK_IPAM_LOCAL,
	NETWORK_IPAM_NONE,
	NETWORK_IPAM_DHCP,   /* IPv4 by the LAN's DHCP server */
	NETWORK_IPAM_PLUGIN, /* a CNI IPAM plugin */
};

/* ipam.config of driver dhcp. In the texts "{name}" stands for the container's name. */
struct network_dhcp {
	unsigned timeout_ms;   /* how long a container waits for its first lease */
	bool required;	       /* without a lease it does not start */
	const char *client_id; /* option 61; NULL: the MAC */
	const char *hostname;  /* option 12; NULL: the container's */
};

/* A CNI IPAM plugin. */
struct network_plugin {
	const char *name;	   /* of its program */
	const struct json *config; /* an object, for the plugin to understand; NULL: none */
	const struct json *path;   /* an array of folders to look for it in; NULL: the usual ones */
};

/* How containers get IPv6 addresses. */
enum network_ipv6 {
	NETWORK_IPV6_NONE,
	NETWORK_IPV6_STATIC, /* from the subnets */
	NETWORK_IPV6_RA,     /* by router advertisements */
};

enum network_dns_mode {
	NETWORK_DNS_HOST, /* the host's resolvers */
	NETWORK_DNS_NONE,
	NETWORK_DNS_STATIC,
	NETWORK_DNS_GIVEN, /* what the DHCP server or the plugin says, else the host's resolvers */
};

/* What containers resolve names with. The lists are of mode static. */
struct network_dns {
	enum network_dns_mode mode;
	const struct json *servers; /* an array of strings, each an address; NULL: none */
	const struct json *search;  /* an array of words; NULL: none */
	const struct json *options; /* the same */
};

struct network_subnet {
	struct cidr subnet;
	struct ip gateway; /* family 0: none */
	bool onlink;	   /* the gateway may lie outside the subnet */
	struct cidr range; /* where automatic addresses come from; the subnet where none is given */
	bool has_range;
};

/* An address that is never given to a container automatically or on request. */
struct network_aux {
	const char *name;
	struct ip ip;
	unsigned subnet; /* index in subnets */
};

struct network_route {
	struct cidr dst;
	struct ip gateway; /* family 0: on the link */
};

/* A network definition. Strings live as long as the network. */
struct network {
	struct json_doc *doc;
	const char *name;
	const char *parent; /* isolated_parent where the file has none */
	bool is_isolated;   /* the parent is the network's own, and leads nowhere */
	char isolated_parent[INTERFACE_NAME_MAX + 1];
	enum network_mode mode;
	enum network_ipam ipam;
	struct network_dhcp dhcp;     /* of driver dhcp */
	struct network_plugin plugin; /* of a plugin's driver */
	enum network_ipv6 ipv6;
	bool refuses_ipv6;		/* the file says none, whatever others give */
	unsigned conflict_detection_ms; /* how long new addresses are probed for; 0: not at all */
	bool host_access;
	struct network_dns dns;
	bool internal;
	unsigned mtu;		   /* bytes; 0: the parent's */
	const struct json *labels; /* an object of strings, or NULL */
	unsigned n_subnets;
	unsigned n_aux;
	unsigned n_routes;
	unsigned n_source_macs;
	unsigned n_service;
	/* Last, and not cleared when a network is read: each entry is written whole as it is added.
	 */
	struct network_subnet subnets[NETWORK_SUBNETS_MAX];
	uint8_t source_macs[NETWORK_SOURCE_MACS_MAX][MAC_SIZE];
	struct network_route routes[NETWORK_ROUTES_MAX];
	struct network_aux aux[NETWORK_AUX_MAX];
	struct ip service[NETWORK_SERVICE_MAX]; /* that may be asked for, whoever relies on them */
};

/* Has a network no addresses of its own, but gets them from elsewhere? */
static inline bool network_asks_elsewhere(const struct network *network)
{
	return network->ipam == NETWORK_IPAM_DHCP || network->ipam == NETWORK_IPAM_PLUGIN;
}

int network_parse(const char *text, size_t size, struct network **ret, struct error *err);
int network_list_routes(const struct json *value, struct network_route ret[NETWORK_ROUTES_MAX],
	unsigned *ret_n, struct error *err);
int network_list_subnets(const struct json *value, struct cidr ret[NETWORK_SUBNETS_MAX],
	unsigned *ret_n, struct error *err);
int network_list_service(const struct json *value, struct ip ret[NETWORK_SERVICE_MAX],
	unsigned *ret_n, struct error *err);
int network_open_folder(const char *etc, int *ret, struct error *err);
int network_load(int dir, const char *name, struct network **ret, struct error *err);
void network_free(struct network **network);

const char *network_mode_name(enum network_mode mode);
int network_mode_parse(const char *text, enum network_mode *ret, struct error *err);
const struct network_subnet *network_subnet_of(const struct network *network, const struct ip *ip);
const struct network_subnet *network_first_subnet(
	const struct network *network, sa_family_t family);
enum network_ipam network_ipam_parse(const char *driver);
const char *network_ipam_name(const struct network *network);
bool network_has_service(const struct network *network, const struct ip *ip);
bool network_has_family(const struct network *network, sa_family_t family);
const char *network_isolated_parent(const char *name, char ret[INTERFACE_NAME_MAX + 1]);

#endif
