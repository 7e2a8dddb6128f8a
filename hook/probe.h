/* SPDX-License-Identifier: MIT */
#ifndef HOOK_PROBE_H
#define HOOK_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "hook/lan.h"
#include "hook/netns.h"
#include "hook/ra.h"
#include "ipam/ipam.h"
#include "ipam/pool.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/selection.h"

struct host;
struct record_endpoint;
struct wiring;

#define PROBE_MS INT64_C(1000000)
/* So many bytes of a trial's MAC are the same in all trials of a host. */
#define PROBE_HOST_PART 3
/* How much longer than its timer the kernel may take to say that an IPv6 address is free. */
#define PROBE_DAD_LATE_MS 2000
/* How many further addresses are asked about beside one that may turn out to be taken. */
#define PROBE_SPARES_MAX 3

/* An address that might do where another is taken. */
struct probe_spare {
	struct ip ip;
	bool is_out; /* somebody has it, or wants it */
};

/* What the kernel says of an IPv6 address. */
enum probe_dad {
	PROBE_DAD_NONE, /* it is not on the link */
	PROBE_DAD_UNDER_WAY,
	PROBE_DAD_PASSED,
	PROBE_DAD_FAILED,
};

/* One address that is tried out. Times are CLOCK_MONOTONIC, in nanoseconds. */
struct probe_address {
	struct cidr *address; /* the endpoint's; another one is put there when it is taken */
	bool is_static;
	bool is_free; /* nobody has it; until the link is made, this may change again */
	int64_t begun;
	int64_t next; /* when the next probe is due */
	/* When it counts as free, if all probes are sent; IPv6: when the kernel should have said
	 * so.
	 */
	int64_t until;
	unsigned n_sent;
	struct pool_past past;
	unsigned n_spares;
	struct probe_spare spares[PROBE_SPARES_MAX];
	enum probe_dad dad;
	bool has_holder;
	struct lan_frame holder; /* IPv6: who spoke of it */
};

/* An endpoint whose addresses are tried out. */
struct probe {
	struct ipam_request request;
	const struct wiring *wiring; /* the endpoint's own, which is not made yet */
	int ifindex;		     /* of the link from which it is asked */
	int settings;		     /* of that link, where routers are asked: sysctl_open_ip6() */
	unsigned wait_ms;
	struct lan lan;
	unsigned n_conflicts;
	struct lan_frame ra_holder; /* who has such an address already */
	enum ra_state ra;	    /* what has come of routers' addresses, where they are wanted */
	int64_t handed_over;	    /* when the endpoint's own link took over; 0: not yet */
	int64_t ra_until;	    /* how long that is waited for */
	unsigned n;
	struct probe_address addresses[NETWORK_SUBNETS_MAX];
};

/* All of an attach. They are tried out at the same time. */
struct probes {
	struct host *host;
	struct netns trial; /* where the links are */
	struct nl changes;  /* tells when their addresses change */
	/* Whose static address is taken, and why that ended it; NULL: nobody's is. */
	const struct probe *refused;
	struct error refusal;
	unsigned n;
	struct probe list[SELECTIONS_MAX];
};

bool probe_is_needed(struct host *host, const struct ipam_request *request,
	const struct record_endpoint *endpoint);
/* One endpoint and one address: for probes.c. */
int64_t probe_now(void);
int probe_begin(struct probes *probes, struct probe *probe, struct probe_address *address,
	struct error *err);
int probe_ask(struct probes *probes, struct probe *probe, struct error *err);
int probe_hear(struct probes *probes, struct probe *probe, bool *ret_all, struct error *err);
bool probe_was_wanted(struct probe *probe, struct lan_frame *ret);
int probe_step(struct probes *probes, struct probe *probe, struct probe_address *address,
	int64_t now, int64_t *ret_next, struct error *err);

void probes_add(
	struct probes *probes, const struct ipam_request *request, const struct wiring *wiring);
int probes_run(struct probes *probes, const struct netns *home, struct error *err);
int probes_end_trial(struct probes *probes, struct error *err);
int probes_hand_over(struct probes *probes, struct wiring *wiring, struct error *err);
int probes_look_back(struct probes *probes, const struct wiring *wiring, struct error *err);
void probes_close(struct probes *probes);

#endif
