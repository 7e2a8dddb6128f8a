/* SPDX-License-Identifier: MIT */
#ifndef IPAM_RETURNS_H
#define IPAM_RETURNS_H

struct error;
struct record;

/* The id of a record, and the folder that it is in. Returns 0 to go on, 1 to stop all, -errno (err
 * set) to fail.
 */
typedef int returns_fn(void *arg, int dir, const char *id, struct error *err);

int returns_open(int run, int *ret, struct error *err);
int returns_load(int dir, const char *id, struct record **ret, struct error *err);
int returns_list(int run, returns_fn *found, void *arg, struct error *err);
void returns_tidy(int run);

#endif
