// SPDX-License-Identifier: MIT
/*
 * Reads one of our documents, or the answer of a plugin, with the reader of the programs:
 * tests/schema/agree.py compares what it says with what a JSON Schema validator says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "schema/cleanup.h"
#include "schema/cni.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/ip_config.h"
#include "schema/lease.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/selection.h"

#define DOCUMENT_MAX (1024 * 1024)

static int read_network(const char *text, size_t size, struct error *err)
{
	cleanup(network_free) struct network *network = NULL;

	return network_parse(text, size, &network, err);
}

static int read_selection(const char *text, size_t size, struct error *err)
{
	struct selections selections = { 0 };

	(void)size;
	return selections_add(&selections, text, err);
}

static int read_record(const char *text, size_t size, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;

	return record_parse(text, size, &record, err);
}

static int read_cni(const char *text, size_t size, struct error *err)
{
	struct ip_config config;

	return cni_parse_result(text, size, &config, err);
}

static int read_lease(const char *text, size_t size, struct error *err)
{
	struct lease lease;

	return lease_parse(text, size, &lease, err);
}

static const struct {
	const char *name;
	int (*read)(const char *text, size_t size, struct error *err);
} kinds[] = {
	{ "network", read_network },
	{ "selection", read_selection },
	{ "record", read_record },
	{ "cni", read_cni },
	{ "lease", read_lease },
};

int main(int argc, char **argv)
{
	autofree char *text = NULL;
	struct error err = { 0 };
	size_t size;
	int r = -EINVAL;

	if (argc != 3) {
		fprintf(stderr, "usage: schema_read network|selection|record|cni|lease FILE\n");
		return 2;
	}
	if (file_read(AT_FDCWD, argv[2], DOCUMENT_MAX, &text, &size, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			r = kinds[i].read(text, size, &err);
	if (r < 0)
		printf("%s\n", err.text);
	return r < 0 ? 1 : 0;
}
