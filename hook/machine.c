// SPDX-License-Identifier: MIT
/*
 * What is stable and belongs to this machine: ids, and MAC addresses made of a hash.
 */
#include "hook/machine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "schema/cleanup.h"

/**
 * machine_id() - the machine's id, machine-id(5)
 * @ret: 32 hex digits; "" where there is none
 *
 * Return: @ret.
 */
const char *machine_id(char ret[MACHINE_ID_TEXT])
{
	autoclose int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, MACHINE_ID_TEXT - 1);

	if (n < 0)
		n = 0;
	ret[n] = '\0';
	if (strspn(ret, "0123456789abcdef") != MACHINE_ID_TEXT - 1)
		ret[0] = '\0'; /* "uninitialized", or cut short */
	return ret;
}

/**
 * machine_network_id() - the id of a network, as network inspect shows it
 * @network: its name
 * @ret:     64 hex digits, of the machine's id (where it has none, its host name) and the name
 *
 * Return: @ret.
 */
const char *machine_network_id(const char *network, char ret[HASH_HEX])
{
	char id[MACHINE_ID_TEXT];
	struct utsname names = { 0 };

	machine_id(id);
	if (!*id)
		uname(&names);
	return hash_strings_hex(
		(const char *const[]){ "network", *id ? id : names.nodename, network, NULL }, ret);
}

/**
 * machine_endpoint_id() - the id of an endpoint, as network inspect shows it
 * @container: the container's id
 * @network:   the network's name
 * @interface: the interface's name
 * @ret:       64 hex digits
 *
 * Return: @ret.
 */
const char *machine_endpoint_id(
	const char *container, const char *network, const char *interface, char ret[HASH_HEX])
{
	return hash_strings_hex(
		(const char *const[]){ "endpoint", container, network, interface, NULL }, ret);
}

/* The same for the same container of this machine; of no other's. */
static void hash_container(const char *what, const char *network, const char *kind, const char *key,
	const uint8_t parent[MAC_SIZE], uint8_t ret[HASH_SIZE])
{
	char id[MACHINE_ID_TEXT];
	char mac[MAC_TEXT];

	machine_id(id);
	if (!*id)
		mac_format(parent, mac);
	hash_strings((const char *const[]){ what, *id ? id : mac, network, kind, key, NULL }, ret);
}

/**
 * machine_mac() - a MAC that the same container gets again, and no other machine's gets
 * @network: the network's name
 * @kind:    what the key is: "name" or "id", for one container's name may be another's id
 * @key:     what the same container goes by
 * @parent:  the parent's MAC: tells machines apart that have no id
 * @ret:     the MAC: unicast, locally administered, and never 02:42, which stands for IPv4 ones
 */
void machine_mac(const char *network, const char *kind, const char *key,
	const uint8_t parent[MAC_SIZE], uint8_t ret[MAC_SIZE])
{
	uint8_t digest[HASH_SIZE];

	hash_container("mac", network, kind, key, parent, digest);
	memcpy(ret, digest, MAC_SIZE);
	ret[0] = (uint8_t)((ret[0] & 0xfc) | 0x02);
	if (ret[0] == 0x02 && ret[1] == 0x42)
		ret[1] = 0x43;
}

/**
 * machine_token() - the half of an IPv6 address that is ours to say, the same again as a MAC
 * @network: the network's name
 * @kind:    as above
 * @key:     as above
 * @parent:  as above
 * @ret:     the interface identifier, RFC 7136: opaque, and not zero, which is the routers'
 */
void machine_token(const char *network, const char *kind, const char *key,
	const uint8_t parent[MAC_SIZE], uint8_t ret[MACHINE_TOKEN_SIZE])
{
	uint8_t digest[HASH_SIZE];

	hash_container("token", network, kind, key, parent, digest);
	memcpy(ret, digest, MACHINE_TOKEN_SIZE);
	ret[0] = (uint8_t)((ret[0] & 0xfd) | 0x01);
}
