// SPDX-License-Identifier: MIT
/*
 * Fuzzes the host's resolv.conf: what is left of it, filtered again, is the same.
 */
#include <string.h>

#include "schema/cleanup.h"
#include "schema/resolv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = NULL;
	autofree char *again = NULL;
	size_t text_size = 0;
	size_t again_size = 0;
	struct error err = { 0 };
	bool usable = false;
	bool usable_again = false;

	must(resolv_filter((const char *)data, size, &text, &text_size, &usable, &err) == 0);
	must(text_size <= size + 1 && (text_size == 0 || text[text_size - 1] == '\n'));
	must(resolv_filter(text, text_size, &again, &again_size, &usable_again, &err) == 0);
	must(text_size == again_size && !memcmp(text, again, text_size));
	must(usable == usable_again);
	return 0;
}
