// SPDX-License-Identifier: MIT
/*
 * An ext4 in a file, mounted by a loop device. When its power fails, what the device has not been
 * told by then is lost: the file is copied as it is, and the copy mounted. Mounted so that as much
 * as possible is lost: files appear before their content, and a rename does not wait for it.
 */
#include "tests/crash/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_SIZE (8 << 20)
#define OPTIONS "loop,data=writeback,noauto_da_alloc,commit=1"

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "disk: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void run(const char *const argv[])
{
	int status = 0;
	pid_t pid;

	errno = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	must(errno == 0, argv[0]);
	must(waitpid(pid, &status, 0) == pid && status == 0, argv[0]);
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t left = DISK_SIZE;

	must(in >= 0 && out >= 0, "open an image");
	while (left > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		must(n > 0, "copy an image");
		left -= n;
	}
	close(in);
	close(out);
}

/**
 * disk_make() - make the images
 * @disk: filled
 * @dir:  where
 */
void disk_make(struct disk *disk, const char *dir)
{
	const char *const mkfs[] = { "mkfs.ext4", "-q", "-F", "-b", "1024", disk->fresh, NULL };
	int fd;

	snprintf(disk->fresh, sizeof(disk->fresh), "%s/fresh.img", dir);
	snprintf(disk->image, sizeof(disk->image), "%s/disk.img", dir);
	snprintf(disk->copy, sizeof(disk->copy), "%s/copy.img", dir);
	snprintf(disk->folder, sizeof(disk->folder), "%s/disk", dir);
	must(mkdir(disk->folder, 0755) == 0, "make a folder");
	fd = open(disk->fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && ftruncate(fd, DISK_SIZE) == 0, "make an image");
	close(fd);
	run(mkfs);
}

static void mount_image(const struct disk *disk, const char *image)
{
	const char *const command[] = { "mount", "-o", OPTIONS, image, disk->folder, NULL };

	run(command);
}

/**
 * disk_insert() - mount a disk on which nothing is
 * @disk: the disk
 */
void disk_insert(const struct disk *disk)
{
	copy_file(disk->fresh, disk->image);
	mount_image(disk, disk->image);
}

/**
 * disk_remove() - unmount it
 * @disk: the disk
 */
void disk_remove(const struct disk *disk)
{
	must(umount(disk->folder) == 0, "unmount the disk");
}

/**
 * disk_sync() - have all that was written until now on the disk
 * @disk: the disk
 */
void disk_sync(const struct disk *disk)
{
	int fd = open(disk->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(fd >= 0 && syncfs(fd) == 0, "sync the disk");
	close(fd);
}

/**
 * disk_reboot() - unmount it and mount it again, as an orderly reboot does
 * @disk: the disk
 */
void disk_reboot(const struct disk *disk)
{
	disk_remove(disk);
	mount_image(disk, disk->image);
}

/**
 * disk_lose_power() - mount it as it is after its power has failed just now
 * @disk: the disk
 */
void disk_lose_power(const struct disk *disk)
{
	copy_file(disk->image, disk->copy);
	disk_remove(disk);
	mount_image(disk, disk->copy);
}
