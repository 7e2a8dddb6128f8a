/* SPDX-License-Identifier: MIT */
#ifndef HOOK_JUDGE_H
#define HOOK_JUDGE_H

#include <stdbool.h>

struct error;
struct host;
struct record;
struct record_member;

#define VERDICT_TEXT 320

/* Whether a record is dead, and why: in words for people. */
struct verdict {
	bool is_dead;
	bool is_netns_gone;
	char why[VERDICT_TEXT];
};

/* Whose namespace an id names that others have given. */
enum nsid_holder {
	NSID_OWN,      /* a process of the record's is in it */
	NSID_ANOTHERS, /* a container of another record is in it: ours has ended */
	NSID_NOBODYS,  /* no container that has a record is in it */
	NSID_UNKNOWN,  /* a record that cannot be read may be of one that is */
};

int judge_owner(
	struct host *host, const struct record *record, struct verdict *ret, struct error *err);
int judge_joined(
	struct host *host, const struct record *own, struct verdict *ret, struct error *err);
int judge_living_member(
	const struct record *record, const struct record_member **ret, struct error *err);
int judge_nsid(
	struct host *host, const struct record *record, enum nsid_holder *ret, struct error *err);

#endif
