// SPDX-License-Identifier: MIT
/*
 * The shim: the host's own macvlan on a parent. macvlan keeps a parent's own traffic from its
 * macvlans, but two macvlans of mode bridge reach each other; so the host has one as well. What it
 * is for, and when it comes and goes, is in host_access.c.
 *
 * It has no IPv4 address: the host's routes through it have the parent's as their source. Its one
 * IPv6 address is a link-local one. Both that and its MAC are the same whenever it is made again,
 * for containers that live on know them.
 */
#include "hook/shim.h"

#include <fcntl.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/machine.h"
#include "hook/nl.h"
#include "hook/parent.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/text.h"

/* The mark of what is ours; the parent's name follows. */
#define ALIAS "oci-macvlan: the host on "
#define HEX_DIGITS 10

/**
 * shim_name() - what the shim of a parent is called
 * @parent: the parent's own name
 * @ret:    the name, a hash: a parent's name may be as long as a name can be
 *
 * Return: @ret.
 */
const char *shim_name(const char *parent, char ret[INTERFACE_NAME_MAX + 1])
{
	char hex[HASH_HEX];

	hash_strings_hex((const char *const[]){ "host access", parent, NULL }, hex);
	hex[HEX_DIGITS] = '\0';
	return text_join(ret, INTERFACE_NAME_MAX + 1, SHIM_PREFIX, hex);
}

/**
 * shim_is_name() - can this be the name of a shim
 * @name: the name
 *
 * Return: true when it can.
 */
bool shim_is_name(const char *name)
{
	const size_t prefix = strlen(SHIM_PREFIX);

	return !strncmp(name, SHIM_PREFIX, prefix) && strlen(name) == prefix + HEX_DIGITS &&
	       strspn(name + prefix, "0123456789abcdef") == HEX_DIGITS;
}

/**
 * shim_link_local() - the address that containers reach the host by
 * @shim: the shim
 *
 * Return: fe80:: with the MAC in it (RFC 4291, appendix A).
 */
struct ip shim_link_local(const struct rtnl_link *shim)
{
	const uint8_t *mac = shim->mac;

	return (struct ip){ .family = AF_INET6,
		.bytes = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4],
			mac[5] } };
}

/* The mark comes after the creation: a shim without one was left half-made. */
static bool is_ours(const struct rtnl_link *link)
{
	return !strcmp(link->kind, "macvlan") &&
	       (!*link->alias || !strncmp(link->alias, ALIAS, strlen(ALIAS)));
}

/**
 * shim_find() - look for a shim
 * @nl:   a socket in the host's namespace
 * @name: its name
 * @ret:  the link
 * @err:  filled on failure
 *
 * Return: 0; -ENODEV: there is none; -EEXIST: what has this name is not ours; what RTM_GETLINK
 * gave.
 */
int shim_find(struct nl *nl, const char *name, struct rtnl_link *ret, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = rtnl_link_get(nl, RTNL_HERE, name, &link, err);

	if (r < 0)
		return r;
	if (!is_ours(&link))
		return error_set(err, -EEXIST,
			"interface '%s' is not ours, but has the name of one: rename it, or 'ip "
			"link del %s'",
			name, name);
	*ret = link;
	return 0;
}

/**
 * shim_delete() - delete a shim, and with it all routes and neighbours through it
 * @nl:   a socket in the host's namespace
 * @name: its name
 * @err:  filled on failure
 *
 * Return: 0, also when there is none, or only one that is not ours; what RTM_DELLINK gave.
 */
int shim_delete(struct nl *nl, const char *name, struct error *err)
{
	struct rtnl_link link = { 0 };
	int r = shim_find(nl, name, &link, err);

	if (r == 0)
		r = rtnl_link_del(nl, RTNL_HERE, link.ifindex, err);
	if (r == -ENODEV || r == -EEXIST)
		return 0;
	return r < 0 ? error_prefix(err, "cannot delete interface '%s'", name) : 0;
}

/* Another hook, with a RUN of its own, may make it at the same time. */
static int create(struct nl *nl, const struct parent *parent, const char *name, struct error *err)
{
	uint8_t mac[MAC_SIZE];
	char text[MAC_TEXT];
	const struct rtnl_macvlan macvlan = {
		.parent = parent->ifindex,
		.netns = -1,
		.name = name,
		.mac = mac,
		.mode = NETWORK_BRIDGE,
	};
	int r;

	mac_format(parent->mac, text);
	machine_mac(parent->name, "host access", text, parent->mac, mac);
	r = rtnl_link_add_macvlan(nl, &macvlan, err);
	if (r == -EINVAL)
		return error_set(err, r,
			"a macvlan in mode passthru has the parent for itself, so the host cannot "
			"have one on it");
	return r == -EEXIST ? 0 : r;
}

static int write_setting(
	int settings6, const char *name, const char *setting, const char *value, struct error *err)
{
	char path[64];
	autoclose int fd = openat(
		settings6, text_join(path, sizeof(path), name, "/", setting), O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_set_errno(
			err, "cannot set net.ipv6.conf.%s.%s to %s", name, setting, value);
	return 0;
}

static int add_link_local(
	struct nl *nl, int settings6, const struct rtnl_link *shim, struct error *err)
{
	const struct cidr address = { shim_link_local(shim), 64 };
	int r = rtnl_addr_add(nl, shim->ifindex, &address, false, err);

	/* The default of this host is no IPv6, but the parent may have it all the same. */
	if (r == -EACCES) {
		r = write_setting(settings6, shim->name, "disable_ipv6", "0", err);
		if (r == 0)
			r = rtnl_addr_add(nl, shim->ifindex, &address, false, err);
	}
	return r == -EEXIST ? 0 : r;
}

static int write_settings(struct nl *nl, int settings6, const struct rtnl_link *shim,
	const char *parent, struct error *err)
{
	char alias[RTNL_ALIAS_SIZE];
	/* The LAN asks for the parent's address. Only the parent shall answer. */
	int r = rtnl_link_set_arp_filter(nl, shim->ifindex, err);

	/* Or it had global addresses, and was a second way to the router. */
	if (r == 0 && settings6 >= 0)
		r = write_setting(settings6, shim->name, "accept_ra", "0", err);
	if (r == 0 && settings6 >= 0)
		r = rtnl_link_set_addr_gen_none(nl, shim->ifindex, err);
	return r == 0 ? rtnl_link_set_alias(nl, shim->ifindex,
				text_join(alias, sizeof(alias), ALIAS, parent), err)
		      : r;
}

/* Up is the last thing that it gets from us, after its mark. There are services that set up
 * whatever they see.
 */
static bool is_half_made(const struct rtnl_link *shim)
{
	return (shim->flags & IFF_UP) && !*shim->alias;
}

/* One that is up is whole, but for what a hand took away. */
static int make_whole(struct nl *nl, int settings6, const struct rtnl_link *shim,
	const char *parent, struct error *err)
{
	bool is_whole = (shim->flags & IFF_UP) && !is_half_made(shim);
	int r = is_whole ? 0 : write_settings(nl, settings6, shim, parent, err);

	if (r == 0 && settings6 >= 0)
		r = add_link_local(nl, settings6, shim, err);
	if (r == 0 && !is_whole)
		r = rtnl_link_set_up(nl, shim->ifindex, err);
	return r;
}

/**
 * shim_make() - have a parent's shim there, whole and up
 * @nl:        a socket in the host's namespace
 * @settings6: /proc/sys/net/ipv6/conf of the host's namespace; -1: the kernel has no IPv6
 * @parent:    the parent
 * @ret:       the shim
 * @err:       filled on failure
 *
 * For who holds the lock of the shim.
 *
 * Return: 0; -EEXIST: the name is taken; or what the kernel gave.
 */
int shim_make(struct nl *nl, int settings6, const struct parent *parent, struct rtnl_link *ret,
	struct error *err)
{
	char name[INTERFACE_NAME_MAX + 1];
	struct rtnl_link shim = { 0 };
	int r = shim_find(nl, shim_name(parent->name, name), &shim, err);

	/* The parent was renamed, and another has its name now. Or somebody else has set up what
	 * was only half-made: it may have taken a router's word already.
	 */
	if (r == 0 && (shim.lower != parent->ifindex || is_half_made(&shim))) {
		r = shim_delete(nl, name, err);
		r = r == 0 ? -ENODEV : r;
	}
	if (r == -ENODEV) {
		r = create(nl, parent, name, err);
		if (r == 0)
			r = shim_find(nl, name, &shim, err);
	}
	if (r == 0)
		r = make_whole(nl, settings6, &shim, parent->name, err);
	if (r < 0)
		return error_prefix(err,
			"cannot have the host's own macvlan '%s' on parent '%s' for host_access",
			name, parent->name);
	*ret = shim;
	return 0;
}
