// SPDX-License-Identifier: MIT
/*
 * A set of addresses, filled from the kernel's lists, however long they are, and asked afterwards.
 */
#include "hook/ip_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROW 64

/**
 * ip_set_add() - put an address into a set; an rtnl_addr_fn
 * @set: the struct ip_set
 * @ip:  the address; it may be there already
 *
 * Return: 0, -ENOMEM.
 */
int ip_set_add(void *set, const struct ip *ip)
{
	struct ip_set *to = set;

	if (to->n == to->room) {
		size_t room = to->room ? 2 * to->room : GROW;
		struct ip *ips = reallocarray(to->ips, room, sizeof(*ips));

		if (!ips)
			return -ENOMEM;
		to->ips = ips;
		to->room = room;
	}
	to->ips[to->n++] = *ip;
	to->is_sorted = false;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct ip *one = a;
	const struct ip *other = b;

	if (one->family != other->family)
		return one->family < other->family ? -1 : 1;
	return memcmp(one->bytes, other->bytes, sizeof(one->bytes));
}

/**
 * ip_set_has() - is an address in a set
 * @set: the set
 * @ip:  the address
 *
 * Return: true when it is.
 */
bool ip_set_has(struct ip_set *set, const struct ip *ip)
{
	if (set->n == 0)
		return false;
	if (!set->is_sorted)
		qsort(set->ips, set->n, sizeof(*ip), compare);
	set->is_sorted = true;
	return bsearch(ip, set->ips, set->n, sizeof(*ip), compare) != NULL;
}

/**
 * ip_set_free() - forget all; a destructor for cleanup()
 * @set: empty afterwards
 */
void ip_set_free(struct ip_set *set)
{
	free(set->ips);
	*set = (struct ip_set){ 0 };
}
