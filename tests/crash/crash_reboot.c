// SPDX-License-Identifier: MIT
/*
 * reboot BUILD [STEP [OFFSET]]: RUN on a disk, and a reboot or a power failure at any moment.
 *
 * Runs each case again and again, the process being killed before its first, second, ... last
 * system call; then every namespace ends, the disk goes through a reboot or loses what it was not
 * told, and the machine has another boot id. The next 64 hooks, all at once, must find an empty
 * pool; and plugin host-local, whose state is not on that disk, must get back what was its.
 * STEP and OFFSET: as in crash_kill.c.
 */
#include <fcntl.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/disk.h"
#include "tests/lab/kernel.h"
#include "tests/crash/lab.h"
#include "tests/unit/tap.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define HOOKS 64
#define CALLS_MAX 5000
/* 10.0.0.1 is the gateway, 10.0.0.2 the host. */
#define FIRST_FREE 3
#define ONE "\"io.oci-macvlan.networks\":\"macvlan0\""
/* Addresses, and so MACs, that those who come after do not get: theirs are free at once. */
#define ADDRESSES(network, n)                                                           \
	"{\\\"name\\\":\\\"macvlan" network "\\\",\\\"ips\\\":[\\\"10." network ".0." n \
	"\\\",\\\"2001:db8:" network ":1::" n "\\\"]}"
#define BOTH(n) "\"io.oci-macvlan.networks\":\"[" ADDRESSES("0", n) "," ADDRESSES("1", n) "]\""

#define PLUGIN "\"io.oci-macvlan.networks\":\"" LAB_PLUGIN "\""
/* The one address that host-local has. */
#define LEASE LAB_LEASES "/" LAB_PLUGIN "/10.4.0.5"

enum victim_is { VICTIM_ATTACH, VICTIM_DETACH, VICTIM_FIRST, VICTIM_RESET };

/* What is done when the machine stops. */
static const struct {
	const char *name;
	enum victim_is is;
	const char *other;  /* the networks of the container that is there before */
	const char *victim; /* and of the one that is stopped */
	bool is_plugin;
} cases[] = {
	{ "attach", VICTIM_ATTACH, BOTH("201"), BOTH("202"), false },
	{ "detach", VICTIM_DETACH, BOTH("201"), BOTH("202"), false },
	{ "the first attach of all", VICTIM_FIRST, BOTH("201"), BOTH("202"), false },
	{ "the first attach after a reboot", VICTIM_RESET, BOTH("201"), BOTH("202"), false },
	{ "plugin, attach", VICTIM_ATTACH, BOTH("201"), PLUGIN, true },
	{ "plugin, detach", VICTIM_DETACH, BOTH("201"), PLUGIN, true },
	{ "plugin, the first attach after a reboot", VICTIM_RESET, PLUGIN, PLUGIN, true },
};

struct rounds {
	struct lab lab;
	struct disk disk;
	char boot_id[PATH_MAX]; /* what stands for the kernel's */
	unsigned boots;
	unsigned step;
	unsigned at;
	unsigned n; /* rounds done */
	unsigned failures;
	char where[160];
	struct trace_result result;
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

static bool check(struct rounds *rounds, bool passed, const char *what, const char *detail)
{
	if (!passed && rounds->failures++ < 10)
		printf("# %s: %s %s\n", rounds->where, what, detail);
	return passed;
}

/* The kernel's boot id cannot be changed: another file is mounted over it. */
static void boot(struct rounds *rounds)
{
	char id[64];
	int fd = open(rounds->boot_id, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

	snprintf(id, sizeof(id), "%08x-0000-4000-8000-000000000000\n", ++rounds->boots);
	must(fd >= 0 && write(fd, id, strlen(id)) == (ssize_t)strlen(id), "write a boot id");
	close(fd);
}

/* The call to be killed at, and the one at which the disk has everything. */
struct moment {
	const struct disk *disk;
	unsigned n;
	unsigned synced;
	bool reached;
};

static struct trace_verdict stop_there(void *arg, const struct trace_call *call)
{
	struct moment *moment = arg;

	if (call->n == moment->synced)
		disk_sync(moment->disk);
	if (call->n != moment->n)
		return (struct trace_verdict){ .what = TRACE_GO };
	moment->reached = true;
	return (struct trace_verdict){ .what = TRACE_KILL };
}

static bool run_hook(struct rounds *rounds, const struct box *box, const char *stage)
{
	lab_hook(&rounds->lab, box, stage, NULL, NULL, &rounds->result);
	return check(rounds, lab_succeeded(&rounds->result), stage, rounds->result.err);
}

/* Does what the case says, up to its n-th call. Returns false where it has fewer. */
static bool stop_machine(struct rounds *rounds, unsigned which, unsigned n)
{
	enum victim_is is = cases[which].is;
	/* Somewhere before, differently in each round. */
	struct moment moment = { &rounds->disk, n, 1 + n * 7919 % n, false };
	struct box other = BOX_NONE;
	struct box victim = BOX_NONE;

	box_start(&other, "other", cases[which].other, NULL);
	box_start(&victim, "victim", cases[which].victim, NULL);
	if (is != VICTIM_FIRST)
		run_hook(rounds, &other, "createRuntime");
	if (is == VICTIM_RESET) {
		box_kill(&other);
		box_unpin(&other); /* the victim gets its address, and so its MAC */
		disk_reboot(&rounds->disk);
		boot(rounds);
	}
	if (is == VICTIM_DETACH) {
		run_hook(rounds, &victim, "createRuntime");
		box_kill(&victim);
	}
	lab_hook(&rounds->lab, &victim, is == VICTIM_DETACH ? "poststop" : "createRuntime",
		stop_there, &moment, &rounds->result);
	box_kill(&other);
	box_kill(&victim);
	box_unpin(&other);
	box_unpin(&victim);
	return moment.reached;
}

/* All hooks at once, each from a process of its own. */
static void run_hooks(struct rounds *rounds, const struct box boxes[HOOKS])
{
	pid_t pids[HOOKS];

	fflush(stdout);
	for (unsigned i = 0; i < HOOKS; i++) {
		pids[i] = fork();
		must(pids[i] >= 0, "fork");
		if (pids[i])
			continue;
		lab_hook(&rounds->lab, &boxes[i], "createRuntime", NULL, NULL, &rounds->result);
		if (!lab_succeeded(&rounds->result))
			printf("# %s: %s\n", rounds->where, rounds->result.err);
		fflush(stdout);
		_exit(lab_succeeded(&rounds->result) ? 0 : 1);
	}
	for (unsigned i = 0; i < HOOKS; i++) {
		int status = 0;

		waitpid(pids[i], &status, 0);
		check(rounds, status == 0, "a hook failed", boxes[i].id);
	}
}

/* The host part of a container's IPv4 address, as the kernel has it; 0: it has none. */
static unsigned address_of(const struct box *box)
{
	struct kernel_view view;
	int nl = kernel_open(box->netns);
	unsigned last = 0;

	must(nl >= 0 && kernel_view(nl, KERNEL_HERE, &view) == 0, "look into a namespace");
	close(nl);
	for (unsigned i = 0; i < view.n_addresses; i++)
		if (!strncmp(view.addresses[i].text, "10.0.0.", 7))
			last = (unsigned)strtoul(view.addresses[i].text + 7, NULL, 10);
	return last;
}

/* Each has one of the first addresses of the range, and nobody has one twice. */
static void check_addresses(struct rounds *rounds, const struct box boxes[HOOKS])
{
	bool seen[FIRST_FREE + HOOKS] = { false };

	for (unsigned i = 0; i < HOOKS; i++) {
		unsigned last = address_of(&boxes[i]);
		bool fits = last >= FIRST_FREE && last < FIRST_FREE + HOOKS && !seen[last];
		char text[32];

		snprintf(text, sizeof(text), "10.0.0.%u", last);
		check(rounds, fits, "the pool was not empty, or an address is there twice:", text);
		if (fits)
			seen[last] = true;
	}
}

static unsigned count_entries(struct rounds *rounds, const char *folder, const char *prefix)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", rounds->lab.run, folder);
	dir = opendir(path);
	must(dir != NULL, "open a folder of RUN");
	while ((entry = readdir(dir)))
		if (*prefix ? !strncmp(entry->d_name, prefix, strlen(prefix))
			    : entry->d_name[0] != '.')
			n++;
	closedir(dir);
	return n;
}

/* Nothing of an earlier boot is there: 64 records, 64 namespaces, two addresses each. */
static void check_run(struct rounds *rounds)
{
	check(rounds, count_entries(rounds, "containers", "") == HOOKS, "records", "");
	check(rounds, count_entries(rounds, "netns", "") == HOOKS, "namespaces", "");
	check(rounds, count_entries(rounds, "pools/eth0", "") == 2 * HOOKS, "claims", "");
	check(rounds, count_entries(rounds, "pools", "") == 1, "a pool of before", "");
	check(rounds, count_entries(rounds, ".", ".old-") == 0, "an old folder is left", "");
	check(rounds, count_entries(rounds, ".", ".boot") == 0, "a temporary file is left", "");
}

static void start_again(struct rounds *rounds)
{
	static struct box boxes[HOOKS];

	for (unsigned i = 0; i < HOOKS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "c%u", i);
		box_start(&boxes[i], id, ONE, NULL);
	}
	run_hooks(rounds, boxes);
	check_addresses(rounds, boxes);
	check_run(rounds);
	for (unsigned i = 0; i < HOOKS; i++) {
		box_kill(&boxes[i]);
		box_unpin(&boxes[i]);
	}
}

/* What host-local gave before is given back: by gc, or by the next attach, of the same id or of
 * another. Power that fails may take the record; what is left of it must not be in the way.
 */
static void give_back(struct rounds *rounds, unsigned n, bool power)
{
	const char *const gc[] = { "gc", NULL };
	struct box next = BOX_NONE;

	if (power || n % 3 == 0) {
		lab_cli(&rounds->lab, gc, NULL, NULL, &rounds->result);
		check(rounds, lab_succeeded(&rounds->result), "gc", rounds->result.err);
		check(rounds, count_entries(rounds, "returns", "") == 0, "gc left a record", "");
	}
	if (power)
		return;
	check(rounds, n % 3 || access(LEASE, F_OK) < 0, "gc did not give back", "");
	box_start(&next, n % 3 == 1 ? "victim" : "next", PLUGIN, NULL);
	run_hook(rounds, &next, "createRuntime");
	check(rounds, access(LEASE, F_OK) == 0, "the next has no address", "");
	check(rounds, count_entries(rounds, "returns", "") == 0, "the next left a record", "");
	box_kill(&next);
	box_unpin(&next);
	run_hook(rounds, &next, "poststop");
	check(rounds, access(LEASE, F_OK) < 0, "the next did not give back", "");
}

/* Returns false where the case has fewer calls. */
static bool do_round(struct rounds *rounds, unsigned which, unsigned n, bool power)
{
	bool reached;

	snprintf(rounds->where, sizeof(rounds->where), "%s stopped before call %u, %s",
		cases[which].name, n, power ? "power failure" : "reboot");
	disk_insert(&rounds->disk);
	lab_wipe_run(&rounds->lab);
	boot(rounds);
	reached = stop_machine(rounds, which, n);
	if (power)
		disk_lose_power(&rounds->disk);
	else
		disk_reboot(&rounds->disk);
	boot(rounds);
	start_again(rounds);
	if (cases[which].is_plugin)
		give_back(rounds, n, power);
	disk_remove(&rounds->disk);
	rounds->n++;
	return reached;
}

static void walk_case(struct rounds *rounds, unsigned which)
{
	unsigned before = rounds->n;
	unsigned failures = rounds->failures;
	bool reached = true;

	for (unsigned n = 1; reached && n < CALLS_MAX; n++)
		for (unsigned power = 0; reached && power < 2; power++)
			if (rounds->at++ % rounds->step == 0)
				reached = do_round(rounds, which, n, power);
	ok(rounds->failures == failures && rounds->n > before,
		"%s: %u reboots and power failures, %u hooks at once after each", cases[which].name,
		rounds->n - before, HOOKS);
}

int main(int argc, char *argv[])
{
	static struct rounds rounds;
	char dir[] = "/run/tmp/reboot-XXXXXX"; /* a tmpfs, of tests/isolate.sh */

	if (argc < 2) {
		fprintf(stderr, "usage: reboot BUILD [STEP [OFFSET]]\n");
		return 2;
	}
	rounds.step = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	if (rounds.step == 0)
		rounds.step = 1;
	rounds.at = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	must(mkdtemp(dir) != NULL, dir);
	lab_setup(&rounds.lab, argv[1]);
	disk_make(&rounds.disk, dir);
	snprintf(rounds.lab.run, sizeof(rounds.lab.run), "%s/run", rounds.disk.folder);
	snprintf(rounds.boot_id, sizeof(rounds.boot_id), "%s/boot_id", dir);
	boot(&rounds);
	must(mount(rounds.boot_id, BOOT_ID, NULL, MS_BIND, NULL) == 0, "mount a boot id");
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		walk_case(&rounds, i);
	umount(BOOT_ID);
	printf("# sum %u reboots and power failures\n", rounds.n);
	return tap_done();
}
