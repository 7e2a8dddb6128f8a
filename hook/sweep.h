/* SPDX-License-Identifier: MIT */
#ifndef HOOK_SWEEP_H
#define HOOK_SWEEP_H

#include <stdbool.h>

#include "hook/reconcile.h"

int sweep(
	struct host *host, bool dry_run, const struct reconcile_output *output, struct error *err);

#endif
