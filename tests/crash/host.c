// SPDX-License-Identifier: MIT
/*
 * What the host itself has of ours: its macvlans (omv-*), the routes through them, and the
 * neighbours that it was told for good.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/crash/lab.h"
#include "tests/lab/kernel.h"

/* The system's NLMSG_* and RTA_* macros cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

#define OURS "omv-h"
#define NEIGHBOURS_MAX 64
#define ANSWER_MAX 65536
#define TRIES 20

struct neighbours {
	unsigned n;
	char line[NEIGHBOURS_MAX][160];
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "lab: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int open_host(void)
{
	int nl = kernel_open_pid((int)getpid());

	must(nl >= 0, "look at the host");
	return nl;
}

static void put_neighbour(struct neighbours *neighbours, const struct nlmsghdr *message)
{
	const struct ndmsg *info = NLMSG_DATA(message);
	const struct rtattr *attribute =
		(const void *)((const char *)info + NLMSG_ALIGN(sizeof(*info)));
	unsigned left = (unsigned)NLMSG_PAYLOAD(message, sizeof(*info));
	char address[INET6_ADDRSTRLEN] = "";
	char name[IF_NAMESIZE] = "?";
	uint8_t mac[6] = { 0 };

	if (!(info->ndm_state & NUD_PERMANENT))
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == NDA_DST)
			inet_ntop(info->ndm_family, RTA_DATA(attribute), address, sizeof(address));
		else if (attribute->rta_type == NDA_LLADDR && RTA_PAYLOAD(attribute) == 6)
			memcpy(mac, RTA_DATA(attribute), 6);
	}
	if_indextoname((unsigned)info->ndm_ifindex, name);
	must(neighbours->n < NEIGHBOURS_MAX, "list so many neighbours");
	snprintf(neighbours->line[neighbours->n++], sizeof(neighbours->line[0]),
		"neighbour %s dev %s %02x:%02x:%02x:%02x:%02x:%02x\n", address, name, mac[0],
		mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Returns 0 at the end; -EINTR where the list changed meanwhile. */
static int read_neighbours(int nl, struct neighbours *neighbours)
{
	_Alignas(struct nlmsghdr) static char buffer[ANSWER_MAX];
	bool disturbed = false;

	for (;;) {
		ssize_t n = recv(nl, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (const void *)buffer;
		unsigned left = (unsigned)n;

		must(n > 0, "read the host's neighbours");
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			must(message->nlmsg_type != NLMSG_ERROR, "list the host's neighbours");
			disturbed = disturbed || message->nlmsg_flags & NLM_F_DUMP_INTR;
			if (message->nlmsg_type == NLMSG_DONE)
				return disturbed ? -EINTR : 0;
			if (message->nlmsg_type == RTM_NEWNEIGH)
				put_neighbour(neighbours, message);
		}
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list_neighbours(int nl, struct neighbours *ret)
{
	struct {
		struct nlmsghdr header;
		struct ndmsg body;
	} request = { .header = { .nlmsg_len = sizeof(request),
			      .nlmsg_type = RTM_GETNEIGH,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	int r = -EINTR;

	for (unsigned try = 0; r == -EINTR && try < TRIES; try++) {
		ret->n = 0;
		must(send(nl, &request, sizeof(request), 0) > 0, "ask for the neighbours");
		r = read_neighbours(nl, ret);
	}
	must(r == 0, "list the host's neighbours");
	qsort(ret->line, ret->n, sizeof(ret->line[0]), compare_lines);
}

/**
 * lab_list_host() - what the host has of ours, as text
 * @ret: the listing, behind what is in it
 */
void lab_list_host(char ret[LAB_TEXT])
{
	static char all[LAB_TEXT];
	static struct neighbours neighbours;
	size_t used = strlen(ret);
	char *rest = NULL;
	int nl = open_host();

	must(kernel_listing(nl, all, sizeof(all)) == 0, "list the host");
	list_neighbours(nl, &neighbours);
	close(nl);
	for (char *line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strstr(line, OURS))
			used += (size_t)snprintf(ret + used, LAB_TEXT - used, "%s\n", line);
	for (unsigned i = 0; i < neighbours.n; i++)
		used += (size_t)snprintf(ret + used, LAB_TEXT - used, "%s", neighbours.line[i]);
	must(used < LAB_TEXT, "list so much of the host");
}

/**
 * lab_wipe_host() - delete the host's macvlans, and with them all the rest
 */
void lab_wipe_host(void)
{
	static struct kernel_view view;
	int nl = open_host();
	char answer[256];

	must(kernel_view(nl, KERNEL_HERE, &view) == 0, "list the host's links");
	for (unsigned i = 0; i < view.n_links; i++) {
		struct {
			struct nlmsghdr header;
			struct ifinfomsg body;
		} request = { .header = { .nlmsg_len = sizeof(request),
				      .nlmsg_type = RTM_DELLINK,
				      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
			.body = { .ifi_index = view.links[i].ifindex } };

		if (strncmp(view.links[i].name, OURS, strlen(OURS)) != 0)
			continue;
		must(send(nl, &request, sizeof(request), 0) > 0 &&
				recv(nl, answer, sizeof(answer), 0) > 0,
			"delete a macvlan of the host");
	}
	close(nl);
}

/**
 * lab_is_reached() - has the host a route and a neighbour to an address
 * @address: the address
 *
 * Return: true when it has both.
 */
bool lab_is_reached(const char *address)
{
	static char listing[LAB_TEXT];
	const bool is_v6 = strchr(address, ':') != NULL;
	char route[128];
	char neighbour[128];

	*listing = '\0';
	lab_list_host(listing);
	snprintf(route, sizeof(route), "route %d %s/%d via link dev " OURS, is_v6 ? 6 : 4, address,
		is_v6 ? 128 : 32);
	snprintf(neighbour, sizeof(neighbour), "neighbour %s dev " OURS, address);
	return strstr(listing, route) && strstr(listing, neighbour);
}
