// SPDX-License-Identifier: MIT
/*
 * System calls by name, and the errors that fit each: those of ENOSPC, EIO, EMFILE, ENOMEM, EINTR,
 * EPERM, ENOBUFS, EAGAIN and ESRCH that its manual page or the kernel's file systems and sockets
 * know. One that is not here cannot fail as it is used here (getpid, umask, exit_group).
 */
#include "tests/crash/calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>

struct call {
	int nr;
	const char *name;
	int errors[CALLS_ERRORS_MAX]; /* 0 at the end */
};

#define CALL(name, ...)             \
	{                           \
		SYS_##name, #name,  \
		{                   \
			__VA_ARGS__ \
		}                   \
	}

static const struct call calls[] = {
#ifdef SYS_access
	CALL(access, EIO, ENOMEM),
#endif
	CALL(brk, ENOMEM),
	CALL(chdir, EIO, ENOMEM),
	CALL(clock_nanosleep, EINTR),
	CALL(clone, EAGAIN, ENOMEM),
	CALL(close, EIO, EINTR),
	CALL(close_range, ENOMEM),
	CALL(connect, EPERM, ENOMEM),
	CALL(dup3, EMFILE),
	CALL(execve, EIO, ENOMEM, EPERM),
	CALL(faccessat, EIO, ENOMEM),
	CALL(fallocate, ENOSPC, EIO, EINTR, EPERM),
	CALL(fchmod, EIO, EPERM),
	/* EAGAIN is no failure: another process has the lock, and does the work. */
	CALL(fcntl, EINTR, ENOMEM),
	CALL(fstat, EIO, ENOMEM),
	CALL(fsync, ENOSPC, EIO, EINTR),
	CALL(ftruncate, ENOSPC, EIO, EINTR, EPERM),
	CALL(getdents64, EIO, ENOMEM, EINTR),
	CALL(getrandom, EAGAIN, EINTR),
	CALL(getsockname, ENOBUFS),
	CALL(getsockopt, ENOMEM, ENOBUFS),
	CALL(inotify_add_watch, ENOSPC, ENOMEM),
	CALL(inotify_init1, EMFILE, ENOMEM),
	CALL(ioctl, EIO),
	CALL(linkat, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(lseek, EIO),
	CALL(mkdirat, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(mmap, ENOMEM),
	CALL(mprotect, ENOMEM),
	CALL(munmap, ENOMEM),
	CALL(mount_setattr, ENOMEM, EPERM),
	CALL(move_mount, ENOMEM, EPERM),
	CALL(nanosleep, EINTR),
	CALL(newfstatat, EIO, ENOMEM),
	CALL(open_tree, EMFILE, ENOMEM, EPERM),
	CALL(openat, EMFILE, ENOMEM, EIO, EINTR, EPERM, ENOSPC),
	CALL(openat2, EMFILE, ENOMEM, EIO, EAGAIN, EPERM),
	CALL(pidfd_open, EMFILE, ENOMEM, ESRCH),
	CALL(pidfd_send_signal, ESRCH),
	CALL(pipe2, EMFILE, ENOMEM),
#ifdef SYS_poll
	CALL(poll, EINTR, EAGAIN, ENOMEM),
#endif
	CALL(ppoll, EINTR, EAGAIN, ENOMEM),
	CALL(pread64, EIO, EINTR),
	CALL(prlimit64, EPERM),
	CALL(read, EIO, EINTR, ENOMEM),
	CALL(readlinkat, EIO, ENOMEM),
	CALL(recvmsg, ENOBUFS, ENOMEM, EINTR, EAGAIN),
#ifdef SYS_rename
	CALL(dup2, EMFILE),
	CALL(mkdir, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(readlink, EIO, ENOMEM),
	CALL(rename, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(unlink, EIO, ENOMEM, EPERM),
#endif
	CALL(renameat, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(renameat2, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(sendto, ENOBUFS, ENOMEM, EINTR, EAGAIN, EPERM),
	CALL(setns, EPERM, ENOMEM),
	CALL(setsockopt, ENOMEM, ENOBUFS, EPERM),
	CALL(socket, EMFILE, ENOMEM, ENOBUFS, EPERM),
	CALL(statx, EIO, ENOMEM),
	CALL(symlinkat, ENOSPC, EIO, ENOMEM, EPERM),
	CALL(unlinkat, EIO, ENOMEM, EPERM),
#ifdef SYS_vfork
	CALL(vfork, EAGAIN, ENOMEM),
#endif
	CALL(wait4, EINTR),
	CALL(write, ENOSPC, EIO, EINTR, EPERM, ENOMEM),
};

static const struct call *find(int nr)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/**
 * calls_name() - the name of a system call
 * @nr: its number
 *
 * Return: the name; "call" where it is not known. Good until the next call.
 */
const char *calls_name(int nr)
{
	static char number[32];
	const struct call *call = find(nr);

	if (call)
		return call->name;
	snprintf(number, sizeof(number), "call %d", nr);
	return number;
}

/**
 * calls_errors() - the errors that a system call can fail with
 * @nr: its number
 *
 * Return: errno values with 0 behind them.
 */
const int *calls_errors(int nr)
{
	static const int none[] = { 0 };
	const struct call *call = find(nr);

	return call ? call->errors : none;
}
