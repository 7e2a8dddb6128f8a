/* SPDX-License-Identifier: MIT */
#ifndef HOOK_RTNL_H
#define HOOK_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/ip.h"
#include "schema/name.h"
#include "schema/network.h"

struct error;
struct nl;

/* Of routes that are ours: in no list of rt_protos, so that routing daemons leave them alone. */
#define RTNL_PROTOCOL 77
/* Half an IPv6 address. */
#define RTNL_TOKEN_SIZE 8
/* The namespace of the socket itself, where a function takes a namespace id. */
#define RTNL_HERE (-1)
/* As much of a link's alias as we look at. */
#define RTNL_ALIAS_SIZE 64

struct rtnl_link {
	int ifindex;
	char name[INTERFACE_NAME_MAX + 1];
	unsigned type;	/* ARPHRD_* */
	unsigned flags; /* IFF_* */
	unsigned mtu;
	uint8_t mac[MAC_SIZE];
	int lower;		 /* the parent's index where the kind has one, else 0 */
	bool is_lower_elsewhere; /* in another namespace */
	int master;	  /* the index of the bridge, bond, ... that it is a port of, else 0 */
	char kind[16];	  /* "macvlan", "veth", ...; "" for a NIC */
	unsigned vlan_id; /* of a "vlan" */
	char alias[RTNL_ALIAS_SIZE]; /* IFLA_IFALIAS, cut; "": none */
};

/* A macvlan to create. */
struct rtnl_macvlan {
	int ifindex; /* 0: the kernel's choice */
	int parent;  /* its index in the socket's namespace */
	int netns;   /* a descriptor of the namespace it is born in; -1: the socket's */
	const char *name;
	const uint8_t *mac; /* NULL: the kernel's choice */
	enum network_mode mode;
	unsigned mtu;				/* 0: the parent's */
	const uint8_t (*source_macs)[MAC_SIZE]; /* NETWORK_SOURCE: the allow list */
	unsigned n_source_macs;
};

/* A parent that sits on nothing, to create. */
struct rtnl_parent {
	const char *kind;
	const char *name;
	const uint8_t *mac;
	unsigned mtu;
};

struct rtnl_route {
	struct cidr dst;
	struct ip gateway; /* family 0: on the link */
	struct ip source;  /* the address that we have for it; family 0: the kernel's choice */
	bool onlink;	   /* the gateway is on the link though no address says so */
	int ifindex;
	uint32_t metric; /* 0: the kernel's choice */
};

int rtnl_link_get(
	struct nl *nl, int nsid, const char *name, struct rtnl_link *ret, struct error *err);
int rtnl_link_get_index(
	struct nl *nl, int nsid, int ifindex, struct rtnl_link *ret, struct error *err);
int rtnl_link_is_up(const struct nl *nl, const char *name, bool *ret, struct error *err);
int rtnl_link_add_macvlan(struct nl *nl, const struct rtnl_macvlan *macvlan, struct error *err);
int rtnl_link_set_up(struct nl *nl, int ifindex, struct error *err);
int rtnl_link_set_arp_notify(struct nl *nl, int ifindex, struct error *err);
int rtnl_link_set_token(
	struct nl *nl, int ifindex, const uint8_t token[RTNL_TOKEN_SIZE], struct error *err);
int rtnl_link_set_alias(struct nl *nl, int ifindex, const char *alias, struct error *err);
int rtnl_link_set_promote_secondaries(struct nl *nl, int ifindex, struct error *err);
int rtnl_link_set_arp_filter(struct nl *nl, int ifindex, struct error *err);
int rtnl_link_set_addr_gen_none(struct nl *nl, int ifindex, struct error *err);
int rtnl_link_set_name(struct nl *nl, int ifindex, const char *name, struct error *err);
int rtnl_link_del(struct nl *nl, int nsid, int ifindex, struct error *err);

/* An address of a link. */
struct rtnl_addr {
	struct cidr cidr;
	uint32_t flags; /* IFA_F_* */
	uint8_t scope;	/* RT_SCOPE_* */
};

int rtnl_addr_add(struct nl *nl, int ifindex, const struct cidr *address, bool detect_duplicates,
	struct error *err);
int rtnl_addr_set_lifetime(struct nl *nl, int ifindex, const struct cidr *address, uint32_t seconds,
	struct error *err);
int rtnl_addr_del(struct nl *nl, int ifindex, const struct cidr *address, struct error *err);
/* One address of a link. Returns 0 or -errno (to fail). */
typedef int rtnl_link_addr_fn(void *arg, const struct rtnl_addr *addr);
int rtnl_addr_list_link(struct nl *nl, int ifindex, sa_family_t family, rtnl_link_addr_fn *found,
	void *arg, struct error *err);
/* One address of the namespace. Returns 0 or -errno (to fail). */
typedef int rtnl_addr_fn(void *arg, const struct ip *ip);
int rtnl_addr_list(struct nl *nl, rtnl_addr_fn *found, void *arg, struct error *err);

int rtnl_route_add(struct nl *nl, const struct rtnl_route *route, struct error *err);
int rtnl_route_get_default(
	struct nl *nl, sa_family_t family, struct rtnl_route *ret, struct error *err);
int rtnl_route_add_first(struct nl *nl, struct rtnl_route *route, struct error *err);
int rtnl_route_del_others(struct nl *nl, const struct rtnl_route *route, struct error *err);
int rtnl_route_del(struct nl *nl, const struct rtnl_route *route, struct error *err);
int rtnl_route_list_ours(struct nl *nl, sa_family_t family, int ifindex, rtnl_addr_fn *found,
	void *arg, struct error *err);

/* One route of the namespace, by way of one next hop at most. Returns 0 or -errno (to fail). */
typedef int rtnl_route_fn(void *arg, const struct rtnl_route *route);
int rtnl_route_list(
	struct nl *nl, sa_family_t family, rtnl_route_fn *found, void *arg, struct error *err);

int rtnl_nexthop_list(struct nl *nl, rtnl_route_fn *found, void *arg, struct error *err);

int rtnl_neigh_add(struct nl *nl, int ifindex, const struct ip *ip, const uint8_t mac[MAC_SIZE],
	struct error *err);
int rtnl_neigh_del(struct nl *nl, int ifindex, const struct ip *ip, struct error *err);
int rtnl_neigh_list_permanent(struct nl *nl, sa_family_t family, int ifindex, rtnl_addr_fn *found,
	void *arg, struct error *err);

int rtnl_neigh_set_retrans(struct nl *nl, int ifindex, unsigned ms, struct error *err);

/* One link of the namespace. Returns 0 or -errno (to fail). */
typedef int rtnl_link_fn(void *arg, const struct rtnl_link *link);
int rtnl_link_list(struct nl *nl, rtnl_link_fn *found, void *arg, struct error *err);
int rtnl_link_list_nsid(struct nl *nl, int nsid, rtnl_link_fn *found, void *arg, struct error *err);
int rtnl_link_add_vlan(struct nl *nl, const char *name, int lower, unsigned id, struct error *err);
int rtnl_link_add_parent(struct nl *nl, const struct rtnl_parent *parent, struct error *err);
int rtnl_link_set_mark(struct nl *nl, int ifindex, const char *alias, struct error *err);
int rtnl_link_set_name_up(struct nl *nl, int ifindex, const char *name, struct error *err);
int rtnl_link_set_mtu(struct nl *nl, int ifindex, unsigned mtu, struct error *err);
int rtnl_link_has_users(struct nl *nl, int ifindex, bool *ret, struct error *err);
int rtnl_vlan_is_known(struct nl *nl, bool *ret, struct error *err);

int rtnl_nsid_add(struct nl *nl, int netns, uint64_t cookie, int *ret_nsid, bool *ret_shared,
	struct error *err);
int rtnl_nsid_exists(struct nl *nl, int nsid, bool *ret, struct error *err);
int rtnl_nsid_get_pid(struct nl *nl, pid_t pid, int *ret, struct error *err);

#endif
