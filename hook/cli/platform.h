/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_PLATFORM_H
#define HOOK_CLI_PLATFORM_H

/* The longest name of a NIC's driver that is looked at. */
#define PLATFORM_DRIVER_MAX 31

/* What a virtual machine runs on, and what that does to frames with MACs that it does not know. */
struct platform {
	const char *name;
	const char *advice; /* follows "NAME, which" */
};

const struct platform *platform_find(const char *driver);

#endif
