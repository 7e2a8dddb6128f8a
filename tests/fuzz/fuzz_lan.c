// SPDX-License-Identifier: MIT
/*
 * Fuzzes the frames that come from the LAN.
 */
#include <string.h>

#include "hook/lan.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t own[MAC_SIZE] = { 0x02, 0, 0, 0, 0, 1 };
	struct lan_frame frame = { .ip.family = AF_UNSPEC };

	if (size > LAN_FRAME_MAX)
		return 0;
	if (!lan_parse(data, size, own, &frame)) {
		must(frame.ip.family == AF_UNSPEC);
		return 0;
	}
	must(frame.ip.family == AF_INET || frame.ip.family == AF_INET6);
	must(memcmp(frame.mac, own, MAC_SIZE) != 0);
	return 0;
}
