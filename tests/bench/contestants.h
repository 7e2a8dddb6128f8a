/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_CONTESTANTS_H
#define TESTS_BENCH_CONTESTANTS_H

#include <stdbool.h>

#include "tests/bench/spawn.h"
#include "tests/lab/box.h"

/*
 * Who is compared: commands and what they read, as text with words in it that stand for the
 * container at hand:
 *
 *	@build@   where our programs are       @bench@  where those of the benchmark are
 *	@scripts@ the source of the benchmark  @dir@    the folder for everything that is written
 *	@id@      the container's id           @n@      its number
 *	@pid@     its init                     @netns@  a path of its network namespace
 *	@mac@, @ip4@, @ip6@  made of its number, where the contestant does not choose them
 *	@case@    the circumstances            @cgroup@ the cgroup that containers belong below
 */

struct contestant {
	const char *name;
	const char *attach; /* the command, words separated by spaces */
	const char *attach_input;
	const char *detach; /* NULL: nothing to do once the namespace is gone */
	const char *detach_input;
	const char *attach_env; /* NULL: PATH alone */
	const char *detach_env;
	const char *delete; /* detach while the namespace lives, where that is another command */
	bool has_ip6;
	bool makes_nothing;
};

/* Where everything is. */
struct place {
	const char *build;
	const char *bench;
	const char *scripts;
	const char *dir;
	const char *kase;
};

/* A command made ready for one container. */
struct order {
	struct spawn_command command;
	char words[SPAWN_TEXT_MAX];
	char input[SPAWN_TEXT_MAX];
};

const struct contestant *contestant_find(const char *name);
const struct contestant *contestant_find_engine(const char *name);
void contestant_order(const struct place *place, const struct box *box, unsigned number,
	const char *command, const char *env, const char *input, struct order *ret);

#endif
