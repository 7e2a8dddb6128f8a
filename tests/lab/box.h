/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LAB_BOX_H
#define TESTS_LAB_BOX_H

#include <stdbool.h>
#include <sys/types.h>

/* A container: its init is a process of ours that only waits. */
struct box {
	char id[32];
	const char *annotations; /* members of the state's annotations, as JSON */
	pid_t pid;		 /* init; 0: dead */
	int netns;		 /* keeps the namespace alive; -1: does not */
};

#define BOX_NONE ((struct box){ .netns = -1 })

void box_start(struct box *box, const char *id, const char *annotations, const struct box *pod);
void box_set_lo_up(const struct box *box);
void box_kill(struct box *box);
void box_unpin(struct box *box);

#endif
