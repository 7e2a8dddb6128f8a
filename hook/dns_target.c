// SPDX-License-Identifier: MIT
/*
 * The /etc/resolv.conf of a container that is being made: found in its mount namespace, and our
 * file mounted on it.
 *
 * At createRuntime init is in that namespace, but its root is still the host's: the container's is
 * a folder below it. All of it is the image's, so hostile. Only the folder etc is looked up, inside
 * the container's root (an absolute link, "..", or one into /proc cannot leave it). What stands
 * there as resolv.conf is not followed: where it is a symbolic link, the mount goes on the link
 * itself, so that it does not matter where it leads.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook/dns_parts.h"
#include "hook/netns.h"
#include "schema/cleanup.h"
#include "schema/error.h"

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/**
 * dns_open_below() - openat2(2)
 * @dir:     where the path begins
 * @path:    the path
 * @flags:   of open(2)
 * @resolve: RESOLVE_* flags
 *
 * Return: the descriptor, or -1 with errno.
 */
int dns_open_below(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* A container without a mount namespace of its own sees our mounts, and we would mount on the
 * host's files.
 */
static int check_mntns(int mntns, struct error *err)
{
	struct stat theirs;
	struct stat ours;

	if (fstat(mntns, &theirs) < 0 || stat("/proc/self/ns/mnt", &ours) < 0)
		return error_set_errno(err, "cannot look at the container's mount namespace");
	if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		return error_set(err, -EINVAL, "the container has no mount namespace of its own");
	return 0;
}

/* Init's mount namespace, and the container's root file system in it. */
static int open_root(
	const struct netns *netns, const char *path, struct dns_target *target, struct error *err)
{
	autoclose int proc = -1;
	autoclose int init = -1;
	char name[32];
	int r;

	snprintf(name, sizeof(name), "/proc/%d", (int)netns->pid);
	proc = open(name, FOLDER_FLAGS);
	if (proc < 0)
		return error_set_errno(err, "cannot open '%s'", name);
	target->mntns = openat(proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (target->mntns < 0)
		return error_set_errno(err, "cannot open the container's mount namespace");
	init = openat(proc, "root", FOLDER_FLAGS);
	if (init < 0)
		return error_set_errno(err, "cannot open the root of init");
	/* If init lives now, what was opened is init's. */
	r = netns_check_init(netns, err);
	if (r == 0)
		r = check_mntns(target->mntns, err);
	if (r < 0)
		return r;
	target->root = dns_open_below(init, path, FOLDER_FLAGS, INSIDE);
	if (target->root < 0)
		return error_set_errno(err,
			"cannot open root file system '%s' in the container's mount namespace",
			path);
	return 0;
}

static int mount_id(int fd, uint64_t *ret, struct error *err)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0)
		return error_set_errno(err, "cannot tell what is mounted in the container");
	*ret = status.stx_mnt_id;
	return 0;
}

/* Is something else mounted there than the root file system? */
static int find_cover(struct dns_target *target, struct error *err)
{
	const int fd = target->file >= 0 ? target->file : target->etc;
	uint64_t root = 0;
	uint64_t here = 0;
	int r;

	if (fd < 0)
		return 0;
	r = mount_id(target->root, &root, err);
	if (r == 0)
		r = mount_id(fd, &here, err);
	if (r == 0)
		target->is_covered = here != root;
	return r;
}

static int open_file(struct dns_target *target, struct error *err)
{
	struct stat status;

	target->etc = dns_open_below(target->root, DNS_FOLDER_NAME, FOLDER_FLAGS, INSIDE);
	if (target->etc < 0 && errno == ENOENT)
		return 0;
	if (target->etc < 0)
		return error_set_errno(err, "cannot open '/etc' of the container");
	target->file = openat(target->etc, DNS_FILE_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target->file < 0 && errno == ENOENT)
		return 0;
	if (target->file < 0 || fstat(target->file, &status) < 0)
		return error_set_errno(err, "cannot open '/etc/resolv.conf' of the container");
	if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
		return error_set(err, -EINVAL,
			"'/etc/resolv.conf' of the container is neither a file nor a link");
	target->is_empty = S_ISREG(status.st_mode) && status.st_size == 0;
	return 0;
}

/**
 * dns_target_open() - find /etc/resolv.conf of a container
 * @netns: it tells init
 * @root:  the container's root file system, as init sees it
 * @ret:   what is there; dns_target_close() closes it
 * @err:   filled on failure
 *
 * Return: 0, also when there is no such file; -EINVAL: nothing of ours can be put there; or what
 * openat2(2) gave.
 */
int dns_target_open(
	const struct netns *netns, const char *root, struct dns_target *ret, struct error *err)
{
	struct dns_target target cleanup(dns_target_close) = DNS_TARGET_CLOSED;
	int r = open_root(netns, root, &target, err);

	if (r == 0)
		r = open_file(&target, err);
	if (r == 0)
		r = find_cover(&target, err);
	if (r < 0)
		return r;
	*ret = target;
	target = DNS_TARGET_CLOSED;
	return 0;
}

/* A mount of the file, still nowhere. It is our file, on the host's disk or in its memory: so not
 * to be written from inside.
 */
static int clone_file(int file, int *ret, struct error *err)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC,
		/* /run mostly is shared: what is mounted on top inside must not come out here. */
		.propagation = MS_PRIVATE,
	};
	autoclose int tree = (int)syscall(
		SYS_open_tree, file, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return error_set_errno(err, "cannot clone the mount of its resolv.conf");
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) <
		0)
		return error_set_errno(err, "cannot make the mount of its resolv.conf read-only");
	*ret = steal_fd(&tree);
	return 0;
}

/* Only who is in a mount namespace may mount there; and we must not be stuck in it. The child
 * borrows our memory until it ends, and touches none of it.
 */
static int move_inside(int mntns, int tree, int file)
{
	int status = 0;
	pid_t child;

	/* Two system calls and no exec, which vfork(2) of Linux is good for.
	 * NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
	 */
	/* cppcheck-suppress vforkCalled */
	child = vfork();
	if (child == 0) {
		if (setns(mntns, CLONE_NEWNS) < 0 ||
			syscall(SYS_move_mount, tree, "", file, "",
				MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
			_exit(errno);
		_exit(0);
	}
	/* NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */
	if (child < 0)
		return -errno;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/**
 * dns_target_mount() - mount our file on the container's
 * @target: where; its file is there
 * @file:   our file
 * @err:    filled on failure
 *
 * Return: 0, or what open_tree(2), mount_setattr(2), setns(2) and move_mount(2) gave.
 */
int dns_target_mount(const struct dns_target *target, int file, struct error *err)
{
	autoclose int tree = -1;
	int r = clone_file(file, &tree, err);

	if (r < 0)
		return r;
	r = move_inside(target->mntns, tree, target->file);
	return r < 0 ? error_set(err, r, "cannot mount on '/etc/resolv.conf' of the container: %s",
			       strerror(-r))
		     : 0;
}

/**
 * dns_target_close() - close a target; a destructor for cleanup()
 * @target: the target; DNS_TARGET_CLOSED is fine, and is what it is afterwards
 */
void dns_target_close(struct dns_target *target)
{
	const int fds[] = { target->mntns, target->root, target->etc, target->file };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*target = DNS_TARGET_CLOSED;
}
