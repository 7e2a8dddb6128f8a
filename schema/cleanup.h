/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_CLEANUP_H
#define SCHEMA_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* Run FUNCTION(&variable) when the variable goes out of scope. */
#define cleanup(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define autofree cleanup(cleanup_free)
#define autoclose cleanup(cleanup_close)

/* Takes the descriptor out of an autoclose variable, which then closes nothing. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
