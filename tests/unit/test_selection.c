// SPDX-License-Identifier: MIT
/*
 * schema/selection.c: what containers ask for, in both forms and in shorthands.
 */
#include "schema/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/annotations.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

static void test_short(void)
{
	struct selections s = { 0 };
	struct error err = { 0 };

	is_int(selections_add(&s, "macvlan0", &err), 0, "one name");
	is_int(s.n, 1, "one selection");
	is_str(s.list[0].network, "macvlan0", "its network");
	is_str(s.list[0].interface, "", "no interface");
	ok(!s.list[0].has_mac && !s.list[0].n_ips && !s.list[0].has_default_route,
		"nothing else is asked for");
	is_int(selections_add(&s, " \tmacvlan0@eth1 ,\n storage@data0", &err), 0,
		"a list with blanks, appended: %s", err.text);
	is_int(s.n, 3, "three selections");
	is_str(s.list[1].network, "macvlan0", "the same network again");
	is_str(s.list[1].interface, "eth1", "with an interface");
	is_str(s.list[2].network, "storage", "and another");
	is_str(s.list[2].interface, "data0", "with its interface");
}

static void test_json(void)
{
	struct selections s = { 0 };
	struct error err = { 0 };
	char text[CIDR_TEXT];

	is_int(selections_add(&s,
		       " \n[{\"name\":\"macvlan0\",\"interface\":\"eth0\",\"ips\":[\"10.0.0.4\","
		       "\"2001:db8::4/64\"],\"mac\":\"02:42:0a:00:00:04\","
		       "\"default-route\":[\"10.0.0.1\",\"2001:db8::1\"]},"
		       "{\"name\":\"storage\",\"default-route\":[]}]",
		       &err),
		0, "the contract's example and another: %s", err.text);
	is_int(s.n, 2, "two selections");
	is_str(s.list[0].network, "macvlan0", "network");
	is_str(s.list[0].interface, "eth0", "interface");
	is_int(s.list[0].n_ips, 2, "two addresses");
	is_str(ip_format(&s.list[0].ips[0].ip, text), "10.0.0.4", "the first");
	is_int(s.list[0].ips[0].len, SELECTION_LEN_NONE, "without a length");
	is_str(cidr_format(&s.list[0].ips[1], text), "2001:db8::4/64", "the second, with one");
	ok(s.list[0].has_mac, "a MAC");
	is_str(mac_format(s.list[0].mac, text), "02:42:0a:00:00:04", "this one");
	ok(s.list[0].has_default_route, "a default route");
	is_int(s.list[0].n_gateways, 2, "by two gateways");
	is_str(ip_format(&s.list[0].gateways[1], text), "2001:db8::1", "the second");
	ok(s.list[1].has_default_route && !s.list[1].n_gateways, "none for the other network");
}

/* Both from an empty list, and behind a selection that is there: that one must stay alone. */
static void expect_bad(const char *text, int code, const char *why)
{
	struct selections s = { .n = 1, .list = { { .network = "first", .interface = "net0" } } };
	struct error err = { 0 };

	is_int(selections_add(&s, text, &err), code, "'%.40s': %s", text, err.text);
	ok(strstr(err.text, why) && s.n == 1 && !strcmp(s.list[0].network, "first"),
		"says '%s', and nothing was added", why);
}

static void test_bad_short(void)
{
	expect_bad("", -EINVAL, "is empty");
	expect_bad(" \t\n", -EINVAL, "is empty");
	expect_bad(",", -EINVAL, "[0]: an empty item");
	expect_bad("a,", -EINVAL, "[1]: an empty item");
	expect_bad("a,,b", -EINVAL, "[1]: an empty item");
	expect_bad("a, ,b", -EINVAL, "[1]: an empty item");
	expect_bad(
		"default/macvlan0", -EINVAL, "[0]: 'default/macvlan0': networks have no namespace");
	expect_bad("../macvlan0", -EINVAL, "no namespace");
	expect_bad("a b", -EINVAL, "network name 'a b' is not valid");
	expect_bad("a@", -EINVAL, "interface name is empty");
	expect_bad("@eth0", -EINVAL, "network name is empty");
	expect_bad("a@eth0@eth1", -EINVAL, "[0]: 'a@eth0@eth1' has two '@'");
	expect_bad("a@eth/0", -EINVAL, "interface name 'eth/0' is not valid");
	expect_bad("a@b123456789012345", -ENAMETOOLONG, "longer than 15");
	expect_bad("a@..", -EINVAL, "interface name '..'");
	expect_bad("a\x01", -EINVAL, "'a\\x01' is not valid");
	expect_bad("a@eth0,b@eth0", -EINVAL, "[1]: interface 'eth0' is asked for twice");
	expect_bad("a@net0", -EINVAL, "[0]: interface 'net0' is asked for twice");
	expect_bad("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", -E2BIG,
		"[15]: more than 16 networks are selected");
}

static void test_bad_json(void)
{
	expect_bad("[", -EINVAL, "not valid JSON");
	expect_bad("[]", -EINVAL, "an empty list");
	expect_bad("{\"name\":\"a\"}", -EINVAL, "put it into a list");
	expect_bad("[\"a\"]", -EINVAL, "[0]: must be an object");
	expect_bad("[{\"name\":\"a\"}] x", -EINVAL, "not valid JSON");
	expect_bad("[{}]", -EINVAL, "[0].name: is missing");
	expect_bad("[{\"name\":\"a\",\"name\":\"b\"}]", -EINVAL, "the key 'name' is there twice");
	expect_bad("[{\"name\":\"a\"},{\"name\":\"n/b\"}]", -EINVAL,
		"[1].name: 'n/b': networks have no namespace");
	expect_bad("[{\"name\":\"a\",\"gateway\":\"10.0.0.1\"}]", -EINVAL,
		"[0]: unknown key 'gateway'");
	expect_bad("[{\"name\":\"a\",\"namespace\":\"b\"}]", -EOPNOTSUPP,
		"[0].namespace: is not supported");
	expect_bad("[{\"name\":\"a\",\"bandwidth\":{}}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"infiniband-guid\":\"\"}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"interfaceRequest\":\"\"}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"portMappings\":[]}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"deviceID\":\"\"}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"cni-args\":{}}]", -EOPNOTSUPP, "is not supported");
	expect_bad("[{\"name\":\"a\",\"interface\":null}]", -EINVAL,
		"[0].interface: must be a string");
	expect_bad("[{\"name\":\"a\",\"ips\":[\"10.0.0.4\",\"10.0.0.300\"]}]", -EINVAL,
		"[0].ips[1]: '10.0.0.300' is not an IP address");
	expect_bad("[{\"name\":\"a\",\"ips\":[\"10.0.0.4/64\"]}]", -EINVAL, "prefix length");
	expect_bad("[{\"name\":\"a\",\"ips\":[\"0.0.0.0\"]}]", -EINVAL,
		"'0.0.0.0' is not an address that a container can have");
	expect_bad("[{\"name\":\"a\",\"ips\":[\"ff02::1\"]}]", -EINVAL, "can have");
	expect_bad("[{\"name\":\"a\",\"ips\":[7]}]", -EINVAL, "[0].ips[0]: must be a string");
	expect_bad("[{\"name\":\"a\",\"mac\":\"ff:ff:ff:ff:ff:ff\"}]", -EINVAL,
		"[0].mac: 'ff:ff:ff:ff:ff:ff' is not a unicast MAC");
	expect_bad("[{\"name\":\"a\",\"mac\":\"00:00:00:00:00:00\"}]", -EINVAL, "unicast");
	expect_bad("[{\"name\":\"a\",\"default-route\":[\"10.0.0.1\",\"10.0.0.2\"]}]", -EINVAL,
		"[0].default-route[1]: '10.0.0.2' is a second IPv4 gateway");
	expect_bad("[{\"name\":\"a\",\"default-route\":[\"::\"]}]", -EINVAL, "a gateway can have");
	expect_bad("[{\"name\":\"a\",\"default-route\":null}]", -EINVAL, "must be an array");
	expect_bad("[{\"name\":\"a\",\"interface\":\"x\"},{\"name\":\"b\",\"interface\":\"x\"}]",
		-EINVAL, "[1]: interface 'x' is asked for twice");
}

static void test_limits(void)
{
	autofree char *text = malloc(ANNOTATION_MAX + 2);
	struct selections s = { 0 };
	struct error err = { 0 };
	char json[1024] = "[{\"name\":\"a\",\"ips\":[\"10.0.0.1\"";

	memset(text, ' ', ANNOTATION_MAX + 1);
	text[0] = 'a';
	text[ANNOTATION_MAX + 1] = '\0';
	expect_bad(text, -E2BIG, "has 65537 bytes, at most 65536");
	text[ANNOTATION_MAX] = '\0';
	is_int(selections_add(&s, text, &err), 0, "64 KiB are accepted");
	memset(text, 'a', ANNOTATION_MAX);
	expect_bad(text, -EINVAL, "too long for NAME@INTERFACE");
	memset(text, '[', ANNOTATION_MAX);
	expect_bad(text, -E2BIG, "deep");
	for (unsigned i = 2; i <= SELECTION_IPS_MAX; i++)
		sprintf(json + strlen(json), ",\"10.0.0.%u\"", i);
	sprintf(json + strlen(json), ",\"10.0.0.17\"]}]");
	expect_bad(json, -E2BIG, "[0].ips[16]: more than 16 addresses");
}

static void test_apply(void)
{
	struct annotations annotations = { 0 };
	struct selections s = { 0 };
	struct error err = { 0 };
	char text[CIDR_TEXT];
	char ip[] = "10.0.0.4/24";
	char ip6[] = "2001:db8::4";
	char mac[] = "02:42:0a:00:00:04";
	char interface[] = "lan0";
	char name[] = "web";

	is_int(selections_apply(&s, &annotations, &err), 0, "no shorthand for no network");
	annotations = (struct annotations){ NULL, ip, ip6, mac, interface, name };
	selections_add(&s, "macvlan0", &err);
	is_int(selections_apply(&s, &annotations, &err), 0, "all shorthands for one");
	is_int(s.list[0].n_ips, 2, "two addresses");
	is_str(cidr_format(&s.list[0].ips[0], text), "10.0.0.4/24", "IPv4, with its length");
	is_str(ip_format(&s.list[0].ips[1].ip, text), "2001:db8::4", "IPv6");
	is_int(s.list[0].ips[1].len, SELECTION_LEN_NONE, "without one");
	is_str(s.list[0].interface, "lan0", "interface");
	is_str(mac_format(s.list[0].mac, text), mac, "MAC");
}

static void expect_bad_apply(
	const char *networks, const struct annotations *annotations, const char *why)
{
	struct selections s = { 0 };
	struct selections before;
	struct error err = { 0 };

	if (networks)
		selections_add(&s, networks, &err);
	before = s;
	ok(selections_apply(&s, annotations, &err) < 0, "%s: %s",
		networks ? networks : "nothing selected", err.text);
	ok(strstr(err.text, why) && !memcmp(&before, &s, sizeof(s)),
		"says '%s', and nothing changed", why);
}

static void test_bad_apply(void)
{
	char ip[] = "10.0.0.4";
	char ip6[] = "2001:db8::4";
	char mac[] = "02:42:0a:00:00:04";
	char interface[] = "lan0";
	char bad[] = "x/y";
	const char *full = "[{\"name\":\"a\",\"interface\":\"x\",\"mac\":\"02:00:00:00:00:01\","
			   "\"ips\":[\"10.0.0.9\",\"2001:db8::9\"]}]";

	expect_bad_apply(NULL, &(struct annotations){ .ip = ip },
		"annotation io.oci-macvlan.ip: is for exactly one network, but 0 are selected");
	expect_bad_apply("a,b", &(struct annotations){ .ip6 = ip6 },
		"annotation io.oci-macvlan.ip6: is for exactly one network, but 2 are selected");
	expect_bad_apply("a,b", &(struct annotations){ .mac = mac }, "but 2 are selected");
	expect_bad_apply(
		"a,b", &(struct annotations){ .interface = interface }, "but 2 are selected");
	expect_bad_apply("a", &(struct annotations){ .ip = ip6 },
		"io.oci-macvlan.ip: '2001:db8::4' is not an IPv4 address");
	expect_bad_apply("a", &(struct annotations){ .ip6 = ip },
		"io.oci-macvlan.ip6: '10.0.0.4' is not an IPv6 address");
	expect_bad_apply("a", &(struct annotations){ .ip = bad }, "io.oci-macvlan.ip: ");
	expect_bad_apply("a", &(struct annotations){ .ip = ip, .mac = bad },
		"io.oci-macvlan.mac: 'x/y' is not a MAC address");
	expect_bad_apply("a", &(struct annotations){ .ip = ip, .interface = bad },
		"io.oci-macvlan.interface: interface name 'x/y' is not valid");
	expect_bad_apply("a", &(struct annotations){ .ip = ip, .name = bad },
		"io.oci-macvlan.name: container name 'x/y' is not valid");
	expect_bad_apply(full, &(struct annotations){ .ip = ip }, "has an IPv4 address already");
	expect_bad_apply(full, &(struct annotations){ .ip6 = ip6 }, "has an IPv6 address already");
	expect_bad_apply(full, &(struct annotations){ .mac = mac }, "has a MAC already");
	expect_bad_apply(
		full, &(struct annotations){ .interface = interface }, "has an interface already");
}

int main(void)
{
	test_short();
	test_json();
	test_bad_short();
	test_bad_json();
	test_limits();
	test_apply();
	test_bad_apply();
	return tap_done();
}
