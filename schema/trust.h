/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_TRUST_H
#define SCHEMA_TRUST_H

struct error;
struct stat;

int trust_check_status(int fd, const struct stat *status, const char *name, struct error *err);
int trust_open_file(int dir, const char *name, int *ret, struct error *err);
int trust_open_folder(int dir, const char *name, int *ret, struct error *err);
int trust_check_file(const char *path, struct error *err);
int trust_check_program(const char *path, struct error *err);

#endif
