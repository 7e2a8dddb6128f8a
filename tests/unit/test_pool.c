// SPDX-License-Identifier: MIT
/*
 * ipam/pool.c, hint.c: which addresses, in which order, and that the hint is never believed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipam/hint.h"
#include "ipam/pool.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define AT_ONCE 64

/* symlinkat(), which must work here. */
static void link_at(const char *target, int dir, const char *name)
{
	if (symlinkat(target, dir, name) < 0)
		ok(false, "cannot make the link '%s'", name);
}

static int new_pool(void)
{
	static unsigned n;
	char path[128];

	snprintf(path, sizeof(path), "%s/pool%u", tap_tempdir(), n++);
	mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* As a process does it that needs one address. */
static int allocate_once(
	int pool, const struct pool_request *request, struct ip *ret, struct error *err)
{
	struct hints hints cleanup(hints_close) = { 0 };

	return pool_allocate(pool, &hints, request, ret, err);
}

static int take_once(int pool, const struct pool_request *request, const struct ip *ip,
	char ret_holder[CLAIMS_OWNER_MAX + 1], struct error *err)
{
	struct hints hints cleanup(hints_close) = { 0 };

	return pool_take(pool, &hints, request, ip, ret_holder, err);
}

static struct pool_request request_for(const char *subnet, const char *range, const char *owner)
{
	struct pool_request request = { .owner = owner, .key = owner, .network = "net" };

	if (cidr_parse_subnet(subnet, &request.subnet, NULL) < 0 ||
		cidr_parse_subnet(range ? range : subnet, &request.range, NULL) < 0)
		exit(EXIT_FAILURE);
	return request;
}

/* The next address of a subnet for an owner, "full", or "error". */
static const char *next_in(int pool, const char *subnet, const char *range, const char *owner)
{
	struct pool_request request = request_for(subnet, range, owner);
	static char text[IP_TEXT];
	struct ip ip;
	int r = allocate_once(pool, &request, &ip, NULL);

	return r == 0 ? ip_format(&ip, text) : r == -ENOSPC ? "full" : "error";
}

/* All addresses of a subnet, one after the other, with new owners. */
static const char *all_of(const char *subnet, const char *range)
{
	static char all[4096];
	int pool = new_pool();
	const char *text = "";

	all[0] = '\0';
	for (unsigned i = 0; i < 64 && strcmp(text, "full") != 0; i++) {
		char owner[16];

		snprintf(owner, sizeof(owner), "c%u/eth0", i);
		text = next_in(pool, subnet, range, owner);
		strcat(strcat(all, text), " ");
	}
	close(pool);
	return all;
}

static void release(int pool, const char *address, const char *owner)
{
	struct hints hints = { 0 };
	struct cidr cidr;

	if (cidr_parse(address, &cidr, NULL) < 0 ||
		pool_release(pool, &hints, &cidr, owner, NULL) < 0)
		ok(false, "cannot release %s", address);
	hints_close(&hints);
}

static int release_found(void *arg, const char *name, const char *owner, struct error *err)
{
	return claims_release(*(const int *)arg, name, owner, err);
}

static void test_sizes(void)
{
	is_str(all_of("10.0.0.0/29", NULL),
		"10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 full ", "/29");
	is_str(all_of("10.0.0.8/30", NULL), "10.0.0.9 10.0.0.10 full ", "/30");
	is_str(all_of("10.0.0.8/31", NULL), "10.0.0.8 10.0.0.9 full ", "/31 has no broadcast");
	is_str(all_of("10.0.0.9/32", NULL), "10.0.0.9 full ", "/32");
	is_str(all_of("2001:db8::8/126", NULL), "2001:db8::9 2001:db8::a 2001:db8::b full ",
		"/126: no anycast, but a last address");
	is_str(all_of("2001:db8::8/127", NULL), "2001:db8::8 2001:db8::9 full ", "/127");
	is_str(all_of("2001:db8::8/128", NULL), "2001:db8::8 full ", "/128");
	is_str(all_of("10.0.0.0/24", "10.0.0.252/30"), "10.0.0.252 10.0.0.253 10.0.0.254 full ",
		"a range at the end");
	is_str(all_of("10.0.0.0/24", "10.0.0.0/30"), "10.0.0.1 10.0.0.2 10.0.0.3 full ",
		"a range at the beginning");
	is_str(all_of("2001:db8::/64", "2001:db8::ffff:ffff:ffff:fffe/127"),
		"2001:db8::ffff:ffff:ffff:fffe 2001:db8::ffff:ffff:ffff:ffff full ",
		"a range far behind the first 2^20 addresses");
	ok(!strncmp(all_of("2001:db8::/64", NULL), "2001:db8::1 2001:db8::2 ", 24), "/64");
	ok(!strncmp(all_of("::/0", NULL), "::1 ::2 ", 8), "::/0 does not overflow");
	ok(!strncmp(all_of("10.0.0.0/8", NULL), "10.0.0.1 10.0.0.2 ", 18), "/8");
	ok(!strncmp(all_of("2001:db8::/64", "2001:db8::f:fffe:0/112"), "2001:db8::f:fffe:0 ", 19),
		"a range that is not the subnet's first");
}

static void test_order(void)
{
	int pool = new_pool();

	is_str(next_in(pool, "10.0.0.0/29", NULL, "a/eth0"), "10.0.0.1", "the lowest is the first");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "b/eth0"), "10.0.0.2", "then the next");
	release(pool, "10.0.0.1/29", "a/eth0");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "c/eth0"), "10.0.0.3",
		"a freed address is not the next one");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "a/eth0"), "10.0.0.1",
		"but its last owner gets it again");
	release(pool, "10.0.0.1/29", "a/eth0");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "d/eth0"), "10.0.0.4", "the cursor goes on");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "e/eth0"), "10.0.0.5", "and on");
	release(pool, "10.0.0.2/29", "b/eth0");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "f/eth0"), "10.0.0.6", "to the end");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "g/eth0"), "10.0.0.1", "and begins again");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "a/eth0"), "10.0.0.2",
		"a last address that is taken is none");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "b/eth0"), "full", "until all are taken");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "a/eth0"), "10.0.0.2",
		"who has an address gets it again");
	close(pool);
}

static void test_last_address(void)
{
	struct pool_request request = request_for("10.0.0.0/24", NULL, "x/eth0");
	struct ip reserved;
	int pool = new_pool();
	struct ip ip;

	request.key = "web";
	next_in(pool, "10.0.0.0/24", NULL, "a/eth0");
	is_int(allocate_once(pool, &request, &ip, NULL), 0, "a container with a name");
	ok(ip.bytes[3] == 2, "has an address");
	release(pool, "10.0.0.2/24", "x/eth0");
	request.owner = "y/eth0";
	is_int(allocate_once(pool, &request, &ip, NULL), 0, "another id with the same name");
	ok(ip.bytes[3] == 2, "gets the same address");
	release(pool, "10.0.0.2/24", "y/eth0");
	request.network = "other";
	is_int(allocate_once(pool, &request, &ip, NULL), 0, "the same name in another network");
	ok(ip.bytes[3] == 3, "does not");
	request.network = "net";
	cidr_parse("10.0.0.128/25", &request.range, NULL);
	is_int(allocate_once(pool, &request, &ip, NULL), 0, "nor where the range is another");
	ok(ip.bytes[3] == 128, "but the first of the range");
	release(pool, "10.0.0.128/24", "y/eth0");
	ip_parse("10.0.0.128", &reserved, NULL);
	request.reserved = &reserved;
	request.n_reserved = 1;
	is_int(allocate_once(pool, &request, &ip, NULL), 0, "nor where it has become reserved");
	ok(ip.bytes[3] == 129, "but the next");
	close(pool);
}

static void test_ranges_share(void)
{
	int pool = new_pool();

	is_str(next_in(pool, "10.0.0.0/24", "10.0.0.0/25", "a/eth0"), "10.0.0.1", "one range");
	is_str(next_in(pool, "10.0.0.0/24", "10.0.0.128/25", "b/eth0"), "10.0.0.128", "another");
	release(pool, "10.0.0.1/24", "a/eth0");
	is_str(next_in(pool, "10.0.0.0/24", "10.0.0.0/25", "c/eth0"), "10.0.0.2",
		"each range has its own cursor");
	close(pool);
}

static void test_full_message(void)
{
	struct pool_request request = request_for("10.0.0.0/29", NULL, "z/eth0");
	struct ip reserved[3];
	struct error err = { 0 };
	int pool = new_pool();
	struct ip ip;

	ip_parse("10.0.0.1", &reserved[0], NULL);
	ip_parse("10.0.0.1", &reserved[1], NULL);
	ip_parse("2001:db8::1", &reserved[2], NULL);
	request.reserved = reserved;
	request.n_reserved = 3;
	for (unsigned i = 0; i < 5; i++) {
		char owner[16];

		snprintf(owner, sizeof(owner), "c%u/eth0", i);
		request.owner = request.key = owner;
		allocate_once(pool, &request, &ip, NULL);
	}
	request.owner = request.key = "z/eth0";
	is_int(allocate_once(pool, &request, &ip, &err), -ENOSPC, "a full pool");
	is_str(err.text,
		"no free address in 10.0.0.0/29: 5 of 5 are in use, 'oci-macvlan ps' and 'oci-macvlan check' show by whom",
		"says how full");
	request.range = (struct cidr){ reserved[0], 32 };
	is_int(allocate_once(pool, &request, &ip, &err), -ENOSPC, "a range with nothing in it");
	is_str(err.text, "no free address in 10.0.0.1/32: all are reserved", "says so");
	close(pool);
}

static void test_take(void)
{
	struct pool_request request = request_for("10.0.0.0/29", NULL, "a/eth0");
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	int pool = new_pool();
	unsigned long n;
	struct ip ip;

	ip_parse("10.0.0.1", &ip, NULL);
	is_int(take_once(pool, &request, &ip, holder, NULL), 0, "a static address");
	is_int(take_once(pool, &request, &ip, holder, NULL), 0, "its owner has it");
	request.owner = "b/eth0";
	is_int(take_once(pool, &request, &ip, holder, NULL), -EEXIST, "another does not get it");
	is_str(holder, "a/eth0", "and learns whose it is");
	is_str(next_in(pool, "10.0.0.0/29", NULL, "c/eth0"), "10.0.0.2", "nor automatically");
	link_at("a/eth0", pool, ".name-net:web");
	link_at("a/eth0", pool, "192.168.0.1");
	is_int(pool_count(pool, &request.subnet, &n, NULL), 0, "claims are counted");
	is_int(n, 2, "those of the subnet");
	is_int(pool_list_owner(pool, "a/eth0", release_found, &pool, NULL), 0,
		"all of an owner's are released");
	pool_count(pool, &request.subnet, &n, NULL);
	is_int(n, 1, "and only his");
	ok(faccessat(pool, ".name-net:web", F_OK, AT_SYMLINK_NOFOLLOW) < 0, "his name too");
	close(pool);
}

/* What may be in the place of a hint. */
static void plant(int pool, const char *name, const char *kind, size_t size)
{
	int fd;

	unlinkat(pool, name, 0);
	if (!strcmp(kind, "folder")) {
		mkdirat(pool, name, 0700);
		return;
	}
	if (!strcmp(kind, "link")) {
		link_at("/etc/passwd", pool, name);
		return;
	}
	if (!strcmp(kind, "fifo")) {
		mkfifoat(pool, name, 0600);
		return;
	}
	fd = openat(pool, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = !strcmp(kind, "ones")	    ? 0xff
				  : !strcmp(kind, "zeroes") ? 0
							    : (unsigned char)(i * 7919 >> 3);

		if (!strcmp(kind, "valid ones"))
			c = i < 8 ? (unsigned char)"1NIHVMCO"[i] : 0xff;
		if (write(fd, &c, 1) != 1)
			ok(false, "cannot write");
	}
	close(fd);
}

static void test_hostile_hints(void)
{
	static const char *const kinds[] = { "folder", "link", "fifo", "ones", "zeroes", "garbage",
		"valid ones" };
	const size_t sizes[] = { 8 * (1 + 64 + 4096 + 1), 0, 1, 100, 100000 };

	for (unsigned k = 0; k < 7; k++)
		for (unsigned s = 0; s < 5; s++) {
			bool found[8] = { false };
			int pool = new_pool();
			unsigned n = 0;

			next_in(pool, "10.0.0.0/29", NULL, "first/eth0");
			plant(pool, ".hint-10.0.0.0_29", kinds[k], sizes[s]);
			for (unsigned i = 0; i < 5; i++) {
				char owner[16];
				const char *text;
				unsigned last = 0;

				snprintf(owner, sizeof(owner), "c%u/eth0", i);
				text = next_in(pool, "10.0.0.0/29", NULL, owner);
				if (sscanf(text, "10.0.0.%u", &last) == 1 && last < 7 && last > 1 &&
					!found[last]) {
					found[last] = true;
					n++;
				}
			}
			is_int(n, 5, "hint '%s' of %zu bytes: 5 different addresses", kinds[k],
				sizes[s]);
			is_str(next_in(pool, "10.0.0.0/29", NULL, "z/eth0"), "full", "and no more");
			release(pool, "10.0.0.3/29", "nobody/eth0");
			is_str(next_in(pool, "10.0.0.0/29", NULL, "z/eth0"), "full",
				"another's release frees nothing");
			close(pool);
		}
}

/* Bits that killed processes left set, and bits that are missing. */
static void test_stale_hint(void)
{
	struct pool_request request = request_for("10.0.0.0/24", NULL, "a/eth0");
	struct hint hint = HINT_CLOSED;
	int pool = new_pool();
	unsigned n = 0;

	is_int(hint_open(pool, &request.subnet, true, &hint, NULL), 0, "a hint");
	for (uint32_t i = 0; i < hint.bits; i++)
		bitmap_set(hint_words(&hint), i);
	is_str(next_in(pool, "10.0.0.0/24", NULL, "a/eth0"), "10.0.0.1",
		"with all bits set and no claim, the first is found");
	for (uint32_t i = 0; i < hint.bits; i++)
		n += bitmap_test(hint_words(&hint), i);
	is_int(n, 1, "and the hint is right again");
	bitmap_clear(hint_words(&hint), 1);
	link_at("x/eth0", pool, "10.0.0.2");
	is_str(next_in(pool, "10.0.0.0/24", NULL, "b/eth0"), "10.0.0.3",
		"an address whose bit is clear but which is claimed is passed over");
	ok(bitmap_test(hint_words(&hint), 2), "and its bit set");
	hint_close(&hint);
	close(pool);
}

/* Hints that stay open: more subnets than fit, each with its own bits. */
static void test_open_hints(void)
{
	struct hints hints = { 0 };
	struct cidr subnet;
	int pool = new_pool();
	unsigned right = 0;

	cidr_parse("10.9.0.0/24", &subnet, NULL);
	ok(!hints_get(&hints, pool, &subnet, false), "a subnet without a hint");
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < HINTS_MAX + 2; i++) {
			struct hint own = HINT_CLOSED;
			const struct hint *hint;
			char text[32];

			snprintf(text, sizeof(text), "10.0.%u.0/24", i);
			cidr_parse(text, &subnet, NULL);
			if (hint_open(pool, &subnet, true, &own, NULL) < 0)
				continue;
			bitmap_set(hint_words(&own), i);
			hint = hints_get(&hints, pool, &subnet, false);
			right += hint && hint == hints_get(&hints, pool, &subnet, false) &&
				 bitmap_test(hint_words(hint), i) &&
				 !bitmap_test(hint_words(hint), i + 1);
			hint_close(&own);
		}
	is_int(right, 2 * (HINTS_MAX + 2), "each subnet's own");
	hints_close(&hints);
	is_int(hints.n, 0, "none is open then");
	close(pool);
}

static void test_at_once(void)
{
	struct pool_request request = request_for("10.0.0.0/24", "10.0.0.64/26", "");
	int pool = new_pool();
	unsigned failed = 0;
	unsigned long n = 0;
	int status;

	for (unsigned i = 0; i < AT_ONCE; i++)
		if (fork() == 0) {
			char owner[16];
			struct ip ip;

			snprintf(owner, sizeof(owner), "c%u/eth0", i);
			request.owner = request.key = owner;
			_exit(allocate_once(pool, &request, &ip, NULL) ? 1 : 0);
		}
	while (wait(&status) > 0)
		failed += status != 0;
	is_int(failed, 0, "%d at once on a range of as many all get one", AT_ONCE);
	pool_count(pool, &request.subnet, &n, NULL);
	is_int(n, AT_ONCE, "each another");
	close(pool);
}

static void test_removed(void)
{
	struct pool_request request = request_for("10.0.0.0/24", NULL, "a/eth0");
	struct error err = { 0 };
	char path[128];
	struct ip ip;
	int pool;

	snprintf(path, sizeof(path), "%s/removed", tap_tempdir());
	mkdir(path, 0700);
	pool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rmdir(path);
	is_int(allocate_once(pool, &request, &ip, &err), -ENOENT, "a pool that is gone: %s",
		err.text);
	close(pool);
}

int main(void)
{
	test_sizes();
	test_order();
	test_last_address();
	test_ranges_share();
	test_full_message();
	test_take();
	test_hostile_hints();
	test_stale_hint();
	test_open_hints();
	test_at_once();
	test_removed();
	return tap_done();
}
