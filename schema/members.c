// SPDX-License-Identifier: MIT
/*
 * Reads the objects and arrays of our own documents (network, selection, record): each object is a
 * table of its keys, and a key that is not in it is an error. Documents of the runtimes, where
 * unknown keys are ignored, are not read with this.
 */
#include "schema/members.h"

#include <stdio.h>
#include <string.h>

#include "schema/error.h"
#include "schema/json.h"
#include "schema/text.h"

/**
 * members_put_where() - "WHERE.KEY", cut where it is too long
 * @ret:   the place
 * @where: the place of what has the key
 * @key:   the key
 *
 * Not by snprintf(3): it is asked for with each key of each document, and nearly never printed.
 */
void members_put_where(char ret[MEMBERS_WHERE_MAX], const char *where, const char *key)
{
	char *end = ret + MEMBERS_WHERE_MAX - 1;
	char *to = mempcpy(ret, where, strnlen(where, MEMBERS_WHERE_MAX - 1));

	if (to > ret && to < end)
		*to++ = '.';
	to = mempcpy(to, key, strnlen(key, (size_t)(end - to)));
	*to = '\0';
}

static int check_keys(const struct json *object, const struct member members[], const char *where,
	struct error *err)
{
	const char *known[MEMBERS_MAX + 1] = { NULL };

	for (unsigned i = 0; i < MEMBERS_MAX && members[i].key; i++)
		known[i] = members[i].key;
	return json_check_keys(object, known, where, err);
}

/**
 * members_read_object() - Read an object key by key, in the order of the table
 * @object:	the value, of any type
 * @members:	the keys that it may have, and how each is read; ends with a NULL key
 * @where:	its place in the document; "": it is the document
 * @ret:	passed to the functions of the table
 * @err:	filled on failure
 *
 * Return: 0; -EINVAL: no object, an unknown key, or a required one is missing; or what a function
 * of the table returned
 */
int members_read_object(const struct json *object, const struct member members[], const char *where,
	void *ret, struct error *err)
{
	int r = json_expect(object, JSON_OBJECT, *where ? where : "document", err);

	if (r == 0)
		r = check_keys(object, members, where, err);
	for (const struct member *member = members; r == 0 && member->key; member++) {
		const struct json *value = json_member(object, member->key);
		char place[MEMBERS_WHERE_MAX];

		members_put_where(place, where, member->key);
		if (value)
			r = member->read(value, place, ret, err);
		else if (member->required)
			r = error_set(err, -EINVAL, "%s: is missing: add it", place);
	}
	return r;
}

/**
 * members_read_array() - Read an array element by element
 * @array:	the value, of any type
 * @read:	reads one element; checks that there is room for it
 * @where:	the array's place in the document
 * @ret:	passed to @read
 * @err:	filled on failure
 *
 * Return: 0; -EINVAL: no array; or what @read returned
 */
int members_read_array(const struct json *array, members_read_fn *read, const char *where,
	void *ret, struct error *err)
{
	unsigned index = 0;
	int r = json_expect(array, JSON_ARRAY, where, err);

	if (r < 0)
		return r;
	json_for_each (value, array) {
		char place[MEMBERS_WHERE_MAX];
		char number[TEXT_UINT];

		text_join(place, sizeof(place), where, "[", text_uint(index++, number), "]");
		r = read(value, place, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * members_read_map() - Read an object whose keys are the user's own
 * @object:	the value, of any type
 * @read:	reads one member; value->key is its key
 * @where:	the object's place in the document
 * @ret:	passed to @read
 * @err:	filled on failure
 *
 * Return: 0; -EINVAL: no object; or what @read returned
 */
int members_read_map(const struct json *object, members_read_fn *read, const char *where, void *ret,
	struct error *err)
{
	int r = json_expect(object, JSON_OBJECT, where, err);

	if (r < 0)
		return r;
	json_for_each (value, object) {
		char place[MEMBERS_WHERE_MAX];

		members_put_where(place, where, value->key);
		r = read(value, place, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * members_copy_string() - Copy a string of limited length
 * @value:	the value, of any type
 * @where:	its place in the document
 * @ret:	where the copy goes
 * @size:	of @ret, in bytes; the longest string has one less
 * @err:	filled on failure
 *
 * Return: 0; -EINVAL: no string, an empty or a too long one
 */
int members_copy_string(
	const struct json *value, const char *where, char *ret, size_t size, struct error *err)
{
	int r = json_expect(value, JSON_STRING, where, err);

	if (r < 0)
		return r;
	if (!*value->text || strlen(value->text) >= size)
		return error_set(err, -EINVAL, "%s: '%.64s' has %zu bytes, 1 to %zu are allowed",
			where, value->text, strlen(value->text), size - 1);
	strcpy(ret, value->text);
	return 0;
}
