// SPDX-License-Identifier: MIT
/*
 * One route netlink socket, one request at a time. It knows nothing of what the messages mean;
 * rtnl.c builds them.
 *
 * A process with CAP_NET_ADMIN in a container's namespace can send datagrams to our socket there
 * and forge an acknowledgement. So the socket is connected to the kernel, which then refuses what
 * others send to it, and what still came before that is told by its sender and dropped.
 */
#include "hook/nl.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* 5.14; younger than some C libraries' headers */
#endif

/* A dump that was disturbed is asked for again this often. */
#define DUMP_TRIES 8
/* So many messages are taken out of a socket that anybody may flood. */
#define DRAIN_MAX 1024
/* And so many of an answer that nobody reads to its end: more than any dump has. */
#define ABANDONED_MAX (1024 * 1024)

/**
 * nl_open() - open a socket in the namespace that the process is in
 * @ret: the socket; nl_close() closes it
 * @err: filled on failure
 *
 * Return: 0, or what socket(2), setsockopt(2) or connect(2) gave.
 */
int nl_open(struct nl *ret, struct error *err)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const int on = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return error_set_errno(err, "cannot open a netlink socket");
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0 ||
		connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		int r = error_set_errno(err, "cannot set up a netlink socket");

		close(fd);
		return r;
	}
	*ret = (struct nl){ .fd = fd };
	return 0;
}

/**
 * nl_open_group() - open a socket that becomes readable when something changes
 * @group: of what: RTNLGRP_*
 * @ret:   the socket; nl_close() closes it
 * @err:   filled on failure
 *
 * For poll(2) alone: what is told may be forged, or lost. nl_drain() takes it out; then ask the
 * kernel, by another socket, how things are.
 *
 * Return: 0, or what nl_open() or setsockopt(2) gave.
 */
int nl_open_group(int group, struct nl *ret, struct error *err)
{
	struct nl nl cleanup(nl_close) = NL_CLOSED;
	int r = nl_open(&nl, err);

	if (r < 0)
		return r;
	if (setsockopt(nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return error_set_errno(err, "cannot hear of changes in the kernel");
	*ret = nl;
	nl = NL_CLOSED;
	return 0;
}

static void drain(const struct nl *nl, unsigned max)
{
	char byte;
	ssize_t n = 0;

	/* ENOBUFS, something was lost, is said once. */
	for (unsigned i = 0; i < max && (n >= 0 || errno == ENOBUFS || errno == EINTR); i++)
		n = recv(nl->fd, &byte, sizeof(byte), MSG_DONTWAIT);
}

/**
 * nl_drain() - take out all that a socket of nl_open_group() was told
 * @nl: the socket
 */
void nl_drain(const struct nl *nl)
{
	/* Whoever floods us is not waited for. */
	drain(nl, DRAIN_MAX);
}

/**
 * nl_close() - close a socket; a destructor for cleanup()
 * @nl: the socket; NL_CLOSED is fine, and is what it is afterwards
 */
void nl_close(struct nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	*nl = NL_CLOSED;
}

/* One datagram that the kernel sent. */
static int receive(const struct nl *nl, char *buffer, size_t *ret_size, struct error *err)
{
	for (;;) {
		struct sockaddr_nl sender = { 0 };
		struct iovec iov = { buffer, NL_ANSWER_MAX };
		struct msghdr message = {
			.msg_name = &sender,
			.msg_namelen = sizeof(sender),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(nl->fd, &message, 0);

		/* The kernel answers before sendmsg() returns: there is nothing to wait for. */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, "cannot read from the netlink socket");
		if (sender.nl_pid != 0)
			continue;
		if (message.msg_flags & MSG_TRUNC)
			return error_set(err, -EMSGSIZE, "an answer of the kernel is too large");
		*ret_size = (size_t)n;
		return 0;
	}
}

static int read_extended(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
		mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
		*(const char **)arg = mnl_attr_get_str(attribute);
	return MNL_CB_OK;
}

/* The kernel's own words behind an acknowledgement (NETLINK_EXT_ACK), or NULL. */
static const char *extended_text(const struct nlmsghdr *message)
{
	const char *text = NULL;

	/* With NETLINK_CAP_ACK the request itself is left out but for its header. */
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(message, sizeof(struct nlmsgerr), read_extended, &text);
	return text;
}

/* What an acknowledgement, or the end of a dump, says. */
static int read_ack(const struct nlmsghdr *message, struct error *err)
{
	const int *code = mnl_nlmsg_get_payload(message);
	const char *text;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*code))
		return error_set(err, -EBADMSG, "an answer of the kernel is cut short");
	if (*code == 0)
		return 0;
	if (*code > 0)
		return error_set(err, -EBADMSG, "an answer of the kernel makes no sense");
	if (!err) /* nobody wants the words */
		return *code;
	text = message->nlmsg_type == NLMSG_ERROR ? extended_text(message) : NULL;
	return error_set(err, *code, "%s", text ? text : strerror(-*code));
}

/* What has come of an answer. A dump that saw a change half way is read to its end all the same:
 * until then the kernel begins no other on this socket.
 */
struct progress {
	bool is_complete;
	bool is_disturbed;
};

static int read_datagram(struct nl *nl, const char *buffer, size_t size, nl_answer_fn *answer,
	void *arg, struct progress *ret, struct error *err)
{
	const struct nlmsghdr *message = (const void *)buffer;
	int left = (int)size;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		int r;

		if (message->nlmsg_seq != nl->seq)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			ret->is_disturbed = true;
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
			ret->is_complete = true;
			return read_ack(message, err);
		}
		r = answer ? answer(arg, message) : 0;
		if (r < 0)
			return error_set(
				err, r, "cannot use the kernel's answer: %s", strerror(-r));
	}
	return 0;
}

/* Until a dump is read to its end the kernel begins no other on this socket (EBUSY), and the undo
 * of what failed here may need one: so the rest of an answer that fails half way is taken out.
 */
static int read_answer(
	struct nl *nl, nl_answer_fn *answer, void *arg, struct progress *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_ANSWER_MAX];

	while (!ret->is_complete) {
		size_t size = 0;
		int r = receive(nl, buffer, &size, err);

		if (r == 0)
			r = read_datagram(nl, buffer, size, answer, arg, ret, err);
		if (r < 0 && !ret->is_complete)
			drain(nl, ABANDONED_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * nl_request() - send a request and read its answer to the end
 * @nl:      the socket
 * @request: the message; its flags and sequence number are filled in
 * @answer:  called for each message of the answer, or NULL. Of a dump that was disturbed it is
 *           called again for all: it must take a message it has seen
 * @arg:     handed to @answer
 * @err:     filled on failure: the kernel's own words where it sent some
 *
 * Return: 0, the kernel's -errno, or what send(2) and recvmsg(2) gave.
 */
int nl_request(
	struct nl *nl, struct nlmsghdr *request, nl_answer_fn *answer, void *arg, struct error *err)
{
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	for (unsigned try = 0; try < DUMP_TRIES; try++) {
		struct progress progress = { 0 };
		int r;

		if (++nl->seq == 0) /* 0 is what unasked messages have */
			nl->seq = 1;
		request->nlmsg_seq = nl->seq;
		if (send(nl->fd, request, request->nlmsg_len, 0) < 0)
			return error_set_errno(err, "cannot write to the netlink socket");
		r = read_answer(nl, answer, arg, &progress, err);
		if (r < 0)
			return r;
		if (!progress.is_disturbed)
			return 0;
	}
	return error_set(
		err, -EAGAIN, "the kernel's list changed %d times while it was read", DUMP_TRIES);
}

/**
 * nl_netns_cookie() - which network namespace a socket is in
 * @nl:  the socket
 * @ret: the namespace's cookie: unlike its inode number it is never used again before a reboot
 * @err: filled on failure
 *
 * Return: 0; -ENOPROTOOPT with a message that names the kernel needed; socket(7) SO_NETNS_COOKIE.
 */
int nl_netns_cookie(const struct nl *nl, uint64_t *ret, struct error *err)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	if (getsockopt(nl->fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0) {
		if (errno == ENOPROTOOPT)
			return error_set(err, -ENOPROTOOPT,
				"this kernel is too old: Linux 5.14 or later is needed "
				"(SO_NETNS_COOKIE)");
		return error_set_errno(err, "cannot identify the network namespace");
	}
	*ret = cookie;
	return 0;
}
