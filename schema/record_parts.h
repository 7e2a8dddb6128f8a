/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_RECORD_PARTS_H
#define SCHEMA_RECORD_PARTS_H

#include "schema/members.h"

struct error;
struct record;

/* The longest path of a plugin's program, with a NUL. */
#define RECORD_PROGRAM_MAX 4096

struct record *record_alloc(void);
members_read_fn record_read_plugin;
members_read_fn record_read_dhcp;

/* What both reading and writing a record ask; only for the record files. */
int record_check(const struct record *record, struct error *err);

#endif
