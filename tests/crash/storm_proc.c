// SPDX-License-Identifier: MIT
/*
 * The processes that the storm finds in /proc: all of them are of the isolated machine's own pid
 * namespace; and which container each of them works for.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/crash/storm.h"

#define END_TRIES 500
#define END_PAUSE_US 10000

/**
 * storm_list_pids() - all processes of this pid namespace
 * @ret: their ids, ascending
 * @max: how many fit
 *
 * Return: how many there are.
 */
unsigned storm_list_pids(pid_t *ret, unsigned max)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	unsigned n = 0;

	while (proc && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && n < max)
			ret[n++] = (pid_t)pid;
	}
	if (proc)
		closedir(proc);
	return n;
}

static size_t read_proc(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, ret, size - 1);
	if (fd >= 0)
		close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/**
 * storm_comm() - the name of a process
 * @pid: the process
 * @ret: its name, or "" when it is gone
 */
void storm_comm(pid_t pid, char ret[STORM_NAME_SIZE])
{
	read_proc(pid, "comm", ret, STORM_NAME_SIZE);
	ret[strcspn(ret, "\n")] = '\0';
}

/* Its state, a letter; '\0' when it is gone. And its parent. */
static char read_stat(pid_t pid, pid_t *ret_parent)
{
	char text[512];
	const char *at;

	*ret_parent = 0;
	read_proc(pid, "stat", text, sizeof(text));
	at = strrchr(text, ')');
	if (!at || strlen(at) < 5)
		return '\0';
	*ret_parent = (pid_t)strtol(at + 4, NULL, 10);
	return at[2];
}

/**
 * storm_print_process() - print as a TAP comment what a process is at
 * @pid: the process
 */
void storm_print_process(pid_t pid)
{
	char comm[STORM_NAME_SIZE];
	char wait[64];
	char call[128];
	pid_t parent;
	char state = read_stat(pid, &parent);

	storm_comm(pid, comm);
	read_proc(pid, "wchan", wait, sizeof(wait));
	read_proc(pid, "syscall", call, sizeof(call));
	call[strcspn(call, "\n")] = '\0';
	printf("# process %d, %s, of %d: %c in %s, system call %s\n", (int)pid, comm, (int)parent,
		state, wait, call);
}

/**
 * storm_is_dead() - has a process ended
 * @pid: the process
 *
 * Return: true when it is gone, or a zombie.
 */
bool storm_is_dead(pid_t pid)
{
	pid_t parent;
	char state = read_stat(pid, &parent);

	return state == '\0' || state == 'Z' || state == 'X';
}

/**
 * storm_name() - a container's id as the runtime has it
 * @id:  its number
 * @ret: the name
 *
 * Return: @ret.
 */
const char *storm_name(unsigned id, char ret[STORM_NAME_SIZE])
{
	snprintf(ret, STORM_NAME_SIZE, "storm-%03u", id);
	return ret;
}

/* The number in ".../storm-NNN", or -1. */
static int parse_name(const char *text)
{
	static const char prefix[] = "storm-";
	unsigned long id;
	char *end;

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return -1;
	id = strtoul(text + strlen(prefix), &end, 10);
	return id < STORM_IDS && (*end == '\0' || *end == '\n') ? (int)id : -1;
}

/**
 * storm_id_of_cgroup() - whose cgroup a process is in
 * @storm: the storm
 * @pid:   the process
 *
 * Return: the container's number, or -1.
 */
int storm_id_of_cgroup(const struct storm *storm, pid_t pid)
{
	char text[4096];
	char folder[128];
	const char *at;

	read_proc(pid, "cgroup", text, sizeof(text));
	snprintf(folder, sizeof(folder), "/%s/", storm->cgroup);
	at = strstr(text, folder);
	return at ? parse_name(at + strlen(folder)) : -1;
}

static int id_of_cwd(const struct storm *storm, pid_t pid)
{
	char folder[160];
	char path[64];
	char cwd[256];
	ssize_t n;

	snprintf(folder, sizeof(folder), "%s/bundles/", storm->dir);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	n = readlink(path, cwd, sizeof(cwd) - 1);
	cwd[n > 0 ? n : 0] = '\0';
	return strncmp(cwd, folder, strlen(folder)) ? -1 : parse_name(cwd + strlen(folder));
}

/**
 * storm_id_of() - which container a process works for
 * @storm: the storm
 * @pid:   a runtime, one of its stages, a hook, or a process of a container
 *
 * Runtimes and hooks are in the bundle's folder; what is in the container's cgroup is its own; and
 * a stage of the runtime that is not there yet is a child of the runtime.
 *
 * Return: the container's number, or -1.
 */
int storm_id_of(const struct storm *storm, pid_t pid)
{
	int id = id_of_cwd(storm, pid);
	pid_t parent;

	if (id < 0)
		id = storm_id_of_cgroup(storm, pid);
	if (id < 0 && read_stat(pid, &parent) && parent > 1)
		id = id_of_cwd(storm, parent);
	return id;
}

/**
 * storm_has_hook() - does a hook work for a container
 * @storm: the storm
 * @id:    the container
 *
 * Return: whether.
 */
bool storm_has_hook(const struct storm *storm, int id)
{
	pid_t pids[STORM_PIDS_MAX];
	unsigned n = storm_list_pids(pids, STORM_PIDS_MAX);
	char comm[STORM_NAME_SIZE];

	for (unsigned i = 0; i < n; i++) {
		storm_comm(pids[i], comm);
		if (!strcmp(comm, STORM_HOOK_COMM) && storm_id_of(storm, pids[i]) == id &&
			!storm_is_dead(pids[i]))
			return true;
	}
	return false;
}

static unsigned kill_cgroup(const struct storm *storm, int id)
{
	pid_t pids[STORM_PIDS_MAX];
	unsigned n = storm_list_pids(pids, STORM_PIDS_MAX);
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		int whose = storm_id_of_cgroup(storm, pids[i]);

		if (whose < 0 || (id >= 0 && whose != id) || storm_is_dead(pids[i]))
			continue;
		kill(pids[i], SIGKILL);
		left++;
	}
	return left;
}

/**
 * storm_end_container() - kill all processes in a container's cgroup, and wait for their end
 * @storm: the storm
 * @id:    the container, or STORM_ALL
 *
 * What a killed runtime leaves, no runtime knows.
 *
 * Return: false when they do not end.
 */
bool storm_end_container(const struct storm *storm, int id)
{
	for (unsigned try = 0; try < END_TRIES; try++) {
		if (kill_cgroup(storm, id) == 0)
			return true;
		storm_nap_us(END_PAUSE_US);
	}
	return false;
}
