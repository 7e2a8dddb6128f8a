// SPDX-License-Identifier: MIT
/*
 * Fuzzes what comes on stdin.
 */
#include <string.h>

#include "schema/cleanup.h"
#include "schema/state.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(state_free) struct state state = { .pid = -1 };
	struct error err = { 0 };
	int r = state_parse((const char *)data, size, &state, &err);

	if (r < 0) {
		must_be_told(r, &err);
		must(state.pid == -1);
		return 0;
	}
	must(name_check_container_id(state.id, NULL) == 0);
	must(state.pid >= 0);
	must(!state.bundle || state.bundle[0] == '/');
	must(state.has_annotations || !state.annotations.networks);
	must(!state.annotations.networks || strlen(state.annotations.networks) <= ANNOTATION_MAX);
	return 0;
}
