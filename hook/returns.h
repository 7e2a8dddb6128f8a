/* SPDX-License-Identifier: MIT */
#ifndef HOOK_RETURNS_H
#define HOOK_RETURNS_H

struct collection;
struct error;
struct host;

int returns_collect(struct collection *collection, struct error *err);
int returns_settle(struct host *host, const char *id, struct error *err);

#endif
