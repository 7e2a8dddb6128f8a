/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_RECORD_PARTS_H
#define SCHEMA_RECORD_PARTS_H

struct error;
struct record;

struct record *record_alloc(void);

/* What both reading and writing a record ask; only for the record files. */
int record_check(const struct record *record, struct error *err);

#endif
