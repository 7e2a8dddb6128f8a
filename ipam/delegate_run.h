/* SPDX-License-Identifier: MIT */
#ifndef IPAM_DELEGATE_RUN_H
#define IPAM_DELEGATE_RUN_H

#include <stddef.h>

#include "schema/cni.h"

struct error;

/* How much of what a plugin says on stderr is kept, in bytes. */
#define DELEGATE_SAID_MAX 400

/* One run of a plugin. */
struct delegate_call {
	const char *program;
	char *const *environment; /* all of it */
	const char *input;	  /* stdin */
	int home;		  /* a socket of the network namespace that it runs in */
};

struct delegate_output {
	int status; /* as waitpid(2) has it */
	size_t size;
	size_t said_size;
	char text[CNI_ANSWER_MAX + 1]; /* stdout, with a NUL behind it */
	char said[DELEGATE_SAID_MAX];  /* the beginning of stderr, with a NUL behind it */
};

int delegate_run(const struct delegate_call *call, struct delegate_output *ret, struct error *err);

#endif
