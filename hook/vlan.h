/* SPDX-License-Identifier: MIT */
#ifndef HOOK_VLAN_H
#define HOOK_VLAN_H

#include <stdbool.h>

#include "schema/name.h"

#define VLAN_ID_MAX 4094

/* What the name of an 802.1Q sub-interface says: "eth0.10" is VLAN 10 of eth0. */
struct vlan {
	char lower[PARENT_NAME_MAX + 1]; /* "eth0"; may be a VLAN itself */
	unsigned id;			 /* from 1 to VLAN_ID_MAX */
};

bool vlan_parse(const char *name, struct vlan *ret);
bool vlan_is_on(const char *name, const char *lower);

#endif
