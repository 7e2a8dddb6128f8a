// SPDX-License-Identifier: MIT
/*
 * All new addresses of an attach are tried out on the LAN at the same time, in one wait, from links
 * that have no address and MACs that are nobody's. What becomes of each is told in probe.c.
 *
 * They are free when all are free at the same moment. The links stay until then, and each listens
 * and asks on until the endpoint's own link is made: or another host that begins a little later
 * would hear nobody, and take an address that was found free here.
 */
#include "hook/probe.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/machine.h"
#include "hook/netns.h"
#include "hook/nl.h"
#include "hook/plan.h"
#include "hook/rtnl.h"
#include "hook/sysctl.h"
#include "ipam/candidates.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"

/* Duplicate address detection waits so long: it begins a little later than the ARP probes, and must
 * not end after them.
 */
#define DAD_SHARE(ms) ((ms)*9 / 10 + 1)
/* How long a router may take to answer within a trial (MAX_RA_DELAY_TIME, RFC 4861 section 10). */
#define RA_ANSWER_MS 500
/* Who gets back an address within this time needs no probe. */
#define SAME_AGAIN_MS 60000

/**
 * probe_is_needed() - must an endpoint's addresses be tried out
 * @host:     the host
 * @request:  the endpoint
 * @endpoint: it, with its addresses
 *
 * Return: false where the network says so, where there is none, or where all of them are those that
 * the same container had a short time ago.
 */
bool probe_is_needed(struct host *host, const struct ipam_request *request,
	const struct record_endpoint *endpoint)
{
	if (request->network->conflict_detection_ms == 0)
		return false;
	if (request->network->ipv6 == NETWORK_IPV6_RA)
		return true;
	for (unsigned i = 0; i < endpoint->n_addresses; i++) {
		struct pool_past past;

		if (candidates_past(
			    &host->store, request, &endpoint->addresses[i].ip, &past, NULL) < 0 ||
			!past.is_known || !past.is_same || past.ms >= SAME_AGAIN_MS)
			return true;
	}
	return false;
}

/**
 * probes_add() - add an endpoint whose addresses are to be tried out
 * @probes:  all of the attach
 * @request: the endpoint; what it points to lives as long as @probes
 * @wiring:  it, with its addresses, not made yet
 */
void probes_add(
	struct probes *probes, const struct ipam_request *request, const struct wiring *wiring)
{
	struct probe *probe = &probes->list[probes->n++];
	struct record_endpoint *endpoint = wiring->endpoint;

	*probe = (struct probe){
		.request = *request,
		.wiring = wiring,
		.wait_ms = request->network->conflict_detection_ms,
		.settings = -1,
		.lan = LAN_CLOSED,
		.ra = wiring->ra.is_wanted ? RA_NONE : RA_DONE,
		.n = endpoint->n_addresses,
	};
	for (unsigned i = 0; i < probe->n; i++) {
		struct cidr *address = &endpoint->addresses[i];

		probe->addresses[i].address = address;
		probe->addresses[i].is_static = candidates_is_static(request, &address->ip);
	}
}

static int begin_all(struct probes *probes, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < probes->n; i++) {
		struct probe *probe = &probes->list[i];

		probe->ra_until = probe_now() + (RA_ANSWER_MS + probe->wait_ms) * PROBE_MS;
		for (unsigned j = 0; r == 0 && j < probe->n; j++)
			r = probe_begin(probes, probe, &probe->addresses[j], err);
	}
	return r;
}

static int refuse_token(const struct probe *probe, struct error *err)
{
	char ip[IP_TEXT];
	char mac[MAC_TEXT];

	return error_set(err, -EADDRINUSE,
		"address '%s', which container '%s' has by router advertisements, is in use on the "
		"LAN by MAC '%s': give the container another name, or end that",
		ip_format(&probe->ra_holder.ip, ip), probe->request.key,
		mac_format(probe->ra_holder.mac, mac));
}

/* Addresses of a router's prefix and our token, which the kernel makes. It deletes those that are
 * duplicates; we hear of them.
 */
static int step_ra(struct probes *probes, struct probe *probe, int64_t now, bool *ret_done,
	int64_t *ret_next, struct error *err)
{
	int64_t until;
	int r;

	if (probe->ra == RA_FAILED)
		return refuse_token(probe, err);
	if (probe->ra == RA_DONE || probe->ra == RA_SILENT)
		return 0;
	r = ra_look(&probes->trial.nl, probe->ifindex, &probe->wiring->ra, &probe->ra, NULL, err);
	if (r < 0 || probe->ra == RA_DONE)
		return r;
	/* One that has answered late is not in vain. */
	until = probe->ra_until;
	if (probe->ra == RA_UNDER_WAY)
		until += (DAD_SHARE(probe->wait_ms) + PROBE_DAD_LATE_MS) * PROBE_MS;
	if (now >= until) {
		probe->ra = RA_SILENT;
		return 0;
	}
	*ret_done = false;
	if (until < *ret_next)
		*ret_next = until;
	return 0;
}

/* One endpoint: what has come, and what is due. */
static int step(struct probes *probes, struct probe *probe, bool ask, bool *ret_done,
	int64_t *ret_next, struct error *err)
{
	int64_t now = probe_now(); /* all that came before this counts */
	bool heard_all = true;
	int r = ask ? probe_ask(probes, probe, err) : 0;

	if (r == 0)
		r = probe_hear(probes, probe, &heard_all, err);
	if (r == 0 && !heard_all) { /* nothing is free before that */
		*ret_done = false;
		*ret_next = now;
		return 0;
	}
	if (r == 0)
		r = step_ra(probes, probe, now, ret_done, ret_next, err);
	for (unsigned i = 0; r == 0 && i < probe->n; i++) {
		struct probe_address *address = &probe->addresses[i];

		r = probe_step(probes, probe, address, now, ret_next, err);
		if (!address->is_free)
			*ret_done = false;
	}
	return r < 0 ? error_prefix(err, "network '%s'", probe->request.network->name) : 0;
}

/* Until something comes, or is due. Returns whether the kernel's addresses have changed: looked at
 * also where something is due already.
 */
static bool wait_until(const struct probes *probes, int64_t next)
{
	struct pollfd polled[SELECTIONS_MAX + 1] = { { .fd = probes->changes.fd,
		.events = POLLIN } };
	int64_t now = probe_now();
	int64_t rest = next > now ? next - now : 0;
	const struct timespec timeout = { rest / (1000 * PROBE_MS), rest % (1000 * PROBE_MS) };

	for (unsigned i = 0; i < probes->n; i++)
		polled[1 + i] = (struct pollfd){ .fd = probes->list[i].lan.fd,
			.events = probes->list[i].handed_over ? 0 : POLLIN };
	if (ppoll(polled, 1 + probes->n, &timeout, NULL) <= 0 || !polled[0].revents)
		return false;
	nl_drain(&probes->changes);
	return true;
}

/* Until all addresses of links that are not made yet are free at the same time. */
static int run(struct probes *probes, struct error *err)
{
	bool ask = true;
	bool done = false;
	int r = 0;

	while (r == 0 && !done) {
		int64_t next = INT64_MAX;

		done = true;
		for (unsigned i = 0; r == 0 && i < probes->n; i++)
			if (!probes->list[i].handed_over)
				r = step(probes, &probes->list[i], ask, &done, &next, err);
		if (r == 0)
			r = deadline_check("waiting for the LAN", err);
		if (r == 0 && !done)
			ask = wait_until(probes, next);
	}
	return r;
}

/* A MAC that is nobody's but by chance, unicast and locally administered. Not the one that the
 * endpoint will have: a host that uses our address may have the same MAC, of the same rule, and
 * then neither its answers nor its duplicate address detection would reach us.
 */
static void choose_mac(const uint8_t parent[MAC_SIZE], uint8_t ret[MAC_SIZE])
{
	pid_t pid = getpid(); /* different enough, where there is no random number */

	machine_mac("", "probe", "", parent, ret);
	for (unsigned i = 1; i < PROBE_HOST_PART; i++)
		ret[i] ^= parent[MAC_SIZE - PROBE_HOST_PART + i];
	if (ret[0] == 0x02 && ret[1] == 0x42)
		ret[0] = 0x06;
	if (getrandom(ret + PROBE_HOST_PART, MAC_SIZE - PROBE_HOST_PART, GRND_NONBLOCK) !=
		MAC_SIZE - PROBE_HOST_PART)
		memcpy(ret + PROBE_HOST_PART, &pid, MAC_SIZE - PROBE_HOST_PART);
}

/* One that is near answers within a fraction of a millisecond. The kernel then asks for duplicates
 * at once, and whoever has the address says so only once: so this comes last, and what routers say
 * unasked is not taken sooner.
 */
static int ask_routers(
	struct probe *probe, struct netns *trial, const struct ra *ra, struct error *err)
{
	const char *interface = probe->wiring->endpoint->interface;
	int r = sysctl_open_ip6(interface, &probe->settings, err);

	if (r == 0)
		r = ra_hear(probe->settings, interface, true, err);
	return r == 0 ? ra_start(&trial->nl, probe->ifindex, ra, err) : r;
}

/* The link from which an endpoint's addresses are tried out. */
static int make_link(struct probe *probe, struct netns *trial, struct error *err)
{
	struct record_endpoint endpoint = *probe->wiring->endpoint;
	struct wiring wiring = *probe->wiring;
	int r;

	wiring.netns = trial;
	wiring.endpoint = &endpoint;
	wiring.ra.detect_duplicates = true;
	wiring.ra.takes_default = false;
	wiring.ra.is_deaf = true;

	choose_mac(probe->wiring->item->parent.mac, endpoint.mac);
	r = endpoint_wire_trial(&wiring, err);
	probe->ifindex = wiring.ifindex; /* also of one that is half-made */
	if (r < 0)
		return r;
	r = rtnl_neigh_set_retrans(&trial->nl, probe->ifindex, DAD_SHARE(probe->wait_ms), err);
	if (r == -ENOENT) /* a kernel without IPv6 */
		r = 0;
	if (r == 0)
		r = lan_open(probe->ifindex, endpoint.mac, &probe->lan, err);
	return r == 0 && wiring.ra.is_wanted ? ask_routers(probe, trial, &wiring.ra, err) : r;
}

/* The addresses that a link has. */
struct link_addresses {
	unsigned n;
	struct cidr list[NETWORK_SUBNETS_MAX + 1];
};

static int add_address(void *arg, const struct rtnl_addr *addr)
{
	struct link_addresses *addresses = arg;

	if (addresses->n < sizeof(addresses->list) / sizeof(addresses->list[0]))
		addresses->list[addresses->n++] = addr->cidr;
	return 0;
}

/* From now on only the endpoint's own link may answer. Of two in mode passthru, only one can be.
 * And what routers say is the other's: this one would make the same address again, and look whether
 * somebody has it.
 */
static int unmake_link(struct nl *nl, const struct probe *probe, struct error *err)
{
	struct link_addresses addresses = { 0 };
	int r = 0;

	if (probe->wiring->item->network->mode == NETWORK_PASSTHRU)
		return rtnl_link_del(nl, RTNL_HERE, probe->ifindex, err);
	if (probe->settings >= 0)
		r = ra_hear(probe->settings, probe->wiring->endpoint->interface, false, err);
	if (r == 0)
		r = rtnl_addr_list_link(nl, probe->ifindex, AF_INET6, add_address, &addresses, err);
	for (unsigned i = 0; r == 0 && i < addresses.n; i++) {
		r = rtnl_addr_del(nl, probe->ifindex, &addresses.list[i], err);
		if (r == -EADDRNOTAVAIL) /* it came twice, or its time was over */
			r = 0;
	}
	return r;
}

/* The kernel is to detect duplicates at once, and not within a second. */
static int write_settings(struct error *err)
{
	int r = sysctl_write_ip6("default", "router_solicitation_delay", "0", err);

	return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static int run_in(struct probes *probes, struct error *err)
{
	int r = nl_open_group(RTNLGRP_IPV6_IFADDR, &probes->changes, err);

	if (r == 0)
		r = write_settings(err);
	for (unsigned i = 0; r == 0 && i < probes->n; i++)
		r = make_link(&probes->list[i], &probes->trial, err);
	if (r == 0)
		r = begin_all(probes, err);
	return r == 0 ? run(probes, err) : r;
}

/**
 * probes_run() - try out the addresses of all endpoints, until each is found free
 * @probes: all of the attach; the endpoints' addresses that are taken are replaced.
 *          probes_close() closes what is open, also on failure
 * @home:   the container's namespace, in which the process is, and is afterwards
 * @err:    filled on failure
 *
 * They are tried out from links in a namespace of its own, which ends with this process if not
 * before. So whoever is killed here leaves nothing; whoever shares the container's namespace can
 * disturb nothing; and the endpoint's own link is made afterwards, with its MAC and addresses. To
 * change the MAC of a link that is up would hold the kernel's RTNL for a grace period of RCU
 * (macvlan_hash_change_addr() in drivers/net/macvlan.c): 13 ms, one attach after the other.
 *
 * No lock is held but the container's.
 *
 * Return: 0; -EADDRINUSE: a static address is taken, or too many are; -ENOSPC: no other is left;
 * -ETIME; -EINTR; what the kernel or the pool gave.
 */
int probes_run(struct probes *probes, const struct netns *home, struct error *err)
{
	struct error back;
	int r = netns_make(&probes->trial, err);

	if (r == 0)
		r = run_in(probes, err);
	if (netns_return(home, &back) < 0) {
		*err = back;
		return back.code;
	}
	return r;
}

/**
 * probes_end_trial() - delete the links of a trial, before there is another
 * @probes: all of the attach, after it has failed
 * @err:    filled on failure
 *
 * The kernel takes its time with a namespace that nobody holds any more, and until then its links
 * answer for their addresses: the next trial, of this attach or of the next that somebody starts at
 * once, would find that somebody has them.
 *
 * Return: 0, or what RTM_DELLINK gave.
 */
int probes_end_trial(struct probes *probes, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < probes->n; i++) {
		int ifindex = probes->list[i].ifindex;
		int each = ifindex ? rtnl_link_del(&probes->trial.nl, RTNL_HERE, ifindex, err) : 0;

		/* In mode passthru it is gone when it was handed over. */
		if (each < 0 && each != -ENODEV)
			r = each;
	}
	return r;
}

static struct probe *find_probe(struct probes *probes, const struct wiring *wiring)
{
	for (unsigned i = 0; i < probes->n; i++)
		if (probes->list[i].wiring == wiring)
			return &probes->list[i];
	return NULL;
}

/**
 * probes_hand_over() - the moment before an endpoint's own link is made
 * @probes: all of the attach, after probes_run()
 * @wiring: the endpoint, which is told whether to look for duplicates itself; nothing happens where
 *          its addresses were not tried out
 * @err:    filled on failure
 *
 * Others of the attach may have taken their time since. So what was said of its addresses meanwhile
 * counts, and what is taken by now is replaced.
 *
 * Return: as probes_run().
 */
int probes_hand_over(struct probes *probes, struct wiring *wiring, struct error *err)
{
	struct probe *probe = find_probe(probes, wiring);
	int r;

	if (!probe)
		return 0;
	r = run(probes, err);
	if (r == 0 && unmake_link(&probes->trial.nl, probe, err) < 0)
		r = error_prefix(err, "network '%s'", probe->request.network->name);
	wiring->ra.detect_duplicates = probe->ra == RA_SILENT;
	probe->handed_over = probe_now();
	return r;
}

/**
 * probes_look_back() - the moment after an endpoint's own link was made
 * @probes: all of the attach
 * @wiring: the endpoint, up and announced
 * @err:    filled on failure
 *
 * Mostly that takes a millisecond or two, and whoever asks for the address in that time hears the
 * announcement, or our answer. But where a hundred wait for the kernel's lock it may take longer
 * than another host waits.
 *
 * Return: 0; -EADDRINUSE: another machine may have the address as well.
 */
int probes_look_back(struct probes *probes, const struct wiring *wiring, struct error *err)
{
	struct probe *probe = find_probe(probes, wiring);
	struct lan_frame frame;
	char ip[IP_TEXT];
	char mac[MAC_TEXT];

	if (!probe || probe_now() - probe->handed_over < probe->wait_ms * PROBE_MS / 2 ||
		!probe_was_wanted(probe, &frame))
		return 0;
	return error_set(err, -EADDRINUSE,
		"while the link was made, which took longer than usual, MAC '%s' on the LAN asked "
		"for its address '%s', and may have it now: start the container again",
		mac_format(frame.mac, mac), ip_format(&frame.ip, ip));
}

/**
 * probes_close() - close what probes_run() has opened; a destructor for cleanup()
 * @probes: all of the attach
 */
void probes_close(struct probes *probes)
{
	for (unsigned i = 0; i < probes->n; i++) {
		lan_close(&probes->list[i].lan);
		if (probes->list[i].settings >= 0)
			close(probes->list[i].settings);
	}
	nl_close(&probes->changes);
	netns_close(&probes->trial);
	probes->n = 0;
}
