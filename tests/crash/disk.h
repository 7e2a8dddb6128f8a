/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#define DISK_PATH 200

/* A disk with a file system of its own, whose power can fail. */
struct disk {
	char fresh[DISK_PATH]; /* an image as mkfs made it */
	char image[DISK_PATH]; /* what is mounted */
	char copy[DISK_PATH];
	char folder[DISK_PATH]; /* where it is mounted */
};

void disk_make(struct disk *disk, const char *dir);
void disk_insert(const struct disk *disk);
void disk_remove(const struct disk *disk);
void disk_sync(const struct disk *disk);
void disk_reboot(const struct disk *disk);
void disk_lose_power(const struct disk *disk);

#endif
