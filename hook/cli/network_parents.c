// SPDX-License-Identifier: MIT
/*
 * Which parents the network files name: a parent that none does is not needed any more, and one in
 * mode passthru is no other network's.
 */
#include "hook/cli/network_parents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/cli/networks.h"
#include "hook/parent.h"
#include "hook/vlan.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/network.h"

/* By the name that it has, or would be made under; else by what the file says. */
static void set_parent(struct network_parent *entry, const struct network *network, struct nl *nl)
{
	struct parent parent;
	bool found = parent_find(nl, network, &parent, NULL) == 0;

	snprintf(entry->parent, sizeof(entry->parent), "%s", found ? parent.name : network->parent);
	entry->is_passthru = network->mode == NETWORK_PASSTHRU;
}

static void add_network(struct network_parents *parents, int dir, struct nl *nl, const char *name)
{
	cleanup(network_free) struct network *network = NULL;
	struct network_parent *entry = &parents->all[parents->n];

	if (name_check_network(name, NULL) < 0)
		return; /* no network's file */
	*entry = (struct network_parent){ 0 };
	snprintf(entry->network, sizeof(entry->network), "%s", name);
	if (network_load(dir, name, &network, NULL) == 0) {
		set_parent(entry, network, nl);
	} else {
		parents->is_incomplete = true;
		network_isolated_parent(name, entry->parent);
	}
	parents->n++;
}

/**
 * network_parents_load() - read from all network files what their parents are
 * @dir: ETC/networks, from networks_open()
 * @nl:  a socket in the host's namespace
 * @ret: the networks; free with network_parents_free()
 * @err: filled on failure
 *
 * Return: 0, -ENOMEM, or what networks_list() returns.
 */
int network_parents_load(int dir, struct nl *nl, struct network_parents *ret, struct error *err)
{
	struct networks networks cleanup(networks_free) = { 0 };
	struct network_parents parents = { 0 };
	int r = networks_list(dir, &networks, err);

	if (r < 0)
		return r;
	parents.all = calloc(networks.n + 1, sizeof(*parents.all));
	if (!parents.all)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < networks.n; i++)
		add_network(&parents, dir, nl, networks.names[i]);
	*ret = parents;
	return 0;
}

/**
 * network_parents_free() - free a list of networks and parents; a destructor for cleanup()
 * @parents: the list; empty afterwards
 */
void network_parents_free(struct network_parents *parents)
{
	free(parents->all);
	*parents = (struct network_parents){ 0 };
}

/**
 * network_parents_name() - does a network use a parent, or a VLAN on it; a parent_named_fn
 * @parents: a struct network_parents
 * @name:    the parent's name
 *
 * Return: true when one does, or may do.
 */
bool network_parents_name(void *parents, const char *name)
{
	const struct network_parents *all = parents;

	/* What cannot be read may name any VLAN, but its isolated parent is known. */
	if (all->is_incomplete &&
		strncmp(name, NETWORK_PARENT_PREFIX, strlen(NETWORK_PARENT_PREFIX)) != 0)
		return true;
	for (size_t i = 0; i < all->n; i++)
		if (vlan_is_on(all->all[i].parent, name))
			return true;
	return false;
}

/**
 * network_parents_check_mode() - fail if a new network and another exclude each other
 * @parents: the networks that there are
 * @network: the new one
 * @parent:  the name of its parent
 * @err:     filled on failure, with the other's name
 *
 * Return: 0; -EBUSY: they have one parent, and one of them is in mode passthru.
 */
int network_parents_check_mode(const struct network_parents *parents, const struct network *network,
	const char *parent, struct error *err)
{
	for (size_t i = 0; i < parents->n; i++) {
		const struct network_parent *other = &parents->all[i];

		if (strcmp(other->parent, parent) != 0 || !strcmp(other->network, network->name))
			continue;
		if (other->is_passthru)
			return error_set(err, -EBUSY,
				"parent '%s' belongs to network '%s' alone: it is in mode passthru; "
				"use another parent",
				parent, other->network);
		if (network->mode == NETWORK_PASSTHRU)
			return error_set(err, -EBUSY,
				"mode passthru wants parent '%s' for itself, but network '%s' is on "
				"it: use another parent, or another mode",
				parent, other->network);
	}
	return 0;
}
