/* SPDX-License-Identifier: MIT */
#ifndef HOOK_COLLECT_H
#define HOOK_COLLECT_H

#include <stdbool.h>

struct error;
struct host;
struct known;
struct record;
struct reconcile_output;

#define COLLECT_TEXT 1024

/* A run over records. */
struct collection {
	struct host *host;
	bool dry_run;
	const struct reconcile_output *output;
	struct known *known; /* NULL: nobody wants to know what stays */
	bool revive;	     /* start DHCP clients again that died while their container lives */
	unsigned freed;
	bool is_awaited; /* others are at work on something that may become free */
};

int collect(struct collection *collection, const char *id, struct error *err);
void collect_report(
	const struct collection *collection, const char *id, const char *what, const char *why);
void collect_complain(const struct collection *collection, const struct error *err);

#endif
