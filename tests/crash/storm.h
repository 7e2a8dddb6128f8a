/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_STORM_H
#define TESTS_CRASH_STORM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The storm: see crash_storm.c. What its processes share. */

#define STORM_WORKERS 32
#define STORM_IDS_EACH 10
#define STORM_IDS (STORM_WORKERS * STORM_IDS_EACH)
#define STORM_HOOK_COMM "oci-macvlan-hoo" /* what /proc/PID/comm has of the hook's name */
#define STORM_NAME_SIZE 16
#define STORM_ALL (-1) /* in the place of an id */
#define STORM_OUTPUT_MAX 4096
#define STORM_EXCUSES_MAX 32
#define STORM_PIDS_MAX 4096
#define STORM_LISTING_MAX 8192

/* Attaches are counted by how long they took, in steps of 100 us, up to 10 s. */
#define STORM_STEP_US 100
#define STORM_STEPS 100000

/* Who is killed. */
enum storm_victim { STORM_RUNTIME, STORM_HOOK, STORM_INIT, STORM_VICTIMS };

/* What the watcher may find. */
enum storm_finding {
	STORM_SAME_ADDRESS,
	STORM_SAME_MAC,
	STORM_UNCLAIMED,
	STORM_RESERVED,
	STORM_FINDINGS
};

/* In a file that all processes of the storm map, the wrappers of the hooks too. All counters. */
struct storm_shared {
	bool killer_stops;
	bool workers_stop;
	bool watcher_stops;
	unsigned gcs;
	unsigned failures; /* whatever must not be; the first ones are written down */
	unsigned runs;	   /* of runc run */
	unsigned starts;
	unsigned different;
	bool started[STORM_IDS];
	unsigned looks; /* at a container's network, that found it as it was claimed */
	unsigned shots[STORM_IDS][STORM_VICTIMS]; /* counted before, whether they hit or not */
	unsigned kills[STORM_VICTIMS];
	unsigned excused[STORM_EXCUSES_MAX];
	unsigned attaches;
	unsigned attached;
	unsigned attached_us_max;
	unsigned attached_steps[STORM_STEPS];
	unsigned poststops;
	unsigned long scans;
	unsigned long views;
	unsigned findings[STORM_FINDINGS];
};

/* Folders, and what is the same for all processes. */
struct storm {
	struct storm_shared *shared;
	char dir[128];	    /* has bundles, etc, run, runc; reserved, counters */
	const char *cli;    /* oci-macvlan */
	const char *cgroup; /* OCI_MACVLAN_CGROUP */
	unsigned kill_ms;   /* the mean time between two kills */
	uint64_t seed;
};

/* What a run of a program left. */
struct storm_result {
	int status; /* as of waitpid(2) */
	bool hung;  /* it had to be killed */
	char output[STORM_OUTPUT_MAX];
};

/* One who starts and stops containers. */
struct storm_worker {
	const struct storm *storm;
	uint64_t random;
	unsigned first; /* of its ids */
	unsigned id;	/* the one it is at */
	char name[STORM_NAME_SIZE];
	char bundle[192];
	unsigned kills[STORM_IDS_EACH][STORM_VICTIMS]; /* up to when each was last in order */
};

/* One who reads the kernel's state. */
struct storm_watch {
	const struct storm *storm;
	bool expected; /* findings are counted, but no failures of the test */
	int nl;
	unsigned long scans;
	unsigned long views;
	unsigned found[STORM_FINDINGS];
	unsigned n_reserved;
	char reserved[128][56];
};

/* storm_base.c: counters, failures, time, chance. */
struct storm_shared *storm_map(const char *path, bool create);
void storm_fail(const struct storm *storm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void storm_print_failures(const struct storm *storm);
uint64_t storm_now_us(void);
void storm_nap_us(unsigned us);
unsigned storm_random(uint64_t *state, unsigned below);

/* storm_run.c: programs. */
void storm_run(
	const struct storm *storm, const char *cwd, const char *argv[], struct storm_result *ret);
bool storm_cli(const struct storm *storm, const char *command, struct storm_result *ret);

/* storm_proc.c: processes. */
unsigned storm_list_pids(pid_t *ret, unsigned max);
void storm_comm(pid_t pid, char ret[STORM_NAME_SIZE]);
void storm_print_process(pid_t pid);
bool storm_is_dead(pid_t pid);
const char *storm_name(unsigned id, char ret[STORM_NAME_SIZE]);
int storm_id_of_cgroup(const struct storm *storm, pid_t pid);
int storm_id_of(const struct storm *storm, pid_t pid);
bool storm_has_hook(const struct storm *storm, int id);
bool storm_end_container(const struct storm *storm, int id);

/* storm_excuse.c: which failures the kills explain. */
bool storm_excuse(
	const struct storm *storm, const char *output, const unsigned kills[STORM_VICTIMS]);
void storm_print_excuses(const struct storm *storm);

/* storm_runc.c: runc, as a worker calls it. */
void storm_count_kills(const struct storm_worker *worker, unsigned ret[STORM_VICTIMS]);
bool storm_was_hit(const struct storm_worker *worker, unsigned ret[STORM_VICTIMS]);
bool storm_runc(const struct storm_worker *worker, const char *const words[]);
bool storm_delete(const struct storm_worker *worker);
pid_t storm_init(const struct storm_worker *worker);

/* storm_look.c */
void storm_look_at_network(const struct storm_worker *worker);
void storm_look_at_rest(const struct storm_worker *worker);

/* The processes. */
void storm_work(const struct storm *storm, unsigned number);
void storm_kill(const struct storm *storm);
void storm_watch(const struct storm *storm);
int storm_hook(int argc, char *argv[]);

void storm_watch_open(const struct storm *storm, struct storm_watch *ret);
void storm_watch_scan(struct storm_watch *watch);
void storm_watch_close(struct storm_watch *watch);

/* What was there before the storm, and has to be all that is there behind it. */
struct storm_before {
	unsigned n_pids;
	pid_t pids[STORM_PIDS_MAX];
	char host[STORM_LISTING_MAX];
};

/* storm_proof.c, storm_end.c: before and behind the storm; they speak TAP. */
void storm_prove_watcher(const struct storm *storm);
void storm_look_before(struct storm_before *ret);
bool storm_collect(const struct storm *storm);
void storm_end(const struct storm *storm, const struct storm_before *before);

#endif
