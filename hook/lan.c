// SPDX-License-Identifier: MIT
/*
 * What a LAN says of addresses, and what we ask it: ARP probes and announcements (RFC 5227), and
 * the neighbour discovery (RFC 4861, RFC 4862) that the kernel does and we only listen to.
 *
 * The frames come from strangers: each is checked to its end before anything in it is used.
 */
#include "hook/lan.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/error.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* 4.20; younger than some C libraries' headers */
#endif

/* Where the members stand in a frame. */
#define FRAME_IP6 ETH_HLEN
#define FRAME_ICMP6 (FRAME_IP6 + sizeof(struct ip6_hdr))
/* Room for what is said while this process waits for its turn, and many hooks ask at once. */
#define RECEIVED_MAX (4 << 20)
#define OPTION_UNIT 8 /* the length of an option is in these, RFC 4861 section 4.6 */

/* ARP, and of ICMPv6 the neighbour solicitations and advertisements: nothing else wakes us. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct ether_header, ether_type)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 6),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_IP6 + offsetof(struct ip6_hdr, ip6_nxt)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_ICMP6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_SOLICIT, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, LAN_FRAME_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/**
 * lan_open() - listen to an interface of the namespace that the process is in
 * @ifindex: its index
 * @mac:     its MAC
 * @ret:     the socket; lan_close() closes it
 * @err:     filled on failure
 *
 * Return: 0, or what socket(2), setsockopt(2) or bind(2) gave (packet(7)).
 */
int lan_open(int ifindex, const uint8_t mac[MAC_SIZE], struct lan *ret, struct error *err)
{
	struct sock_filter code[sizeof(filter) / sizeof(filter[0])];
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), code };
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	const int size = RECEIVED_MAX;
	const int on = 1;
	/* Of no protocol until it is bound: so it never hears of another interface. */
	struct lan lan = { .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.ifindex = ifindex };

	if (lan.fd < 0)
		return error_set_errno(err, "cannot open a packet socket");
	memcpy(code, filter, sizeof(code));
	if (setsockopt(lan.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
		setsockopt(lan.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
		bind(lan.fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = error_set_errno(err, "cannot listen to the LAN");

		lan_close(&lan);
		return r;
	}
	/* Where that is forbidden there is less room. */
	setsockopt(lan.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	memcpy(lan.mac, mac, MAC_SIZE);
	*ret = lan;
	return 0;
}

/**
 * lan_close() - stop listening; a destructor for cleanup()
 * @lan: the socket; LAN_CLOSED is fine, and is what it is afterwards
 */
void lan_close(struct lan *lan)
{
	if (lan->fd >= 0)
		close(lan->fd);
	*lan = LAN_CLOSED;
}

/* An ARP request about an address, from nobody or from that address. */
static int send_request(
	const struct lan *lan, const struct ip *ip, bool is_announcement, struct error *err)
{
	struct {
		struct ether_header ethernet;
		struct ether_arp arp;
	} __attribute__((packed)) frame = {
		.ethernet.ether_type = htons(ETHERTYPE_ARP),
		.arp.ea_hdr = { htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), MAC_SIZE,
			sizeof(in_addr_t), htons(ARPOP_REQUEST) },
	};

	memset(frame.ethernet.ether_dhost, 0xff, MAC_SIZE);
	memcpy(frame.ethernet.ether_shost, lan->mac, MAC_SIZE);
	memcpy(frame.arp.arp_sha, lan->mac, MAC_SIZE);
	if (is_announcement)
		memcpy(frame.arp.arp_spa, ip->bytes, sizeof(in_addr_t));
	memcpy(frame.arp.arp_tpa, ip->bytes, sizeof(in_addr_t));
	/* A full queue loses a frame, as a LAN may: there are others. */
	if (send(lan->fd, &frame, sizeof(frame), 0) < 0 && errno != ENOBUFS && errno != EAGAIN &&
		errno != ENETDOWN)
		return error_set_errno(err, "cannot send an ARP request");
	return 0;
}

/**
 * lan_probe() - ask whether anybody has an address, without claiming it
 * @lan: the socket
 * @ip:  the IPv4 address
 * @err: filled on failure
 *
 * An ARP probe: it has no sender address, so nobody's cache changes (RFC 5227 section 2.1.1).
 *
 * Return: 0, or what send(2) gave.
 */
int lan_probe(const struct lan *lan, const struct ip *ip, struct error *err)
{
	return send_request(lan, ip, false, err);
}

/**
 * lan_announce() - tell all that an address is ours
 * @lan: the socket
 * @ip:  the IPv4 address
 * @err: filled on failure
 *
 * An ARP announcement (RFC 5227 section 2.3): who knew another for it learns that it is us.
 *
 * Return: 0, or what send(2) gave.
 */
int lan_announce(const struct lan *lan, const struct ip *ip, struct error *err)
{
	return send_request(lan, ip, true, err);
}

/* Who says that he has an address, in a request or an answer, or who asks because he wants it. */
static bool parse_arp(const uint8_t *frame, size_t size, struct lan_frame *ret)
{
	static const struct ip none = { AF_INET, { 0 } };
	struct ether_arp arp;

	if (size < ETH_HLEN + sizeof(arp))
		return false;
	memcpy(&arp, frame + ETH_HLEN, sizeof(arp));
	if (arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) || arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) ||
		arp.ea_hdr.ar_hln != MAC_SIZE || arp.ea_hdr.ar_pln != sizeof(in_addr_t))
		return false;
	*ret = (struct lan_frame){ .ip.family = AF_INET };
	memcpy(ret->mac, arp.arp_sha, MAC_SIZE);
	memcpy(ret->ip.bytes, arp.arp_spa, sizeof(in_addr_t));
	if (!ip_equal(&ret->ip, &none))
		return true;
	ret->is_probe = true;
	memcpy(ret->ip.bytes, arp.arp_tpa, sizeof(in_addr_t));
	return arp.ea_hdr.ar_op == htons(ARPOP_REQUEST);
}

/* The MAC of the option "target link-layer address"; where there is none, the frame's sender. */
static void read_target_mac(const uint8_t *options, size_t size, uint8_t ret[MAC_SIZE])
{
	while (size >= OPTION_UNIT && options[1] > 0) {
		size_t length = (size_t)options[1] * OPTION_UNIT;

		if (options[0] == ND_OPT_TARGET_LINKADDR) {
			memcpy(ret, options + 2, MAC_SIZE);
			return;
		}
		if (length > size)
			return;
		options += length;
		size -= length;
	}
}

/* A neighbour advertisement, or a solicitation without a sender: duplicate address detection. */
static bool parse_ip6(const uint8_t *frame, size_t size, struct lan_frame *ret)
{
	struct nd_neighbor_solicit message; /* the advertisement's members stand as here */
	struct ip6_hdr header;

	if (size < FRAME_ICMP6 + sizeof(message))
		return false;
	memcpy(&header, frame + FRAME_IP6, sizeof(header));
	memcpy(&message, frame + FRAME_ICMP6, sizeof(message));
	/* 255: it has passed no router, so it is from this LAN (RFC 4861 section 7.1). */
	if (header.ip6_nxt != IPPROTO_ICMPV6 || header.ip6_hlim != 255 || message.nd_ns_code != 0)
		return false;
	*ret = (struct lan_frame){ .ip.family = AF_INET6 };
	memcpy(ret->ip.bytes, &message.nd_ns_target, sizeof(message.nd_ns_target));
	memcpy(ret->mac, frame + MAC_SIZE, MAC_SIZE);
	ret->is_probe = message.nd_ns_type == ND_NEIGHBOR_SOLICIT;
	if (ret->is_probe)
		return IN6_IS_ADDR_UNSPECIFIED(&header.ip6_src);
	read_target_mac(frame + FRAME_ICMP6 + sizeof(message), size - FRAME_ICMP6 - sizeof(message),
		ret->mac);
	return message.nd_ns_type == ND_NEIGHBOR_ADVERT;
}

/**
 * lan_parse() - what a frame says of an address
 * @frame: an Ethernet frame, perhaps cut
 * @size:  of it, in bytes
 * @own:   our own MAC
 * @ret:   what it says
 *
 * Return: false: nothing, or it is our own.
 */
bool lan_parse(
	const uint8_t *frame, size_t size, const uint8_t own[MAC_SIZE], struct lan_frame *ret)
{
	struct lan_frame said;
	uint16_t type;
	bool understood;

	if (size < ETH_HLEN)
		return false;
	memcpy(&type, frame + offsetof(struct ether_header, ether_type), sizeof(type));
	if (type == htons(ETHERTYPE_ARP))
		understood = parse_arp(frame, size, &said);
	else
		understood = type == htons(ETHERTYPE_IPV6) && parse_ip6(frame, size, &said);
	if (!understood || !memcmp(said.mac, own, MAC_SIZE))
		return false;
	*ret = said;
	return true;
}

/**
 * lan_read() - the next thing that was said of an address
 * @lan: the socket
 * @ret: what it was
 *
 * Return: false when nothing more was.
 */
bool lan_read(const struct lan *lan, struct lan_frame *ret)
{
	uint8_t frame[LAN_FRAME_MAX];
	ssize_t n;

	while ((n = recv(lan->fd, frame, sizeof(frame), 0)) >= 0 || errno == EINTR)
		if (n > 0 && lan_parse(frame, (size_t)n, lan->mac, ret))
			return true;
	return false;
}
