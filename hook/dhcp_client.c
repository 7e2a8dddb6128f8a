// SPDX-License-Identifier: MIT
/*
 * The DHCP client of an endpoint: busybox's udhcpc, one process in the container's network
 * namespace and otherwise on the host, which lives as long as the container. It calls our hook when
 * its server has spoken (dhcp_event.c); no shell has a part in it.
 *
 * Whoever starts it holds the lock of the container's id, and so does the child until it has noted
 * which process it is: a lock of this kind is shared by whoever has inherited it (fcntl(2)). So
 * there is no client that nobody knows of, whoever is killed when.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook/dhcp.h"
#include "hook/dhcp_parts.h"
#include "hook/host.h"
#include "hook/log.h"
#include "hook/netns.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/deadline.h"
#include "schema/error.h"
#include "schema/record.h"
#include "schema/text.h"

/* How long it has for its farewell to the server, and how long the kernel for a killed process. */
#define RELEASE_MS 1000
#define KILLED_MS 2000
/* How long systemd may take to give it a unit, and how often that is looked at; it takes 20 ms. */
#define UNIT_MS 2000
#define UNIT_LOOK_MS 5
/* Descriptors that stay open until exec are moved out of the way of those that it gets. */
#define FD_ASIDE 16
/* What the kernel puts behind the path of a program that is no more (proc(5)). */
#define DELETED " (deleted)"

/* The link by which the client calls this program. The admin program, which only starts clients
 * again, leaves it as the hook has made it.
 */
static int make_event_link(const struct dhcp_client *client, struct error *err)
{
	char name[DHCP_NAME_MAX];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return error_set_errno(err, "cannot tell where this program is");
	self[n] = '\0';
	/* It was replaced while it runs: then another is there by its name. */
	if (n > (ssize_t)strlen(DELETED) && !strcmp(self + n - strlen(DELETED), DELETED))
		self[n - (ssize_t)strlen(DELETED)] = '\0';
	dhcp_file_name(client->id, client->endpoint->interface, DHCP_EVENT, name);
	return dhcp_file_put_event(client->dir, name, self, err);
}

/* What the child and its parent have open on the way. */
struct launch {
	const struct dhcp_client *client;
	const struct dhcp_command *command;
	int host_netns;
	int report; /* where the child says what has failed; closed by exec */
};

static int note_self(const struct dhcp_client *client, struct error *err)
{
	struct dhcp_process self = { .pid = getpid() };
	char name[DHCP_NAME_MAX];
	int r = proc_start_time(self.pid, &self.start, err);

	dhcp_file_name(client->id, client->endpoint->interface, DHCP_CLIENT, name);
	return r == 0 ? dhcp_file_put_client(client->dir, name, &self, err) : r;
}

static int enter_member(const struct dhcp_client *client, struct error *err)
{
	struct netns netns = NETNS_CLOSED; /* stays open until exec */
	struct rtnl_link link = { 0 };
	int r;

	if (!client->member)
		return 0;
	r = netns_enter(client->member->pid, client->host->cookie, &netns, err);
	if (r == 0 &&
		(netns.cookie != client->netns_cookie || netns.start != client->member->start))
		r = error_set(err, -ESRCH, "the container is in another network namespace by now");
	/* The client goes by the name. */
	if (r == 0)
		r = rtnl_link_get(&netns.nl, RTNL_HERE, client->interface, &link, err);
	if (r == 0 && link.ifindex != client->ifindex)
		r = error_set(err, -ENODEV, "'%s' is another link by now", client->interface);
	return r;
}

/**
 * dhcp_close_others() - close all descriptors but standard ones and the host's network namespace
 * @flags: of close_range(2)
 * @err:   filled on failure
 *
 * Return: 0, or what close_range(2) gave.
 */
int dhcp_close_others(unsigned flags, struct error *err)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1U, DHCP_HOST_NETNS - 1U, flags) < 0 ||
		syscall(SYS_close_range, DHCP_HOST_NETNS + 1U, ~0U, flags) < 0)
		return error_set_errno(err, "cannot close descriptors");
	return 0;
}

/* As a process that has nothing of its parent but the namespaces, and the host's network one. */
static int settle(const struct launch *launch, struct error *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* until exec: it may be any number */
	sigset_t none;
	int r;

	if (null < 0)
		return error_set_errno(err, "cannot open '/dev/null'");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return error_set_errno(err, "cannot redirect descriptor %d", fd);
	if (dup2(launch->host_netns, DHCP_HOST_NETNS) < 0 || chdir("/") < 0)
		return error_set_errno(err, "cannot settle");
	/* Also the lock, which its parent goes on holding. */
	r = dhcp_close_others(CLOSE_RANGE_CLOEXEC, err);
	if (r < 0)
		return r;
	/* It looks for its interface by a name, and the kernel for a module by that if it is gone.
	 */
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE) < 0)
		return error_set_errno(err, "cannot drop CAP_SYS_MODULE");
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/* Does not return. The error goes up as it is. */
static void run_child(const struct launch *launch)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	char *const *arguments = launch->command->arguments;
	struct error err = { 0 };
	int r = enter_member(launch->client, &err);

	if (r == 0)
		r = note_self(launch->client, &err);
	if (r == 0)
		r = settle(launch, &err);
	if (r == 0) {
		execve(arguments[0], arguments, environment);
		error_set_errno(&err, "cannot run '%s'", arguments[0]);
	}
	if (write(launch->report, &err, sizeof(err)) < 0)
		_exit(2);
	_exit(1);
}

/* Twice, so that the client is nobody's child: its parent ends long before it does. */
static int fork_twice(const struct launch *launch, struct error *err)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return error_set_errno(err, "cannot start a process");
	if (pid == 0) {
		setsid();
		pid = fork();
		if (pid == 0)
			run_child(launch);
		_exit(pid < 0 ? 1 : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(err, "cannot wait for a process");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -EAGAIN, "cannot start a process");
	return 0;
}

/* Until exec has closed the pipe, or the child has said what is wrong. */
static int read_report(int report, struct error *err)
{
	struct error said;
	ssize_t n;

	do
		n = read(report, &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(said))
		return error_set(err, -EIO, "cannot hear of a process");
	if (err)
		*err = said;
	return said.code < 0 ? said.code : -EIO;
}

/* Until no child is on its way any more: it has become the client, and noted that, or has ended.
 * Its share of the lock goes when this process unlocks it, so that must not be before.
 */
static void await_end(int report)
{
	struct pollfd polled = { .fd = report };

	while (poll(&polled, 1, -1) < 0 && errno == EINTR)
		;
}

static int move_aside(int *fd, struct error *err)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FD_ASIDE);

	if (moved < 0)
		return error_set_errno(err, "cannot duplicate a descriptor");
	close(*fd);
	*fd = moved;
	return 0;
}

static int launch_command(
	const struct dhcp_client *client, const struct dhcp_command *command, struct error *err)
{
	autoclose int host_netns = ioctl(client->host->nl.fd, SIOCGSKNS);
	autoclose int theirs = -1;
	autoclose int ours = -1;
	int ends[2];
	int r;

	if (host_netns < 0)
		return error_set_errno(err, "cannot open the host's network namespace");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, "cannot open a pipe");
	ours = ends[0];
	theirs = ends[1];
	r = move_aside(&host_netns, err);
	if (r == 0)
		r = move_aside(&theirs, err);
	if (r == 0)
		r = fork_twice(&(struct launch){ client, command, host_netns, theirs }, err);
	close(steal_fd(&theirs));
	if (r == 0)
		r = read_report(ours, err);
	if (r < 0)
		await_end(ours);
	return r;
}

static int start(const struct dhcp_client *client, bool has_unit, struct error *err)
{
	struct dhcp_command command = { .n = 0 };
	int r = dhcp_command_make(client, has_unit, &command, err);

	return r == 0 ? launch_command(client, &command, err) : r;
}

/* Does systemd run, and is its program there? As sd_booted(3) has it. */
static bool has_systemd(void)
{
	struct stat status;

	return lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode) &&
	       access(DHCP_SYSTEMD_RUN, X_OK) == 0;
}

/* systemd-run asks for the unit, and becomes the client when it has it. (Known by its program:
 * exec(2) gives a process its name a little after it has closed our pipe. One that is about to end
 * has none.)
 */
static bool is_client(pid_t pid)
{
	char number[TEXT_UINT];
	char path[32];
	struct stat asking;
	struct stat its;

	text_join(path, sizeof(path), "/proc/", text_uint((uint64_t)pid, number), "/exe");
	/* Where nobody may know, that it lives must do. */
	if (stat(path, &its) < 0)
		return errno == EACCES || errno == EPERM;
	return stat(DHCP_SYSTEMD_RUN, &asking) == 0 &&
	       (its.st_dev != asking.st_dev || its.st_ino != asking.st_ino);
}

/* Until the client has its unit. False: it has none, as systemd is ill: it may refuse, or never
 * answer.
 */
static bool await_unit(const struct dhcp_client *client)
{
	int64_t until = deadline_clock_ms() + UNIT_MS;
	struct dhcp_process process;
	char name[DHCP_NAME_MAX];
	bool alive = true;

	dhcp_file_name(client->id, client->endpoint->interface, DHCP_CLIENT, name);
	if (dhcp_file_get_client(client->dir, name, &process, NULL) < 0)
		return false;
	while (alive && !is_client(process.pid) && deadline_clock_ms() < until &&
		!deadline_passed())
		if (proc_outlives(process.pid, process.start, UNIT_LOOK_MS, &alive, NULL) < 0)
			return false;
	return is_client(process.pid) &&
	       proc_is_alive(process.pid, process.start, &alive, NULL) == 0 && alive;
}

/* Without a unit it lives on as long as its cgroup. */
static int start_in_unit(const struct dhcp_client *client, struct error *err)
{
	int r = start(client, true, err);

	if (r < 0 || await_unit(client))
		return r;
	client->host->is_systemd_ill = true;
	r = dhcp_client_stop(client->dir, client->id, client->endpoint->interface, err);
	if (r < 0)
		return r;
	log_notice("container '%s': systemd gives the DHCP client no unit: it stays in the cgroup "
		   "that it was started in",
		client->id);
	return start(client, false, err);
}

/**
 * dhcp_client_start() - start an endpoint's client
 * @client: the client; its id's lock is held
 * @err:    filled on failure
 *
 * It runs when this returns, where systemd runs as a unit of its own; RUN/dhcp says as which
 * process.
 *
 * Return: 0; -ENOENT: there is no such program; or what the failed system call gave.
 */
int dhcp_client_start(const struct dhcp_client *client, struct error *err)
{
	int r = client->member ? 0 : make_event_link(client, err);

	if (r == 0)
		r = has_systemd() && !client->host->is_systemd_ill ? start_in_unit(client, err)
								   : start(client, false, err);
	return r < 0 ? error_prefix(err, "cannot start the DHCP client") : 0;
}

/* Ends a process by its descriptor, so that no other can be meant. */
static int end_process(int pidfd, int number, int milliseconds)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int64_t until = deadline_clock_ms() + milliseconds;
	int64_t rest = milliseconds;
	int r = -1;

	syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
	for (; r < 0 && rest >= 0; rest = until - deadline_clock_ms())
		r = poll(&ended, 1, (int)rest); /* signals of the deadline may end it */
	return r > 0 ? 0 : -ETIME;
}

static int end_client(int dir, const char *name, bool says_farewell, struct error *err)
{
	struct dhcp_process client;
	bool alive = false;
	int r = dhcp_file_get_client(dir, name, &client, err);

	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? 0 : r;
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, client.pid, 0);

	/* Opened first: if the process is alive after that, the descriptor is of this process. */
	if (pidfd < 0 && errno == ESRCH)
		return 0;
	if (pidfd < 0)
		return error_set_errno(
			err, "cannot watch the DHCP client (pid %d)", (int)client.pid);
	r = proc_is_alive(client.pid, client.start, &alive, err);
	if (r < 0 || !alive)
		return r;
	if ((says_farewell && end_process(pidfd, SIGTERM, RELEASE_MS) == 0) ||
		end_process(pidfd, SIGKILL, KILLED_MS) == 0)
		return 0;
	return error_set(err, -ETIME, "the DHCP client (pid %d) does not end", (int)client.pid);
}

/**
 * dhcp_client_stop() - end an endpoint's client, with a farewell to its server
 * @dir:       RUN/dhcp
 * @id:        the container whose record it is in, whose lock is held
 * @interface: its name in the container
 * @err:       filled on failure
 *
 * Return: 0, also when there is none; -ETIME: it does not end; what the file system gave.
 */
int dhcp_client_stop(int dir, const char *id, const char *interface, struct error *err)
{
	char name[DHCP_NAME_MAX];

	return end_client(dir, dhcp_file_name(id, interface, DHCP_CLIENT, name), true, err);
}

/**
 * dhcp_client_kill() - end an endpoint's client, whose server is not to hear of that
 * @dir:       RUN/dhcp
 * @id:        the container whose record it is in, whose lock is held
 * @interface: its name in the container
 * @err:       filled on failure
 *
 * Return: as dhcp_client_stop().
 */
int dhcp_client_kill(int dir, const char *id, const char *interface, struct error *err)
{
	char name[DHCP_NAME_MAX];

	return end_client(dir, dhcp_file_name(id, interface, DHCP_CLIENT, name), false, err);
}
