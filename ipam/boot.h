/* SPDX-License-Identifier: MIT */
#ifndef IPAM_BOOT_H
#define IPAM_BOOT_H

struct error;

/* The folders of RUN that end with the boot, NULL behind the last; and how many they are. */
extern const char *const boot_folders[];
#define BOOT_FOLDERS 3

int boot_prepare(int dir, int lock, struct error *err);
void boot_sweep(int dir, int lock);

#endif
