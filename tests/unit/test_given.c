// SPDX-License-Identifier: MIT
/*
 * ipam/given.c: an address that others have chosen has one owner like any other.
 */
#include "ipam/given.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipam/quarantine.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "schema/record.h"
#include "tests/unit/tap.h"

static const struct record_endpoint eth0 = { .interface = "eth0", .parent = "lan0" };
static const struct record_endpoint eth1 = { .interface = "eth1", .parent = "lan0" };
static const struct record_endpoint elsewhere = { .interface = "eth0", .parent = "lan1" };
static const struct record_endpoint nowhere = { .interface = "eth0", .parent = "lan2" };
static const struct ip ip4 = { AF_INET, { 10, 0, 0, 5 } };
static const struct ip ip6 = { AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 } };

/* Who has ADDRESS in lan0; "" for nobody. */
static const char *owner(const char *address)
{
	static char target[CLAIMS_OWNER_MAX + 1];
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/pools/lan0/%s", tap_tempdir(), address);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	return target;
}

static struct given given(
	const char *id, const struct record_endpoint *endpoint, const struct ip *ip)
{
	return (struct given){ .id = id, .endpoint = endpoint, .ip = ip };
}

static void test_claim(struct store *store)
{
	struct given mine = given("c0", &eth0, &ip4);
	struct given six = given("c0", &eth0, &ip6);
	char holder[CLAIMS_OWNER_MAX + 1] = "untouched";
	struct error err = { 0 };

	is_int(given_claim(store, &mine, holder, &err), 0, "a free address is claimed: %s",
		err.text);
	is_str(owner("10.0.0.5"), "c0/eth0", "in the parent's pool");
	is_int(given_claim(store, &mine, holder, &err), 0, "again by its owner");
	is_str(holder, "untouched", "nobody else has it");
	is_int(given_claim(store, &six, holder, &err), 0, "and one of IPv6");
	is_str(owner("2001:db8::5"), "c0/eth0", "by its shortest name");
}

static void test_others(struct store *store)
{
	const struct given others[] = { given("c1", &eth0, &ip4), given("c0", &eth1, &ip4) };
	struct given on = given("c1", &elsewhere, &ip4);
	struct error err = { 0 };

	for (size_t i = 0; i < 2; i++) {
		char holder[CLAIMS_OWNER_MAX + 1] = "";

		is_int(given_claim(store, &others[i], holder, &err), -EEXIST, "not by another");
		is_str(holder, "c0/eth0", "who learns the holder");
		is_int(given_release(store, &others[i], &err), 0, "who gives nothing back");
		is_str(owner("10.0.0.5"), "c0/eth0", "it is still his");
	}
	is_int(given_claim(store, &on, (char[CLAIMS_OWNER_MAX + 1]){ "" }, &err), 0,
		"another parent is another LAN");
}

static void test_no_claim(struct store *store)
{
	struct given mine = given("c0", &eth0, &(struct ip){ AF_INET, { 10, 0, 0, 6 } });
	char holder[CLAIMS_OWNER_MAX + 1] = "x";
	char path[128];
	struct error err = { 0 };

	snprintf(path, sizeof(path), "%s/pools/lan0/10.0.0.6", tap_tempdir());
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	is_int(given_claim(store, &mine, holder, &err), -EEXIST, "a file is in the way: %s",
		err.text);
	is_str(holder, "", "which has no holder");
	is_int(given_release(store, &mine, &err), 0, "it is no claim to release");
	ok(access(path, F_OK) == 0, "and stays");
}

static void test_quarantine(struct store *store)
{
	const struct ip ip = { AF_INET, { 10, 0, 0, 7 } };
	const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };
	struct given mine = given("c0", &eth0, &ip);
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	struct store_pool *pool = NULL;
	struct error err = { 0 };

	is_int(store_keep_pool(store, "lan0", true, &pool, &err), 0, "a pool");
	quarantine_put(pool->dir, &ip, mac);
	ok(!strncmp(owner("10.0.0.7"), ".conflict/", 10), "an address in quarantine");
	is_int(given_claim(store, &mine, holder, &err), 0, "may be had: %s", err.text);
	is_str(owner("10.0.0.7"), "c0/eth0", "and is his");
}

static void test_release(struct store *store)
{
	struct given mine = given("c0", &eth0, &ip4);
	struct given none = given("c0", &nowhere, &ip4);
	char path[128];
	struct error err = { 0 };

	is_int(given_release(store, &mine, &err), 0, "the owner gives it back");
	is_str(owner("10.0.0.5"), "", "it is free");
	is_int(given_release(store, &mine, &err), 0, "twice is once");
	is_str(owner("2001:db8::5"), "c0/eth0", "his others are still his");
	is_int(given_claim(store, &(struct given){ "c1", &eth0, &ip4 },
		       (char[CLAIMS_OWNER_MAX + 1]){ "" }, &err),
		0, "another can have it");
	is_int(given_release(store, &none, &err), 0, "in a pool that is not there: %s", err.text);
	snprintf(path, sizeof(path), "%s/pools/lan2", tap_tempdir());
	ok(access(path, F_OK) < 0, "which is not made");
}

int main(void)
{
	struct store store = STORE_CLOSED;
	struct error err = { 0 };

	is_int(store_open(tap_tempdir(), true, &store, &err), 0, "a store: %s", err.text);
	test_claim(&store);
	test_others(&store);
	test_no_claim(&store);
	test_quarantine(&store);
	test_release(&store);
	store_close(&store);
	return tap_done();
}
