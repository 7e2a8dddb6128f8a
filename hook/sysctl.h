/* SPDX-License-Identifier: MIT */
#ifndef HOOK_SYSCTL_H
#define HOOK_SYSCTL_H

struct error;

int sysctl_open_ip6(const char *interface, int *ret, struct error *err);
int sysctl_write_at(
	int dir, const char *interface, const char *name, const char *value, struct error *err);
int sysctl_write_ip6(const char *interface, const char *name, const char *value, struct error *err);

#endif
