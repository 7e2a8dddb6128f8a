// SPDX-License-Identifier: MIT
/*
 * What is wanted of a container's config.json: the name that it is shown by, and what DNS needs.
 * One that cannot be read costs these, and never the attach.
 */
#include "hook/config.h"

#include <stdio.h>
#include <string.h>

#include "hook/attach.h"
#include "hook/log.h"
#include "schema/error.h"
#include "schema/text.h"

/* The first characters of an id, as engines show it. */
#define SHORT_ID 12

/**
 * config_read() - what a container's config.json says
 * @config: the container's; it is read with the first call
 *
 * Return: what it says, or NULL: there is none, or it cannot be understood; the log says why.
 */
const struct bundle *config_read(struct config *config)
{
	const struct attach_request *request = config->request;
	struct error err;

	if (config->state == CONFIG_UNREAD && request->bundle) {
		int r = bundle_read(request->bundle, &config->bundle, &err);

		config->state = r < 0 ? CONFIG_UNREADABLE : CONFIG_READ;
		if (r < 0)
			log_notice("container '%s': no host name and no DNS: %s", request->id,
				err.text);
	}
	return config->state == CONFIG_READ ? &config->bundle : NULL;
}

/**
 * config_name() - the name that people see
 * @config: the container's
 * @ret:    "web" where a person gave a name, else what config.json calls the host, else the id's
 *          start
 */
void config_name(struct config *config, char ret[CONTAINER_NAME_MAX + 1])
{
	const struct attach_request *request = config->request;
	const struct bundle *bundle = request->name ? NULL : config_read(config);
	const char *hostname = bundle ? bundle->hostname : "";

	/* Engines make the host name of an unnamed container from its id. */
	if (request->name)
		text_join(ret, CONTAINER_NAME_MAX + 1, request->name);
	else if (*hostname && strncmp(hostname, request->id, strlen(hostname)) != 0)
		text_join(ret, CONTAINER_NAME_MAX + 1, hostname);
	else
		snprintf(ret, CONTAINER_NAME_MAX + 1, "%.*s", SHORT_ID, request->id);
}
