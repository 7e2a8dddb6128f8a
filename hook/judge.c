// SPDX-License-Identifier: MIT
/*
 * Which records are dead. The kernel says who is alive: a container's endpoints are dead when
 * their namespace is gone, or when the init of every container that refers to them is dead. A link
 * that is missing in a living namespace is lost, not dead.
 */
#include "hook/judge.h"

#include <stdio.h>

#include "hook/detach.h"
#include "hook/host.h"
#include "hook/proc.h"
#include "hook/rtnl.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/record.h"

/**
 * judge_owner() - is an owner's record dead
 * @host:   the host that it was made on (detach_check_host())
 * @record: the record
 * @ret:    the verdict
 * @err:    filled on failure
 *
 * Return: 0, or what asking the kernel or proc_is_alive() gave.
 */
int judge_owner(
	struct host *host, const struct record *record, struct verdict *ret, struct error *err)
{
	struct verdict verdict = { .is_dead = true };
	bool exists = false;
	bool is_used = false;
	int r = rtnl_nsid_exists(&host->nl, record->nsid, &exists, err);

	if (r < 0)
		return error_prefix(
			err, "cannot look for the namespace of container '%s'", record->id);
	if (exists)
		r = detach_has_living_member(record, &is_used, err);
	if (r < 0)
		return error_prefix(err, "container '%s'", record->id);
	verdict.is_netns_gone = !exists;
	if (!exists)
		snprintf(verdict.why, sizeof(verdict.why), "its network namespace is gone");
	else if (record->n_members == 0)
		snprintf(verdict.why, sizeof(verdict.why), "no container uses it");
	else if (!is_used)
		snprintf(verdict.why, sizeof(verdict.why), "its init (pid %d) is dead",
			(int)record->members[record->n_members - 1].pid);
	else
		verdict.is_dead = false;
	*ret = verdict;
	return 0;
}

/**
 * judge_joined() - is the record of a pod's member dead, apart from what its owner's record says
 * @host: the host
 * @own:  the member's record, whose lock is held
 * @ret:  the verdict. While the owner's record knows it, it lives and dies with that; and while
 *        another process has the owner's lock, one cannot tell, and it lives
 * @err:  filled on failure
 *
 * Return: 0, or what reading the owner's record gave.
 */
int judge_joined(
	struct host *host, const struct record *own, struct verdict *ret, struct error *err)
{
	cleanup(record_free) struct record *owner = NULL;
	struct verdict verdict = { 0 };
	int locked = host_trylock(host, own->joined, err);
	int r;

	*ret = verdict;
	if (locked < 0 && locked != -EDEADLK)
		return locked == -EAGAIN ? 0 : locked;
	r = record_load(host->store.containers, own->joined, &owner, err);
	if (locked == 0)
		host_unlock(host, own->joined);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && record_member_of(owner, own->id))
		return 0;
	verdict.is_dead = true;
	snprintf(verdict.why, sizeof(verdict.why), "container '%s', whose network it joined, %s",
		own->joined, r == 0 ? "does not know it" : "has no record");
	*ret = verdict;
	return 0;
}

/**
 * judge_living_member() - find a container of a record that is alive
 * @record: the record
 * @ret:    the first of its members that lives; NULL: none does
 * @err:    filled on failure
 *
 * Return: 0, or what proc_is_alive() gave.
 */
int judge_living_member(
	const struct record *record, const struct record_member **ret, struct error *err)
{
	*ret = NULL;
	for (unsigned i = 0; i < record->n_members && !*ret; i++) {
		const struct record_member *member = &record->members[i];
		bool alive = false;
		int r = proc_is_alive(member->pid, member->start, &alive, err);

		if (r < 0)
			return r;
		if (alive)
			*ret = member;
	}
	return 0;
}
