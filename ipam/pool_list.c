// SPDX-License-Identifier: MIT
/*
 * Looks at all claims of a pool: those of one owner, and how many lie in a subnet.
 */
#include <dirent.h>
#include <string.h>

#include "ipam/dir.h"
#include "ipam/pool.h"

/* Whose claims are looked for, and who hears of them. */
struct listing {
	const char *owner;
	claims_list_fn *found;
	void *arg;
};

static int claim_found(void *arg, const char *name, const char *owner, struct error *err)
{
	const struct listing *listing = arg;

	return strcmp(owner, listing->owner) ? 0 : listing->found(listing->arg, name, owner, err);
}

/**
 * pool_list_owner() - call a function for each claim of an owner, by looking at every claim
 * @pool:  the pool
 * @owner: CONTAINER/INTERFACE; its id's lock is held
 * @found: the function; it may release the claim
 * @arg:   for the function
 * @err:   filled on failure
 *
 * For an endpoint that is only an intent: which addresses it got is not recorded. Of many owners,
 * index_list() is faster.
 *
 * Return: 0, or what readdir(3), readlink(2) or the function gave.
 */
int pool_list_owner(
	int pool, const char *owner, claims_list_fn *found, void *arg, struct error *err)
{
	struct listing listing = { owner, found, arg };

	return claims_list(pool, claim_found, &listing, err);
}

/* What is counted. */
struct count {
	const struct cidr *subnet;
	unsigned long n;
};

static int count_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	struct count *count = arg;
	struct ip ip;

	(void)err;
	if (type == DT_LNK && name[0] != '.' && ip_parse(name, &ip, NULL) == 0 &&
		cidr_contains(count->subnet, &ip))
		count->n++;
	return 0;
}

/**
 * pool_count() - how many addresses of a subnet are claimed
 * @pool:   the pool
 * @subnet: the subnet
 * @ret:    the number
 * @err:    filled on failure
 *
 * Return: 0, or what readdir(3) gave.
 */
int pool_count(int pool, const struct cidr *subnet, unsigned long *ret, struct error *err)
{
	struct count count = { subnet, 0 };
	int r = dir_list(pool, count_found, &count, err);

	if (r < 0)
		return r;
	*ret = count.n;
	return 0;
}
