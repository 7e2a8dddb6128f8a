// SPDX-License-Identifier: MIT
/*
 * Our annotations, picked out of all that a container has. What their values mean is not known
 * here: selection.c reads them.
 */
#include "schema/annotations.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "schema/error.h"

static char **find_slot(struct annotations *annotations, const char *name)
{
	const struct {
		const char *name;
		char **slot;
	} slots[] = {
		{ "networks", &annotations->networks },
		{ "ip", &annotations->ip },
		{ "ip6", &annotations->ip6 },
		{ "mac", &annotations->mac },
		{ "interface", &annotations->interface },
		{ "name", &annotations->name },
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (!strcmp(slots[i].name, name))
			return slots[i].slot;
	return NULL;
}

/**
 * annotations_set() - Keep an annotation if it is one of ours
 * @annotations:	where it goes
 * @key:		its key; one that does not start with "io.oci-macvlan." is ignored
 * @value:		its value, which is copied
 * @err:		filled on failure
 *
 * A key with our prefix that we do not know is an error: a container that asks for an address with
 * a misspelt key must not start with another address.
 *
 * Return: 0; -EINVAL: an unknown key of ours, one given twice, or too long a value; -ENOMEM
 */
int annotations_set(
	struct annotations *annotations, const char *key, const char *value, struct error *err)
{
	char **slot;

	if (strncmp(key, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)))
		return 0;
	slot = find_slot(annotations, key + strlen(ANNOTATION_PREFIX));
	if (!slot)
		return error_set(err, -EINVAL,
			"unknown annotation '%.128s': ours are " ANNOTATION_PREFIX
			"networks, .ip, .ip6, .mac, .interface and .name",
			key);
	if (*slot)
		return error_set(err, -EINVAL, "annotation %s is given twice: remove one", key);
	if (strlen(value) > ANNOTATION_MAX)
		return error_set(err, -EINVAL,
			"annotation %s: has %zu bytes, at most %d are allowed", key, strlen(value),
			ANNOTATION_MAX);
	*slot = strdup(value);
	if (!*slot)
		return error_set(err, -ENOMEM, "annotation %s: out of memory", key);
	return 0;
}

/**
 * annotations_free() - Free the values
 * @annotations:	all members are NULL afterwards
 */
void annotations_free(struct annotations *annotations)
{
	free(annotations->networks);
	free(annotations->ip);
	free(annotations->ip6);
	free(annotations->mac);
	free(annotations->interface);
	free(annotations->name);
	*annotations = (struct annotations){ 0 };
}
