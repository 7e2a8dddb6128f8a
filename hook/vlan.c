// SPDX-License-Identifier: MIT
/*
 * The names of 802.1Q sub-interfaces, and of those on them (QinQ): eth0.10, eth0.10.20.
 */
#include "hook/vlan.h"

#include <string.h>

/* A number in decimal without zeros in front, so that a VLAN has one name; 0: it is none. */
static unsigned parse_id(const char *text)
{
	unsigned id = 0;

	if (*text == '0' || strlen(text) > 4)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		id = 10 * id + (unsigned)(*text - '0');
	}
	return id <= VLAN_ID_MAX ? id : 0;
}

/**
 * vlan_parse() - read the name of a VLAN
 * @name: the name, or alternative name, of an interface: at most PARENT_NAME_MAX characters
 * @ret:  what it says
 *
 * Return: true when it is LOWER.ID, with an id that a VLAN can have (IEEE 802.1Q, 9.6).
 */
bool vlan_parse(const char *name, struct vlan *ret)
{
	const char *dot = strrchr(name, '.');
	size_t length = dot ? (size_t)(dot - name) : 0;
	struct vlan vlan = { .id = dot ? parse_id(dot + 1) : 0 };

	if (length == 0 || length > PARENT_NAME_MAX || vlan.id == 0)
		return false;
	memcpy(vlan.lower, name, length);
	*ret = vlan;
	return true;
}

/**
 * vlan_is_on() - by its name, is an interface another, or a VLAN on it
 * @name:  the one, "eth0.10.20"
 * @lower: the other, "eth0.10"
 *
 * Return: true when it is.
 */
bool vlan_is_on(const char *name, const char *lower)
{
	size_t length = strlen(lower);

	return !strncmp(name, lower, length) && (name[length] == '\0' || name[length] == '.');
}
