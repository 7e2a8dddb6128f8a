// SPDX-License-Identifier: MIT
/*
 * Unit tests of hook/lan.c: what a frame says of an address. The frames are written out, byte by
 * byte, as RFC 826, RFC 5227 and RFC 4861 have them.
 */
#include <stdio.h>
#include <string.h>

#include "hook/lan.h"
#include "tests/unit/tap.h"

#define OWN "02000000aaaa"
#define OTHER "020000000077"
#define BROADCAST "ffffffffffff"
#define ARP          \
	"0806"       \
	"0001080006" \
	"04"
#define IP_3 "0a000003"
#define IP_0 "00000000"
#define MAC_0 "000000000000"
#define IP6    \
	"86dd" \
	"60000000"
#define V6_3 "20010db8000000000000000000000003"
#define V6_0 "00000000000000000000000000000000"
#define V6_LL "fe800000000000000000000000000077"
#define ALL_NODES "ff020000000000000000000000000001"
/* Length 24 and 32, ICMPv6, hop limit 255. */
#define LEN24 "00183aff"
#define LEN32 "00203aff"
#define NS         \
	"87000000" \
	"00000000"
#define NA         \
	"88000000" \
	"20000000"

static const uint8_t own[MAC_SIZE] = { 0x02, 0, 0, 0, 0xaa, 0xaa };

static size_t unhex(const char *text, uint8_t ret[LAN_FRAME_MAX])
{
	size_t n = 0;
	unsigned byte;

	for (; n < LAN_FRAME_MAX && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		ret[n] = (uint8_t)byte;
	return n;
}

static const struct {
	const char *frame;
	const char *says; /* "PROBE|HAS IP MAC"; NULL: nothing */
	const char *name;
} cases[] = {
	{ OWN OTHER ARP "0002" OTHER IP_3 OWN IP_0, "has 10.0.0.3 02:00:00:00:00:77", "an answer" },
	{ BROADCAST OTHER ARP "0001" OTHER IP_3 MAC_0 IP_3, "has 10.0.0.3 02:00:00:00:00:77",
		"an announcement" },
	{ BROADCAST OTHER ARP "0001" OTHER IP_3 MAC_0 "0a000009", "has 10.0.0.3 02:00:00:00:00:77",
		"who asks for another has his own" },
	{ BROADCAST OTHER ARP "0001" OTHER IP_0 MAC_0 IP_3, "wants 10.0.0.3 02:00:00:00:00:77",
		"a probe" },
	{ BROADCAST OTHER ARP "0002" OTHER IP_0 MAC_0 IP_3, NULL, "an answer by nobody" },
	{ BROADCAST OWN ARP "0001" OWN IP_0 MAC_0 IP_3, NULL, "our own probe" },
	{ BROADCAST OTHER ARP "0001" OTHER IP_3 MAC_0 "0a0000", NULL, "ARP, cut" },
	{ BROADCAST OTHER "0806"
			  "0006080006"
			  "04"
			  "0002" OTHER IP_3 OWN IP_0,
		NULL, "ARP of another kind of link" },
	{ BROADCAST OTHER "0806"
			  "0001080006"
			  "10"
			  "0002" OTHER IP_3 OWN IP_0,
		NULL, "ARP of another length of address" },
	{ BROADCAST OTHER "0800"
			  "4500",
		NULL, "IPv4" },
	{ BROADCAST OTHER "08", NULL, "a frame without a type" },
	{ "", NULL, "nothing" },
	{ "333300000001" OTHER IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0201" OTHER,
		"has 2001:db8::3 02:00:00:00:00:77", "an advertisement with its MAC" },
	{ "333300000001"
	  "020000000099" IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0201" OTHER,
		"has 2001:db8::3 02:00:00:00:00:77", "sent by a proxy" },
	{ "333300000001" OTHER IP6 LEN24 V6_LL ALL_NODES NA V6_3,
		"has 2001:db8::3 02:00:00:00:00:77", "an advertisement without" },
	{ "333300000001" OTHER IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0200"
	  "020000000099",
		"has 2001:db8::3 02:00:00:00:00:77", "an option without a length" },
	{ "333300000001" OTHER IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0109"
	  "020000000099",
		"has 2001:db8::3 02:00:00:00:00:77", "an option that is longer than the frame" },
	{ "333300000001" OTHER IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0e01"
	  "aaaaaaaaaaaa"
	  "0201" OTHER,
		"has 2001:db8::3 02:00:00:00:00:77", "behind another option" },
	{ "333300000001" OTHER IP6 LEN32 V6_LL ALL_NODES NA V6_3 "0201" OWN, NULL, "our own" },
	{ "333300000001" OTHER IP6 "00183afe" V6_LL ALL_NODES NA V6_3, NULL, "through a router" },
	{ "333300000001" OTHER IP6 "001806ff" V6_LL ALL_NODES NA V6_3, NULL, "TCP" },
	{ "333300000001" OTHER IP6 LEN24 V6_LL ALL_NODES "88010000"
	  "00000000" V6_3,
		NULL, "of another code" },
	{ "3333ff000003" OTHER IP6 LEN24 V6_0 "ff0200000000000000000001ff000003" NS V6_3,
		"wants 2001:db8::3 02:00:00:00:00:77", "duplicate address detection" },
	{ "3333ff000003" OTHER IP6 LEN24 V6_LL "ff0200000000000000000001ff000003" NS V6_3, NULL,
		"who only looks for a neighbour" },
	{ "333300000001" OTHER IP6 LEN24 V6_LL ALL_NODES "86000000"
	  "00000000" V6_3,
		NULL, "a router advertisement" },
	{ "333300000001" OTHER IP6 LEN24 V6_LL ALL_NODES NA "20010db8", NULL, "ICMPv6, cut" },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[LAN_FRAME_MAX];
		struct lan_frame frame = { 0 };
		char says[128] = "";
		char ip[IP_TEXT];
		char mac[MAC_TEXT];

		if (lan_parse(bytes, unhex(cases[i].frame, bytes), own, &frame))
			snprintf(says, sizeof(says), "%s %s %s", frame.is_probe ? "wants" : "has",
				ip_format(&frame.ip, ip), mac_format(frame.mac, mac));
		is_str(says, cases[i].says ? cases[i].says : "", "%s", cases[i].name);
	}
	return tap_done();
}
