// SPDX-License-Identifier: MIT
/*
 * The floor: the least that any program can do for one dual-stack endpoint, and nothing else. No
 * document is read, no address is chosen, nothing is checked, recorded or undone; all values but
 * the namespace and a number are in the source. What a hook takes on top of this is its own.
 *
 *	floor attach NETNS NUMBER      the endpoint NUMBER, in the network namespace at that path
 *	floor announce NETNS NUMBER    the same, and its addresses are announced to the LAN
 *	floor detach NETNS             its link is deleted
 *
 * The fastest known order: created in the namespace, without IFF_UP, then the rest in one message.
 */
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARENT "eth0"
#define LINK_NAME "eth0"
#define IFINDEX 1000
#define BATCH_SIZE 1024

static const uint8_t gateway4[4] = { 10, 64, 0, 1 };
static const uint8_t gateway6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

/* Messages that are sent together. */
struct batch {
	_Alignas(struct nlmsghdr) char bytes[BATCH_SIZE];
	size_t size;
	uint32_t seq;
};

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(batch->bytes + batch->size);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++batch->seq;
	return message;
}

static void end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->size += NLMSG_ALIGN(message->nlmsg_len);
}

/* Sends all, and reads the acknowledgement of the last, or the first error. */
static void talk(int nl, struct batch *batch, const char *what)
{
	char answer[8192];
	const struct nlmsghdr *message = (const void *)answer;
	const int *code;

	must((int)send(nl, batch->bytes, batch->size, 0), what);
	must((int)recv(nl, answer, sizeof(answer), 0), what);
	code = mnl_nlmsg_get_payload(message);
	if (message->nlmsg_type == NLMSG_ERROR && *code == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-*code));
	exit(EXIT_FAILURE);
}

static void create_link(int nl, int netns, unsigned number)
{
	const uint8_t mac[6] = { 0x02, 0xf1, 0, 0, (uint8_t)(number >> 8), (uint8_t)number };
	struct ifreq parent = { .ifr_name = PARENT };
	struct batch batch = { .size = 0 };
	struct nlmsghdr *message =
		begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	struct nlattr *info;
	struct nlattr *data;

	must(ioctl(nl, SIOCGIFINDEX, &parent), PARENT);
	link->ifi_index = IFINDEX;
	mnl_attr_put_strz(message, IFLA_IFNAME, LINK_NAME);
	mnl_attr_put_u32(message, IFLA_LINK, (uint32_t)parent.ifr_ifindex);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), mac);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u32(message, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	end(&batch, message);
	talk(nl, &batch, "RTM_NEWLINK");
}

static void put_up(struct batch *batch)
{
	struct nlmsghdr *message = begin(batch, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	link->ifi_index = IFINDEX;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	end(batch, message);
}

static void put_address(
	struct batch *batch, uint8_t family, const uint8_t *ip, size_t size, uint8_t prefix)
{
	struct nlmsghdr *message = begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(message, sizeof(*address));

	address->ifa_family = family;
	address->ifa_prefixlen = prefix;
	address->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	address->ifa_index = IFINDEX;
	mnl_attr_put(message, IFA_LOCAL, size, ip);
	mnl_attr_put(message, IFA_ADDRESS, size, ip);
	end(batch, message);
}

static void put_default_route(
	struct batch *batch, uint8_t family, const uint8_t *gateway, size_t size, uint16_t flags)
{
	struct nlmsghdr *message = begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));

	route->rtm_family = family;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_GATEWAY, size, gateway);
	mnl_attr_put_u32(message, RTA_OIF, IFINDEX);
	end(batch, message);
}

/* What makes the kernel announce addresses, both families' in the same way. */
static void ask_for_announcements(void)
{
	static const char *const settings[] = { "/proc/sys/net/ipv4/conf/" LINK_NAME "/arp_notify",
		"/proc/sys/net/ipv6/conf/" LINK_NAME "/ndisc_notify" };

	for (unsigned i = 0; i < 2; i++) {
		int fd = open(settings[i], O_WRONLY | O_CLOEXEC);

		must(fd, settings[i]);
		must((int)write(fd, "1", 1), settings[i]);
		close(fd);
	}
}

static void configure_link(int nl, unsigned number, bool announces)
{
	const uint8_t high = (uint8_t)(number >> 8);
	const uint8_t low = (uint8_t)number;
	const uint8_t ip4[4] = { 10, 64, 128 | high, low };
	const uint8_t ip6[16] = { 0x20, 0x01, 0x0d, 0xb8, [12] = 0xf1, [14] = high, [15] = low };
	struct batch batch = { .seq = 1 };

	/* What is there as the link goes up is announced; the other way round is faster. */
	if (!announces)
		put_up(&batch);
	put_address(&batch, AF_INET, ip4, sizeof(ip4), 16);
	put_address(&batch, AF_INET6, ip6, sizeof(ip6), 64);
	if (announces)
		put_up(&batch);
	put_default_route(&batch, AF_INET, gateway4, sizeof(gateway4), 0);
	put_default_route(&batch, AF_INET6, gateway6, sizeof(gateway6), NLM_F_ACK);
	talk(nl, &batch, "configuration");
}

static int open_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	must(fd, path);
	return fd;
}

static int open_nl(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	must(fd, "socket");
	return fd;
}

static void attach(const char *path, unsigned number, bool announces)
{
	int netns = open_netns(path);

	create_link(open_nl(), netns, number);
	must(setns(netns, CLONE_NEWNET), "setns");
	if (announces)
		ask_for_announcements();
	configure_link(open_nl(), number, announces);
}

static void detach(const char *path)
{
	struct batch batch = { .size = 0 };
	struct nlmsghdr *message;
	struct ifinfomsg *link;

	must(setns(open_netns(path), CLONE_NEWNET), "setns");
	message = begin(&batch, RTM_DELLINK, NLM_F_ACK);
	link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	link->ifi_index = IFINDEX;
	end(&batch, message);
	talk(open_nl(), &batch, "RTM_DELLINK");
}

int main(int argc, char *argv[])
{
	if (argc == 4 && !strcmp(argv[1], "attach"))
		attach(argv[2], (unsigned)strtoul(argv[3], NULL, 10), false);
	else if (argc == 4 && !strcmp(argv[1], "announce"))
		attach(argv[2], (unsigned)strtoul(argv[3], NULL, 10), true);
	else if (argc == 3 && !strcmp(argv[1], "detach"))
		detach(argv[2]);
	else
		return 2;
	return EXIT_SUCCESS;
}
