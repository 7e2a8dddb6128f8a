// SPDX-License-Identifier: MIT
/*
 * schema/cni*.c: what a plugin's answer means, and what it is given. Which answers are refused is
 * tested with the corpus in tests/schema.
 */
#include "schema/cni.h"

#include <stdio.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/ip_config.h"
#include "schema/json.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/selection.h"
#include "tests/unit/tap.h"

static int parse(const char *text, struct ip_config *ret, struct error *err)
{
	return cni_parse_result(text, strlen(text), ret, err);
}

static void is_ip(const struct ip *ip, const char *expected, const char *name)
{
	char text[IP_TEXT] = "none";

	if (ip->family)
		ip_format(ip, text);
	is_str(text, expected, "%s", name);
}

static void is_cidr(const struct cidr *cidr, const char *expected, const char *name)
{
	char text[CIDR_TEXT];

	is_str(cidr_format(cidr, text), expected, "%s", name);
}

#define V4 "{\"address\":\"10.0.0.50/24\",\"gateway\":\"10.0.0.1\"}"
#define V6 "{\"address\":\"2001:db8::50/64\",\"gateway\":\"2001:db8::1\"}"

static void test_gateways(void)
{
	struct ip_config config;
	struct error err;

	ok(parse("{\"cniVersion\":\"1.0.0\",\"ips\":[" V4 "," V6 "]}", &config, &err) == 0,
		"two addresses with gateways");
	is_int(config.n_addresses, 2, "are two");
	is_cidr(&config.addresses[0], "10.0.0.50/24", "the first");
	is_cidr(&config.addresses[1], "2001:db8::50/64", "the second");
	is_ip(&config.gateway4, "none", "a gateway alone makes no IPv4 default route");
	is_ip(&config.gateway6, "none", "nor an IPv6 one");
	is_int(config.n_routes, 0, "nor any other route");
	ok(parse("{\"cniVersion\":\"1.0.0\",\"ips\":[" V4 "," V6 "],\"routes\":["
		 "{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"},"
		 "{\"dst\":\"192.168.0.0/16\"},{\"dst\":\"172.16.0.0/12\",\"gw\":\"10.0.0.9\"}]}",
		   &config, &err) == 0,
		"with routes");
	is_ip(&config.gateway4, "10.0.0.1", "a default route goes over the address's gateway");
	is_ip(&config.gateway6, "fe80::1", "or over its own");
	is_int(config.n_routes, 2, "the others are routes");
	is_ip(&config.routes[0].gateway, "10.0.0.1", "over the address's gateway");
	is_ip(&config.routes[1].gateway, "10.0.0.9", "or over their own");
	ok(parse("{\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"cniVersion\":\"1.0.0\",\"ips\":[" V4 "]}",
		   &config, &err) == 0,
		"in whatever order the keys are");
	is_ip(&config.gateway4, "10.0.0.1", "the gateway is known");
	ok(parse("{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.50/24\"}],\"routes\":["
		 "{\"dst\":\"192.168.0.0/16\"}]}",
		   &config, &err) == 0 &&
			config.n_routes == 1 && !config.routes[0].gateway.family,
		"without any gateway a route is on the link");
}

static void test_dns(void)
{
	struct ip_config config;
	struct error err;

	ok(parse("{\"cniVersion\":\"0.4.0\",\"ips\":[" V4 "],\"dns\":{\"nameservers\":"
		 "[\"127.0.0.53\",\"10.0.0.1\",\"fe80::1%eth0\",\"2001:db8::53\",\"\"],"
		 "\"search\":[\"example.org\",\"lan\",\"a b\",\"x\\ny\",\"\"],\"domain\":\"lan\","
		 "\"options\":[\"ndots:1\"]}}",
		   &config, &err) == 0,
		"a result with DNS");
	is_int(config.n_servers, 2, "servers that a container cannot use are left out");
	is_ip(&config.servers[0], "10.0.0.1", "the first server");
	is_ip(&config.servers[1], "2001:db8::53", "the second");
	is_int(config.n_search, 2, "words that are none are left out, and what is there twice");
	is_str(config.search[0], "example.org", "the search list comes before the domain");
	is_str(config.search[1], "lan", "the domain is in it");
	is_int(config.n_options, 1, "options");
	is_str(config.options[0], "ndots:1", "as they are");
}

static void test_messages(void)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.5/24\"}}",
			"cniVersion: '0.2.0' is not understood, only results of 0.3.0, 0.3.1, "
			"0.4.0, 1.0.0 and 1.1.0 are: use a newer plugin" },
		{ "{\"ips\":[]}", "there is no address in it" },
		{ "{\"ips\":[" V4 "],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"table\":100}]}",
			"routes[0].table: is 100, but containers have routes in the main table "
			"(254) only" },
		{ "{\"ips\":[" V4 "],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.50\"}]}",
			"ips[0].address: '10.0.0.50' is a gateway's address in it, too" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[]}", "there is no address in it" },
		{ "{\"cniVersion\":\"1.0.0\"}", "there is no address in it" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.255/24\"}]}",
			"ips[0].address: '10.0.0.255/24' is the network or broadcast address of "
			"its subnet, which no host can have" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[" V4 ",{\"address\":\"10.0.0.51/24\"}]}",
			"ips[1]: '10.0.0.51/24' is in the same subnet as '10.0.0.50': one at "
			"most" },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"239.0.0.1/24\"}]}",
			"ips[0].address: '239.0.0.1/24' is not an address that a host can have" },
		{ "[]", "the answer: must be an object, not an array" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_config config;
		struct error err = { 0 };

		ok(parse(cases[i].text, &config, &err) < 0, "refused: %s", cases[i].text);
		is_str(err.text, cases[i].message, "and says why");
	}
}

static bool read_error(const char *text, struct error *err)
{
	cleanup(json_free) struct json_doc *doc = NULL;

	return json_parse(text, strlen(text), &doc, NULL) == 0 &&
	       cni_read_error(json_root(doc), err);
}

static void test_errors(void)
{
	struct error err = { 0 };

	ok(read_error("{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"try again\","
		      "\"details\":\"the store\\nis locked\"}",
		   &err),
		"an error object");
	is_str(err.text, "try again: the store\\x0ais locked (code 11)", "is shown in full");
	ok(read_error("{\"code\":7,\"msg\":\"no\"}", &err), "without details");
	is_str(err.text, "no (code 7)", "there is less to show");
	ok(!read_error("{\"cniVersion\":\"1.0.0\",\"ips\":[]}", &err), "a result is none");
	ok(!read_error("[\"code\",\"msg\"]", &err), "nor a list");
}

static struct network *load(const char *text)
{
	struct network *network = NULL;
	struct error err = { 0 };

	ok(network_parse(text, strlen(text), &network, &err) == 0, "the network is read (%s)",
		err.text);
	return network;
}

static const char *const network_text =
	"{\"name\":\"n\",\"parent\":\"eth0\",\"ipam\":{\"driver\":\"host-local\",\"config\":"
	"{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.0.0.0/24\"}]],\"big\":1e400,"
	"\"text\":\"\\u00e9\\n\\\"\\/\",\"null\":null,\"no\":false,\"empty\":{},\"list\":[]}},"
	"\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}";

/* What is given to ADD, and what to DEL after the record went through its file. */
static void test_config(void)
{
	cleanup(network_free) struct network *network = load(network_text);
	cleanup(json_free) struct json_doc *doc = NULL;
	cleanup(record_free) struct record *record = NULL;
	cleanup(record_free) struct record *again = NULL;
	autofree char *at_add = NULL;
	autofree char *at_del = NULL;
	autofree char *file = NULL;
	struct selection selection = { .n_ips = 1,
		.ips = { { { AF_INET, { 10, 0, 0, 9 } }, SELECTION_LEN_NONE } } };
	struct record_endpoint *endpoint;
	struct error err = { 0 };
	size_t size = 0;

	ok(cni_format_plugin(network, &selection, "/x/host-local", "/x:/y", &doc, &err) == 0,
		"what a plugin is run with");
	record_new("c0", &record, NULL);
	endpoint = record_add_endpoint(record);
	strcpy(endpoint->network, "n");
	strcpy(endpoint->interface, "eth0");
	strcpy(endpoint->parent, "eth0");
	endpoint->parent_ifindex = 2;
	ok(record_set_plugin(endpoint, doc, &err) == 0, "is what a record takes");
	is_str(endpoint->plugin.args, "IgnoreUnknown=1;IP=10.0.0.9/24",
		"an address on request has its subnet's prefix length");
	ok(cni_format_config(endpoint, false, &at_add, &err) == 0, "what it reads");
	is_str(at_add,
		"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"oci-macvlan\",\"ipam\":"
		"{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.0.0.0/24\"}]],"
		"\"big\":1e400,\"text\":\"\xc3\xa9\\n\\\"/\",\"null\":null,\"no\":false,"
		"\"empty\":{},\"list\":[]},\"args\":{\"cni\":{\"ips\":[\"10.0.0.9/24\"]}}}",
		"the configuration as it is, with the type, and what is asked for");
	ok(record_format(record, &file, &size, &err) == 0 &&
			record_parse(file, size, &again, &err) == 0,
		"the record is written and read (%s)", err.text);
	ok(again && cni_format_config(&again->endpoints[0], false, &at_del, &err) == 0,
		"what it reads then");
	is_str(at_del, at_add, "is the same, byte for byte");
	is_str(again->endpoints[0].plugin.program, "/x/host-local", "for the same program");
	is_str(again->endpoints[0].plugin.path, "/x:/y", "with the same CNI_PATH");
}

static void test_result_kept(void)
{
	const char *const text =
		"{\"program\":\"/x\",\"path\":\"\",\"args\":\"\",\"config\":{\"a\":1},"
		"\"result\":{\"cniVersion\":\"0.4.0\",\"ips\":[]}}";
	cleanup(json_free) struct json_doc *doc = NULL;
	struct record_endpoint endpoint = { .ifindex = 0 };
	autofree char *config = NULL;

	ok(json_parse(text, strlen(text), &doc, NULL) == 0 &&
			record_set_plugin(&endpoint, doc, NULL) == 0 &&
			cni_format_config(&endpoint, true, &config, NULL) == 0,
		"what CHECK reads");
	is_str(config,
		"{\"cniVersion\":\"0.4.0\",\"a\":1,\"prevResult\":{\"cniVersion\":\"0.4.0\",\"ips\":[]}}",
		"has the result of ADD");
}

/* A configuration that a record could not hold is refused before anything is done. */
static void test_limits(void)
{
	struct network network = { .name = "n", .plugin = { .name = "p" } };
	struct selection selection = { .n_ips = 0 };
	cleanup(json_free) struct json_doc *deep = NULL;
	cleanup(json_free) struct json_doc *doc = NULL;
	char text[2 * JSON_DEPTH_MAX + 16] = "{\"a\":";
	struct error err = { 0 };

	memset(text + strlen(text), '[', JSON_DEPTH_MAX - 1);
	memset(text + strlen(text), ']', JSON_DEPTH_MAX - 1);
	strcat(text, "}");
	ok(json_parse(text, strlen(text), &deep, &err) == 0, "a deep configuration (%s)", err.text);
	network.plugin.config = json_root(deep);
	is_int(cni_format_plugin(&network, &selection, "/x", "", &doc, &err), -E2BIG,
		"is too deep in a record");
	is_str(err.text, "ipam.config: it is nested more than 64 levels deep", "and says so");
}

static void test_ids(void)
{
	static const char *const cases[][2] = {
		{ "c0", "c0" },
		{ "0a_b.C-d", "0a_b.C-d" },
		{ "_a", "omv-x-_5fa" },
		{ "a+b:c", "omv-x-a_2bb_3ac" },
		{ "a_2bb:c", "omv-x-a_5f2bb_3ac" },
		{ "omv-x-a", "omv-x-omv_2dx_2da" },
	};
	char longest[CONTAINER_ID_MAX + 1] = "";
	char id[CNI_ID_MAX];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(cni_id(cases[i][0], id), cases[i][1], "the id '%s'", cases[i][0]);
	memset(longest, '+', sizeof(longest) - 1);
	is_int(strlen(cni_id(longest, id)), strlen("omv-x-") + 3 * CONTAINER_ID_MAX,
		"the longest id is not cut");
}

int main(void)
{
	test_gateways();
	test_dns();
	test_messages();
	test_errors();
	test_config();
	test_result_kept();
	test_limits();
	test_ids();
	return tap_done();
}
