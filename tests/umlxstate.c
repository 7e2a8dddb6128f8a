// SPDX-License-Identifier: MIT
/*
 * LD_PRELOAD library for User-Mode Linux up to 6.12 (tests/vm-run.sh): its buffer for the state of
 * the floating point unit has 2696 bytes, but a CPU with AMX has 11008, and
 * PTRACE_SETREGSET(NT_X86_XSTATE) takes no other size. Widens those two ptrace requests and passes
 * all the others through.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

#define XSTATE_MAX 32768
/* Where XSTATE_BV is, which says what parts the state has (Intel SDM volume 1, 13.4.2). */
#define XSTATE_BV_OFFSET 512
#define XSTATE_TILES ((1ULL << 17) | (1ULL << 18))

/* The state that the process has, with the part that UML knows put in its place. */
static long xstate_set(long pid, const struct iovec *known)
{
	static char buffer[XSTATE_MAX] __attribute__((aligned(64)));
	struct iovec all = { buffer, sizeof(buffer) };
	uint64_t current, wanted;
	size_t size;
	long r = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all);

	if (r < 0)
		return r;
	size = known->iov_len < all.iov_len ? known->iov_len : all.iov_len;
	memcpy(&current, buffer + XSTATE_BV_OFFSET, sizeof(current));
	memcpy(buffer, known->iov_base, size);
	memcpy(&wanted, buffer + XSTATE_BV_OFFSET, sizeof(wanted));
	/* The tiles lie behind what UML knows: they stay as they are. */
	wanted = (wanted & ~XSTATE_TILES) | (current & XSTATE_TILES);
	memcpy(buffer + XSTATE_BV_OFFSET, &wanted, sizeof(wanted));
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

static long xstate_get(long pid, struct iovec *known)
{
	static char buffer[XSTATE_MAX] __attribute__((aligned(64)));
	struct iovec all = { buffer, sizeof(buffer) };
	long r = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all);

	if (r < 0)
		return r;
	if (known->iov_len > all.iov_len)
		known->iov_len = all.iov_len;
	memcpy(known->iov_base, buffer, known->iov_len);
	return r;
}

/**
 * ptrace() - ptrace(2), with room for a larger floating point state
 * @request:	what to do; a pid, an address and data follow
 *
 * Return: as ptrace(2) of the C library: the word read for the PEEK requests, else 0 or -1
 */
long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	long pid, word, r;
	void *address, *data;

	va_start(arguments, request);
	pid = va_arg(arguments, int);
	address = va_arg(arguments, void *);
	data = va_arg(arguments, void *);
	va_end(arguments);

	if (request == PTRACE_GETREGSET && address == (void *)NT_X86_XSTATE)
		return xstate_get(pid, data);
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
		return xstate_set(pid, data);
	if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
		return syscall(SYS_ptrace, request, pid, address, data);
	/* The system call stores the word, the C library's function returns it. */
	r = syscall(SYS_ptrace, request, pid, address, &word);
	if (r < 0)
		return r;
	errno = 0;
	return word;
}
