// SPDX-License-Identifier: MIT
/*
 * Does anybody on the LAN have this address? What becomes of one that is tried out; probes.c has
 * all of them at the same time.
 *
 * IPv4 by ARP probes: three, spread over the wait. Beside an automatic address a few others are
 * asked about that might be next: so when the first is taken, one of them has waited as long. They
 * are claimed only then. IPv6 by the kernel's duplicate address detection, with its timer set to
 * the wait; a taken address is known within milliseconds, and the next one is tried out then.
 *
 * A taken address of an automatic choice goes into quarantine (ipam/quarantine.c); a static one
 * fails the attach. Who only asks about an address at the same time does not have it: of two that
 * ask, the one with the higher MAC gives way. Those of this host are told by the first half of
 * their MACs, and pay no heed to each other: among them the claims decide.
 *
 * A container of ours that ended just now may still answer: for 50 ms as measured, and longer where
 * many end at once. So an answer from the MAC that the pool remembers, or for an address that was
 * given back a moment ago, begins the wait anew, for a while.
 */
#include "hook/probe.h"

#include <linux/if_addr.h>
#include <string.h>
#include <time.h>

#include "hook/endpoint.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/reconcile.h"
#include "hook/rtnl.h"
#include "ipam/candidates.h"
#include "schema/error.h"
#include "schema/record.h"

#define MS PROBE_MS
/* Probes for one address: one or two may be lost. */
#define PROBES 3
/* How long one of ours that is dying may answer, and how long where it ended just now: the kernel
 * takes namespaces down one after the other. And how soon it is asked again.
 */
#define DYING_MS 500
#define DYING_NOW_MS 3000
#define JUST_NOW_MS 10000
#define AGAIN_MS 20
/* How many addresses may be taken before that is an error: there are devices that answer for all.
 */
#define CONFLICTS_MAX 16
/* How many frames are read before time is looked at again, and how many are waiting at most. */
#define FRAMES_MAX 512
#define FRAMES_WAITING_MAX 65536

/**
 * probe_now() - the time in which trials are measured
 *
 * Return: CLOCK_MONOTONIC in nanoseconds.
 */
int64_t probe_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* Of who has an address, where that is not known. */
static const uint8_t unknown[MAC_SIZE];

static bool is_ip4(const struct probe_address *address)
{
	return address->address->ip.family == AF_INET;
}

/**
 * probe_begin() - begin the trial of the address that is in place now
 * @probes:  all of the attach
 * @probe:   the endpoint
 * @address: the address
 * @err:     filled on failure
 *
 * Return: 0, or what opening the pool gave.
 */
int probe_begin(struct probes *probes, struct probe *probe, struct probe_address *address,
	struct error *err)
{
	int64_t now = probe_now();
	struct store *store = &probes->host->store;
	struct ip spares[PROBE_SPARES_MAX];

	address->begun = now;
	address->next = now;
	address->until = now + probe->wait_ms * MS;
	address->n_sent = 0;
	address->n_spares = 0;
	address->is_free = false;
	address->dad = PROBE_DAD_NONE;
	address->has_holder = false;
	if (is_ip4(address) && !address->is_static)
		address->n_spares =
			candidates_peek(store, &probe->request, AF_INET, spares, PROBE_SPARES_MAX);
	for (unsigned i = 0; i < address->n_spares; i++)
		address->spares[i] = (struct probe_spare){ .ip = spares[i] };
	return candidates_past(store, &probe->request, &address->address->ip, &address->past, err);
}

/* One of ours that is dying: it is given time until nobody answers any more. */
static bool is_dying(const struct probe_address *address, const uint8_t *mac, int64_t now)
{
	const struct pool_past *past = &address->past;
	int64_t tried = (now - address->begun) / MS;

	if (!past->is_known)
		return false;
	if (mac && !memcmp(mac, past->mac, MAC_SIZE))
		return tried < (past->ms < JUST_NOW_MS ? DYING_NOW_MS : DYING_MS);
	return tried < DYING_MS && past->ms < DYING_MS;
}

static int say_taken(const struct probe_address *address, const uint8_t *mac, bool is_contested,
	struct error *err)
{
	char ip[IP_TEXT];
	char text[MAC_TEXT];

	ip_format(&address->address->ip, ip);
	if (is_contested)
		return error_set(err, -EADDRINUSE,
			"address '%s' is asked for by another machine on the LAN at the same "
			"moment (MAC '%s'), which gets it: ask for another, or see who that is",
			ip, mac_format(mac, text));
	if (!mac)
		return error_set(err, -EADDRINUSE,
			"address '%s' is in use on the LAN, by whom is not known: ask for another, "
			"or end that",
			ip);
	return error_set(err, -EADDRINUSE,
		"address '%s' is in use on the LAN by MAC '%s': ask for another, or end that", ip,
		mac_format(mac, text));
}

/* Nobody else is given it by chance, unless it is only wanted by two at the same moment. */
static int refuse_static(struct probes *probes, const struct probe *probe,
	const struct probe_address *address, const uint8_t *mac, bool is_contested,
	struct error *err)
{
	if (!is_contested)
		candidates_drop(&probes->host->store, &probe->request, address->address,
			mac ? mac : unknown, NULL);
	probes->refused = probe;
	say_taken(address, mac, is_contested, &probes->refusal);
	return error_set(err, -EADDRINUSE, "%s", probes->refusal.text);
}

static int refuse_all(const struct probe_address *address, const uint8_t *mac, struct error *err)
{
	char ip[IP_TEXT];
	char text[MAC_TEXT];

	return error_set(err, -EADDRINUSE,
		"%d addresses one after the other are in use on the LAN, the last '%s' by MAC "
		"'%s': does that device answer for all of them (proxy ARP)? Give the network an "
		"ip_range that is free",
		CONFLICTS_MAX, ip_format(&address->address->ip, ip),
		mac ? mac_format(mac, text) : "not known");
}

static void log_taken(const struct probe *probe, const struct probe_address *address,
	const uint8_t *mac, bool is_contested)
{
	char ip[IP_TEXT];
	char text[MAC_TEXT];

	ip_format(&address->address->ip, ip);
	if (is_contested)
		log_notice("network '%s': address '%s' is wanted by MAC '%s' at the same moment: "
			   "another is tried",
			probe->request.network->name, ip, mac_format(mac, text));
	else
		log_notice("network '%s': address '%s' is in use on the LAN by MAC '%s': it is not "
			   "handed out for 10 minutes",
			probe->request.network->name, ip, mac ? mac_format(mac, text) : "unknown");
}

/* A spare that has been silent so far, and is nobody's claim: its trial goes on. */
static bool take_spare(struct probes *probes, const struct probe *probe,
	struct probe_address *address, struct error *err)
{
	while (address->n_spares > 0) {
		struct probe_spare spare = address->spares[0];

		address->n_spares--;
		memmove(address->spares, address->spares + 1,
			address->n_spares * sizeof(address->spares[0]));
		if (spare.is_out ||
			candidates_take(&probes->host->store, &probe->request, &spare.ip, err) < 0)
			continue;
		address->address->ip = spare.ip;
		return candidates_past(&probes->host->store, &probe->request, &spare.ip,
			       &address->past, err) == 0;
	}
	return false;
}

/* Puts another address in the place of one that is taken. MAC is NULL where it is not known. */
static int replace(struct probes *probes, struct probe *probe, struct probe_address *address,
	const uint8_t *mac, bool is_contested, struct error *err)
{
	struct store *store = &probes->host->store;
	sa_family_t family = address->address->ip.family;
	int r = 0;

	if (address->is_static)
		return refuse_static(probes, probe, address, mac, is_contested, err);
	if (++probe->n_conflicts >= CONFLICTS_MAX)
		return refuse_all(address, mac, err);
	log_taken(probe, address, mac, is_contested);
	if (address->dad != PROBE_DAD_NONE)
		r = rtnl_addr_del(&probes->trial.nl, probe->ifindex, address->address, err);
	if (r == 0)
		r = candidates_drop(store, &probe->request, address->address,
			is_contested ? NULL : (mac ? mac : unknown), err);
	if (r < 0 || take_spare(probes, probe, address, err))
		return r;
	r = candidates_next(store, &probe->request, family, address->address, err);
	if (r == -ENOSPC && reconcile_made_room(probes->host))
		r = candidates_next(store, &probe->request, family, address->address, err);
	return r == 0 ? probe_begin(probes, probe, address, err) : r;
}

/* Somebody has an address. */
static int hear_answer(struct probes *probes, struct probe *probe, struct probe_address *address,
	const struct lan_frame *frame, struct error *err)
{
	int64_t now = probe_now();

	if (!is_dying(address, frame->mac, now))
		return replace(probes, probe, address, frame->mac, false, err);
	address->is_free = false;
	address->next = now + AGAIN_MS * MS;
	address->n_sent = PROBES - 1;
	address->until = now + probe->wait_ms * MS;
	return 0;
}

/* Somebody asks about an address, to take it. */
static int hear_probe(struct probes *probes, struct probe *probe, struct probe_address *address,
	const struct lan_frame *frame, struct error *err)
{
	bool is_of_this_host = !memcmp(frame->mac, probe->lan.mac, PROBE_HOST_PART);

	if (is_of_this_host || memcmp(frame->mac, probe->lan.mac, MAC_SIZE) > 0)
		return 0;
	return replace(probes, probe, address, frame->mac, true, err);
}

static void strike_spare(
	const struct probe *probe, struct probe_address *address, const struct lan_frame *frame)
{
	if (frame->is_probe && !memcmp(frame->mac, probe->lan.mac, PROBE_HOST_PART))
		return;
	for (unsigned i = 0; i < address->n_spares; i++)
		if (ip_equal(&address->spares[i].ip, &frame->ip))
			address->spares[i].is_out = true;
}

/* Of IPv6 the kernel judges; we only remember whom it means. */
static int hear(struct probes *probes, struct probe *probe, struct probe_address *address,
	const struct lan_frame *frame, struct error *err)
{
	if (!ip_equal(&address->address->ip, &frame->ip)) {
		strike_spare(probe, address, frame);
		return 0;
	}
	if (!is_ip4(address)) {
		address->holder = *frame;
		address->has_holder = true;
		return 0;
	}
	return frame->is_probe ? hear_probe(probes, probe, address, frame, err)
			       : hear_answer(probes, probe, address, frame, err);
}

/* Somebody has, or wants, an address that the kernel makes of our token, whatever the prefix is.
 * The container itself may, when it is started again: then it is dying.
 */
static void hear_token(struct probe *probe, const struct lan_frame *frame)
{
	const uint8_t *half = frame->ip.bytes + sizeof(frame->ip.bytes) - MACHINE_TOKEN_SIZE;

	if (probe->ra == RA_DONE || frame->ip.family != AF_INET6 ||
		memcmp(half, probe->wiring->ra.token, MACHINE_TOKEN_SIZE) != 0 ||
		!memcmp(frame->mac, probe->wiring->endpoint->mac, MAC_SIZE))
		return;
	probe->ra = RA_FAILED;
	probe->ra_holder = *frame;
}

/**
 * probe_hear() - take in what was said of an endpoint's addresses
 * @probes:  all of the attach
 * @probe:   the endpoint
 * @ret_all: is that all; else there is so much that the time is to be looked at in between
 * @err:     filled on failure
 *
 * Return: 0; -EADDRINUSE; what the kernel or the pool gave.
 */
int probe_hear(struct probes *probes, struct probe *probe, bool *ret_all, struct error *err)
{
	struct lan_frame frame;
	int r = 0;

	*ret_all = false;
	for (unsigned i = 0; r == 0 && i < FRAMES_MAX; i++) {
		if (!lan_read(&probe->lan, &frame)) {
			*ret_all = true;
			break;
		}
		hear_token(probe, &frame);
		for (unsigned j = 0; r == 0 && j < probe->n; j++)
			r = hear(probes, probe, &probe->addresses[j], &frame, err);
	}
	return r;
}

/* What the kernel says of an address. */
static int read_dad(void *arg, const struct rtnl_addr *addr)
{
	struct probe *probe = arg;

	for (unsigned i = 0; i < probe->n; i++) {
		struct probe_address *address = &probe->addresses[i];

		if (address->dad == PROBE_DAD_NONE ||
			!ip_equal(&address->address->ip, &addr->cidr.ip))
			continue;
		if (addr->flags & IFA_F_DADFAILED)
			address->dad = PROBE_DAD_FAILED;
		else
			address->dad = (addr->flags & IFA_F_TENTATIVE) ? PROBE_DAD_UNDER_WAY
								       : PROBE_DAD_PASSED;
	}
	return 0;
}

/**
 * probe_ask() - ask the kernel what it has found out about an endpoint's IPv6 addresses
 * @probes: all of the attach
 * @probe:  the endpoint
 * @err:    filled on failure
 *
 * Return: 0, or what rtnl_addr_list_link() gave.
 */
int probe_ask(struct probes *probes, struct probe *probe, struct error *err)
{
	return rtnl_addr_list_link(
		&probes->trial.nl, probe->ifindex, AF_INET6, read_dad, probe, err);
}

/* The kernel has found a duplicate, and sets the address aside. */
static int hear_failure(struct probes *probes, struct probe *probe, struct probe_address *address,
	struct error *err)
{
	const uint8_t *mac = address->has_holder ? address->holder.mac : NULL;
	bool is_contested = address->has_holder && address->holder.is_probe;
	int64_t now = probe_now();
	int r;

	if (is_contested || !is_dying(address, mac, now))
		return replace(probes, probe, address, mac, is_contested, err);
	r = rtnl_addr_del(&probes->trial.nl, probe->ifindex, address->address, err);
	address->dad = PROBE_DAD_NONE;
	address->has_holder = false;
	address->next = now + AGAIN_MS * MS;
	address->until = address->next + probe->wait_ms * MS;
	return r;
}

/* The wait begins with the first, and ends a pause after the third: also where this process had to
 * wait for its turn in between.
 */
static int send_probes(struct probe *probe, struct probe_address *address, struct error *err)
{
	int64_t pause = probe->wait_ms * MS / PROBES;
	int r = lan_probe(&probe->lan, &address->address->ip, err);
	int64_t now;

	for (unsigned i = 0; r == 0 && i < address->n_spares; i++)
		if (!address->spares[i].is_out)
			r = lan_probe(&probe->lan, &address->spares[i].ip, err);
	now = probe_now();
	address->n_sent++;
	if (address->n_sent == 1)
		address->until = now + probe->wait_ms * MS;
	if (address->n_sent == PROBES && address->until < now + pause)
		address->until = now + pause;
	address->next = address->n_sent < PROBES ? now + pause : address->until + pause;
	if (address->next <= now)
		address->next = now + pause;
	return r;
}

/* What is due for an IPv4 address. One that is free is asked about again and again as long as
 * others are not, or a host that asks for it only now would hear nobody.
 */
static int step4(struct probe *probe, struct probe_address *address, int64_t now, struct error *err)
{
	address->is_free = address->n_sent >= PROBES && now >= address->until;
	return now >= address->next ? send_probes(probe, address, err) : 0;
}

/* And for an IPv6 address. */
static int step6(struct probes *probes, struct probe *probe, struct probe_address *address,
	int64_t now, struct error *err)
{
	char text[IP_TEXT];
	int r = 0;

	if (address->dad == PROBE_DAD_FAILED)
		return hear_failure(probes, probe, address, err);
	address->is_free = address->dad == PROBE_DAD_PASSED;
	if (address->dad == PROBE_DAD_NONE && now >= address->next) {
		r = rtnl_addr_add(&probes->trial.nl, probe->ifindex, address->address, true, err);
		address->dad = PROBE_DAD_UNDER_WAY;
	}
	if (r == 0 && !address->is_free && now > address->until + PROBE_DAD_LATE_MS * MS)
		r = error_set(err, -ETIME,
			"the kernel does not say whether '%s' is in use on the LAN: is the parent "
			"up, with a carrier?",
			ip_format(&address->address->ip, text));
	return r;
}

/**
 * probe_was_wanted() - has another machine asked for an endpoint's addresses, or claimed one
 * @probe: the endpoint, whose own link is up: what it says itself does not count
 * @ret:   what was said
 *
 * Return: true when one has since probe_hear().
 */
bool probe_was_wanted(struct probe *probe, struct lan_frame *ret)
{
	struct lan_frame frame;

	for (unsigned i = 0; i < FRAMES_WAITING_MAX && lan_read(&probe->lan, &frame); i++) {
		bool is_own =
			!memcmp(frame.mac, probe->wiring->endpoint->mac, MAC_SIZE) ||
			(frame.is_probe && !memcmp(frame.mac, probe->lan.mac, PROBE_HOST_PART));

		for (unsigned j = 0; !is_own && j < probe->n; j++)
			if (is_ip4(&probe->addresses[j]) &&
				ip_equal(&probe->addresses[j].address->ip, &frame.ip)) {
				*ret = frame;
				return true;
			}
	}
	return false;
}

/* When something is due for an address again. */
static int64_t due(const struct probe_address *address)
{
	if (is_ip4(address) && !address->is_free && address->n_sent >= PROBES)
		return address->until < address->next ? address->until : address->next;
	if (is_ip4(address))
		return address->next;
	return address->dad == PROBE_DAD_NONE ? address->next
					      : address->until + PROBE_DAD_LATE_MS * MS;
}

/**
 * probe_step() - do what is due for an address
 * @probes:   all of the attach
 * @probe:    the endpoint
 * @address:  the address; probe_hear() has taken in all that came before @now
 * @now:      the time
 * @ret_next: lowered to the time when something is due again
 * @err:      filled on failure
 *
 * Return: 0; -EADDRINUSE; -ETIME; what the kernel or the pool gave.
 */
int probe_step(struct probes *probes, struct probe *probe, struct probe_address *address,
	int64_t now, int64_t *ret_next, struct error *err)
{
	int r = is_ip4(address) ? step4(probe, address, now, err)
				: step6(probes, probe, address, now, err);

	if ((is_ip4(address) || !address->is_free) && due(address) < *ret_next)
		*ret_next = due(address);
	return r;
}
