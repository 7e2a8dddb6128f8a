// SPDX-License-Identifier: MIT
/*
 * schema/lease.c: there and back, every limit, what counts as the same, and for how long it holds.
 * That wrong documents are refused is tested with the corpus in tests/schema.
 */
#include "schema/lease.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "tests/unit/tap.h"

#define HEAD "{\"address\":\"10.0.0.5/24\",\"obtained_ms\":1,\"seconds\":2"

static struct lease parse(const char *text)
{
	struct lease lease = { 0 };
	struct error err = { 0 };

	is_int(lease_parse(text, strlen(text), &lease, &err), 0, "%.70s: %s", text, err.text);
	return lease;
}

/* As much as a lease can have. */
static struct lease make_full(void)
{
	struct lease lease = parse(HEAD "}");
	struct ip_config *config = &lease.config;

	lease.obtained_ms = UINT64_MAX;
	lease.seconds = LEASE_FOR_EVER;
	lease.server = (struct ip){ AF_INET, { 10, 0, 0, 1 } };
	config->gateway4 = lease.server;
	config->mtu = NETWORK_MTU_MAX;
	for (unsigned i = 0; i < IP_CONFIG_ROUTES_MAX; i++) {
		struct network_route *route = &config->routes[config->n_routes++];

		route->dst = (struct cidr){ { AF_INET, { 10, 9, (uint8_t)i, 0 } }, 24 };
		if (i % 2)
			route->gateway = (struct ip){ AF_INET, { 10, 0, 0, (uint8_t)i } };
	}
	for (unsigned i = 0; i < IP_CONFIG_SERVERS_MAX; i++)
		config->servers[config->n_servers++] =
			(struct ip){ AF_INET, { 10, 0, 1, (uint8_t)i } };
	for (unsigned i = 0; i < IP_CONFIG_WORDS_MAX; i++)
		memset(config->search[config->n_search++], 'a' + (int)i, IP_CONFIG_WORD_SIZE - 1);
	return lease;
}

static void test_format(void)
{
	static const char text[] =
		"{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\",\"routes\":["
		"{\"dst\":\"192.168.5.0/24\",\"gateway\":\"10.0.0.9\"},{\"dst\":\"10.9.0.0/16\"}],"
		"\"mtu\":1400,\"servers\":[\"10.0.0.7\",\"10.0.0.8\"],\"search\":[\"lan\",\"a.b\"],"
		"\"obtained_ms\":4711,\"seconds\":3600,\"server\":\"10.0.0.1\"}\n";
	struct lease lease = parse(text);
	autofree char *again = NULL;
	struct error err = { 0 };
	size_t size = 0;
	char ip[CIDR_TEXT];

	ok(lease.is_bound && !*lease.problem, "it is a lease");
	is_int(lease.config.n_addresses, 1, "of one address");
	is_str(cidr_format(&lease.config.addresses[0], ip), "10.0.0.5/24", "this one");
	is_int((long long)lease.obtained_ms, 4711, "when");
	is_int(lease.seconds, 3600, "for how long");
	is_str(ip_format(&lease.config.gateway4, ip), "10.0.0.1", "the router");
	is_int(lease.config.gateway6.family, 0, "none of IPv6");
	is_int(lease.config.routes[1].gateway.family, 0, "a route on the link");
	is_int(lease_format(&lease, &again, &size, &err), 0, "it is written");
	is_str(again, text, "as it was");
	is_int((long long)size, (long long)strlen(text), "its size");
}

static void test_least(void)
{
	struct lease lease = parse(HEAD "}");
	autofree char *text = NULL;
	size_t size;

	ok(lease.is_bound && !lease.server.family && !lease.config.gateway4.family &&
			!lease.config.mtu && !lease.config.n_routes && !lease.config.n_servers &&
			!lease.config.n_search,
		"what is not said is not there");
	lease_format(&lease, &text, &size, NULL);
	is_str(text,
		"{\"address\":\"10.0.0.5/24\",\"routes\":[],\"servers\":[],\"search\":[],"
		"\"obtained_ms\":1,\"seconds\":2}\n",
		"nor written");
}

static void test_unbound(void)
{
	struct lease lease = parse("{\"problem\":\"no DHCP server has answered\"}");
	autofree char *text = NULL;
	size_t size;

	ok(!lease.is_bound, "it is none");
	is_str(lease.problem, "no DHCP server has answered", "why");
	lease_format(&lease, &text, &size, NULL);
	is_str(text, "{\"problem\":\"no DHCP server has answered\"}\n", "there and back");
}

static bool is_equal(const struct lease *a, const struct lease *b)
{
	autofree char *one = NULL;
	autofree char *other = NULL;
	size_t size;

	return lease_is_same(a, b) && lease_format(a, &one, &size, NULL) == 0 &&
	       lease_format(b, &other, &size, NULL) == 0 && !strcmp(one, other);
}

static void test_round_trip(void)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct lease lease = make_full();
	struct lease again;
	struct error err = { 0 };

	is_int(lease_save(dir, "c:eth0.lease", &lease, &err), 0, "the fullest is saved: %s",
		err.text);
	is_int(lease_load(dir, "c:eth0.lease", &again, &err), 0, "and loaded: %s", err.text);
	ok(is_equal(&lease, &again), "the same, to the last byte");
	lease = (struct lease){ 0 };
	memset(lease.problem, 'p', sizeof(lease.problem) - 1);
	is_int(lease_save(dir, "c:eth0.lease", &lease, &err), 0, "the longest problem is saved");
	is_int(lease_load(dir, "c:eth0.lease", &again, &err), 0, "in its place: %s", err.text);
	ok(is_equal(&lease, &again), "the same");
}

/* A lease with a list of N times ITEM. */
static const char *list_of(const char *key, unsigned n, const char *item)
{
	static char text[16 * 1024];
	size_t used = (size_t)snprintf(text, sizeof(text), HEAD ",\"%s\":[", key);

	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s", i ? "," : "", item);
	snprintf(text + used, sizeof(text) - used, "]}");
	return text;
}

static void expect(const char *text, int code, const char *message)
{
	struct lease lease;
	struct error err = { 0 };

	is_int(lease_parse(text, strlen(text), &lease, &err), code, "%.60s", text);
	if (message)
		is_str(err.text, message, "said so");
}

static void test_limits(void)
{
	char text[1024];
	char word[IP_CONFIG_WORD_SIZE + 1];

	expect(list_of("routes", IP_CONFIG_ROUTES_MAX, "{\"dst\":\"10.9.0.0/16\"}"), 0, NULL);
	expect(list_of("routes", IP_CONFIG_ROUTES_MAX + 1, "{\"dst\":\"10.9.0.0/16\"}"), -E2BIG,
		"routes[64]: more than 64 routes");
	expect(list_of("servers", IP_CONFIG_SERVERS_MAX, "\"10.0.0.1\""), 0, NULL);
	expect(list_of("servers", IP_CONFIG_SERVERS_MAX + 1, "\"10.0.0.1\""), -E2BIG,
		"servers[8]: more than 8 servers");
	expect(list_of("search", IP_CONFIG_WORDS_MAX, "\"lan\""), 0, NULL);
	expect(list_of("search", IP_CONFIG_WORDS_MAX + 1, "\"lan\""), -E2BIG,
		"search[8]: more than 8 words");
	memset(word, 'w', sizeof(word));
	snprintf(text, sizeof(text), HEAD ",\"search\":[\"%.*s\"]}", IP_CONFIG_WORD_SIZE - 1, word);
	expect(text, 0, NULL);
	snprintf(text, sizeof(text), HEAD ",\"search\":[\"%.*s\"]}", IP_CONFIG_WORD_SIZE, word);
	expect(text, -EINVAL, NULL);
	expect(HEAD ",\"mtu\":65535}", 0, NULL);
	expect(HEAD ",\"mtu\":65536}", -ERANGE, NULL);
	expect("{\"address\":\"10.0.0.5/24\",\"obtained_ms\":18446744073709551615,"
	       "\"seconds\":4294967295}",
		0, NULL);
	expect("{\"address\":\"10.0.0.5/24\",\"obtained_ms\":18446744073709551616,\"seconds\":1}",
		-ERANGE, NULL);
	expect("{\"address\":\"10.0.0.5/24\",\"obtained_ms\":1,\"seconds\":4294967296}", -ERANGE,
		NULL);
	snprintf(text, sizeof(text), "{\"problem\":\"%.*s\"}", LEASE_PROBLEM_MAX - 1, word);
	expect(text, 0, NULL);
}

static void test_messages(void)
{
	expect(HEAD ",\"gateway\":\"2001:db8::1\"}", -EINVAL,
		"gateway: '2001:db8::1' is not an IPv4 address");
	expect(HEAD ",\"server\":\"2001:db8::1\"}", -EINVAL,
		"server: '2001:db8::1' is not an IPv4 address");
	expect(HEAD ",\"servers\":[\"::1\"]}", -EINVAL, "servers[0]: '::1' is not an IPv4 address");
	expect(HEAD ",\"search\":[\"a b\"]}", -EINVAL, "search[0]: 'a b' is not a word");
	expect(HEAD ",\"routes\":[{\"dst\":\"10.9.0.1/16\"}]}", -EINVAL,
		"routes[0].dst: '10.9.0.1/16' is not a subnet: did you mean '10.9.0.0/16'?");
	expect(HEAD ",\"routes\":[{\"dst\":\"2001:db8::/32\"}]}", -EINVAL,
		"routes[0]: is not IPv4");
	expect("{\"address\":\"2001:db8::5/64\",\"obtained_ms\":1,\"seconds\":2}", -EINVAL,
		"address: '2001:db8::5/64' is not an IPv4 address");
	expect(HEAD ",\"problem\":\"p\"}", -EINVAL, "unknown key 'address'");
	expect("[]", -EINVAL, NULL);
	expect("", -EINVAL, NULL);
}

static void test_files(void)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct lease lease;
	struct error err = { 0 };
	struct stat status;

	is_int(lease_load(dir, "none.lease", &lease, &err), -ENOENT, "no lease: %s", err.text);
	file_replace(dir, "torn.lease", "x.tmp", "{\"addr", 6, &err);
	is_int(lease_load(dir, "torn.lease", &lease, &err), -EINVAL, "half a lease");
	ok(!strncmp(err.text, "lease 'dhcp/torn.lease': ", 25), "which names it: %s", err.text);
	ok(symlinkat("torn.lease", dir, "link.lease") == 0, "a planted link");
	is_int(lease_load(dir, "link.lease", &lease, &err), -ELOOP, "is not followed");
	lease = parse(HEAD "}");
	is_int(lease_save(dir, "link.lease", &lease, &err), 0, "but replaced");
	ok(fstatat(dir, "link.lease", &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0600,
		"by a file that only root can read");
	ok(faccessat(dir, ".link.lease", F_OK, AT_SYMLINK_NOFOLLOW) < 0,
		"no temporary file is left");
	{
		autoclose int fd = openat(dir, "big.lease", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		ok(ftruncate(fd, LEASE_FILE_MAX + 1) == 0, "a file over the limit");
	}
	is_int(lease_load(dir, "big.lease", &lease, &err), -EFBIG, "is not read: %s", err.text);
}

/* Servers say why they refuse in whatever letters; what cannot be written is not kept. */
static void test_problem(void)
{
	static const char *const characters[] = { "a", "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80" };
	char text[2 * LEASE_PROBLEM_MAX];
	unsigned wrong = 0;

	for (size_t i = 0; i < 4; i++)
		for (unsigned n = 0; n < LEASE_PROBLEM_MAX + 4; n++) {
			struct lease lease = { .is_bound = true };
			autofree char *written = NULL;
			size_t size;

			snprintf(text, sizeof(text), "%0*u%s%s", (int)n, 0U, characters[i],
				characters[i]);
			lease_set_problem(&lease, text);
			wrong += lease_format(&lease, &written, &size, NULL) < 0 ||
				 lease_parse(written, size, &lease, NULL) < 0 || lease.is_bound ||
				 strncmp(text, lease.problem, strlen(lease.problem)) != 0 ||
				 (strlen(lease.problem) < strlen(text) &&
					 strlen(lease.problem) < LEASE_PROBLEM_MAX - 4);
		}
	is_int(wrong, 0, "a problem of any length is cut between characters, and can be saved");
}

static void test_same(void)
{
	static const char *const others[] = {
		"{\"address\":\"10.0.0.6/24\",\"obtained_ms\":1,\"seconds\":2}",
		"{\"address\":\"10.0.0.5/25\",\"obtained_ms\":1,\"seconds\":2}",
		HEAD ",\"gateway\":\"10.0.0.1\"}",
		HEAD ",\"mtu\":1400}",
		HEAD ",\"routes\":[{\"dst\":\"10.9.0.0/16\"}]}",
		HEAD ",\"routes\":[{\"dst\":\"10.9.0.0/17\"}]}",
		HEAD ",\"routes\":[{\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.0.0.1\"}]}",
		HEAD ",\"servers\":[\"10.0.0.7\"]}",
		HEAD ",\"servers\":[\"10.0.0.8\"]}",
		HEAD ",\"search\":[\"lan\"]}",
		HEAD ",\"search\":[\"lam\"]}",
		"{\"problem\":\"p\"}",
	};
	struct lease least = parse(HEAD "}");
	struct lease later = parse("{\"address\":\"10.0.0.5/24\",\"obtained_ms\":9,\"seconds\":8,"
				   "\"server\":\"10.0.0.2\"}");
	struct lease none = { 0 };

	ok(lease_is_same(&least, &later), "a renewal, even by another server, changes nothing");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct lease one = parse(others[i]);

		ok(lease_is_same(&one, &one), "itself");
		ok(!lease_is_same(&least, &one), "not the least");
		for (size_t k = 0; k < i; k++) {
			struct lease other = parse(others[k]);

			ok(!lease_is_same(&one, &other), "%zu is not %zu", i, k);
		}
	}
	later = parse("{\"problem\":\"another\"}");
	ok(lease_is_same(&none, &later), "whatever the problem is");
}

static void test_remaining(void)
{
	struct lease lease = parse(HEAD "}");
	uint64_t now = lease_now_ms();

	lease.obtained_ms = now;
	lease.seconds = 1000;
	ok(lease_remaining(&lease) >= 990 && lease_remaining(&lease) <= 1000, "as long as it says");
	lease.obtained_ms = now + 3600000;
	is_int(lease_remaining(&lease), 1000, "not longer, whatever the clock did");
	lease.obtained_ms = 0;
	lease.seconds = (uint32_t)(now / 1000);
	ok(lease_remaining(&lease) <= 1, "and not when its time is over");
	lease.seconds = 0;
	is_int(lease_remaining(&lease), 0, "one of no time at all");
	lease.seconds = LEASE_FOR_EVER;
	is_int(lease_remaining(&lease), LEASE_FOR_EVER, "one without an end");
	lease.is_bound = false;
	is_int(lease_remaining(&lease), 0, "none");
}

int main(void)
{
	test_format();
	test_least();
	test_unbound();
	test_round_trip();
	test_limits();
	test_messages();
	test_files();
	test_problem();
	test_same();
	test_remaining();
	return tap_done();
}
