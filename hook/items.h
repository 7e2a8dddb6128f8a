/* SPDX-License-Identifier: MIT */
#ifndef HOOK_ITEMS_H
#define HOOK_ITEMS_H

struct config;
struct error;
struct host;
struct netns;
struct plan;
struct record;

/* Whose endpoints are made. */
struct items {
	struct host *host;
	struct netns *netns;
	struct plan *plan;
	struct record *record; /* with the plan's new endpoints, as intents */
	const char *id;	       /* the container, and the name that it goes by or NULL */
	const char *name;
	struct config *config;
};

int items_attach(const struct items *items, struct error *err);

#endif
