/* SPDX-License-Identifier: MIT */
#ifndef HOOK_SWEEP_H
#define HOOK_SWEEP_H

struct collection;
struct error;

int sweep_temporaries(struct collection *collection, struct error *err);
int sweep_claims(struct collection *collection, struct error *err);

#endif
