// SPDX-License-Identifier: MIT
/*
 * The claims of a pool by their owners, for who has to find those of many. A claim is found by its
 * address; to find those of one owner each claim has to be read, 10 ms where there are 10,000.
 *
 * All claims are read once. What is claimed after that is told by inotify(7), which queues a name
 * before the symlink(2) that made it returns. So for an owner whose lock one holds, who can claim
 * nothing now, what was read and what was told are all that he has; and perhaps more, as some may
 * have been released since, and claimed by others.
 */
#include "ipam/index.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/hash.h"

/* How many may be added before the index is made anew: they are not in order. */
#define LATER_MAX 4096
#define GROW 1024

struct entry {
	uint64_t owner; /* hash_quick() */
	size_t name;	/* where it begins in names */
};

struct index {
	int pool;
	int notify;
	struct entry *entries;
	size_t n;
	size_t n_sorted; /* the first so many are in the order of their owners */
	char *names;	 /* each with a NUL behind it */
	size_t size;
};

/* Makes room for one more where a power of two, or the beginning, is reached. */
static void *grow(void *array, size_t used, size_t more, size_t size)
{
	size_t room = GROW;

	while (room < used)
		room *= 2;
	if (used > 0 && used + more <= room)
		return array;
	while (room < used + more)
		room *= 2;
	return reallocarray(array, room, size);
}

static int add(struct index *index, const char *name, const char *owner, struct error *err)
{
	size_t length = strlen(name) + 1;
	struct entry *entries = grow(index->entries, index->n, 1, sizeof(*entries));
	char *names;

	if (entries)
		index->entries = entries;
	names = grow(index->names, index->size, length, 1);
	if (names)
		index->names = names;
	if (!entries || !names)
		return error_set(err, -ENOMEM, "cannot list the claims: out of memory");
	entries[index->n++] = (struct entry){ hash_quick(owner), index->size };
	memcpy(names + index->size, name, length);
	index->size += length;
	return 0;
}

static int add_found(void *arg, const char *name, const char *owner, struct error *err)
{
	return add(arg, name, owner, err);
}

static int compare(const void *a, const void *b)
{
	const struct entry *one = a;
	const struct entry *other = b;

	if (one->owner != other->owner)
		return one->owner < other->owner ? -1 : 1;
	return one->name < other->name ? -1 : one->name > other->name;
}

/* The watch comes first, so that what is claimed while all are read is told. */
static int read_all(struct index *index, struct error *err)
{
	char path[32];
	int r;

	if (index->notify >= 0)
		close(index->notify);
	index->n = 0;
	index->size = 0;
	index->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", index->pool);
	if (index->notify < 0 ||
		inotify_add_watch(index->notify, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return error_set_errno(err, "cannot watch a pool");
	r = claims_list(index->pool, add_found, index, err);
	if (r < 0)
		return r;
	if (index->n)
		qsort(index->entries, index->n, sizeof(*index->entries), compare);
	index->n_sorted = index->n;
	return 0;
}

/* Who was told of is read now; one that is gone again is none. */
static int add_told(struct index *index, const char *name, struct error *err)
{
	char owner[CLAIMS_OWNER_MAX + 1];

	if (claims_owner(index->pool, name, owner, NULL) < 0)
		return 0;
	return add(index, name, owner, err);
}

/* Returns 1 where something was missed. */
static int add_events(struct index *index, const char *buffer, size_t size, struct error *err)
{
	for (size_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);
		int r = 0;

		if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT))
			return 1;
		if (event->len > 0)
			r = add_told(index, event->name, err);
		if (r < 0)
			return r;
		at += sizeof(*event) + event->len;
	}
	return index->n - index->n_sorted > LATER_MAX;
}

/* Takes in what was claimed since. */
static int catch_up(struct index *index, struct error *err)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(index->notify, buffer, sizeof(buffer))) > 0)
		r = add_events(index, buffer, (size_t)n, err);
	if (r == 0 && n < 0 && errno != EAGAIN)
		r = error_set_errno(err, "cannot watch a pool");
	return r == 1 ? read_all(index, err) : r;
}

/**
 * index_new() - read all claims of a pool
 * @pool: the pool; it stays open for as long as the index is used
 * @ret:  the index; free with index_free()
 * @err:  filled on failure
 *
 * Return: 0, -ENOMEM, or what inotify_init1(2), inotify_add_watch(2) or readdir(3) gave.
 */
int index_new(int pool, struct index **ret, struct error *err)
{
	cleanup(index_free) struct index *index = calloc(1, sizeof(*index));
	int r;

	if (!index)
		return error_set(err, -ENOMEM, "cannot list the claims: out of memory");
	index->pool = pool;
	index->notify = -1;
	r = read_all(index, err);
	if (r < 0)
		return r;
	*ret = index;
	index = NULL;
	return 0;
}

/**
 * index_free() - free an index; a destructor for cleanup()
 * @index: a variable that holds an index or NULL; NULL afterwards
 */
void index_free(struct index **index)
{
	if (!*index)
		return;
	if ((*index)->notify >= 0)
		close((*index)->notify);
	free((*index)->entries);
	free((*index)->names);
	free(*index);
	*index = NULL;
}

/* The first of an owner's in the part that is sorted. */
static size_t first_of(const struct index *index, uint64_t owner)
{
	size_t low = 0;
	size_t high = index->n_sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->entries[middle].owner < owner)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * index_list() - call a function for each claim that an owner may have
 * @index: the index
 * @owner: CONTAINER/INTERFACE; the container's lock is held
 * @found: the function: reads the claim again, which may be released, or another's now. It may be
 *         called twice for one
 * @arg:   for the function
 * @err:   filled on failure
 *
 * Return: 0, -ENOMEM, or what the function, inotify(7) or reading all claims again gave.
 */
int index_list(
	struct index *index, const char *owner, claims_list_fn *found, void *arg, struct error *err)
{
	uint64_t hash = hash_quick(owner);
	int r = catch_up(index, err);

	for (size_t i = first_of(index, hash); r == 0 && i < index->n; i++) {
		const struct entry *entry = &index->entries[i];
		const char *name = index->names + entry->name;

		if (entry->owner != hash) {
			if (i < index->n_sorted)
				i = index->n_sorted - 1; /* then those that came later */
			continue;
		}
		r = found(arg, name, owner, err);
	}
	return r < 0 ? r : 0;
}
