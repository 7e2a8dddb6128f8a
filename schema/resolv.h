/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_RESOLV_H
#define SCHEMA_RESOLV_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct ip;
struct ip_config;
struct network_dns;

/* The largest resolv.conf that is read, in bytes. */
#define RESOLV_MAX (64 * 1024)

/* One server. Returns 0 or -errno (to fail). */
typedef int resolv_server_fn(void *arg, const struct ip *ip);

int resolv_list(const char *text, size_t size, resolv_server_fn *found, void *arg);
int resolv_filter(const char *text, size_t size, char **ret, size_t *ret_size, bool *ret_usable,
	struct error *err);
bool resolv_is_usable(const struct ip *server);
int resolv_format(const struct network_dns *dns, char **ret, size_t *ret_size, struct error *err);
int resolv_format_given(
	const struct ip_config *config, char **ret, size_t *ret_size, struct error *err);

#endif
