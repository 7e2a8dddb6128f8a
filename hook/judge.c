// SPDX-License-Identifier: MIT
/*
 * Which records are dead. The kernel says who is alive: a container's endpoints are dead when
 * their namespace is gone, or when the init of every container that refers to them is dead. A link
 * that is missing in a living namespace is lost, not dead.
 */
#include "hook/judge.h"

#include <stdio.h>
#include <string.h>

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

/* Is a living container of a record in the namespace that an id names? */
static int is_in_namespace(
	struct host *host, const struct record *record, int nsid, bool *ret, struct error *err)
{
	const struct record_member *member = NULL;
	bool alive = false;
	int its = -1;
	int r = judge_living_member(record, &member, err);

	*ret = false;
	if (r < 0 || !member)
		return r;
	r = rtnl_nsid_get_pid(&host->nl, member->pid, &its, err);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	/* Asked last: then the answer was about this process, and not about a later one. */
	if (r == 0)
		r = proc_is_alive(member->pid, member->start, &alive, err);
	if (r < 0)
		return r;
	*ret = alive && its == nsid;
	return 0;
}

/* A look for the record of another container that has the id of a namespace. */
struct nsid_search {
	struct host *host;
	const struct record *record;
	bool is_found;
	bool is_unsure;
};

static int nsid_look_at(void *arg, const char *id, struct error *err)
{
	cleanup(record_free) struct record *other = NULL;
	struct nsid_search *search = arg;
	int r;

	(void)err;
	if (!strcmp(id, search->record->id))
		return 0;
	r = record_load(search->host->store.containers, id, &other, NULL);
	if (r < 0) {
		search->is_unsure |= r != -ENOENT;
		return 0;
	}
	if (*other->joined || other->nsid != search->record->nsid ||
		other->host_cookie != search->record->host_cookie ||
		other->netns_cookie == search->record->netns_cookie)
		return 0;
	if (is_in_namespace(search->host, other, other->nsid, &search->is_found, NULL) < 0) {
		search->is_unsure = true;
		return 0;
	}
	return search->is_found;
}

/**
 * judge_nsid() - whose namespace does a record's namespace id name by now
 * @host:   the host that the record was made on
 * @record: the record; the id was given by others, who may have given it again
 * @ret:    the answer
 * @err:    filled on failure
 *
 * All records are read, unless a process of the record's own is in the namespace.
 *
 * Return: 0, or what asking the kernel, proc_is_alive() or listing RUN gave.
 */
int judge_nsid(
	struct host *host, const struct record *record, enum nsid_holder *ret, struct error *err)
{
	struct nsid_search search = { .host = host, .record = record };
	bool is_own = false;
	int r = is_in_namespace(host, record, record->nsid, &is_own, err);

	if (r == 0 && !is_own)
		r = store_list_records(&host->store, nsid_look_at, &search, err);
	if (r < 0)
		return r;
	if (is_own)
		*ret = NSID_OWN;
	else if (search.is_found)
		*ret = NSID_ANOTHERS;
	else
		*ret = search.is_unsure ? NSID_UNKNOWN : NSID_NOBODYS;
	return 0;
}
