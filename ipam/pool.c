// SPDX-License-Identifier: MIT
/*
 * Which address of a subnet: the candidates of a range, in which order, and what is never handed
 * out. A pool holds the claims of one parent, as that is where an address must be unique.
 *
 * The order: the address that the same key had last, if it is free; else the next free one behind
 * the last that was handed out, so that a freed address is used again last. The hint (ipam/hint.c)
 * finds it without asking the file system for each; every claim is made with symlink(2) all the
 * same, and only a look at all claims decides that a range is full.
 */
#include "ipam/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipam/dir.h"
#include "ipam/hint.h"
#include "ipam/window.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/hash.h"

/* How many claims may be found where the hint has none before all are read at once: a failed
 * symlink(2) costs 0.8 us, reading the 65534 claims of a /16 23 ms.
 */
#define MISSES_MAX 4096

/* No candidate is left; no errno, as the file system gives those. */
#define NONE_LEFT 1

/* One allocation on its way. */
struct search {
	int pool;
	const struct pool_request *request;
	struct window window;
	const struct hint *hint;
	uint64_t key;	/* hash of who gets the same address again */
	uint64_t range; /* hash of the range, for its cursor */
	unsigned misses;
};

static bool is_reserved(const struct pool_request *request, const struct ip *ip)
{
	for (size_t i = 0; i < request->n_reserved; i++)
		if (ip_equal(&request->reserved[i], ip))
			return true;
	return cidr_reserves(&request->subnet, ip);
}

/* Claims one candidate: 0, -EEXIST (nothing is formatted for that), or what the system gave. */
static int claim(const struct search *search, const struct ip *ip, struct error *err)
{
	char holder[CLAIMS_OWNER_MAX + 1];
	char name[IP_TEXT];
	int r = claims_take(
		search->pool, ip_format(ip, name), search->request->owner, holder, NULL);

	if (r < 0 && r != -EEXIST)
		error_set(err, r, "cannot claim '%s': %s", name, strerror(-r));
	return r;
}

/* Claims the first free candidate of [from, end): 0, NONE_LEFT, -errno. */
static int take_between(struct search *search, uint64_t *words, uint32_t from, uint32_t end,
	struct ip *ret, struct error *err)
{
	const struct window *window = &search->window;
	uint32_t offset = window_next_clear(window, words, from, end);

	for (; offset < end; offset = window_next_clear(window, words, offset + 1, end)) {
		struct ip ip = window_ip(window, offset);
		uint32_t bit = window_bit_at(window, offset);
		int r;

		if (is_reserved(search->request, &ip) || bitmap_set(words, bit))
			continue;
		r = claim(search, &ip, err);
		if (r == 0) {
			bitmap_set(hint_words(search->hint), bit);
			hint_remember_cursor(search->hint, search->range, bit);
			*ret = ip;
			return 0;
		}
		if (r != -EEXIST) {
			bitmap_clear(words, bit);
			return r;
		}
		if (words == hint_words(search->hint) && ++search->misses > MISSES_MAX)
			break;
	}
	return NONE_LEFT;
}

/* From behind the cursor to the end, and then from the beginning. */
static int take_next(struct search *search, uint64_t *words, struct ip *ret, struct error *err)
{
	uint32_t start = 0;
	uint32_t bit;
	int r;

	if (hint_recall_cursor(search->hint, search->range, &bit))
		start = window_offset_of(&search->window, bit) + 1;
	if (start >= search->window.count)
		start = 0;
	r = take_between(search, words, start, search->window.count, ret, err);
	if (r != NONE_LEFT)
		return r;
	return take_between(search, words, 0, start, ret, err);
}

/* The address that the key had last, if it lies in the range and is free. */
static int take_last(const struct search *search, struct ip *ret, struct error *err)
{
	const struct window *window = &search->window;
	struct ip ip;
	uint32_t bit;
	uint32_t offset;
	int r;

	if (!hint_recall(search->hint, search->key, &bit))
		return NONE_LEFT;
	offset = window_offset_of(window, bit);
	if (offset >= window->count)
		return NONE_LEFT;
	ip = window_ip(window, offset);
	if (is_reserved(search->request, &ip))
		return NONE_LEFT;
	r = claim(search, &ip, err);
	if (r < 0)
		return r == -EEXIST ? NONE_LEFT : r;
	bitmap_set(hint_words(search->hint), bit);
	*ret = ip;
	return 0;
}

/* What a look at all claims finds. */
struct census {
	const struct window *window;
	uint64_t *words;
};

/* Whatever has an address for its name is in the way of a claim, also what is no claim. */
static int mark_found(void *arg, const char *name, unsigned char type, struct error *err)
{
	const struct census *census = arg;
	const struct window *window = census->window;
	ip_value offset;
	struct ip ip;

	(void)type;
	(void)err;
	if (name[0] == '.' || ip_parse(name, &ip, NULL) < 0 || ip.family != window->family)
		return 0;
	offset = ip_to_value(&ip) - window->first;
	if (offset < window->count)
		bitmap_set(census->words, window_bit_at(window, (uint32_t)offset));
	return 0;
}

/* Makes the hint say what the claims say. Others claim and release meanwhile: a bit that becomes
 * wrong by that costs them one failed symlink(2).
 */
static void refresh_hint(const struct search *search, const uint64_t *words)
{
	uint64_t *hint = hint_words(search->hint);

	for (uint32_t offset = 0; offset < search->window.count; offset++) {
		uint32_t bit = window_bit_at(&search->window, offset);
		bool used = bitmap_test(words, bit);

		if (used == bitmap_test(hint, bit))
			continue;
		if (used)
			bitmap_set(hint, bit);
		else
			bitmap_clear(hint, bit);
	}
}

/* Takes an address that is never handed out from the number of candidates; once, as the host's own
 * address may be a gateway too.
 */
static void strike_out(
	const struct window *window, uint64_t *struck, const struct ip *ip, uint32_t *candidates)
{
	ip_value offset = ip_to_value(ip) - window->first;

	if (ip->family != window->family || offset >= window->count)
		return;
	if (!bitmap_set(struck, window_bit_at(window, (uint32_t)offset)))
		--*candidates;
}

/* struck: a bitmap without a bit set. */
static int report_full(const struct search *search, uint64_t *struck, struct error *err)
{
	const struct pool_request *request = search->request;
	const struct ip edges[] = { cidr_first(&request->subnet), cidr_last(&request->subnet) };
	uint32_t candidates = search->window.count;
	char range[CIDR_TEXT];

	for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		if (cidr_reserves(&request->subnet, &edges[i]))
			strike_out(&search->window, struck, &edges[i], &candidates);
	for (size_t i = 0; i < request->n_reserved; i++)
		strike_out(&search->window, struck, &request->reserved[i], &candidates);
	cidr_format(&request->range, range);
	if (candidates == 0)
		return error_set(err, -ENOSPC, "no free address in %s: all are reserved", range);
	return error_set(err, -ENOSPC,
		"no free address in %s: %u of %u are in use, 'oci-macvlan ps' and 'oci-macvlan check' show by whom",
		range, candidates, candidates);
}

/* Reads all claims, and takes what is free in truth. */
static int take_after_census(struct search *search, struct ip *ret, struct error *err)
{
	size_t size = bitmap_words(search->window.bits) * sizeof(uint64_t);
	autofree uint64_t *words = calloc(1, size);
	struct census census = { &search->window, words };
	int r;

	if (!words)
		return error_set(err, -ENOMEM, "cannot list the addresses in use: out of memory");
	r = dir_list(search->pool, mark_found, &census, err);
	if (r < 0)
		return r;
	refresh_hint(search, words);
	r = take_next(search, words, ret, err);
	if (r != NONE_LEFT)
		return r;
	memset(words, 0, size);
	return report_full(search, words, err);
}

/* A container with two interfaces in one network gets both addresses again: so it counts too. */
static uint64_t hash_key(const struct pool_request *request)
{
	const char *slash = strrchr(request->owner, '/');
	const char *interface = slash ? slash + 1 : "";
	const char *const strings[] = { request->key, request->network, interface, NULL };

	return hash_quick_strings(strings);
}

static uint64_t hash_range(const struct cidr *range)
{
	uint64_t hash = range->len;

	for (unsigned i = 0; i < sizeof(range->ip.bytes); i++)
		hash = (hash ^ range->ip.bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

/**
 * pool_allocate() - claim a free address of a range
 * @pool:    the pool
 * @hints:   its open hints
 * @request: where from and for whom; the owner's lock is held
 * @ret:     the address
 * @err:     filled on failure
 *
 * Return: 0, -ENOSPC when the range is full, -ENOMEM, or what symlink(2) or readdir(3) gave.
 */
int pool_allocate(int pool, struct hints *hints, const struct pool_request *request, struct ip *ret,
	struct error *err)
{
	const struct hint *hint = hints_get(hints, pool, &request->subnet, true);
	struct search search = {
		.pool = pool,
		.request = request,
		.hint = hint,
		.window = window_of(&request->subnet, &request->range),
		.key = hash_key(request),
		.range = hash_range(&request->range),
	};
	int r;

	if (!hint)
		return error_set(err, -ENOMEM, "cannot look for a free address: out of memory");
	r = request->is_other ? NONE_LEFT : take_last(&search, ret, err);
	if (r == NONE_LEFT)
		r = take_next(&search, hint_words(hint), ret, err);
	if (r == NONE_LEFT)
		r = take_after_census(&search, ret, err);
	if (r == 0)
		hint_remember(hint, search.key, (uint32_t)ip_to_value(ret) & (hint->bits - 1));
	return r;
}

/**
 * pool_take() - claim one address
 * @pool:       the pool
 * @hints:      its open hints
 * @request:    for whom, and the subnet; its range and reserved addresses do not count: whether
 *              the address may be asked for is the caller's to check
 * @ip:         the address
 * @ret_holder: on -EEXIST: who has it; "" when what is there is no claim
 * @err:        filled on failure
 *
 * Return: 0, also when the owner has it already; -EEXIST; or what symlink(2) gave.
 */
int pool_take(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	const struct hint *hint;
	char name[IP_TEXT];
	int r = claims_take(pool, ip_format(ip, name), request->owner, ret_holder, err);

	hint = r == 0 ? hints_get(hints, pool, &request->subnet, false) : NULL;
	if (hint)
		bitmap_set(hint_words(hint), (uint32_t)ip_to_value(ip) & (hint->bits - 1));
	return r;
}

/**
 * pool_take_next() - claim one address as if pool_allocate() had handed it out
 * @pool:       the pool
 * @hints:      its open hints
 * @request:    where from and for whom; the owner's lock is held
 * @ip:         the address, one of pool_peek()
 * @ret_holder: on -EEXIST: who has it
 * @err:        filled on failure
 *
 * Return: as pool_take().
 */
int pool_take_next(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	int r = pool_take(pool, hints, request, ip, ret_holder, err);
	const struct hint *hint = r == 0 ? hints_get(hints, pool, &request->subnet, false) : NULL;
	uint32_t bit;

	if (!hint)
		return r;
	bit = (uint32_t)ip_to_value(ip) & (hint->bits - 1);
	hint_remember(hint, hash_key(request), bit);
	hint_remember_cursor(hint, hash_range(&request->range), bit);
	return 0;
}

/**
 * pool_release() - give an address back, if it is this owner's
 * @pool:    the pool
 * @hints:   its open hints
 * @address: the address, with its subnet's prefix length
 * @owner:   CONTAINER/INTERFACE; its id's lock is held
 * @err:     filled on failure
 *
 * Return: 0, also when the address is free or another's; else what readlink(2) or unlink(2) gave.
 */
int pool_release(int pool, struct hints *hints, const struct cidr *address, const char *owner,
	struct error *err)
{
	const struct hint *hint;
	struct cidr subnet = cidr_subnet(address);
	char name[IP_TEXT];
	int r = claims_release(pool, ip_format(&address->ip, name), owner, err);

	/* Only after the claim: who finds the bit clear must find the address free. Where another
	 * has it, his next rival finds that out.
	 */
	hint = r == 0 ? hints_get(hints, pool, &subnet, false) : NULL;
	if (hint)
		bitmap_clear(
			hint_words(hint), (uint32_t)ip_to_value(&address->ip) & (hint->bits - 1));
	return r;
}

/* The first clear bits of [from, end) whose addresses may be handed out. */
static unsigned peek_between(const struct pool_request *request, const struct window *window,
	const uint64_t *words, uint32_t from, uint32_t end, struct ip ret[], unsigned max)
{
	unsigned n = 0;

	for (uint32_t at = window_next_clear(window, words, from, end); n < max && at < end;
		at = window_next_clear(window, words, at + 1, end)) {
		struct ip ip = window_ip(window, at);

		if (!is_reserved(request, &ip))
			ret[n++] = ip;
	}
	return n;
}

/**
 * pool_peek() - which addresses would be handed out next
 * @pool:    the pool
 * @hints:   its open hints
 * @request: where from and for whom
 * @ret:     room for @max addresses
 * @max:     how many are wanted
 *
 * Nothing is claimed, and only the hint is asked: they may be taken.
 *
 * Return: how many were found.
 */
unsigned pool_peek(int pool, struct hints *hints, const struct pool_request *request,
	struct ip ret[], unsigned max)
{
	const struct hint *hint = hints_get(hints, pool, &request->subnet, false);
	struct window window = window_of(&request->subnet, &request->range);
	uint32_t start = 0;
	uint32_t bit;
	unsigned n;

	if (!hint)
		return 0;
	if (hint_recall_cursor(hint, hash_range(&request->range), &bit))
		start = window_offset_of(&window, bit) + 1;
	if (start >= window.count)
		start = 0;
	n = peek_between(request, &window, hint_words(hint), start, window.count, ret, max);
	return n + peek_between(request, &window, hint_words(hint), 0, start, ret + n, max - n);
}

static uint64_t boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/**
 * pool_note_past() - note that the use of an address ends
 * @pool:    the pool
 * @hints:   its open hints
 * @request: the subnet, the owner, the key and the network
 * @ip:      the address
 * @mac:     whose it was
 */
void pool_note_past(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, const uint8_t mac[MAC_SIZE])
{
	const struct hint *hint = hints_get(hints, pool, &request->subnet, true);
	struct hint_past past = { .ms = boottime_ms(), .key = hash_key(request) };

	if (!hint)
		return;
	memcpy(past.mac, mac, MAC_SIZE);
	hint_note_past(hint, (uint32_t)ip_to_value(ip) & (hint->bits - 1), &past);
}

/**
 * pool_recall_past() - what is known of the last use of an address
 * @pool:    the pool
 * @hints:   its open hints
 * @request: the subnet, and who asks: the owner, the key and the network
 * @ip:      the address
 * @ret:     what is known
 */
void pool_recall_past(int pool, struct hints *hints, const struct pool_request *request,
	const struct ip *ip, struct pool_past *ret)
{
	const struct hint *hint = hints_get(hints, pool, &request->subnet, false);
	uint64_t now = boottime_ms();
	struct hint_past past;

	*ret = (struct pool_past){ 0 };
	if (!hint || !hint_recall_past(hint, (uint32_t)ip_to_value(ip) & (hint->bits - 1), &past) ||
		past.ms > now)
		return;
	ret->is_known = true;
	ret->is_same = past.key == hash_key(request);
	ret->ms = now - past.ms;
	memcpy(ret->mac, past.mac, MAC_SIZE);
}
