/* SPDX-License-Identifier: MIT */
#ifndef HOOK_DHCP_PARTS_H
#define HOOK_DHCP_PARTS_H

/* What the files of DHCP share. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/ip.h"
#include "schema/lease.h"
#include "schema/name.h"
#include "schema/record.h"

struct error;
struct host;
struct lease;
struct netns;
struct nl;
struct config;
struct plan_item;
struct record;
struct record_endpoint;
struct store;

#define DHCP_EVENT ".event"
#define DHCP_CLIENT ".client"
#define DHCP_LEASE ".lease"
#define DHCP_APPLIED ".applied"
/* An id, a colon, an interface, the longest suffix, and what temporary files end with. */
#define DHCP_NAME_MAX \
	(CONTAINER_ID_MAX + 1 + INTERFACE_NAME_MAX + sizeof(DHCP_APPLIED LEASE_TEMPORARY))
/* Where a client has the host's network namespace, for its event script. (udhcpc takes 3 and 4 for
 * itself, whatever is there: udhcp_sp_setup() in networking/udhcp/signalpipe.c.)
 */
#define DHCP_HOST_NETNS 9

/* A process and when it started (proc(5), stat field 22): so it is not mistaken for another. */
struct dhcp_process {
	pid_t pid;
	uint64_t start;
};

/* dhcp_files.c */
int dhcp_open_dir(const struct store *store, bool create, int *ret, struct error *err);
const char *dhcp_file_name(
	const char *id, const char *interface, const char *suffix, char ret[DHCP_NAME_MAX]);
const char *dhcp_file_parse(const char *name, char ret_id[CONTAINER_ID_MAX + 1],
	char ret_interface[INTERFACE_NAME_MAX + 1]);
int dhcp_file_put_event(int dir, const char *name, const char *hook, struct error *err);
int dhcp_file_put_client(
	int dir, const char *name, const struct dhcp_process *client, struct error *err);
int dhcp_file_get_client(int dir, const char *name, struct dhcp_process *ret, struct error *err);
int dhcp_files_remove(int dir, const char *id, const char *interface, struct error *err);

/* A client to start. */
struct dhcp_client {
	struct host *host;
	int dir; /* RUN/dhcp */
	const char *id;
	const struct record_endpoint *endpoint;
	const char *interface;		    /* what its link is called now, */
	int ifindex;			    /* and its index */
	const struct record_member *member; /* whose namespace it enters; NULL: it is there */
	uint64_t netns_cookie;		    /* with a member: of that namespace */
	const struct ip *again;		    /* the address to ask for; NULL: any */
};

#define DHCP_ARGUMENTS_MAX 40
/* The path of the event script is the longest. */
#define DHCP_ARGUMENTS_TEXT_MAX (PATH_MAX + 2048)

/* Its command line. */
struct dhcp_command {
	unsigned n;
	size_t used;
	char *arguments[DHCP_ARGUMENTS_MAX + 1];
	char text[DHCP_ARGUMENTS_TEXT_MAX];
};

/* dhcp_command.c */
#define DHCP_SYSTEMD_RUN "/usr/bin/systemd-run"

int dhcp_command_make(const struct dhcp_client *client, bool has_unit, struct dhcp_command *command,
	struct error *err);

/* dhcp_describe.c */
bool dhcp_has_name(const char *text);
int dhcp_describe_client_id(const struct plan_item *item, const char *name,
	char ret[RECORD_CLIENT_ID_MAX + 1], struct error *err);
int dhcp_describe_hostname(const struct plan_item *item, struct config *config, const char *name,
	char ret[HOSTNAME_MAX + 1], struct error *err);

/* dhcp_names.c */
void dhcp_reclaim_names(struct host *host, const char *id, const struct record_endpoint *endpoint);

/* dhcp_client.c */
int dhcp_close_others(unsigned flags, struct error *err);
int dhcp_client_start(const struct dhcp_client *client, struct error *err);
int dhcp_client_stop(int dir, const char *id, const char *interface, struct error *err);
int dhcp_client_kill(int dir, const char *id, const char *interface, struct error *err);

/* dhcp_values.c */
int dhcp_values_read(char *const environment[], struct lease *ret, struct error *err);

/* An endpoint whose lease has changed. */
struct dhcp_change {
	struct host *host;
	struct netns *netns; /* the container's, in which the process is */
	struct record *record;
	struct record_endpoint *endpoint; /* made, and in the record */
	int dir;			  /* RUN/dhcp */
	int settings6;			  /* for host_access_add_late() */
};

/* dhcp_routes.c */
int dhcp_routes_add(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err);
int dhcp_routes_delete(const struct dhcp_change *change, const struct lease *old,
	const struct lease *lease, struct error *err);
void dhcp_add_listed(const struct record_endpoint *endpoint, struct lease *lease);

/* dhcp_give.c */
int dhcp_take(const struct dhcp_change *change, const struct cidr *address, struct error *err);
void dhcp_limit(const struct dhcp_change *change, const struct lease *lease);
void dhcp_set_mtu(
	const struct dhcp_change *change, const struct lease *old, const struct lease *lease);

/* dhcp_update.c */
bool dhcp_put_address(struct record_endpoint *endpoint, const struct cidr *address);
int dhcp_update(const struct dhcp_change *change, struct error *err);

#endif
