// SPDX-License-Identifier: MIT
/*
 * What every operation stands on: ETC, RUN, and a socket in the host's network namespace.
 */
#include "hook/host.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook/rtnl.h"
#include "schema/error.h"
#include "schema/ip.h"
#include "schema/network.h"
#include "schema/text.h"

/* The initial user namespace's inode is the same everywhere: PROC_USER_INIT_INO, proc_ns.h. */
#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU

/**
 * host_is_rootless() - is this another user namespace than the initial one
 * @ret: whether it is
 * @err: filled on failure
 *
 * Return: 0, or what stat(2) gave.
 */
int host_is_rootless(bool *ret, struct error *err)
{
	struct stat status;

	if (stat("/proc/self/ns/user", &status) < 0)
		return error_set_errno(err, "cannot tell which user namespace this is");
	*ret = status.st_ino != USER_NAMESPACE_INITIAL;
	return 0;
}

/**
 * host_refuse_rootless() - fail where macvlans cannot be made
 * @err: filled on failure, with what to do
 *
 * A rootless runtime gives its hooks all capabilities, but of a user namespace that does not own
 * the host's network namespace.
 *
 * Return: 0, -EPERM, or what host_is_rootless() gave.
 */
int host_refuse_rootless(struct error *err)
{
	bool rootless = false;
	int r = host_is_rootless(&rootless, err);

	if (r == 0 && rootless)
		return error_set(err, -EPERM,
			"rootless runtimes are not supported: macvlan needs the initial user "
			"namespace, run the container as root (sudo podman run ...)");
	return r;
}

/**
 * host_check_capable() - has the process the capabilities that are needed
 * @err: filled on failure, with what to do
 *
 * Return: 0, -EPERM.
 */
int host_check_capable(struct error *err)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0 ||
		!(data[0].effective & (1U << CAP_NET_ADMIN)) ||
		!(data[0].effective & (1U << CAP_SYS_ADMIN)))
		return error_set(err, -EPERM,
			"not allowed: CAP_NET_ADMIN and CAP_SYS_ADMIN are needed, run it as root");
	return 0;
}

/**
 * host_open() - open RUN and the host's network namespace (the one that the process is in)
 * @etc:    the folder of the network files; opened by host_open_networks()
 * @run:    the folder of the state
 * @create: make RUN where it is missing
 * @ret:    the host; host_close() closes it
 * @err:    filled on failure
 *
 * Return: 0; -ENOENT: no RUN, and not @create; what store_open() and nl_open() gave.
 */
int host_open(const char *etc, const char *run, bool create, struct host *ret, struct error *err)
{
	struct host host = HOST_CLOSED;
	int r = store_open(run, create, &host.store, err);

	host.etc = etc;
	host.run = run;
	if (r == 0)
		r = nl_open(&host.nl, err);
	if (r == 0)
		r = nl_netns_cookie(&host.nl, &host.cookie, err);
	if (r < 0) {
		host_close(&host);
		return r;
	}
	*ret = host;
	return 0;
}

/**
 * host_close() - close a host; a destructor for cleanup()
 * @host: the host
 */
void host_close(struct host *host)
{
	store_close(&host->store);
	nl_close(&host->nl);
}

/**
 * host_open_networks() - open the folder of the network files
 * @host: the host
 * @ret:  the descriptor, for network_load(); the caller closes it. -1 where there is no network
 * @err:  filled on failure
 *
 * Return: 0, -ENOENT, or what network_open_folder() gave.
 */
int host_open_networks(const struct host *host, int *ret, struct error *err)
{
	int r = network_open_folder(host->etc, ret, err);

	if (r == -ENOENT)
		return error_set(err, r,
			"no networks are defined: '%s' does not exist, create one with "
			"'oci-macvlan network create'",
			host->etc);
	return r;
}

/* The slot of an id's lock, or NULL; for "", a free one. */
static char *find_lock(struct host *host, const char *id)
{
	for (unsigned i = 0; i < HOST_LOCKS_MAX; i++)
		if (!strcmp(host->locked[i], id))
			return host->locked[i];
	return NULL;
}

static int take_lock(struct host *host, const char *id, bool wait, struct error *err)
{
	char *slot = find_lock(host, "");
	int r;

	if (find_lock(host, id))
		return error_set(err, -EDEADLK, "the lock of container '%s' is held already", id);
	if (!slot)
		return error_set(
			err, -ENOLCK, "more than %d locks are wanted at a time", HOST_LOCKS_MAX);
	r = wait ? store_lock_id(&host->store, id, err) : store_trylock_id(&host->store, id, err);
	if (r == 0)
		text_join(slot, sizeof(host->locked[0]), id);
	return r;
}

/**
 * host_lock() - wait for the lock of a container's id
 * @host: the host
 * @id:   the id
 * @err:  filled on failure
 *
 * The rule: a claim may be unlinked, and a record written or removed, only by who holds the lock
 * of the id that is named in it. A pod's member takes its own first, then the owner's, never the
 * other way. The kernel would let this process have a lock twice (and lose it at the first
 * unlock), so what is held is remembered here.
 *
 * Return: 0, -ETIME, -EINTR, -EDEADLK: this process has it; -ENOLCK.
 */
int host_lock(struct host *host, const char *id, struct error *err)
{
	return take_lock(host, id, true, err);
}

/**
 * host_trylock() - take the lock of a container's id if nobody has it
 * @host: the host
 * @id:   the id
 * @err:  filled on failure
 *
 * Return: 0; -EAGAIN: another process has it; -EDEADLK: this one has.
 */
int host_trylock(struct host *host, const char *id, struct error *err)
{
	return take_lock(host, id, false, err);
}

/**
 * host_unlock() - give a lock back
 * @host: the host
 * @id:   the id; nothing happens where its lock is not held
 */
void host_unlock(struct host *host, const char *id)
{
	char *slot = find_lock(host, id);

	if (!slot)
		return;
	store_unlock_id(&host->store, id);
	*slot = '\0';
}

static int stop_at(void *arg, const struct ip *ip)
{
	const struct ip *wanted = arg;

	return ip_equal(ip, wanted) ? -EADDRINUSE : 0;
}

/**
 * host_has_ip() - is this an address of the host's own
 * @host: the host
 * @ip:   the address
 * @ret:  whether it is
 * @err:  filled on failure
 *
 * Who gives addresses from elsewhere may not know of it, and a probe on the LAN would not see it.
 *
 * Return: 0, or what the kernel gave.
 */
int host_has_ip(struct host *host, const struct ip *ip, bool *ret, struct error *err)
{
	struct ip wanted = *ip;
	int r = rtnl_addr_list(&host->nl, stop_at, &wanted, err);

	*ret = r == -EADDRINUSE;
	return r < 0 && !*ret ? error_prefix(err, "cannot list the host's addresses") : 0;
}
