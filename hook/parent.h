/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PARENT_H
#define HOOK_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/ip.h"
#include "schema/name.h"

struct error;
struct host;
struct network;
struct nl;
struct plan;
struct rtnl_link;

/* What an alias begins with that says a link is ours. */
#define PARENT_MARK "made by oci-macvlan"
/* Who holds this lock makes and removes parents. No container's id has a '/'. */
#define PARENT_LOCK "/parents"
/* What the kernel has for a link that leads nowhere, the best first. All drop what they are to
 * send; not each kernel has each.
 */
#define PARENT_ISOLATED_KINDS                  \
	{                                      \
		"dummy", "ifb", "bridge", NULL \
	}
/* The MTU of an isolated parent whose network says none. */
#define PARENT_ISOLATED_MTU 1500

/* The host's interface that a network's macvlans sit on. */
struct parent {
	char name[INTERFACE_NAME_MAX + 1]; /* its own, where the network says an alternative name */
	int ifindex;			   /* 0: there is none yet, parents_prepare() makes it */
	unsigned mtu;
	bool is_up;
	bool has_carrier;
	bool is_ours; /* made by us */
	uint8_t mac[MAC_SIZE];
};

/* parent.c: found, or found to be made */
int parent_find(
	struct nl *nl, const struct network *network, struct parent *ret, struct error *err);
bool parent_is_ours(const struct rtnl_link *link);
bool parent_is_isolated_kind(const char *kind);

/* parent_check.c: what the kernel would refuse, or accept to the user's surprise */
int parent_check(
	struct nl *nl, const struct rtnl_link *link, const char *suffix, struct error *err);
int parent_check_new(struct nl *nl, const struct network *network, const struct parent *parent,
	struct error *err);
int parent_refuse_ipvlan(struct nl *nl, const char *name, int ifindex, struct error *err);
int parent_refuse_vlan(struct nl *nl, const char *name, int lower, unsigned id, struct error *err);
int parent_check_vlan(struct nl *nl, const char *name, struct error *err);
int parent_refuse_no_vlans(const char *name, struct error *err);
bool parent_is_wireless(const char *classes, const char *name);

/* parent_make.c: made where it is missing */
const char *parent_temporary_name(const char *name, char ret[INTERFACE_NAME_MAX + 1]);
bool parent_is_temporary(const struct rtnl_link *link);
int parents_prepare(struct host *host, struct plan *plan, struct error *err);

/* parent_sweep.c: removed when nobody needs it any more */

/* Does a network use this parent, or a VLAN on it? */
typedef bool parent_named_fn(void *arg, const char *name);
int parents_sweep(struct host *host, parent_named_fn *named, void *arg, struct error *err);

#endif
