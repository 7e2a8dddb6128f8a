// SPDX-License-Identifier: MIT
/*
 * schema/network*.c: what a good file becomes, and files that are none. That wrong documents are
 * refused is tested with the corpus in tests/schema; here is asserted what is said about them.
 */
#include "schema/network.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/json.h"
#include "tests/unit/tap.h"

#define HEAD "{\"name\":\"n\",\"parent\":\"eth0\","
#define V4 "{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.1\"}"
#define V6 "{\"subnet\":\"2001:db8::/64\",\"gateway\":\"2001:db8::1\"}"

static struct network *parse(const char *text)
{
	struct network *network = NULL;
	struct error err = { 0 };

	ok(network_parse(text, strlen(text), &network, &err) == 0, "%.60s: %s", text, err.text);
	return network;
}

static void test_full(void)
{
	cleanup(network_free) struct network *n =
		parse("{\"name\":\"macvlan0\",\"parent\":\"eth0.10\",\"mode\":\"source\","
		      "\"source_macs\":[\"02:42:0a:00:00:04\",\"aa-bb-cc-dd-ee-ff\"],\"subnets\":["
		      "{\"subnet\":\"10.0.0.0/"
		      "24\",\"gateway\":\"10.0.0.1\",\"ip_range\":\"10.0.0.128/25\","
		      "\"aux_addresses\":{\"printer\":\"10.0.0.200\",\"nas\":\"10.0.0.201\"}}," V6
		      ",{\"subnet\":\"10.1.0.0/16\",\"gateway\":\"10.9.9.9\",\"onlink\":true}],"
		      "\"internal\":true,\"mtu\":9000,\"routes\":[{\"dst\":\"192.168.0.0/16\","
		      "\"gateway\":\"10.0.0.254\"},{\"dst\":\"fd00::/"
		      "8\"}],\"ipam\":{\"driver\":\"local\"},"
		      "\"labels\":{\"team\":\"edge\"}}");
	char text[CIDR_TEXT];

	is_str(n->name, "macvlan0", "name");
	is_str(n->parent, "eth0.10", "parent");
	is_int(n->mode, NETWORK_SOURCE, "mode");
	is_int(n->n_source_macs, 2, "source_macs");
	is_str(mac_format(n->source_macs[1], text), "aa:bb:cc:dd:ee:ff", "the second");
	is_int(n->ipam, NETWORK_IPAM_LOCAL, "ipam driver");
	is_int(n->n_subnets, 3, "subnets");
	is_str(cidr_format(&n->subnets[0].subnet, text), "10.0.0.0/24", "the first");
	is_str(ip_format(&n->subnets[0].gateway, text), "10.0.0.1", "its gateway");
	is_str(cidr_format(&n->subnets[0].range, text), "10.0.0.128/25", "its range");
	ok(n->subnets[0].has_range && !n->subnets[1].has_range, "only it has one");
	is_str(cidr_format(&n->subnets[1].range, text), "2001:db8::/64", "else it is the subnet");
	ok(n->subnets[2].onlink && !n->subnets[0].onlink, "onlink");
	is_int(n->n_aux, 2, "aux addresses");
	is_str(n->aux[1].name, "nas", "the second's name");
	is_str(ip_format(&n->aux[1].ip, text), "10.0.0.201", "and address");
	is_int(n->aux[1].subnet, 0, "and subnet");
	ok(n->internal, "internal");
	is_int(n->mtu, 9000, "mtu");
	is_int(n->n_routes, 2, "routes");
	is_str(cidr_format(&n->routes[0].dst, text), "192.168.0.0/16", "the first");
	is_str(ip_format(&n->routes[0].gateway, text), "10.0.0.254", "its gateway");
	is_int(n->routes[1].gateway.family, 0, "the second has none");
	is_str(json_member(n->labels, "team")->text, "edge", "labels");
}

static void test_defaults(void)
{
	cleanup(network_free) struct network *n =
		parse(HEAD "\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}");

	is_int(n->mode, NETWORK_BRIDGE, "mode bridge");
	is_int(n->ipam, NETWORK_IPAM_LOCAL, "ipam local");
	is_int(n->mtu, 0, "the parent's mtu");
	ok(!n->internal && !n->labels && !n->n_routes && !n->n_aux && !n->n_source_macs,
		"nothing else");
	is_int(n->subnets[0].gateway.family, 0, "a gateway is not invented");
}

static void test_isolated(void)
{
	cleanup(network_free) struct network *named = parse(HEAD "\"subnets\":[" V4 "]}");
	cleanup(network_free) struct network *n = parse("{\"name\":\"n\",\"subnets\":[" V4 "]}");
	cleanup(network_free) struct network *m = parse("{\"name\":\"m\",\"subnets\":[" V4 "]}");
	char name[INTERFACE_NAME_MAX + 1];

	ok(!named->is_isolated && n->is_isolated, "isolated without a parent");
	is_str(n->parent, network_isolated_parent("n", name), "one of its own");
	is_int((int)strlen(name), INTERFACE_NAME_MAX, "that has a name");
	ok(!strncmp(name, NETWORK_PARENT_PREFIX, 4), "of our own");
	ok(strcmp(n->parent, m->parent) != 0, "and no other's");
}

#define IPAM(driver) HEAD "\"ipam\":{\"driver\":\"" driver "\""

static void test_dhcp(void)
{
	cleanup(network_free) struct network *least = parse(IPAM("dhcp") "}}");
	cleanup(network_free) struct network *n =
		parse(IPAM("dhcp") ",\"config\":{\"timeout_ms\":25000,\"required\":false,"
				   "\"client_id\":\"id-{name}\",\"hostname\":\"{name}\"}},"
				   "\"dns\":{\"mode\":\"none\"},\"subnets\":[" V6 "]}");

	is_int(least->ipam, NETWORK_IPAM_DHCP, "ipam dhcp");
	is_int(least->dhcp.timeout_ms, 10000, "its wait");
	ok(least->dhcp.required, "a lease is required");
	ok(!least->dhcp.client_id && !least->dhcp.hostname, "nothing else is said");
	ok(network_asks_elsewhere(least), "the server says more");
	is_int(least->dns.mode, NETWORK_DNS_GIVEN, "of resolvers, too");
	is_int(n->dhcp.timeout_ms, 25000, "another wait");
	ok(!n->dhcp.required, "not required");
	is_str(n->dhcp.client_id, "id-{name}", "client id");
	is_str(n->dhcp.hostname, "{name}", "host name");
	is_int(n->dns.mode, NETWORK_DNS_NONE, "the file's own word counts");
	ok(network_has_family(n, AF_INET6) && !network_has_family(n, AF_INET), "IPv6 is ours");
}

static void test_plugin(void)
{
	cleanup(network_free) struct network *least = parse(IPAM("whereabouts") "}}");
	cleanup(network_free) struct network *n =
		parse(IPAM("host-local") ",\"config\":{\"ranges\":[[{\"subnet\":\"10.0.0.0/24\"}]],"
					 "\"x\":1.5},\"path\":[\"/opt/cni/bin\",\"/a b\"]}}");

	is_int(least->ipam, NETWORK_IPAM_PLUGIN, "ipam plugin");
	is_str(least->plugin.name, "whereabouts", "its name");
	ok(!least->plugin.config && !least->plugin.path, "and no more");
	is_int(least->dns.mode, NETWORK_DNS_GIVEN, "it may know of resolvers");
	is_str(json_member(n->plugin.config, "x")->text, "1.5", "its configuration, as it is");
	is_str(json_member(n->plugin.config, "ranges") ? "there" : "", "there", "all of it");
	ok(n->plugin.path && n->plugin.path->type == JSON_ARRAY, "where it is looked for");
}

/* A value of N bytes for KEY of the configuration of driver dhcp. */
static void expect_length(const char *key, size_t n, int code)
{
	cleanup(network_free) struct network *network = NULL;
	char value[2048] = "";
	char text[4096];
	struct error err = { 0 };

	memset(value, 'a', n);
	snprintf(text, sizeof(text), IPAM("dhcp") ",\"config\":{\"%s\":\"%s\"}}}", key, value);
	is_int(network_parse(text, strlen(text), &network, &err), code, "%s of %zu bytes: %s", key,
		n, err.text);
}

static void expect_path(const char *path, int code)
{
	cleanup(network_free) struct network *network = NULL;
	char text[32 * 1024];
	struct error err = { 0 };

	snprintf(text, sizeof(text), IPAM("p") ",\"path\":[%s]}}", path);
	is_int(network_parse(text, strlen(text), &network, &err), code, "path: %.60s", err.text);
}

static void test_ipam_limits(void)
{
	char path[2048] = "\"/";
	char folders[256] = "\"/0\"";

	expect_length("client_id", 1, 0);
	expect_length("client_id", 120, 0);
	expect_length("client_id", 121, -EINVAL);
	expect_length("client_id", 0, -EINVAL);
	expect_length("hostname", 120, 0);
	expect_length("hostname", 121, -EINVAL);
	memset(path + 2, 'a', 1023);
	strcpy(path + 2 + 1023, "\"");
	expect_path(path, 0);
	strcpy(path + 2 + 1023, "a\"");
	expect_path(path, -EINVAL);
	for (unsigned i = 1; i < 16; i++)
		snprintf(folders + strlen(folders), sizeof(folders) - strlen(folders), ",\"/%u\"",
			i);
	expect_path(folders, 0);
	strcat(folders, ",\"/16\"");
	expect_path(folders, -E2BIG);
	expect_path("", -EINVAL);
}

static void test_questions(void)
{
	cleanup(network_free) struct network *n =
		parse(HEAD "\"subnets\":[" V4 ",{\"subnet\":\"10.0.1.0/24\"}," V6
			   ",{\"subnet\":\"2001:db8:1::/64\"}]}");
	cleanup(network_free) struct network *none = parse(HEAD "\"ipam\":{\"driver\":\"none\"}}");
	struct ip ip;

	ip_parse("10.0.1.7", &ip, NULL);
	ok(network_subnet_of(n, &ip) == &n->subnets[1], "an address's subnet");
	ip_parse("10.0.2.7", &ip, NULL);
	ok(!network_subnet_of(n, &ip), "or none");
	ok(network_first_subnet(n, AF_INET) == &n->subnets[0], "the first IPv4 subnet");
	ok(network_first_subnet(n, AF_INET6) == &n->subnets[2], "the first IPv6 subnet");
	ok(network_has_family(n, AF_INET) && network_has_family(n, AF_INET6), "both families");
	is_int(none->ipam, NETWORK_IPAM_NONE, "ipam none");
	ok(!network_has_family(none, AF_INET) && !network_first_subnet(none, AF_INET6),
		"has neither");
}

static void test_modes(void)
{
	static const char *const names[] = { "bridge", "private", "vepa", "passthru", "source" };
	enum network_mode mode = NETWORK_VEPA;
	struct error err = { 0 };

	for (unsigned i = 0; i < 5; i++) {
		is_int(network_mode_parse(names[i], &mode, &err), 0, "mode %s", names[i]);
		is_str(network_mode_name(mode), names[i], "there and back");
	}
	is_int(network_mode_parse("Bridge", &mode, &err), -EINVAL, "%s", err.text);
	is_int(network_mode_parse("", &mode, &err), -EINVAL, "%s", err.text);
	is_int(mode, NETWORK_SOURCE, "untouched");
}

struct bad {
	const char *text;
	const char *message;
};

static void expect_message(const struct bad *bad)
{
	struct network *network = NULL;
	struct error err = { 0 };
	int r = network_parse(bad->text, strlen(bad->text), &network, &err);

	ok(r < 0 && !network, "refused");
	is_str(err.text, bad->message, "said so");
}

static void test_messages(void)
{
	static const struct bad bad[] = {
		{ HEAD "\"subnets\":[{\"subnet\":\"10.0.0.5/24\"}]}",
			"subnets[0].subnet: '10.0.0.5/24' is not a subnet: did you mean "
			"'10.0.0.0/24'?" },
		{ HEAD "\"subnets\":[" V4
		       ",{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.1.1\"}]}",
			"subnets[1].gateway: '10.0.1.1' is outside 10.0.0.0/24: correct it, or set "
			"\"onlink\": true" },
		{ HEAD "\"subnets\":[" V4 ",{\"subnet\":\"10.0.0.0/16\"}]}",
			"subnets[1].subnet: '10.0.0.0/16' overlaps with '10.0.0.0/24'" },
		{ HEAD "\"subnets\":[" V4 "],\"gateway\":\"10.0.0.1\"}", "unknown key 'gateway'" },
		{ HEAD "\"subnets\":[" V4 "],\"mtu\":1.5}",
			"mtu: '1.5' is not a whole number from 0" },
		{ HEAD "\"subnets\":[" V6 "],\"mtu\":1000}",
			"mtu: 1000 is too small for IPv6, which needs 1280" },
		{ HEAD "\"mode\":\"source\",\"subnets\":[" V4 "]}",
			"source_macs: mode source needs it: add the list" },
		{ HEAD "\"subnets\":[" V4 "],\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}",
			"routes[0].dst: '0.0.0.0/0' is the default route: give the subnet a "
			"gateway "
			"instead" },
		{ HEAD "\"subnets\":[" V4 "],\"name\":\"n\"}", "the key 'name' is there twice" },
		{ "{\"name\":\"n\",\"parent\":\"omv-1\",\"subnets\":[" V4 "]}",
			"parent: 'omv-1' is a name of our own interfaces: without a parent the "
			"network gets one of its own" },
		{ HEAD "\"subnets\":[" V4 "],\"mode\":\"private\",\"host_access\":true}",
			"host_access: needs mode bridge, but the mode is private: its macvlans "
			"hear nothing of the host's" },
		{ "{\"name\":\"n\",\"subnets\":[" V4 "],\"host_access\":true}",
			"host_access: needs a parent: the host has no address on a network of its "
			"own" },
		{ HEAD "\"ipam\":{\"driver\":\"none\"},\"host_access\":true}",
			"host_access: needs addresses to route to, but ipam.driver is none" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_message(&bad[i]);
}

static void test_service_messages(void)
{
	static const struct bad bad[] = {
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"10.0.1.53\"]}",
			"service_addresses[0]: '10.0.1.53' lies in no subnet of the network: add "
			"its subnet, or remove it" },
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"10.0.0.255\"]}",
			"service_addresses[0]: '10.0.0.255' is no host's address in 10.0.0.0/24" },
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"2001:db8::53\"]}",
			"service_addresses[0]: '2001:db8::53' lies in no subnet of the network: add "
			"its subnet, or remove it" },
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"10.0.0.53\",\"10.0.0.53\"]}",
			"service_addresses[1]: '10.0.0.53' is there twice: remove one" },
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"127.0.0.1\"]}",
			"service_addresses[0]: '127.0.0.1' is no host's address" },
		{ HEAD "\"subnets\":[" V4 "],\"service_addresses\":[53]}",
			"service_addresses[0]: must be a string, not a number" },
		{ HEAD "\"ipam\":{\"driver\":\"none\"},\"service_addresses\":[\"10.0.0.53\"]}",
			"service_addresses: are not used with ipam driver 'none': remove them" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_message(&bad[i]);
}

static void test_service(void)
{
	static const char text[] =
		HEAD "\"subnets\":[" V4 "],\"service_addresses\":[\"10.0.0.53\",\"10.0.0.1\"]}";
	struct network *network = NULL;
	const struct ip listed = { AF_INET, { 10, 0, 0, 53 } };
	const struct ip other = { AF_INET, { 10, 0, 0, 54 } };

	ok(network_parse(text, strlen(text), &network, NULL) == 0, "service addresses are read");
	ok(network_has_service(network, &listed), "one that is listed");
	ok(!network_has_service(network, &other), "one that is not");
	network_free(&network);
}

static void test_ipam_messages(void)
{
	static const struct bad bad[] = {
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\"},\"subnets\":[{\"subnet\":\"10.0.0.0/24\","
		       "\"gateway\":\"10.0.0.1\"}]}",
			"subnets[0].gateway: is not used with ipam driver 'dhcp', whose server "
			"says it: remove it" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\"},\"subnets\":[{\"subnet\":\"10.0.0.0/24\","
		       "\"ip_range\":\"10.0.0.0/25\"}]}",
			"subnets[0].ip_range: is not used with ipam driver 'dhcp', whose server "
			"says it: remove it" },
		{ "{\"name\":\"n\",\"ipam\":{\"driver\":\"dhcp\"}}",
			"ipam.driver: 'dhcp' needs a parent: there is no server on a network of "
			"its own" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\",\"config\":{\"timeout\":1}}}",
			"ipam.config: unknown key 'timeout'" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\",\"config\":{\"timeout_ms\":25001}}}",
			"ipam.config.timeout_ms: '25001' is larger than 25000" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\",\"config\":{\"required\":\"false\"}}}",
			"ipam.config.required: must be true or false, not a string" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\",\"config\":{\"hostname\":\"a b\"}}}",
			"ipam.config.hostname: 'a b' has a blank, control or non-ASCII character" },
		{ HEAD "\"ipam\":{\"driver\":\"dhcp\",\"path\":[\"/bin\"]}}",
			"ipam.path: driver 'dhcp' has none: remove it" },
		{ HEAD "\"ipam\":{\"config\":{}},\"subnets\":[" V4 "]}",
			"ipam.config: driver 'local' has none: remove it" },
		{ HEAD "\"ipam\":{\"driver\":\"whereabouts\",\"path\":[\"bin\"]}}",
			"ipam.path[0]: 'bin' is not the path of a folder: it begins with a slash, "
			"has no colon and at most 1024 bytes" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_message(&bad[i]);
}

static void test_hostile(void)
{
	static char deep[100100] = HEAD "\"labels\":";
	struct network *network = NULL;
	struct error err = { 0 };

	memset(deep + strlen(deep), '[', 100000);
	is_int(network_parse(deep, strlen(deep), &network, &err), -E2BIG, "%s", err.text);
	is_int(network_parse("", 0, &network, &err), -EINVAL, "%s", err.text);
	is_int(network_parse("\x7f\x00\x01", 3, &network, &err), -EINVAL, "%s", err.text);
	for (size_t size = 0; size < sizeof(HEAD) - 1; size++)
		if (network_parse(HEAD, size, &network, &err) == 0)
			break;
	ok(!network, "nothing truncated is accepted");
}

static void expect_unloaded(int dir, const char *name, int code, const char *why)
{
	struct network *network = NULL;
	struct error err = { 0 };

	is_int(network_load(dir, name, &network, &err), code, "not loaded: %s", err.text);
	ok(!network && strstr(err.text, why), "says '%s'", why);
}

static void put_file(int dir, const char *name, const char *text)
{
	struct error err = { 0 };

	if (file_replace(dir, name, "tmp", text, strlen(text), &err) < 0)
		ok(false, "%s", err.text);
}

static void test_files(void)
{
	autoclose int etc = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(network_free) struct network *network = NULL;
	autoclose int dir = -1;
	struct error err = { 0 };

	is_int(network_open_folder("/nowhere", &dir, &err), -ENOENT, "no ETC: %s", err.text);
	is_int(network_open_folder(tap_tempdir(), &dir, &err), 0, "no folder: %s", err.text);
	is_int(dir, -1, "and so none is open");
	expect_unloaded(dir, "n", -ENOENT,
		"network 'n' does not exist: 'oci-macvlan network ls' shows those that do");
	mkdirat(etc, "networks", 0700);
	is_int(network_open_folder(tap_tempdir(), &dir, &err), 0, "a folder: %s", err.text);
	expect_unloaded(dir, "n", -ENOENT, "network 'n' does not exist");
	expect_unloaded(dir, "../n", -EINVAL, "network name '../n' is not valid");
	expect_unloaded(dir, "", -EINVAL, "network name is empty");
	put_file(dir, "n.json", HEAD "\"subnets\":[" V4 "]}");
	is_int(network_load(dir, "n", &network, &err), 0, "a network is loaded: %s", err.text);
	is_str(network->name, "n", "with its name");
	put_file(dir, "m.json", HEAD "\"subnets\":[" V4 "]}");
	expect_unloaded(dir, "m", -EINVAL,
		"network file 'networks/m.json': name: 'n' is not the file's name");
	put_file(dir, "m.json", "{\"name\":\"m\",\"x\":1}");
	expect_unloaded(dir, "m", -EINVAL, "network file 'networks/m.json': unknown key 'x'");
	put_file(dir, "m.json", "");
	expect_unloaded(dir, "m", -EINVAL, "network file 'networks/m.json': it is empty");
	mkdirat(dir, "d.json", 0700);
	expect_unloaded(dir, "d", -EISDIR, "'networks/d.json': it is not a regular file");
	mkfifoat(dir, "f.json", 0600);
	expect_unloaded(dir, "f", -EINVAL, "'networks/f.json': it is not a regular file");
	ok(symlinkat("/dev/zero", dir, "z.json") == 0, "a link to /dev/zero");
	expect_unloaded(dir, "z", -EINVAL, "'networks/z.json': it is not a regular file");
	ok(symlinkat("nowhere", dir, "l.json") == 0, "a link to nothing");
	expect_unloaded(dir, "l", -ENOLINK, "'l.json': it is a symbolic link that leads nowhere");
	put_file(dir, "b.json", "");
	{
		autoclose int fd = openat(dir, "b.json", O_WRONLY | O_CLOEXEC);

		ok(ftruncate(fd, 100000000) == 0, "a file of 100 MB");
	}
	expect_unloaded(dir, "b", -EFBIG, "larger than 262144 bytes");
}

int main(void)
{
	test_full();
	test_defaults();
	test_isolated();
	test_dhcp();
	test_plugin();
	test_ipam_limits();
	test_questions();
	test_modes();
	test_messages();
	test_service_messages();
	test_service();
	test_ipam_messages();
	test_hostile();
	test_files();
	return tap_done();
}
