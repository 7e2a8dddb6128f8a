// SPDX-License-Identifier: MIT
/*
 * Addresses that were found to be somebody else's: a claim ADDRESS -> .conflict/MAC-EXPIRY. While
 * it is there nobody is given the address; EXPIRY is in seconds of CLOCK_BOOTTIME.
 *
 * No container's claim looks like that: an interface has no ':' in its name, as the MAC has. As
 * with any claim, unlinking one needs a lock (ipam/store.c); it is that of an id that no container
 * can have.
 */
#include "ipam/quarantine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipam/store.h"
#include "schema/text.h"

#define OWNER ".conflict/"
#define LOCK "/conflict"
#define SECONDS 600

static uint64_t boottime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/**
 * quarantine_parse() - is a claim's owner one of these
 * @owner: what the claim says
 * @ret:   what it means
 *
 * Return: false: it is a container's, or nobody's.
 */
bool quarantine_parse(const char *owner, struct quarantine *ret)
{
	const size_t prefix = strlen(OWNER);
	char mac[MAC_TEXT];
	uint64_t now = boottime_s();
	uint64_t expiry;
	const char *number;
	char *end;

	if (strncmp(owner, OWNER, prefix) != 0 || strlen(owner) < prefix + MAC_TEXT + 1)
		return false;
	text_join(mac, sizeof(mac), owner + prefix);
	number = owner + prefix + MAC_TEXT;
	expiry = strtoull(number, &end, 10);
	if (number[-1] != '-' || *number < '0' || *number > '9' || *end)
		return false;
	if (!strcmp(mac, "00:00:00:00:00:00"))
		memset(ret->mac, 0, MAC_SIZE);
	else if (mac_parse(mac, ret->mac, NULL) < 0)
		return false;
	ret->seconds = expiry > now ? expiry - now : 0;
	return true;
}

/**
 * quarantine_put() - have an address not handed out for ten minutes
 * @pool: the pool
 * @ip:   the address
 * @mac:  who has it; zero: not known
 *
 * Nothing happens where it is claimed. Where it cannot be written down, the next one who is given
 * the address finds out again.
 */
void quarantine_put(int pool, const struct ip *ip, const uint8_t mac[MAC_SIZE])
{
	char holder[CLAIMS_OWNER_MAX + 1];
	char owner[CLAIMS_OWNER_MAX + 1];
	char expiry[TEXT_UINT];
	char name[IP_TEXT];
	char text[MAC_TEXT];

	text_join(owner, sizeof(owner), OWNER, mac_format(mac, text), "-",
		text_uint(boottime_s() + SECONDS, expiry));
	claims_take(pool, ip_format(ip, name), owner, holder, NULL);
}

/* Unlinks a claim that is one of these, whenever it ends or only when it has ended. */
static bool lift(int pool, const char *name, bool only_ended)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	struct quarantine quarantine;

	return claims_owner(pool, name, owner, NULL) == 0 && quarantine_parse(owner, &quarantine) &&
	       !(only_ended && quarantine.seconds > 0) &&
	       claims_release(pool, name, owner, NULL) == 0;
}

/**
 * quarantine_lift() - end it for one address, that somebody asks for by name
 * @store: the store
 * @pool:  the pool
 * @ip:    the address
 *
 * Return: true when the address was in quarantine, and is free now.
 */
bool quarantine_lift(const struct store *store, int pool, const struct ip *ip)
{
	char name[IP_TEXT];
	bool lifted;

	if (store_lock_id(store, LOCK, NULL) < 0)
		return false;
	lifted = lift(pool, ip_format(ip, name), false);
	store_unlock_id(store, LOCK);
	return lifted;
}

struct expiry {
	int pool;
	bool freed;
};

static int expire(void *arg, const char *name, const char *owner, struct error *err)
{
	struct expiry *expiry = arg;
	struct quarantine quarantine;

	(void)err;
	if (quarantine_parse(owner, &quarantine) && quarantine.seconds == 0 &&
		lift(expiry->pool, name, true))
		expiry->freed = true;
	return 0;
}

/**
 * quarantine_expire() - free the addresses of a pool whose time is over
 * @store: the store
 * @pool:  the pool
 *
 * Return: true when some were.
 */
bool quarantine_expire(const struct store *store, int pool)
{
	struct expiry expiry = { .pool = pool };

	if (store_lock_id(store, LOCK, NULL) < 0)
		return false;
	claims_list(pool, expire, &expiry, NULL);
	store_unlock_id(store, LOCK);
	return expiry.freed;
}
