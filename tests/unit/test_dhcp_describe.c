// SPDX-License-Identifier: MIT
/*
 * hook/dhcp_describe.c: what a client is told of its container.
 */
#include "hook/dhcp.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "hook/attach.h"
#include "hook/config.h"
#include "hook/plan.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/network.h"
#include "schema/record.h"
#include "tests/unit/tap.h"

#define ID "c0ffee0123456789"

/* A container on a network with DHCP. */
struct asked {
	const char *config;   /* of the network; NULL: none */
	const char *name;     /* io.oci-macvlan.name; NULL: none */
	const char *hostname; /* in config.json; NULL: there is none */
};

static const char *make_bundle(const char *hostname)
{
	autoclose int dir = open(tap_tempdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[1024];
	struct error err;

	if (!hostname)
		return NULL;
	snprintf(text, sizeof(text),
		"{\"ociVersion\":\"1.0.2\",\"hostname\":\"%s\",\"root\":{\"path\":\"rootfs\"}}",
		hostname);
	if (file_replace(dir, "config.json", "x.tmp", text, strlen(text), &err) < 0)
		ok(false, "%s", err.text);
	return tap_tempdir();
}

static int describe(
	const struct asked *asked, const char *members, struct record_dhcp *ret, struct error *err)
{
	cleanup(network_free) struct network *network = NULL;
	const struct attach_request request = {
		.id = ID, .name = asked->name, .bundle = make_bundle(asked->hostname)
	};
	struct config config = { .request = &request };
	char text[2048];
	int r;

	snprintf(text, sizeof(text),
		"{\"name\":\"lan\",\"parent\":\"eth0\",%s\"ipam\":{\"driver\":\"dhcp\","
		"\"config\":%s}}",
		members, asked->config ? asked->config : "{}");
	r = network_parse(text, strlen(text), &network, err);
	if (r < 0)
		return r;
	return dhcp_describe(&(struct plan_item){ .network = network }, &config, ret, err);
}

static void expect(const struct asked *asked, const char *hostname, const char *client_id)
{
	struct record_dhcp dhcp = { 0 };
	struct error err = { 0 };

	is_int(describe(asked, "", &dhcp, &err), 0, "is described: %s", err.text);
	is_str(dhcp.hostname, hostname, "its host name");
	is_str(dhcp.client_id, client_id, "its client id");
	ok(!*dhcp.hostname || name_check_hostname(dhcp.hostname, &err) == 0, "is one: %s",
		err.text);
}

#define LETTERS_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_default_hostname(void)
{
	expect(&(struct asked){ NULL, "web1", NULL }, "web1", "");
	expect(&(struct asked){ NULL, NULL, NULL }, "c0ffee012345", "");
	expect(&(struct asked){ NULL, NULL, "box" }, "box", "");
	expect(&(struct asked){ NULL, "web1", "box" }, "box", "");
	/* What engines make of an id is no name. */
	expect(&(struct asked){ NULL, "web1", "c0ffee0123" }, "web1", "");
	expect(&(struct asked){ NULL, "web1", "" }, "web1", "");
	expect(&(struct asked){ NULL, LETTERS_63 "b", NULL }, LETTERS_63, "");
}

static void test_clean(void)
{
	expect(&(struct asked){ NULL, "a_b", NULL }, "a-b", "");
	expect(&(struct asked){ NULL, "a_", NULL }, "a", "");
	expect(&(struct asked){ NULL, NULL, "--a.b_c.." }, "a.b-c", "");
	expect(&(struct asked){ NULL, NULL, "a;$(id)" }, "a---id", "");
	/* What cannot be read as a host name at all is as none. */
	expect(&(struct asked){ NULL, NULL, "a b" }, "c0ffee012345", "");
	expect(&(struct asked){ NULL, NULL, "_._" }, "", "");
	/* Cut where a hyphen is. */
	expect(&(struct asked){ NULL,
		       "b-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		       "-b",
		       NULL },
		"b-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
}

static void test_templates(void)
{
	expect(&(struct asked){ "{\"client_id\":\"id-{name}\",\"hostname\":\"{name}-box\"}", "web1",
		       "ignored" },
		"web1-box", "id-web1");
	expect(&(struct asked){ "{\"client_id\":\"{name}{name}\",\"hostname\":\"h\"}", "web1",
		       NULL },
		"h", "web1web1");
	expect(&(struct asked){ "{\"client_id\":\"{nam}{{name}}{name\",\"hostname\":\"{}\"}", "w",
		       NULL },
		"", "{nam}{w}{name");
	expect(&(struct asked){ "{\"client_id\":\"$(id)%s\"}", "w", NULL }, "w", "$(id)%s");
	expect(&(struct asked){ "{\"hostname\":\"_{name}_\"}", "w_1", NULL }, "w-1", "");
	/* A name is put in, and not read again. */
	expect(&(struct asked){ "{\"client_id\":\"{name}\"}", "name", NULL }, "name", "name");
}

static void test_too_long(void)
{
	struct record_dhcp dhcp = { .probe_ms = 7 };
	struct error err = { 0 };
	struct asked asked = { "{\"hostname\":\"x{name}\"}", LETTERS_63, NULL };

	expect(&(struct asked){ "{\"hostname\":\"{name}\"}", LETTERS_63, NULL }, LETTERS_63, "");
	is_int(describe(&asked, "", &dhcp, &err), -ENAMETOOLONG, "a host name of 64 characters");
	is_str(err.text,
		"network 'lan': hostname: 'x{name}' is longer than 63 bytes with the name "
		"'" LETTERS_63 "'",
		"which it says");
	asked = (struct asked){ "{\"client_id\":\"{name}{name}{name}{name}x\"}", LETTERS_63, NULL };
	expect(&(struct asked){ "{\"client_id\":\"{name}{name}{name}{name}\"}", LETTERS_63, NULL },
		LETTERS_63, LETTERS_63 LETTERS_63 LETTERS_63 LETTERS_63);
	is_int(describe(&asked, "", &dhcp, &err), 0, "a client id of 253");
	asked.config = "{\"client_id\":\"{name}{name}{name}{name}xyz\"}";
	is_int(describe(&asked, "", &dhcp, &err), -ENAMETOOLONG, "one of 255: %s", err.text);
	is_int((int)strlen(dhcp.client_id), 253, "is not written");
}

static void test_rest(void)
{
	struct record_dhcp dhcp;
	struct asked asked = { NULL, "web1", NULL };
	struct error err = { 0 };

	describe(&asked, "", &dhcp, &err);
	ok(dhcp.gives_mtu, "the server may say the MTU");
	ok(!dhcp.gives_default && !dhcp.gives_dns, "what else is not known yet");
	is_int(dhcp.probe_ms, 200, "the client asks for conflicts");
	describe(&asked, "\"mtu\":1400,\"conflict_detection_ms\":0,", &dhcp, &err);
	ok(!dhcp.gives_mtu, "but not where the network has one");
	is_int(dhcp.probe_ms, 0, "and does not where the network does not");
	ok(!dhcp.routes, "it has no routes of its own");
}

int main(void)
{
	test_default_hostname();
	test_clean();
	test_templates();
	test_too_long();
	test_rest();
	return tap_done();
}
