/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_FILE_H
#define SCHEMA_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct error;
struct stat;

int file_read(
	int dir, const char *name, size_t max, char **ret, size_t *ret_size, struct error *err);
int file_check_regular(int fd, const char *name, size_t max, struct stat *ret, struct error *err);
int file_read_regular(int fd, const struct stat *status, const char *name, char **ret,
	size_t *ret_size, struct error *err);
int file_read_open(
	int fd, const char *name, size_t max, char **ret, size_t *ret_size, struct error *err);
int file_drain(int fd, size_t max, char **ret, size_t *ret_size, struct error *err);
int file_write(
	int dir, const char *name, const char *data, size_t size, mode_t mode, struct error *err);
int file_replace(int dir, const char *name, const char *temporary, const char *data, size_t size,
	struct error *err);
int file_create(
	int dir, const char *name, const char *data, size_t size, mode_t mode, struct error *err);
int file_make_path(const char *path, mode_t mode, struct error *err);
int file_open_dir(int dir, const char *name, int *ret, struct error *err);

#endif
