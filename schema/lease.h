/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_LEASE_H
#define SCHEMA_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/ip_config.h"

struct error;

/* Behind the name of a file that is being written. */
#define LEASE_TEMPORARY ".new"
#define LEASE_FILE_MAX (64 * 1024)
#define LEASE_PROBLEM_MAX 256
/* RFC 2131 section 3.3: a lease without an end. */
#define LEASE_FOR_EVER UINT32_MAX

/* What a DHCP client has last heard of its server. */
struct lease {
	bool is_bound;	      /* there is one, with one address; else only problem counts */
	uint64_t obtained_ms; /* when it was said, CLOCK_BOOTTIME */
	uint32_t seconds;     /* how long it holds from then on */
	struct ip server;     /* family 0: it has not said who it is */
	struct ip_config config;
	char problem[LEASE_PROBLEM_MAX]; /* why there is none; "": the server has not been asked */
};

int lease_parse(const char *text, size_t size, struct lease *ret, struct error *err);
int lease_format(const struct lease *lease, char **ret, size_t *ret_size, struct error *err);
int lease_load(int dir, const char *name, struct lease *ret, struct error *err);
int lease_save(int dir, const char *name, const struct lease *lease, struct error *err);

void lease_set_problem(struct lease *lease, const char *text);
bool lease_is_same(const struct lease *a, const struct lease *b);
uint64_t lease_now_ms(void);
uint32_t lease_remaining(const struct lease *lease);

#endif
