// SPDX-License-Identifier: MIT
/*
 * Unit tests of ipam/quarantine.c and ipam/candidates.c: what is kept back, how long, and what is
 * offered in its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ipam/candidates.h"
#include "ipam/claims.h"
#include "ipam/quarantine.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/selection.h"
#include "tests/unit/tap.h"

static const uint8_t stranger[MAC_SIZE] = { 0x02, 0, 0, 0, 0, 0x77 };

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	ip_parse(text, &ip, NULL);
	return ip;
}

static unsigned long long boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (unsigned long long)now.tv_sec;
}

static void test_parse(void)
{
	static const char *const none[] = { "c0/eth0", ".conflict/eth0", "",
		".conflict/02:00:00:00:00:77", ".conflict/02:00:00:00:00:77-",
		".conflict/02:00:00:00:00:77-x", ".conflict/02:00:00:00:00:77-12x",
		".conflict/02:00:00:00:00:7g-12", ".conflict/02:00:00:00:00:77+12",
		"xconflict/02:00:00:00:00:77-12", ".conflict/03:00:00:00:00:77-12" };
	struct quarantine quarantine = { 0 };
	char owner[64];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ok(!quarantine_parse(none[i], &quarantine), "'%s' is none", none[i]);
	ok(quarantine_parse(".conflict/02:00:00:00:00:77-1", &quarantine), "one of long ago");
	is_int((long)quarantine.seconds, 0, "is over");
	ok(!memcmp(quarantine.mac, stranger, MAC_SIZE), "and says whose it was");
	snprintf(owner, sizeof(owner), ".conflict/00:00:00:00:00:00-%llu", boottime() + 100);
	ok(quarantine_parse(owner, &quarantine), "one of somebody unknown");
	ok(quarantine.seconds > 95 && quarantine.seconds <= 100, "has so much time left");
}

/* 10.0.0.0/29 leaves .2 to .6 to containers. */
static struct network *make_network(void)
{
	static const char text[] = "{\"name\":\"n\",\"parent\":\"eth0\",\"subnets\":"
				   "[{\"subnet\":\"10.0.0.0/29\",\"gateway\":\"10.0.0.1\"}]}";
	struct network *network = NULL;

	ok(network_parse(text, strlen(text), &network, NULL) == 0, "a network");
	return network;
}

static void expect_free(struct store *store, const struct ipam_request *request, const char *ip)
{
	struct ipam_result result = { 0 };
	struct error err = { 0 };
	char text[IP_TEXT] = "";

	if (ipam_allocate(store, request, &result, &err) == 0)
		ip_format(&result.addresses[0].ip, text);
	is_str(text, ip, "it gets this address");
}

static void test_candidates(struct store *store, struct network *network)
{
	struct selection selection = { .network = "n" };
	struct ipam_request request = { .network = network,
		.selection = &selection,
		.id = "c0",
		.interface = "eth0",
		.key = "c0" };
	struct cidr first = { ip_of("10.0.0.2"), 29 };
	struct cidr next = { 0 };
	struct ip spares[8];
	struct error err = { 0 };
	char text[IP_TEXT];

	expect_free(store, &request, "10.0.0.2");
	is_int(candidates_peek(store, &request, AF_INET, spares, 2), 2, "two more are offered");
	is_str(ip_format(&spares[0], text), "10.0.0.3", "the next");
	is_int(candidates_peek(store, &request, AF_INET, spares, 8), 4, "there are no more than 4");
	ok(candidates_drop(store, &request, &first, stranger, &err) == 0,
		"the first is a stranger's");
	ok(candidates_take(store, &request, &spares[1], &err) == 0, "a spare is taken");
	ok(candidates_take(store, &request, &first.ip, &err) == -EEXIST,
		"the stranger's is not free");
	next = (struct cidr){ spares[1], 29 };
	ok(candidates_drop(store, &request, &next, NULL, &err) == 0,
		"somebody else wants that, too");
	ok(candidates_next(store, &request, AF_INET, &next, &err) == 0, "another");
	is_str(ip_format(&next.ip, text), "10.0.0.5", "is not the same again, nor kept back");
	ok(candidates_drop(store, &request, &next, NULL, &err) == 0, "given back");
	request.id = "c1";
	request.key = "c1";
	selection.n_ips = 1;
	selection.ips[0] = (struct cidr){ first.ip, SELECTION_LEN_NONE };
	ok(candidates_is_static(&request, &first.ip), "who asks for the stranger's by name");
	expect_free(store, &request, "10.0.0.2");
	ok(candidates_drop(store, &request, &first, NULL, &err) == 0,
		"gets it, to try it out anew");
}

static void test_expiry(struct store *store, struct network *network)
{
	struct selection selection = { .network = "n" };
	char id[8];
	struct ipam_request request = { .network = network,
		.selection = &selection,
		.id = id,
		.interface = "eth0",
		.key = id };
	struct ipam_result result = { 0 };
	struct error err = { 0 };
	char owner[CLAIMS_OWNER_MAX + 1];
	struct store_pool *pool = NULL;
	struct ip ip = ip_of("10.0.0.4");

	ok(store_keep_pool(store, "eth0", true, &pool, &err) == 0, "the pool");
	ok(symlinkat(".conflict/02:00:00:00:00:77-1", pool->dir, "10.0.0.3") == 0,
		"one that is over");
	quarantine_put(pool->dir, &ip, stranger);
	ok(claims_owner(pool->dir, "10.0.0.4", owner, &err) == 0 &&
			!strncmp(owner, ".conflict/02:00:00:00:00:77-", 28),
		"one that is not, '%s'", owner);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "d%u", i);
		ok(ipam_allocate(store, &request, &result, &err) == 0, "%u fits: %s", i, err.text);
	}
	snprintf(id, sizeof(id), "e");
	ok(ipam_allocate(store, &request, &result, &err) == -ENOSPC, "then it is full: %s",
		err.text);
	ok(quarantine_lift(store, pool->dir, &ip), "one is lifted");
	ok(!quarantine_lift(store, pool->dir, &ip), "once");
	expect_free(store, &request, "10.0.0.4");
}

static void test_past(struct store *store, struct network *network)
{
	struct selection selection = { .network = "n" };
	struct ipam_request request = { .network = network,
		.selection = &selection,
		.id = "e",
		.interface = "eth0",
		.key = "e" };
	struct record_endpoint endpoint = { .network = "n",
		.interface = "eth0",
		.parent = "eth0",
		.ifindex = 2,
		.key = "e",
		.mac = { 2, 0, 0, 0, 0, 9 },
		.n_addresses = 1 };
	struct ip ip = ip_of("10.0.0.4");
	struct pool_past past;
	struct error err = { 0 };

	ok(candidates_past(store, &request, &ip, &past, &err) == 0 && !past.is_known,
		"nobody has given it back yet");
	endpoint.addresses[0] = (struct cidr){ ip, 29 };
	ok(ipam_release(store, "e", &endpoint, &err) == 0, "now e does");
	ok(candidates_past(store, &request, &ip, &past, &err) == 0 && past.is_known, "it is known");
	ok(past.is_same && past.ms < 10000, "that it was e, and when");
	ok(!memcmp(past.mac, endpoint.mac, MAC_SIZE), "and by which MAC");
	request.key = "f";
	ok(candidates_past(store, &request, &ip, &past, &err) == 0 && past.is_known &&
			!past.is_same,
		"f is another");
}

int main(void)
{
	struct store store = STORE_CLOSED;
	struct network *network;
	struct error err = { 0 };

	ok(store_open(tap_tempdir(), true, &store, &err) == 0, "a store: %s", err.text);
	network = make_network();
	test_parse();
	test_candidates(&store, network);
	test_expiry(&store, network);
	test_past(&store, network);
	network_free(&network);
	store_close(&store);
	return tap_done();
}
