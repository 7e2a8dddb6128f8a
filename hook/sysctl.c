// SPDX-License-Identifier: MIT
/*
 * The IPv6 settings of an interface, which have no netlink request: files in /proc/sys. They are
 * those of the namespace that the process is in.
 */
#include "hook/sysctl.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/text.h"

/**
 * sysctl_open_ip6() - open the folder of an interface's settings
 * @interface: its name
 * @ret:       the descriptor; the caller closes it
 * @err:       filled on failure
 *
 * Opened once for all of them, as the kernel passes the settings of all other namespaces on the
 * way.
 *
 * Return: 0; -ENOENT: a kernel without IPv6; or what open(2) gave.
 */
int sysctl_open_ip6(const char *interface, int *ret, struct error *err)
{
	char path[64];
	int fd;

	text_join(path, sizeof(path), "/proc/sys/net/ipv6/conf/", interface);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, "cannot open '%s'", path);
	*ret = fd;
	return 0;
}

/**
 * sysctl_write_at() - write one setting
 * @dir:       of sysctl_open_ip6()
 * @interface: the interface, for the message
 * @name:      the setting
 * @value:     its value
 * @err:       filled on failure
 *
 * Return: 0, or what open(2) or write(2) gave.
 */
int sysctl_write_at(
	int dir, const char *interface, const char *name, const char *value, struct error *err)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_set_errno(
			err, "cannot set net.ipv6.conf.%s.%s to %s", interface, name, value);
	return 0;
}

/**
 * sysctl_write_ip6() - write one setting of an interface, and no other
 * @interface: the interface
 * @name:      the setting
 * @value:     its value
 * @err:       filled on failure
 *
 * Return: 0, or what sysctl_open_ip6() and sysctl_write_at() gave.
 */
int sysctl_write_ip6(const char *interface, const char *name, const char *value, struct error *err)
{
	autoclose int dir = -1;
	int r = sysctl_open_ip6(interface, &dir, err);

	return r == 0 ? sysctl_write_at(dir, interface, name, value, err) : r;
}
