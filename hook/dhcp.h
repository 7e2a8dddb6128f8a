/* SPDX-License-Identifier: MIT */
#ifndef HOOK_DHCP_H
#define HOOK_DHCP_H

#include <stdbool.h>
#include <stdint.h>

struct collection;
struct config;
struct error;
struct host;
struct lease;
struct netns;
struct plan;
struct plan_item;
struct record;
struct record_dhcp;
struct record_endpoint;
struct store;
struct ipam_request;
struct wiring;

/* An endpoint whose client's names are claimed. */
struct dhcp_naming {
	struct host *host;
	const struct ipam_request *request;
	const struct plan_item *item;
	struct config *config;
	struct record_endpoint *endpoint;
	uint64_t cookie;  /* of the container's network namespace */
	bool is_named;	  /* the container asks for a name */
	bool key_is_name; /* and has it */
};

/* dhcp.c: an attach */
int dhcp_prepare(const struct plan *plan, struct error *err);
int dhcp_describe(const struct plan_item *item, struct config *config, struct record_dhcp *ret,
	struct error *err);
int dhcp_claim_names(const struct dhcp_naming *naming, struct error *err);
int dhcp_start(struct wiring *wiring, struct error *err);
int dhcp_await(struct wiring *wiring, struct error *err);
int dhcp_join(
	const struct host *host, struct plan *plan, const struct record *record, struct error *err);
void dhcp_settle(const struct plan *plan, struct record *record);
void dhcp_catch_up(
	struct host *host, struct netns *netns, const struct plan *plan, struct record *record);

/* dhcp_end.c: a detach, and gc for the dead */
int dhcp_stop(
	const struct host *host, const struct record *record, unsigned first, struct error *err);
int dhcp_remove(const struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err);
int dhcp_sweep(struct collection *collection, struct error *err);

/* dhcp_revive.c: gc, for living containers */
int dhcp_revive(struct collection *collection, const struct record *record, struct error *err);

/* dhcp_client.c: the program */
const char *dhcp_client_path(void);
int dhcp_client_find(struct error *err);

/* dhcp_event.c: the client's event script */
bool dhcp_event_is(int argc, char *const argv[]);
int dhcp_event(char *const argv[]);

int dhcp_load_lease(const struct store *store, const char *id,
	const struct record_endpoint *endpoint, struct lease *ret, struct error *err);

#endif
