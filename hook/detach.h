/* SPDX-License-Identifier: MIT */
#ifndef HOOK_DETACH_H
#define HOOK_DETACH_H

#include <stdbool.h>

struct error;
struct host;
struct record;

int detach_poststop(struct host *host, const char *id, struct error *err);
int detach_network(struct host *host, const char *id, const char *network, struct error *err);

/* For who holds the lock of the record's id. */
int detach_endpoints(struct host *host, struct record *record, unsigned first, struct error *err);
int detach_intents(struct host *host, struct record *record, struct error *err);
int detach_rest(struct host *host, const struct record *record, struct error *err);
int detach_all(struct host *host, const struct record *record, struct error *err);
int detach_member(struct host *host, struct record *record, const char *member, struct error *err);
int detach_has_living_member(const struct record *record, bool *ret, struct error *err);
int detach_check_host(const struct host *host, const struct record *record, struct error *err);

#endif
