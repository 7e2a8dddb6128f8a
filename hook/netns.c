// SPDX-License-Identifier: MIT
/*
 * The container's network namespace: found by init's pid, held by a descriptor, entered once.
 */
#include "hook/netns.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook/proc.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/text.h"

static int refuse_own(struct error *err)
{
	return error_set(err, -EINVAL,
		"the container runs in the host's own network namespace: give it one of its own "
		"(podman: --network none, ctr: no --net-host, config.json: a \"network\" entry in "
		"linux.namespaces)");
}

static int open_namespace(struct netns *netns, struct error *err)
{
	char path[40];
	char number[TEXT_UINT];
	int r;

	netns->pidfd = (int)syscall(SYS_pidfd_open, netns->pid, 0);
	if (netns->pidfd < 0 && errno == ESRCH)
		return error_set(err, -ESRCH, "init (pid %d) is dead", (int)netns->pid);
	if (netns->pidfd < 0)
		return error_set_errno(err, "cannot watch init (pid %d)", (int)netns->pid);
	r = proc_start_time(netns->pid, &netns->start, err);
	if (r < 0)
		return r;
	text_join(path, sizeof(path), "/proc/", text_uint((uint64_t)netns->pid, number), "/ns/net");
	netns->fd = open(path, O_RDONLY | O_CLOEXEC);
	/* A process that ends gives up its namespaces before one can see that it has ended. */
	if (netns->fd < 0 && errno == ENOENT)
		return error_set(err, -ESRCH, "init (pid %d) is dead, or its main thread is",
			(int)netns->pid);
	if (netns->fd < 0)
		return error_set_errno(
			err, "cannot open the network namespace of init (pid %d)", (int)netns->pid);
	return netns_check_init(netns, err);
}

/**
 * netns_enter() - go into the network namespace of a container's init, for good
 * @pid: init, as the runtime says it
 * @own: the cookie of the namespace that the process is in
 * @ret: the namespace; netns_close() closes it
 * @err: filled on failure
 *
 * The process stays there: its sockets belong to the namespace they were opened in, and files to
 * none. What is wanted of the host's namespace has to be open before.
 *
 * Return: 0; -ESRCH: init is dead; -EINVAL: it is our own namespace; -EPERM; -ENOPROTOOPT: the
 * kernel is too old.
 */
int netns_enter(pid_t pid, uint64_t own, struct netns *ret, struct error *err)
{
	cleanup(netns_close) struct netns netns = NETNS_CLOSED;
	int r;

	netns.pid = pid;
	r = open_namespace(&netns, err);
	if (r < 0)
		return r;
	if (setns(netns.fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, "cannot enter the container's network namespace");
	r = nl_open(&netns.nl, err);
	if (r == 0)
		r = nl_netns_cookie(&netns.nl, &netns.cookie, err);
	if (r == 0 && netns.cookie == own)
		r = refuse_own(err);
	if (r < 0)
		return r;
	*ret = netns;
	netns = NETNS_CLOSED;
	return 0;
}

/**
 * netns_adopt() - go into a network namespace that is open already
 * @fd:  its descriptor, which stays the caller's
 * @ret: the namespace, of no init; netns_close() closes it
 * @err: filled on failure
 *
 * Return: 0, or what setns(2) gave.
 */
int netns_adopt(int fd, struct netns *ret, struct error *err)
{
	int r;

	*ret = NETNS_CLOSED;
	ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ret->fd < 0 || setns(ret->fd, CLONE_NEWNET) < 0) {
		r = error_set_errno(err, "cannot enter the container's network namespace");
		netns_close(ret);
		return r;
	}
	r = nl_open(&ret->nl, err);
	if (r == 0)
		r = nl_netns_cookie(&ret->nl, &ret->cookie, err);
	return r;
}

/**
 * netns_make() - go into a new network namespace, which is nobody else's
 * @ret: the namespace, of no init; netns_close() closes it, and then it ends
 * @err: filled on failure
 *
 * netns_return() leaves it.
 *
 * Return: 0, or what unshare(2) or open(2) gave.
 */
int netns_make(struct netns *ret, struct error *err)
{
	int r;

	*ret = NETNS_CLOSED;
	if (unshare(CLONE_NEWNET) < 0)
		return error_set_errno(err, "cannot make a network namespace");
	ret->fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0)
		return error_set_errno(err, "cannot open a network namespace");
	r = nl_open(&ret->nl, err);
	if (r < 0)
		netns_close(ret);
	return r;
}

/**
 * netns_return() - go back into a namespace
 * @netns: the namespace
 * @err:   filled on failure
 *
 * Return: 0, or what setns(2) gave.
 */
int netns_return(const struct netns *netns, struct error *err)
{
	if (setns(netns->fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, "cannot return to the container's network namespace");
	return 0;
}

/**
 * netns_check_init() - fail when the container's init has died
 * @netns: the namespace
 * @err:   filled on failure
 *
 * The runtime may be killed while we work; nobody would call poststop then.
 *
 * Return: 0 or -ESRCH.
 */
int netns_check_init(const struct netns *netns, struct error *err)
{
	struct pollfd ended = { .fd = netns->pidfd, .events = POLLIN };

	if (poll(&ended, 1, 0) > 0)
		return error_set(err, -ESRCH, "init (pid %d) died meanwhile", (int)netns->pid);
	return 0;
}

/**
 * netns_close() - close the descriptors; a destructor for cleanup()
 * @netns: the namespace; NETNS_CLOSED is fine, and is what it is afterwards
 */
void netns_close(struct netns *netns)
{
	nl_close(&netns->nl);
	if (netns->fd >= 0)
		close(netns->fd);
	if (netns->pidfd >= 0)
		close(netns->pidfd);
	*netns = NETNS_CLOSED;
}
