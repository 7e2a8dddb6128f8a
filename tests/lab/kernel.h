/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LAB_KERNEL_H
#define TESTS_LAB_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What the kernel has in a network namespace, read without any of the code that is tested. */

#define KERNEL_LINKS_MAX 64
#define KERNEL_ADDRESSES_MAX 128
#define KERNEL_NAME_MAX 16
#define KERNEL_ADDRESS_TEXT 56 /* an IPv6 address and "/128" */

struct kernel_link {
	int ifindex;
	bool up;
	char name[KERNEL_NAME_MAX];
	char kind[KERNEL_NAME_MAX]; /* "macvlan"; "" for lo */
	uint8_t mac[6];
};

struct kernel_address {
	int ifindex;
	sa_family_t family;
	bool link_local;		/* the kernel's own: fe80:: */
	char text[KERNEL_ADDRESS_TEXT]; /* without the prefix length, as inet_ntop() writes it */
	unsigned len;
};

struct kernel_view {
	unsigned n_links;
	struct kernel_link links[KERNEL_LINKS_MAX];
	unsigned n_addresses;
	struct kernel_address addresses[KERNEL_ADDRESSES_MAX];
};

/* The socket's own namespace, where a function takes an id of another. */
#define KERNEL_HERE (-1)

int kernel_open(int netns);
int kernel_open_pid(int pid);
int kernel_view(int nl, int nsid, struct kernel_view *ret);
int kernel_nsids(int nl, int *ret, unsigned max);
int kernel_listing(int nl, char *ret, size_t size);
const struct kernel_link *kernel_link_of(const struct kernel_view *view, int ifindex);

#endif
