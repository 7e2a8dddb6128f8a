/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include <stdbool.h>

#include "tests/crash/lab.h"
#include "tests/crash/trace.h"

/* What is done to container "a" and may be disturbed. */
enum operation {
	OP_ATTACH,
	OP_DETACH, /* poststop: its init is dead */
	OP_GC,	   /* its init is dead, and that of another, whose attach was killed at its end */
	OP_RM,	   /* network rm -f while it lives */
	OP_REVIVE, /* gc while it lives, and its DHCP client was killed */
};

/* Where a's namespace comes from. */
enum place {
	PLACE_ALONE, /* its own; something else keeps it alive when init is dead */
	PLACE_FIRST, /* its own; it is the first container ever: there is no RUN */
	PLACE_GONE,  /* its own, and it ends with init */
	PLACE_NAMED, /* as PLACE_ALONE, but others have given the namespace an id: "shared" */
	PLACE_JOINS, /* a pod: the owner "o" has all that a asks for */
	PLACE_ADDS,  /* a pod: o has macvlan0, a asks for one more network */
	PLACE_OWNS,  /* a pod: a came first, and a member "m" goes on */
};

/* Who is disturbed: the processes that come of an attach, in their order. */
enum whom {
	WHOM_PROGRAM,
	WHOM_FORK,     /* which only forks once more */
	WHOM_CLIENT,   /* the DHCP client, and what it is before it is that */
	WHOM_DECONFIG, /* its event script, when it begins */
	WHOM_BOUND,    /* the same, when there is a lease */
};

/* One thing to do, in one situation. */
struct scenario {
	const char *name;
	enum operation op;
	enum place place;
	const char *annotations; /* a's */
	bool refused;		 /* its attach must fail: an address is in use */
	bool host_access;	 /* of both networks */
	enum whom whom;
};

/*
 * The containers of a scenario. Unless a is the first ever: "x", which lives on and has static
 * addresses of macvlan1; in a pod "o" or "m". "a" is the one that something is done to, "b" starts
 * after that.
 */
struct world {
	const struct lab *lab;
	const struct scenario *scenario;
	struct box x;
	struct box o;
	struct box m;
	struct box a;
	struct box old; /* a's namespace of before, when a has started again */
	struct box b;
	struct box half; /* OP_GC: the one whose attach was killed */
	bool has_b;
	char base[LAB_TEXT];	    /* RUN and ETC with x and o alone */
	char x_netns[LAB_TEXT];	    /* x's namespace */
	char pod_netns[LAB_TEXT];   /* the pod's namespace with o alone */
	char fresh_netns[LAB_TEXT]; /* a namespace that nobody has touched */
	char clean_netns[LAB_TEXT]; /* after an attach and a detach */
	char whole_netns[LAB_TEXT]; /* a's namespace when it is attached */
	struct trace_result result; /* of the last program */
	double slowest;		    /* seconds; b's attach */
	unsigned n_failures;
	char where[256]; /* what is under way, for messages */
};

/* world.c: what there is */
bool world_begin(struct world *world, const struct lab *lab, const struct scenario *scenario);
void world_end(struct world *world);
bool world_prepare(struct world *world);
void world_do(struct world *world, trace_fn *judge, void *arg);
bool world_hook(struct world *world, const struct box *box, const char *stage);
bool world_cli(struct world *world, const char *const arguments[]);
bool world_is_leased(const struct world *world);
bool world_is_isolated(const struct world *world);
const char *world_network(const struct world *world);
bool world_rm(struct world *world);
bool world_start_b(struct world *world);
bool world_start_again(struct world *world);
bool world_finish(struct world *world, struct box *box);
bool world_finish_all(struct world *world);

/* clients.c: the DHCP clients */
unsigned clients_count(const struct box *box);
void clients_list(char *ret, size_t size);
bool clients_is_one(const struct box *box);
bool clients_are_two(void);
void clients_kill(const struct box *box);

/* check.c: each says what is wrong, counts it, and returns whether all is well */
bool check(struct world *world, bool passed, const char *what, const char *detail);
bool check_same_text(struct world *world, const char *got, const char *expected, const char *what);
bool check_shared(struct world *world);
bool check_whole(struct world *world, const struct box *box);
bool check_client(struct world *world);
bool check_no_client(struct world *world);
bool check_left(struct world *world, const struct box *box);
bool check_base(struct world *world);
bool check_no_parents(struct world *world);
bool check_parents(struct world *world);

#endif
