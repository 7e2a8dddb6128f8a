// SPDX-License-Identifier: MIT
/*
 * What all processes of the storm stand on: the counters that they share, notes of what went wrong,
 * time, and chance that a seed decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/storm.h"

#define NOTES_MAX 100
#define NOTE_SIZE 4096

/**
 * storm_map() - map the counters
 * @path:   the file
 * @create: make it, all zero
 *
 * Return: the counters, or NULL with errno.
 */
struct storm_shared *storm_map(const char *path, bool create)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0600);
	void *map = MAP_FAILED;

	if (fd >= 0 && (!create || ftruncate(fd, sizeof(struct storm_shared)) == 0))
		map = mmap(NULL, sizeof(struct storm_shared), PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0);
	if (fd >= 0)
		close(fd);
	return map == MAP_FAILED ? NULL : map;
}

/**
 * storm_fail() - write down what must not be: the test fails
 * @storm:  the storm
 * @format: as of printf(3); however many lines it makes, they become one
 */
void storm_fail(const struct storm *storm, const char *format, ...)
{
	unsigned n = __atomic_fetch_add(&storm->shared->failures, 1, __ATOMIC_RELAXED);
	va_list arguments;
	char path[PATH_MAX];
	char line[NOTE_SIZE];
	size_t length;
	int fd;

	if (n >= NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	length = strlen(line);
	while (length > 0 && line[length - 1] == '\n')
		length--;
	for (size_t i = 0; i < length; i++)
		if (line[i] == '\n')
			line[i] = '|';
	line[length++] = '\n';
	snprintf(path, sizeof(path), "%s/notes", storm->dir);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, length) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/**
 * storm_print_failures() - print as TAP comments what must not be
 * @storm: the storm
 */
void storm_print_failures(const struct storm *storm)
{
	char path[PATH_MAX];
	char line[NOTE_SIZE];
	FILE *notes;

	snprintf(path, sizeof(path), "%s/notes", storm->dir);
	notes = fopen(path, "re");
	if (!notes)
		return;
	printf("# seed %llu:\n", (unsigned long long)storm->seed);
	while (fgets(line, sizeof(line), notes))
		printf("# %s", line);
	if (storm->shared->failures > NOTES_MAX)
		printf("# and %u more\n", storm->shared->failures - NOTES_MAX);
	fclose(notes);
}

/**
 * storm_now_us() - microseconds of the monotonic clock
 *
 * Return: the time.
 */
uint64_t storm_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/**
 * storm_nap_us() - do nothing for a time
 * @us: microseconds
 */
void storm_nap_us(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L },
		NULL);
}

/**
 * storm_random() - a number by chance: splitmix64
 * @state: of the chance, first a seed
 * @below: how many numbers there are
 *
 * Return: 0 to @below - 1.
 */
unsigned storm_random(uint64_t *state, unsigned below)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % below);
}
