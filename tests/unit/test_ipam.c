// SPDX-License-Identifier: MIT
/*
 * ipam/ipam.c, check.c: what an endpoint may ask for, gets, and gives back.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipam/ipam.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/selection.h"
#include "tests/unit/tap.h"

static const char dual[] =
	"{\"name\":\"net\",\"parent\":\"eth0\",\"subnets\":["
	"{\"subnet\":\"10.0.0.0/"
	"29\",\"gateway\":\"10.0.0.1\",\"aux_addresses\":{\"printer\":\"10.0.0.5\"}},"
	"{\"subnet\":\"10.1.0.0/24\",\"ip_range\":\"10.1.0.128/25\",\"gateway\":\"10.1.0.129\"},"
	"{\"subnet\":\"2001:db8::/64\",\"gateway\":\"2001:db8::1\"}],"
	"\"service_addresses\":[\"10.1.0.54\",\"10.1.0.129\",\"10.1.0.2\"],"
	"\"routes\":[{\"dst\":\"192.168.0.0/16\",\"gateway\":\"10.0.0.6\"}]}";

static struct network *network_from(const char *text)
{
	struct network *network = NULL;
	struct error err = { 0 };

	if (network_parse(text, strlen(text), &network, &err) < 0) {
		printf("# %s\n", err.text);
		exit(EXIT_FAILURE);
	}
	return network;
}

static void add_ip(struct selection *selection, const char *text)
{
	struct cidr *cidr = &selection->ips[selection->n_ips++];

	if (strchr(text, '/')) {
		if (cidr_parse(text, cidr, NULL) < 0)
			exit(EXIT_FAILURE);
		return;
	}
	cidr->len = SELECTION_LEN_NONE;
	if (ip_parse(text, &cidr->ip, NULL) < 0)
		exit(EXIT_FAILURE);
}

static struct store open_store(void)
{
	static unsigned n;
	struct store store = STORE_CLOSED;
	char run[128];

	snprintf(run, sizeof(run), "%s/run%u", tap_tempdir(), n++);
	if (store_open(run, true, &store, NULL) < 0)
		exit(EXIT_FAILURE);
	return store;
}

/* "10.0.0.3/29 2001:db8::3/64 " */
static const char *format(const struct ipam_result *result)
{
	static char text[NETWORK_SUBNETS_MAX * CIDR_TEXT];
	char one[CIDR_TEXT];

	text[0] = '\0';
	for (unsigned i = 0; i < result->n; i++)
		strcat(strcat(text, cidr_format(&result->addresses[i], one)), " ");
	return text;
}

struct check {
	const char *ips[3];
	const char *gateway;
	const char *message; /* NULL: none */
};

static const struct check checks[] = {
	{ { NULL }, NULL, NULL },
	{ { "10.0.0.3", "2001:db8::3" }, "10.0.0.6", NULL },
	{ { "10.0.0.3/29", "10.1.0.3", "2001:db8::3/64" }, "2001:db8::fe", NULL },
	{ { "10.9.0.3" }, NULL,
		"address '10.9.0.3' lies in no subnet of network 'net' (10.0.0.0/29, "
		"10.1.0.0/24, 2001:db8::/64)" },
	{ { "10.0.0.3/24" }, NULL,
		"address '10.0.0.3/24' of network 'net' lies in subnet 10.0.0.0/29: leave "
		"out the '/24'" },
	{ { "10.0.0.3", "10.0.0.4" }, NULL,
		"addresses '10.0.0.3' and '10.0.0.4' lie both in subnet 10.0.0.0/29 of "
		"network 'net': one at most" },
	{ { "10.0.0.0" }, NULL,
		"address '10.0.0.0' of network 'net' is the network address of "
		"10.0.0.0/29: ask for another" },
	{ { "10.0.0.7" }, NULL,
		"address '10.0.0.7' of network 'net' is the broadcast address of "
		"10.0.0.0/29: ask for another" },
	{ { "2001:db8::" }, NULL,
		"address '2001:db8::' of network 'net' is the subnet-router anycast "
		"address of 2001:db8::/64: ask for another" },
	{ { "10.0.0.1" }, NULL,
		"address '10.0.0.1' is a gateway of network 'net': ask for another, or list it in "
		"service_addresses of network 'net'" },
	{ { "10.0.0.6" }, "10.0.0.6",
		"address '10.0.0.6' is asked for as default route too: ask for another" },
	{ { "10.0.0.6" }, NULL, NULL }, /* a container may be a route's gateway */
	{ { "10.0.0.5" }, NULL,
		"address '10.0.0.5' is the aux address of 'printer' of network 'net': ask for "
		"another, or list it in service_addresses of network 'net'" },
	{ { "10.1.0.53" }, NULL,
		"address '10.1.0.53' is the host's resolver: ask for another, or list it in "
		"service_addresses of network 'net'" },
	{ { "10.1.0.54" }, NULL, NULL },  /* it is listed, though the host relies on it */
	{ { "10.1.0.129" }, NULL, NULL }, /* and this one, though it is a gateway */
	{ { "10.1.0.2" }, NULL, "address '10.1.0.2' is the host's own address: ask for another" },
	{ { "10.0.0.2" }, NULL, "address '10.0.0.2' is the host's own address: ask for another" },
	{ { NULL }, "10.9.0.1",
		"default-route '10.9.0.1' lies in no subnet of network 'net' (10.0.0.0/29, "
		"10.1.0.0/24, 2001:db8::/64)" },
};

static void test_check(void)
{
	struct network *network = network_from(dual);
	static const struct ip host[] = { { AF_INET, { 10, 0, 0, 2 } },
		{ AF_INET, { 10, 1, 0, 2 } } };
	static const struct ipam_use uses[] = {
		{ { AF_INET, { 10, 1, 0, 53 } }, "the host's resolver" },
		{ { AF_INET, { 10, 1, 0, 54 } }, "the host's next hop" },
	};

	for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct selection selection = { .network = "net" };
		struct ipam_request request = {
			.network = network,
			.selection = &selection,
			.host = host,
			.n_host = 2,
			.uses = uses,
			.n_uses = 2,
		};
		struct error err = { 0 };
		int r;

		for (unsigned k = 0; k < 3 && checks[i].ips[k]; k++)
			add_ip(&selection, checks[i].ips[k]);
		if (checks[i].gateway)
			ip_parse(checks[i].gateway, &selection.gateways[selection.n_gateways++],
				NULL);
		r = ipam_check(&request, &err);
		is_int(r, checks[i].message ? -EINVAL : 0, "check %u", i);
		if (checks[i].message)
			is_str(err.text, checks[i].message, "says what");
	}
	network_free(&network);
}

static void test_onlink_and_none(void)
{
	static const char onlink[] =
		"{\"name\":\"net\",\"parent\":\"eth0\",\"subnets\":["
		"{\"subnet\":\"10.0.0.9/32\",\"gateway\":\"10.9.0.1\",\"onlink\":true}]}";
	static const char none[] =
		"{\"name\":\"net\",\"parent\":\"eth0\",\"ipam\":{\"driver\":\"none\"}}";
	struct network *network = network_from(onlink);
	struct selection selection = { .n_gateways = 1 };
	struct ipam_request request = {
		.selection = &selection, .id = "c1", .interface = "eth0", .key = "c1"
	};
	struct ipam_result result = { .n = 7 };
	struct store store = open_store();
	struct error err = { 0 };

	request.network = network;
	ip_parse("10.9.0.1", &selection.gateways[0], NULL);
	is_int(ipam_check(&request, &err), 0, "an onlink gateway may be asked for");
	network_free(&network);
	network = network_from(none);
	request.network = network;
	is_int(ipam_check(&request, &err), -EINVAL, "no default route without subnets");
	selection.n_gateways = 0;
	is_int(ipam_check(&request, &err), 0, "driver none");
	is_int(ipam_allocate(&store, &request, &result, &err), 0, "gives");
	is_int(result.n, 0, "no address");
	add_ip(&selection, "10.0.0.3");
	is_int(ipam_check(&request, &err), -EINVAL, "and takes no request: %s", err.text);
	network_free(&network);
	store_close(&store);
}

/* Allocates for c1, c2, ... by number. */
static int allocate(struct store *store, const struct network *network, unsigned number,
	const struct selection *selection, struct ipam_result *ret, struct error *err)
{
	struct ipam_request request = {
		.network = network, .selection = selection, .interface = "eth0"
	};
	struct ip host[2];
	char id[16];

	snprintf(id, sizeof(id), "c%u", number);
	request.id = request.key = id;
	ip_parse("10.0.0.2", &host[0], NULL);
	ip_parse("2001:db8::2", &host[1], NULL);
	request.host = host;
	request.n_host = 2;
	return ipam_allocate(store, &request, ret, err);
}

static struct record_endpoint endpoint_of(const struct ipam_result *result)
{
	struct record_endpoint endpoint = { .network = "net",
		.interface = "eth0",
		.parent = "eth0",
		.ifindex = 2,
		.n_addresses = result->n };

	memcpy(endpoint.addresses, result->addresses, sizeof(endpoint.addresses));
	return endpoint;
}

static void test_allocate(void)
{
	struct network *network = network_from(dual);
	struct selection any = { .n_ips = 0 };
	struct ipam_result result = { 0 };
	struct record_endpoint endpoint;
	struct store store = open_store();
	struct error err = { 0 };
	unsigned long used;
	ip_value total;

	is_int(allocate(&store, network, 1, &any, &result, &err), 0, "automatic addresses");
	is_str(format(&result), "10.0.0.3/29 2001:db8::3/64 ", "of both families, IPv4 first");
	is_int(allocate(&store, network, 1, &any, &result, &err), 0, "once more for the same");
	is_str(format(&result), "10.0.0.3/29 2001:db8::3/64 ", "gives the same");
	endpoint = endpoint_of(&result);
	is_int(allocate(&store, network, 2, &any, &result, &err), 0, "a second container");
	is_str(format(&result), "10.0.0.4/29 2001:db8::4/64 ", "gets the next");
	is_int(allocate(&store, network, 3, &any, &result, &err), -ENOSPC, "a third finds it full");
	is_str(err.text,
		"no free address in 10.0.0.0/29: 2 of 2 are in use, 'oci-macvlan ps' and 'oci-macvlan check' show by whom",
		"as gateway, host, aux and route are not handed out");
	is_int(ipam_count(&store, network, 2, &used, &total, &err), 0, "and then");
	is_int(used, 2, "no IPv6 address is left claimed");
	ok(total == (((ip_value)1 << 64) - 2), "2^64 less anycast and gateway can be handed out");
	is_int(ipam_release(&store, "c1", &endpoint, &err), 0, "the first is released");
	is_int(ipam_release(&store, "c1", &endpoint, &err), 0, "twice is once");
	ipam_count(&store, network, 0, &used, &total, &err);
	is_int(used, 1, "its address is free");
	is_int((int)total, 4, "of those that can be handed out");
	is_int(allocate(&store, network, 3, &any, &result, &err), 0, "the third gets it now");
	is_str(format(&result), "10.0.0.3/29 2001:db8::5/64 ", "in IPv6 the next one");
	ipam_count(&store, network, 1, &used, &total, &err);
	is_int((int)total, 126, "a range without its gateway and the broadcast address");
	network_free(&network);
	store_close(&store);
}

static void test_static(void)
{
	struct network *network = network_from(dual);
	struct selection asked = { .n_ips = 0 };
	struct selection again = { .n_ips = 0 };
	struct ipam_result result = { 0 };
	struct store store = open_store();
	struct error err = { 0 };
	unsigned long used;
	ip_value total;

	add_ip(&asked, "2001:db8::77");
	add_ip(&asked, "10.1.0.5");
	is_int(allocate(&store, network, 1, &asked, &result, &err), 0, "static addresses");
	is_str(format(&result), "10.1.0.5/24 2001:db8::77/64 ",
		"of any subnet, outside the range too, and none besides");
	add_ip(&again, "10.0.0.3");
	add_ip(&again, "10.1.0.5");
	is_int(allocate(&store, network, 2, &again, &result, &err), -EADDRINUSE, "one is taken");
	is_str(result.holder, "c1/eth0", "by its holder");
	is_str(err.text,
		"'10.1.0.5' is taken by container 'c1' "
		"(eth0)",
		"whom the message names");
	is_int(err.code, -EADDRINUSE, "with the right code");
	ipam_count(&store, network, 0, &used, &total, &err);
	is_int(used, 0, "the other one is given back");
	again.n_ips = 1;
	is_int(allocate(&store, network, 2, &again, &result, &err), 0, "one static");
	is_str(format(&result), "10.0.0.3/29 2001:db8::3/64 ", "the other family automatic");
	network_free(&network);
	store_close(&store);
}

static void test_intent(void)
{
	struct record_endpoint endpoint = {
		.network = "net", .interface = "eth0", .parent = "eth0"
	};
	struct network *network = network_from(dual);
	struct selection any = { .n_ips = 0 };
	struct ipam_result result = { 0 };
	struct store store = open_store();
	struct error err = { 0 };
	unsigned long used;
	ip_value total;

	is_int(ipam_release(&store, "c1", &endpoint, &err), 0, "nothing to release, no pool");
	ipam_count(&store, network, 0, &used, &total, &err);
	is_int(used, 0, "nothing is used then");
	allocate(&store, network, 1, &any, &result, &err);
	allocate(&store, network, 2, &any, &result, &err);
	is_int(ipam_release(&store, "c1", &endpoint, &err), 0, "an intent is released");
	ipam_count(&store, network, 0, &used, &total, &err);
	is_int(used, 1, "the other container's addresses stay");
	network_free(&network);
	store_close(&store);
}

static int claim_key(struct store *store, const struct network *network, const char *id,
	const char *interface, const char *key, char holder[CLAIMS_OWNER_MAX + 1])
{
	struct ipam_request request = {
		.network = network, .id = id, .interface = interface, .key = key
	};

	return ipam_claim_key(store, &request, holder, NULL);
}

static int count_one(void *arg, const char *name, const char *owner, struct error *err)
{
	unsigned *n = arg;

	(void)name;
	(void)owner;
	(void)err;
	++*n;
	return 0;
}

static void test_key(void)
{
	struct record_endpoint endpoint = {
		.network = "net", .interface = "eth0", .parent = "eth0", .ifindex = 2, .key = "web"
	};
	struct network *network = network_from(dual);
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	char longest[CONTAINER_NAME_MAX + 2] = "";
	struct store store = open_store();
	unsigned n = 0;
	int pool = -1;

	is_int(claim_key(&store, network, "c1", "eth0", "web", holder), 0, "a name is claimed");
	is_int(claim_key(&store, network, "c1", "eth0", "web", holder), 0, "its owner has it");
	is_int(claim_key(&store, network, "c1", "eth1", "web", holder), -EEXIST,
		"another interface of it goes by another");
	is_int(claim_key(&store, network, "c1", "eth1", "web~2", holder), 0, "such as this");
	is_int(claim_key(&store, network, "c2", "eth0", "web", holder), -EEXIST,
		"no other gets it");
	is_str(holder, "c1/eth0", "who learns whose it is");
	is_int(claim_key(&store, network, "c2", "eth0", "a/b", holder), -EINVAL,
		"a name is no path");
	memset(longest, 'x', CONTAINER_NAME_MAX);
	is_int(claim_key(&store, network, "c2", "eth0", longest, holder), 0, "the longest name");
	is_int(ipam_release(&store, "c1", &endpoint, NULL), 0, "release by the key");
	is_int(claim_key(&store, network, "c4", "eth0", "web", holder), 0, "frees it");
	strcpy(endpoint.interface, "eth1");
	strcpy(endpoint.key, "web~2");
	is_int(ipam_release(&store, "c1", &endpoint, NULL), 0, "the other one too");
	endpoint =
		(struct record_endpoint){ .network = "net", .interface = "eth0", .parent = "eth0" };
	is_int(ipam_release(&store, "c2", &endpoint, NULL) +
			ipam_release(&store, "c4", &endpoint, NULL),
		0, "intents release theirs without it");
	store_open_pool(&store, "eth0", false, &pool, NULL);
	claims_list(pool, count_one, &n, NULL);
	is_int(n, 0, "and no link stays");
	close(pool);
	network_free(&network);
	store_close(&store);
}

static void test_service(void)
{
	struct network *network = network_from(
		"{\"name\":\"net\",\"parent\":\"eth0\",\"subnets\":[{\"subnet\":\"10.0.0.0/29\"}],"
		"\"service_addresses\":[\"10.0.0.1\",\"10.0.0.3\"]}");
	struct selection asks = { .n_ips = 0 };
	struct selection any = { .n_ips = 0 };
	struct ipam_result result = { 0 };
	struct store store = open_store();
	struct error err = { 0 };
	unsigned long used;
	ip_value total;

	is_int(allocate(&store, network, 1, &any, &result, &err), 0, "automatic addresses");
	is_str(format(&result), "10.0.0.4/29 ", "pass over service addresses");
	add_ip(&asks, "10.0.0.3");
	is_int(allocate(&store, network, 2, &asks, &result, &err), 0, "one that is asked for");
	is_str(format(&result), "10.0.0.3/29 ", "is given");
	ipam_count(&store, network, 0, &used, &total, &err);
	is_int((int)total, 4, "they are not counted as addresses that are handed out");
	network_free(&network);
	store_close(&store);
}

static void test_dhcp(void)
{
	struct network *network = network_from(
		"{\"name\":\"net\",\"parent\":\"eth0\",\"ipam\":{\"driver\":\"dhcp\"},"
		"\"subnets\":[{\"subnet\":\"10.0.0.0/29\"},{\"subnet\":\"2001:db8::/64\"}]}");
	struct selection any = { .n_ips = 0 };
	struct selection asks = { .n_ips = 0 };
	const struct ipam_request request = { .network = network, .selection = &asks };
	struct ipam_result result = { 0 };
	struct store store = open_store();
	struct error err = { 0 };

	is_int(allocate(&store, network, 1, &any, &result, &err), 0, "with DHCP");
	is_str(format(&result), "2001:db8::1/64 ", "an IPv4 subnet gives no address");
	add_ip(&asks, "10.0.0.3");
	is_int(ipam_check(&request, &err), -EINVAL, "nor on request");
	network_free(&network);
	store_close(&store);
}

int main(void)
{
	test_check();
	test_service();
	test_dhcp();
	test_onlink_and_none();
	test_allocate();
	test_static();
	test_intent();
	test_key();
	return tap_done();
}
