// SPDX-License-Identifier: MIT
/*
 * All new addresses of an attach are tried out on the LAN at the same time, in one wait, from links
 * that have no address and MACs that are nobody's. What becomes of each is told in probe.c.
 */
#include "hook/probe.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hook/host.h"
#include "hook/machine.h"
#include "hook/netns.h"
#include "hook/nl.h"
#include "ipam/candidates.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"

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
 * probe_choose_mac() - a MAC for the time of the trial
 * @parent: the parent's MAC
 * @ret:    the MAC: unicast, locally administered, and nobody's but by chance
 *
 * Not the one that the link will have: a host that uses our address may have the same MAC, of the
 * same rule, and then neither its answers nor its duplicate address detection would reach us.
 */
void probe_choose_mac(const uint8_t parent[MAC_SIZE], uint8_t ret[MAC_SIZE])
{
	/* Where there is no random number, the process' id is different enough. */
	pid_t pid = getpid();

	machine_mac("", "probe", "", parent, ret);
	ret[1] ^= parent[4];
	ret[2] ^= parent[5];
	if (ret[0] == 0x02 && ret[1] == 0x42)
		ret[0] = 0x06;
	if (getrandom(ret + PROBE_HOST_PART, MAC_SIZE - PROBE_HOST_PART, GRND_NONBLOCK) !=
		MAC_SIZE - PROBE_HOST_PART)
		memcpy(ret + PROBE_HOST_PART, &pid, MAC_SIZE - PROBE_HOST_PART);
}

/**
 * probes_add() - add an endpoint whose addresses are to be tried out
 * @probes:   all of the attach
 * @request:  the endpoint; what it points to lives as long as @probes
 * @endpoint: it, with its addresses, and the MAC of its link for the time of the trial
 * @ifindex:  the link, up and without addresses
 * @err:      filled on failure
 *
 * Return: 0, or what lan_open() gave.
 */
int probes_add(struct probes *probes, const struct ipam_request *request,
	struct record_endpoint *endpoint, int ifindex, struct error *err)
{
	struct probe *probe = &probes->list[probes->n++];

	*probe = (struct probe){
		.request = *request,
		.endpoint = endpoint,
		.ifindex = ifindex,
		.wait_ms = request->network->conflict_detection_ms,
		.lan = LAN_CLOSED,
		.n = endpoint->n_addresses,
	};
	memcpy(probe->mac, endpoint->mac, MAC_SIZE);
	for (unsigned i = 0; i < probe->n; i++) {
		struct cidr *address = &endpoint->addresses[i];

		probe->addresses[i].address = address;
		probe->addresses[i].is_static = candidates_is_static(request, &address->ip);
	}
	return lan_open(ifindex, probe->mac, &probe->lan, err);
}

/**
 * probes_close() - close what was opened; a destructor for cleanup()
 * @probes: all of the attach
 */
void probes_close(struct probes *probes)
{
	for (unsigned i = 0; i < probes->n; i++)
		lan_close(&probes->list[i].lan);
	probes->n = 0;
}

static int begin_all(struct probes *probes, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < probes->n; i++) {
		struct probe *probe = &probes->list[i];

		for (unsigned j = 0; r == 0 && j < probe->n; j++)
			r = probe_begin(probes, probe, &probe->addresses[j], err);
	}
	return r;
}

/* One endpoint: what has come, and what is due. */
static int step(struct probes *probes, struct probe *probe, bool ask, bool *ret_done,
	int64_t *ret_next, struct error *err)
{
	int64_t now = probe_now(); /* all that came before this counts */
	int r = ask ? probe_ask(probes, probe, err) : 0;

	if (r == 0)
		r = probe_hear(probes, probe, err);
	for (unsigned i = 0; r == 0 && i < probe->n; i++) {
		struct probe_address *address = &probe->addresses[i];

		if (!address->is_free)
			r = probe_step(probes, probe, address, now, ret_next, err);
		if (!address->is_free)
			*ret_done = false;
	}
	return r < 0 ? error_prefix(err, "network '%s'", probe->request.network->name) : 0;
}

/* Until something comes, or is due. Returns whether the kernel's addresses have changed. */
static bool wait_until(const struct probes *probes, const struct nl *changes, int64_t next)
{
	struct pollfd polled[SELECTIONS_MAX + 1] = { { .fd = changes->fd, .events = POLLIN } };
	int64_t rest = next - probe_now();
	const struct timespec timeout = { rest / (1000 * PROBE_MS), rest % (1000 * PROBE_MS) };

	for (unsigned i = 0; i < probes->n; i++)
		polled[1 + i] = (struct pollfd){ .fd = probes->list[i].lan.fd, .events = POLLIN };
	if (rest <= 0 || ppoll(polled, 1 + probes->n, &timeout, NULL) <= 0 || !polled[0].revents)
		return false;
	nl_drain(changes);
	return true;
}

/**
 * probes_run() - try out the addresses of all endpoints, until each is found free
 * @probes: all of the attach; the endpoints' addresses that are taken are replaced
 * @err:    filled on failure
 *
 * IPv6 addresses are on their links afterwards, and usable. No lock is held but the container's.
 *
 * Return: 0; -EADDRINUSE: a static address is taken, or too many are; -ENOSPC: no other is left;
 * -ETIME; -EINTR; what the kernel or the pool gave.
 */
int probes_run(struct probes *probes, struct error *err)
{
	struct nl changes cleanup(nl_close) = NL_CLOSED;
	bool ask = false;
	bool done = false;
	int r = nl_open_group(RTNLGRP_IPV6_IFADDR, &changes, err);

	if (r == 0)
		r = begin_all(probes, err);
	while (r == 0 && !done) {
		int64_t next = INT64_MAX;

		done = true;
		for (unsigned i = 0; r == 0 && i < probes->n; i++)
			r = step(probes, &probes->list[i], ask, &done, &next, err);
		if (r == 0)
			r = deadline_check("waiting for the LAN", err);
		if (r == 0 && !done)
			ask = wait_until(probes, &changes, next);
	}
	return r;
}
