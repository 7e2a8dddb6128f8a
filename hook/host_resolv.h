/* SPDX-License-Identifier: MIT */
#ifndef HOOK_HOST_RESOLV_H
#define HOOK_HOST_RESOLV_H

#include <stddef.h>

#include "schema/resolv.h"

struct error;

int host_resolv_read(char **ret, size_t *ret_size, struct error *err);
int host_resolv_list(resolv_server_fn *found, void *arg);

#endif
