// SPDX-License-Identifier: MIT
/*
 * The DHCP clients that run, as /proc says it: in whose network namespace, for which interface.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/world.h"

#define CLIENTS_MAX 32
/* Of 2 ms each. */
#define TRIES 2500
#define PROGRAM "udhcpc"
#define ARGUMENTS_TEXT 4096

struct client {
	pid_t pid;
	pid_t parent;
	ino_t netns;
	char interface[32];
};

struct clients {
	unsigned n;
	struct client client[CLIENTS_MAX];
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "clients: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* The arguments, each with its 0. Returns how much: 0 also of a process that is gone. */
static size_t read_arguments(const char *pid, char ret[ARGUMENTS_TEXT])
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, ret, ARGUMENTS_TEXT - 1);
	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static bool is_program(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, PROGRAM);
}

static pid_t read_parent(const char *pid)
{
	char path[300];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return (pid_t)parent;
}

/* Fills in a client. Returns false where the process is none, or gone. */
static bool read_client(const char *pid, struct client *ret)
{
	char text[ARGUMENTS_TEXT];
	size_t size = read_arguments(pid, text);
	const char *end = text + size;
	const char *second = text + strlen(text) + 1;
	struct stat status;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	if (size == 0 || second >= end || (!is_program(text) && !is_program(second)) ||
		stat(path, &status) < 0)
		return false;
	*ret = (struct client){
		.pid = (pid_t)atoi(pid), .parent = read_parent(pid), .netns = status.st_ino
	};
	for (const char *at = second; at < end; at += strlen(at) + 1)
		if (!strcmp(at, "-i") && at + 3 < end)
			snprintf(ret->interface, sizeof(ret->interface), "%s", at + 3);
	return true;
}

/* A child that has not become the event script yet looks like its parent. */
static void drop_children(struct clients *clients)
{
	struct clients all = *clients;

	clients->n = 0;
	for (unsigned i = 0; i < all.n; i++) {
		bool is_child = false;

		for (unsigned j = 0; j < all.n; j++)
			is_child = is_child || all.client[j].pid == all.client[i].parent;
		if (!is_child)
			clients->client[clients->n++] = all.client[i];
	}
}

static void list(struct clients *ret)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	must(proc != NULL, "list processes");
	ret->n = 0;
	while ((entry = readdir(proc))) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		must(ret->n < CLIENTS_MAX, "list so many");
		if (read_client(entry->d_name, &ret->client[ret->n]))
			ret->n++;
	}
	closedir(proc);
	drop_children(ret);
}

static bool is_in(const struct client *client, const struct box *box)
{
	struct stat status;

	return box->netns >= 0 && fstat(box->netns, &status) == 0 && status.st_ino == client->netns;
}

/**
 * clients_count() - how many clients run
 * @box: those in its namespace alone, or NULL: all
 *
 * Return: the number.
 */
unsigned clients_count(const struct box *box)
{
	struct clients clients;
	unsigned n = 0;

	list(&clients);
	for (unsigned i = 0; i < clients.n; i++)
		n += !box || is_in(&clients.client[i], box);
	return n;
}

/**
 * clients_list() - all clients as text
 * @ret:  the text
 * @size: how much fits
 */
void clients_list(char *ret, size_t size)
{
	struct clients clients;
	size_t used = 0;

	list(&clients);
	*ret = '\0';
	for (unsigned i = 0; i < clients.n && used < size; i++)
		used += (size_t)snprintf(ret + used, size - used,
			"client %d of %d for %s in namespace %lu\n", (int)clients.client[i].pid,
			(int)clients.client[i].parent, clients.client[i].interface,
			(unsigned long)clients.client[i].netns);
}

/**
 * clients_is_one() - is there one client for a container
 * @box: the container
 *
 * The kernel shows the arguments of a program a moment after it has closed what exec closes.
 *
 * Return: true when there is one, or comes to be in a moment.
 */
bool clients_is_one(const struct box *box)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (unsigned try = 0; try < TRIES && clients_count(box) == 0; try++)
		nanosleep(&moment, NULL);
	return clients_count(box) == 1;
}

/**
 * clients_are_two() - are there two for one interface
 *
 * Return: true when there are.
 */
bool clients_are_two(void)
{
	struct clients clients;

	list(&clients);
	for (unsigned i = 0; i < clients.n; i++)
		for (unsigned j = 0; j < i; j++)
			if (clients.client[i].netns == clients.client[j].netns &&
				!strcmp(clients.client[i].interface, clients.client[j].interface))
				return true;
	return false;
}

/**
 * clients_kill() - kill -9 the clients in a container's namespace, and see them end
 * @box: the container
 */
void clients_kill(const struct box *box)
{
	struct clients clients;

	list(&clients);
	for (unsigned i = 0; i < clients.n; i++) {
		int pidfd = (int)syscall(SYS_pidfd_open, clients.client[i].pid, 0);
		struct pollfd ended = { .fd = pidfd, .events = POLLIN };

		if (pidfd >= 0 && is_in(&clients.client[i], box)) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			must(poll(&ended, 1, -1) == 1, "see a client end");
		}
		if (pidfd >= 0)
			close(pidfd);
	}
}
