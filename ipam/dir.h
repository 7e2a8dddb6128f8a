/* SPDX-License-Identifier: MIT */
#ifndef IPAM_DIR_H
#define IPAM_DIR_H

struct error;

/* One entry of a folder; type is DT_LNK, DT_DIR, DT_REG, ... Returns 0 to go on, 1 to stop, -errno
 * (err set) to fail.
 */
typedef int dir_list_fn(void *arg, const char *name, unsigned char type, struct error *err);

int dir_list(int dir, dir_list_fn *found, void *arg, struct error *err);
void dir_remove_tree(int dir, const char *name);

#endif
