/* SPDX-License-Identifier: MIT */
#ifndef HOOK_SWEEP_H
#define HOOK_SWEEP_H

#include <stdbool.h>

#include "hook/reconcile.h"

int sweep(
	struct host *host, bool dry_run, reconcile_report_fn *report, void *arg, struct error *err);

#endif
