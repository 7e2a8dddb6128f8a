/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_NAME_H
#define SCHEMA_NAME_H

struct error;

/* The longest container id: with ".json" behind it, it is a file name (NAME_MAX 255). */
#define CONTAINER_ID_MAX 200
/* The longest io.oci-macvlan.name, and network name. */
#define CONTAINER_NAME_MAX 128
#define NETWORK_NAME_MAX 64
/* The longest interface name (IFNAMSIZ - 1). */
#define INTERFACE_NAME_MAX 15
/* The longest name or alternative name of a parent (ALTIFNAMSIZ - 1). */
#define PARENT_NAME_MAX 127

/* The longest host name: one label (RFC 1035 section 2.3.4). */
#define HOSTNAME_MAX 63

int name_check_container_id(const char *id, struct error *err);
int name_check_container_name(const char *name, struct error *err);
int name_check_network(const char *name, struct error *err);
int name_check_parent(const char *name, struct error *err);
int name_check_interface(const char *name, struct error *err);
int name_check_hostname(const char *name, struct error *err);

#endif
