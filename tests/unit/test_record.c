// SPDX-License-Identifier: MIT
/*
 * schema/record*.c: there and back, limits, files that are none. That wrong documents are refused
 * is tested with the corpus in tests/schema.
 */
#include "schema/record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "tests/unit/tap.h"

static const struct record_endpoint endpoint0 = {
	.network = "macvlan0",
	.interface = "eth0",
	.parent = "eth0",
	.parent_ifindex = 3,
	.mode = NETWORK_SOURCE,
	.ifindex = 2,
	.key = "web",
	.mac = { 0x02, 0x42, 10, 0, 0, 3 },
	.n_addresses = 2,
	.addresses = { { { AF_INET, { 10, 0, 0, 3 } }, 24 },
		{ { AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 3 } }, 64 } },
};

/* With as much in it as there can be. */
static struct record_dhcp full_dhcp(void)
{
	struct record_dhcp dhcp = {
		.probe_ms = INT_MAX, .gives_default = true, .gives_dns = true, .gives_mtu = true
	};

	memset(dhcp.hostname, 'h', HOSTNAME_MAX);
	memset(dhcp.client_id, '~', RECORD_CLIENT_ID_MAX);
	return dhcp;
}

/* A record with as much in it as there can be. */
static struct record *new_full(void)
{
	struct record *record = NULL;
	struct error err;

	record_new("c0ffee0123456789", &record, &err);
	strcpy(record->name, "web");
	record->netns_cookie = UINT64_MAX;
	record->host_cookie = 1;
	record->nsid = INT32_MAX;
	record->nsid_shared = true;
	for (unsigned i = 0; i < RECORD_MEMBERS_MAX; i++) {
		struct record_member member = { .pid = INT32_MAX, .start = UINT64_MAX };

		snprintf(member.id, sizeof(member.id), "%0*u", CONTAINER_ID_MAX, i);
		record_add_member(record, &member, &err);
	}
	for (unsigned i = 0; i < RECORD_ENDPOINTS_MAX; i++) {
		struct record_endpoint *endpoint = &record->endpoints[record->n_endpoints++];

		*endpoint = endpoint0;
		endpoint->is_dhcp = true;
		endpoint->dhcp = full_dhcp();
		snprintf(endpoint->interface, sizeof(endpoint->interface), "e%u", i);
		for (; endpoint->n_addresses < NETWORK_SUBNETS_MAX; endpoint->n_addresses++)
			endpoint->addresses[endpoint->n_addresses] = endpoint0.addresses[1];
	}
	/* The last one is an intent. */
	record->endpoints[RECORD_ENDPOINTS_MAX - 1] = (struct record_endpoint){
		.network = "macvlan0", .interface = "last", .parent = "eth0.10", .parent_ifindex = 4
	};
	return record;
}

static bool same_record(const struct record *a, const struct record *b)
{
	autofree char *one = NULL;
	autofree char *other = NULL;
	size_t size;

	return record_format(a, &one, &size, NULL) == 0 &&
	       record_format(b, &other, &size, NULL) == 0 && !strcmp(one, other);
}

static void test_round_trip(void)
{
	cleanup(record_free) struct record *record = new_full();
	cleanup(record_free) struct record *again = NULL;
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err = { 0 };

	is_int(record_save(dir, record, &err), 0, "the fullest record is saved: %s", err.text);
	is_int(record_load(dir, record->id, &again, &err), 0, "and loaded: %s", err.text);
	ok(again && same_record(record, again), "and is the same");
	record->n_endpoints--;
	is_int(record_save(dir, record, &err), 0, "it is saved again: %s", err.text);
	record_free(&again);
	is_int(record_load(dir, record->id, &again, &err), 0, "and loaded");
	is_int(again->n_endpoints, RECORD_ENDPOINTS_MAX - 1, "with what was changed");
	is_int(record_remove(dir, record->id, &err), 0, "it is removed");
	is_int(record_remove(dir, record->id, &err), 0, "and removed once more");
	record_free(&again);
	is_int(record_load(dir, record->id, &again, &err), -ENOENT, "then there is none: %s",
		err.text);
	ok(!again, "and nothing is returned");
}

static void test_format(void)
{
	cleanup(record_free) struct record *record = NULL;
	autofree char *text = NULL;
	autofree char *joined = NULL;
	struct error err = { 0 };
	size_t size;

	is_int(record_new("0123456789abcdef", &record, &err), 0, "a new record");
	is_str(record->name, "0123456789ab", "its name the beginning of it");
	record->netns_cookie = 4097;
	record->host_cookie = 1;
	record->nsid = 1048577;
	record_add_member(record, &(struct record_member){ "m", 7, 8 }, &err);
	record->endpoints[record->n_endpoints++] = endpoint0;
	record->endpoints[record->n_endpoints++] = (struct record_endpoint){ .network = "n",
		.interface = "i",
		.parent = "p",
		.parent_ifindex = 9,
		.host_access = true };
	is_int(record_format(record, &text, &size, &err), 0, "is written");
	is_str(text,
		"{\"id\":\"0123456789abcdef\",\"name\":\"0123456789ab\","
		"\"netns\":{\"cookie\":4097,\"host_cookie\":1,"
		"\"nsid\":1048577,\"shared\":false},\"members\":[{\"id\":\"m\",\"pid\":7,"
		"\"start\":8}],\"endpoints\":[{\"network\":\"macvlan0\",\"interface\":\"eth0\","
		"\"parent\":\"eth0\",\"parent_ifindex\":3,\"mode\":\"source\",\"ifindex\":2,"
		"\"key\":\"web\",\"mac\":\"02:42:0a:00:00:03\",\"addresses\":[\"10.0.0.3/24\","
		"\"2001:db8::3/64\"]},{\"network\":\"n\",\"interface\":\"i\",\"parent\":\"p\","
		"\"parent_ifindex\":9,"
		"\"mode\":\"bridge\",\"host_access\":true}]}\n",
		"in this form");
	is_int(size, strlen(text), "with its size");
	strcpy(record->joined, "owner");
	is_int(record_format(record, &joined, &size, &err), 0, "a joined one is written");
	is_str(joined, "{\"id\":\"0123456789abcdef\",\"joined\":\"owner\"}\n", "with that alone");
}

static void expect_dhcp(const struct record_dhcp *dhcp, bool is_intent, const char *expected)
{
	cleanup(record_free) struct record *record = NULL;
	cleanup(record_free) struct record *again = NULL;
	autofree char *text = NULL;
	struct error err = { 0 };
	struct record_endpoint *endpoint;
	size_t size = 0;

	record_new("a", &record, &err);
	endpoint = record_add_endpoint(record);
	*endpoint = endpoint0;
	if (is_intent)
		*endpoint = (struct record_endpoint){
			.network = "n", .interface = "i", .parent = "p", .parent_ifindex = 9
		};
	endpoint->is_dhcp = true;
	endpoint->dhcp = *dhcp;
	is_int(record_format(record, &text, &size, &err), 0, "dhcp is written");
	ok(text && strstr(text, expected), "as %s: %s", expected, text);
	is_int(record_parse(text, size, &again, &err), 0, "and read: %s", err.text);
	ok(again && again->endpoints[0].is_dhcp &&
			!memcmp(&again->endpoints[0].dhcp, dhcp, sizeof(*dhcp)),
		"the same");
}

static void test_dhcp(void)
{
	struct record_dhcp full = full_dhcp();
	const struct record_dhcp some = { .hostname = "web",
		.client_id = "id-web",
		.probe_ms = 200,
		.gives_default = true,
		.gives_mtu = true };

	expect_dhcp(&(struct record_dhcp){ 0 }, false, ",\"dhcp\":{\"probe_ms\":0,\"gives\":[]}");
	expect_dhcp(&(struct record_dhcp){ 0 }, true, ",\"dhcp\":{\"probe_ms\":0,\"gives\":[]}");
	expect_dhcp(&some, false,
		",\"dhcp\":{\"hostname\":\"web\",\"client_id\":\"id-web\",\"probe_ms\":200,"
		"\"gives\":[\"default-route\",\"mtu\"]}");
	expect_dhcp(&(struct record_dhcp){ .gives_dns = true }, true, "\"gives\":[\"dns\"]}");
	expect_dhcp(&full, false, "\"gives\":[\"default-route\",\"dns\",\"mtu\"]}");
}

static void test_members(void)
{
	cleanup(record_free) struct record *record = NULL;
	struct error err = { 0 };

	record_new("a", &record, &err);
	record_add_member(record, &(struct record_member){ "a", 1, 10 }, &err);
	record_add_member(record, &(struct record_member){ "b", 2, 20 }, &err);
	record_add_member(record, &(struct record_member){ "c", 3, 30 }, &err);
	is_int(record_add_member(record, &(struct record_member){ "b", 5, 50 }, &err), 0,
		"a member comes back");
	is_int(record->n_members, 3, "and is there once");
	is_int(record_member_of(record, "b")->start, 50, "renewed");
	record_drop_member(record, "a");
	record_drop_member(record, "nobody");
	is_int(record->n_members, 2, "the first is struck out");
	ok(!record_member_of(record, "a"), "and not found");
	is_int(record_member_of(record, "c")->pid, 3, "the others are");
	record_drop_member(record, "b");
	record_drop_member(record, "c");
	is_int(record->n_members, 0, "all are struck out");
	for (unsigned i = 0; i < RECORD_MEMBERS_MAX; i++) {
		struct record_member member = { .pid = 1 };

		snprintf(member.id, sizeof(member.id), "m%u", i);
		record_add_member(record, &member, &err);
	}
	is_int(record_add_member(record, &(struct record_member){ "z", 1, 1 }, &err), -E2BIG,
		"one more than the limit: %s", err.text);
	is_int(record->n_members, RECORD_MEMBERS_MAX, "is not added");
}

/* What must not be saved, because it could not be loaded. */
static void expect_unsaved(void (*spoil)(struct record *record), const char *why)
{
	cleanup(record_free) struct record *record = new_full();
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err = { 0 };

	spoil(record);
	ok(record_save(dir, record, &err) < 0 && strstr(err.text, why), "not saved: %s", err.text);
	ok(faccessat(dir, "c0ffee0123456789.json", F_OK, 0) < 0, "there is no file");
}

static void spoil_id(struct record *record)
{
	strcpy(record->id, "../x");
}

static void spoil_name(struct record *record)
{
	record->name[0] = '\0';
}

static void spoil_key(struct record *record)
{
	record->endpoints[0].key[0] = '/';
}

static void spoil_nsid(struct record *record)
{
	record->nsid = -1;
}

static void spoil_members(struct record *record)
{
	record->n_members++;
}

static void spoil_endpoints(struct record *record)
{
	record->n_endpoints++;
}

static void spoil_pid(struct record *record)
{
	record->members[1].pid = 0;
}

static void spoil_mac(struct record *record)
{
	memset(record->endpoints[1].mac, 0, MAC_SIZE);
}

static void spoil_addresses(struct record *record)
{
	record->endpoints[1].n_addresses++;
}

static void spoil_address(struct record *record)
{
	record->endpoints[1].addresses[3].ip.family = 0;
}

static void spoil_parent(struct record *record)
{
	strcpy(record->endpoints[1].parent, "a/b");
}

static void spoil_hostname(struct record *record)
{
	strcpy(record->endpoints[1].dhcp.hostname, "-h");
}

static void spoil_client_id(struct record *record)
{
	strcpy(record->endpoints[1].dhcp.client_id, "a b");
}

static void spoil_joined(struct record *record)
{
	strcpy(record->joined, record->id);
}

static void test_check(void)
{
	expect_unsaved(spoil_id, "'../x' is not valid");
	expect_unsaved(spoil_name, "name: is empty");
	expect_unsaved(spoil_key, "key: ");
	expect_unsaved(spoil_nsid, "netns.nsid: -1");
	expect_unsaved(spoil_members, "more than 128 members");
	expect_unsaved(spoil_endpoints, "32 endpoints");
	expect_unsaved(spoil_pid, "members[1]: pid 0");
	expect_unsaved(spoil_mac, "endpoints[1]: the MAC is not unicast");
	expect_unsaved(spoil_addresses, "endpoints[1]: more than 16 addresses");
	expect_unsaved(spoil_address, "endpoints[1]: addresses[3]");
	expect_unsaved(spoil_parent, "endpoints[1]: interface name 'a/b'");
	expect_unsaved(spoil_hostname, "endpoints[1]: dhcp.hostname: host name '-h' is not valid");
	expect_unsaved(spoil_client_id, "endpoints[1]: dhcp.client_id: 'a b' has a blank");
	expect_unsaved(spoil_joined, "joined: ");
}

static void expect_unloaded(int dir, const char *id, int code, const char *why)
{
	struct record *record = NULL;
	struct error err = { 0 };

	is_int(record_load(dir, id, &record, &err), code, "not loaded: %s", err.text);
	ok(!record && strstr(err.text, why), "says '%s'", why);
}

static void test_files(void)
{
	static const char text[] = "{\"id\":\"a\",\"joined\":\"b\"}";
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(record_free) struct record *record = NULL;
	struct error err = { 0 };

	expect_unloaded(dir, "none", -ENOENT, "container 'none' has no record");
	expect_unloaded(dir, "../a", -EINVAL, "is not valid");
	expect_unloaded(dir, "", -EINVAL, "is empty");
	file_replace(dir, "a.json", "x.tmp", text, strlen(text), &err);
	is_int(record_load(dir, "a", &record, &err), 0, "a joined record is loaded");
	is_str(record->joined, "b", "with its owner");
	file_replace(dir, "b.json", "x.tmp", text, strlen(text), &err);
	expect_unloaded(dir, "b", -EINVAL, "record 'containers/b.json': id: 'a' is not the file's");
	file_replace(dir, "b.json", "x.tmp", text, 5, &err);
	expect_unloaded(dir, "b", -EINVAL, "record 'containers/b.json': not valid JSON");
	file_replace(dir, "b.json", "x.tmp", text, 0, &err);
	expect_unloaded(dir, "b", -EINVAL, "record 'containers/b.json': ");
	ok(symlinkat("a.json", dir, "l.json") == 0, "a planted link");
	expect_unloaded(dir, "l", -ELOOP, "symbolic link");
	mkdirat(dir, "d.json", 0700);
	expect_unloaded(dir, "d", -EISDIR, "not a regular file");
	mkfifoat(dir, "f.json", 0600);
	expect_unloaded(dir, "f", -EINVAL, "not a regular file");
	mknodat(dir, "s.json", S_IFREG | 0600, 0);
	{
		autoclose int fd = openat(dir, "s.json", O_WRONLY | O_CLOEXEC);

		ok(ftruncate(fd, RECORD_FILE_MAX + 1) == 0, "a file over the limit");
	}
	expect_unloaded(dir, "s", -EFBIG, "larger than 1048576");
	ok(symlinkat("/nonexistent", dir, "k.tmp") == 0, "a killed save has left something");
	ok(symlinkat("/nonexistent", dir, "k.json") == 0, "and so has somebody else");
	is_int(record_remove(dir, "k", &err), 0, "both are removed");
	ok(faccessat(dir, "k.tmp", F_OK, AT_SYMLINK_NOFOLLOW) < 0, "the temporary file");
	ok(faccessat(dir, "k.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0, "and the record");
	is_int(record_remove(dir, "../a", &err), -EINVAL, "no other folder is touched");
}

/* A temporary file that a killed hook has left, or a link in its place, does not stop a save. */
static void test_left_over(void)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(record_free) struct record *record = NULL;
	struct error err = { 0 };
	struct stat status;

	record_new("t", &record, &err);
	ok(symlinkat("victim", dir, "t.tmp") == 0, "a link in place of the temporary file");
	is_int(record_save(dir, record, &err), 0, "a record is saved: %s", err.text);
	ok(faccessat(dir, "victim", F_OK, 0) < 0, "not through the link");
	ok(fstatat(dir, "t.json", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
			(status.st_mode & 0777) == 0600,
		"as a file that only root can read");
	ok(faccessat(dir, "t.tmp", F_OK, AT_SYMLINK_NOFOLLOW) < 0, "no temporary file is left");
}

int main(void)
{
	test_format();
	test_dhcp();
	test_members();
	test_check();
	test_round_trip();
	test_files();
	test_left_over();
	return tap_done();
}
