// SPDX-License-Identifier: MIT
/*
 * Fuzzes records: one that is read can be written, and is the same when it is read again.
 */
#include <string.h>

#include "schema/cleanup.h"
#include "schema/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(record_free) struct record *record = NULL;
	cleanup(record_free) struct record *again = NULL;
	autofree char *text = NULL;
	autofree char *second = NULL;
	struct error err = { 0 };
	size_t text_size;
	size_t second_size;
	int r = record_parse((const char *)data, size, &record, &err);

	if (r < 0) {
		must_be_told(r, &err);
		must(!record);
		return 0;
	}
	must(record_format(record, &text, &text_size, &err) == 0);
	must(text_size <= RECORD_FILE_MAX);
	must(record_parse(text, text_size, &again, &err) == 0);
	must(record_format(again, &second, &second_size, &err) == 0);
	must(text_size == second_size && !strcmp(text, second));
	return 0;
}
