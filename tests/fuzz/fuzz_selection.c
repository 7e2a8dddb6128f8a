// SPDX-License-Identifier: MIT
/*
 * Fuzzes our annotations: networks, ip, ip6, mac, interface and name, with a line's end between.
 */
#include <string.h>

#include "schema/annotations.h"
#include "schema/cleanup.h"
#include "schema/selection.h"
#include "tests/fuzz/fuzz.h"

static void check_selection(const struct selections *selections, unsigned index)
{
	const struct selection *selection = &selections->list[index];

	must(name_check_network(selection->network, NULL) == 0);
	must(selection->n_ips <= SELECTION_IPS_MAX);
	must(selection->n_gateways <= SELECTION_GATEWAYS_MAX);
	must(selection->has_default_route || !selection->n_gateways);
	for (unsigned i = 0; i < selection->n_ips; i++)
		must(ip_is_assignable(&selection->ips[i].ip) &&
			(selection->ips[i].len == SELECTION_LEN_NONE ||
				selection->ips[i].len <= ip_bits(selection->ips[i].ip.family)));
	if (!selection->interface[0])
		return;
	must(name_check_interface(selection->interface, NULL) == 0);
	for (unsigned i = 0; i < index; i++)
		must(strcmp(selections->list[i].interface, selection->interface));
}

static void check_selections(const struct selections *selections)
{
	must(selections->n <= SELECTIONS_MAX);
	for (unsigned i = 0; i < selections->n; i++)
		check_selection(selections, i);
}

/* One line of many; NULL where it is empty or there is none any more. */
static char *next_line(char **rest)
{
	char *line = strsep(rest, "\n");

	return line && *line ? line : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = strndup((const char *)data, size);
	static struct selections selections;
	struct annotations annotations = { 0 };
	struct error err = { 0 };
	char *rest = text;
	unsigned before;
	int r;

	selections.n = 0;
	annotations.networks = strsep(&rest, "\n");
	annotations.ip = next_line(&rest);
	annotations.ip6 = next_line(&rest);
	annotations.mac = next_line(&rest);
	annotations.interface = next_line(&rest);
	annotations.name = next_line(&rest);
	r = selections_add(&selections, annotations.networks, &err);
	if (r < 0) {
		must_be_told(r, &err);
		must(selections.n == 0);
	} else {
		must(selections.n > 0);
	}
	r = selections_apply(&selections, &annotations, &err);
	if (r < 0)
		must_be_told(r, &err);
	check_selections(&selections);
	before = selections.n;
	r = selections_add(&selections, annotations.networks, &err);
	must(r == 0 ? selections.n > before : selections.n == before);
	check_selections(&selections);
	return 0;
}
