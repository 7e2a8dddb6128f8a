// SPDX-License-Identifier: MIT
/*
 * How a DHCP client is started: which program it is, and all that it is told.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "schema/error.h"
#include "schema/hash.h"
#include "schema/record.h"
#include "schema/text.h"

/* Where the client is, and as what it is started. */
static const struct {
	const char *path;
	bool is_busybox; /* and needs to be told which of its programs is wanted */
} programs[] = {
	{ "/sbin/udhcpc", false },
	{ "/usr/sbin/udhcpc", false },
	{ "/usr/bin/udhcpc", false },
	{ "/bin/busybox", true },
	{ "/usr/bin/busybox", true },
	{ "/sbin/busybox", true },
};

#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* The index of the first that is there; N_PROGRAMS: none is. */
static unsigned find_program(void)
{
	unsigned i = 0;

	while (i < N_PROGRAMS && access(programs[i].path, X_OK) < 0)
		i++;
	return i;
}

/**
 * dhcp_client_path() - where the DHCP client is
 *
 * Return: its path, busybox where it is a part of that; NULL: there is none.
 */
const char *dhcp_client_path(void)
{
	unsigned i = find_program();

	return i < N_PROGRAMS ? programs[i].path : NULL;
}

/**
 * dhcp_client_find() - fail where there is no DHCP client
 * @err: filled on failure, with what to install
 *
 * Return: 0, -ENOENT.
 */
int dhcp_client_find(struct error *err)
{
	if (find_program() < N_PROGRAMS)
		return 0;
	return error_set(err, -ENOENT,
		"there is no DHCP client on this host: install udhcpc (Debian and Ubuntu: package "
		"'udhcpc'; Fedora, RHEL and others: 'busybox')");
}

/* Adds an argument, which is the parts one behind the other. */
#define add(command, ...) add_parts((command), (const char *const[]){ __VA_ARGS__, NULL })

static void add_parts(struct dhcp_command *command, const char *const parts[])
{
	char *argument = command->text + command->used;
	size_t room = sizeof(command->text) - command->used;

	if (command->n == DHCP_ARGUMENTS_MAX || room == 0)
		return;
	text_join_parts(argument, room, parts);
	command->used += strlen(argument) + 1;
	command->arguments[command->n++] = argument;
	command->arguments[command->n] = NULL;
}

static void add_option(struct dhcp_command *command, const char *option, const char *value)
{
	add(command, option);
	add(command, value);
}

/* Out of the runtime's cgroup: stopping podman or a quadlet would end the client with it. A scope
 * takes the process as it is, and systemd-run then becomes the client.
 */
static void add_unit(struct dhcp_command *command, const struct dhcp_client *client)
{
	uint64_t hash = hash_strings_u64((const char *const[]){
		client->host->run, client->id, client->endpoint->interface, NULL });
	char of[TEXT_UINT];
	char by[TEXT_UINT];

	add(command, DHCP_SYSTEMD_RUN);
	add(command, "--scope");
	add(command, "--collect");
	add(command, "--quiet");
	add(command, "--unit=oci-macvlan-dhcp-", text_uint(hash, of), "-",
		text_uint((uint64_t)getpid(), by));
	add(command, "--");
}

/* Option 61: a type of 0 says that it is no hardware address (RFC 2132 section 9.14). */
static void add_client_id(struct dhcp_command *command, const char *client_id)
{
	char hex[2 * RECORD_CLIENT_ID_MAX + 1];
	char *to = hex;

	for (const char *c = client_id; *c; c++)
		to += sprintf(to, "%02x", (unsigned char)*c);
	add(command, "-x");
	add(command, "0x3d:00", hex);
}

/* Where it comes from, how often it asks, and what for. */
static void add_habits(struct dhcp_command *command, const struct dhcp_client *client)
{
	/* In the foreground, so that it stays this process; with a farewell at its end. */
	add(command, "-f");
	add(command, "-R");
	add_option(command, "-i", client->interface);
	/* A server that pings first answers after 3 s. A round of four, then the next after 3 s. */
	add_option(command, "-t", "4");
	add_option(command, "-T", "2");
	add_option(command, "-A", "3");
	/* What is not asked for by default. */
	add_option(command, "-O", "mtu");
	add_option(command, "-O", "search");
	add_option(command, "-O", "staticroutes");
}

static void add_identity(struct dhcp_command *command, const struct dhcp_client *client)
{
	const struct record_dhcp *dhcp = &client->endpoint->dhcp;
	char text[IP_TEXT];

	if (dhcp->probe_ms)
		add(command, "-a", text_uint(dhcp->probe_ms, text));
	if (*dhcp->hostname) {
		add(command, "-x");
		add(command, "hostname:", dhcp->hostname);
	}
	if (*dhcp->client_id)
		add_client_id(command, dhcp->client_id);
	if (client->again)
		add_option(command, "-r", ip_format(client->again, text));
}

/**
 * dhcp_command_make() - the command line of a client
 * @client:   the client
 * @has_unit: is it to be a unit of systemd
 * @command:  empty; the command line
 * @err:      filled on failure
 *
 * Return: 0; -ENOENT: there is no such program; -E2BIG; or what realpath(3) gave.
 */
int dhcp_command_make(const struct dhcp_client *client, bool has_unit, struct dhcp_command *command,
	struct error *err)
{
	unsigned program = find_program();
	char name[DHCP_NAME_MAX];
	char run[PATH_MAX];

	if (program == N_PROGRAMS)
		return dhcp_client_find(err);
	if (!realpath(client->host->run, run))
		return error_set_errno(err, "cannot resolve '%s'", client->host->run);
	if (has_unit)
		add_unit(command, client);
	add(command, programs[program].path);
	if (programs[program].is_busybox)
		add(command, "udhcpc");
	add(command, "-s");
	add(command, run, "/" STORE_DHCP "/",
		dhcp_file_name(client->id, client->endpoint->interface, DHCP_EVENT, name));
	add_habits(command, client);
	add_identity(command, client);
	if (command->n == DHCP_ARGUMENTS_MAX || command->used == sizeof(command->text))
		return error_set(err, -E2BIG, "its command line is too long");
	return 0;
}
