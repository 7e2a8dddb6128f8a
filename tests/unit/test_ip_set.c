// SPDX-License-Identifier: MIT
/*
 * hook/ip_set.c: what was added is there, of both families, however much it is.
 */
#include "hook/ip_set.h"

#include "schema/cleanup.h"
#include "tests/unit/tap.h"

#define MANY 5000

static struct ip nth(sa_family_t family, unsigned n)
{
	return (struct ip){ family, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

int main(void)
{
	struct ip_set set cleanup(ip_set_free) = { 0 };
	struct ip one = nth(AF_INET, 7);
	unsigned missing = 0;
	unsigned extra = 0;
	struct ip ip;

	ok(!ip_set_has(&set, &one), "nothing is in an empty one");
	for (unsigned n = MANY; n-- > 0;) {
		ip = nth(n % 2 ? AF_INET : AF_INET6, n);
		ip_set_add(&set, &ip);
	}
	ip_set_add(&set, &one);
	for (unsigned n = 0; n < MANY; n++) {
		ip = nth(n % 2 ? AF_INET : AF_INET6, n);
		missing += !ip_set_has(&set, &ip);
		ip = nth(n % 2 ? AF_INET6 : AF_INET, n);
		extra += ip_set_has(&set, &ip);
	}
	is_int(missing, 0, "what was added is there");
	is_int(extra, 0, "in its family alone");
	one = nth(AF_INET, MANY + 1);
	ok(!ip_set_has(&set, &one), "another is not");
	ip_set_add(&set, &one);
	ok(ip_set_has(&set, &one), "until it is added");
	ip_set_free(&set);
	ok(!ip_set_has(&set, &one), "freed, it is empty");
	return tap_done();
}
