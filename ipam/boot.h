/* SPDX-License-Identifier: MIT */
#ifndef IPAM_BOOT_H
#define IPAM_BOOT_H

struct error;

/* The folders of RUN that end with the boot, NULL behind the last; how many they are, and how many
 * of them, the first, are opened with RUN: the others by who needs them.
 */
extern const char *const boot_folders[];
#define BOOT_FOLDERS 5
#define BOOT_FOLDERS_OPENED 3

int boot_prepare(int dir, int lock, struct error *err);
void boot_sweep(int dir, int lock);

#endif
