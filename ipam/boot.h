/* SPDX-License-Identifier: MIT */
#ifndef IPAM_BOOT_H
#define IPAM_BOOT_H

struct error;

/* The folders of RUN that end with the boot, NULL behind the last; which of them has the records;
 * how many there are, with RUN/returns; and how many of them, the first, are opened with RUN: the
 * others by who needs them.
 */
extern const char *const boot_folders[];
#define BOOT_RECORDS 0
#define BOOT_FOLDERS 6
#define BOOT_FOLDERS_OPENED 3

int boot_prepare(int dir, int lock, struct error *err);
void boot_sweep(int dir, int lock);

#endif
