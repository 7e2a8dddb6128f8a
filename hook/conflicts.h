/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CONFLICTS_H
#define HOOK_CONFLICTS_H

struct error;
struct host;
struct record_endpoint;

int conflicts_refuse_mode(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err);
int conflicts_refuse_unknown(struct host *host, const char *id,
	const struct record_endpoint *endpoint, struct error *err);
int conflicts_refuse_mac(struct host *host, const char *id, const struct record_endpoint *endpoint,
	struct error *err);

#endif
