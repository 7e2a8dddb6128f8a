// SPDX-License-Identifier: MIT
/*
 * Containers without a runtime, the real programs run on them, and what is there afterwards as
 * text: RUN and ETC from the file system, a namespace from the kernel.
 */
#include "tests/crash/lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/network.h"
#include "schema/text.h"
#include "tests/lab/kernel.h"

#define ARGUMENTS_MAX 16
#define FILES_MAX 256
/* Of 2 ms each. */
#define SETTLE_TRIES 5000

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "lab: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

#define NO_DNS "\"dns\":{\"mode\":\"none\"}"
#define DHCP(name, parent, n, milliseconds)                                             \
	"{\"name\":\"" name "\",\"parent\":\"" parent "\"," NO_DNS                      \
	",\"ipam\":{\"driver\":\"dhcp\",\"config\":{\"timeout_ms\":" milliseconds "}}," \
	"\"subnets\":[{\"subnet\":\"2001:db8:" n ":1::/64\"}]" HOST_ACCESS
#define HOST_ACCESS ",\"conflict_detection_ms\":0,\"host_access\":"

static const struct {
	const char *file;
	const char *head; /* between them: "true" or "false" */
	const char *tail;
} networks[] = {
	{ "macvlan0.json", "{\"name\":\"macvlan0\",\"parent\":\"eth0\"," NO_DNS HOST_ACCESS,
		",\"subnets\":["
		"{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.1\"},"
		"{\"subnet\":\"2001:db8:0:1::/64\",\"gateway\":\"2001:db8:0:1::1\"}]}\n" },
	{ "macvlan1.json", "{\"name\":\"macvlan1\",\"parent\":\"eth1\"," NO_DNS HOST_ACCESS,
		",\"subnets\":["
		"{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.1\"},"
		"{\"subnet\":\"2001:db8:1:1::/64\",\"gateway\":\"2001:db8:1:1::1\"}],"
		"\"routes\":[{\"dst\":\"192.168.0.0/16\",\"gateway\":\"10.1.0.254\"}]}\n" },
	{ "named.json",
		"{\"name\":\"named\",\"parent\":\"eth0\",\"subnets\":["
		"{\"subnet\":\"10.2.0.0/24\",\"gateway\":\"10.2.0.1\"},"
		"{\"subnet\":\"2001:db8:2:1::/64\",\"gateway\":\"2001:db8:2:1::1\"}],"
		"\"dns\":{\"mode\":\"static\",\"servers\":[\"10.2.0.53\"]}" HOST_ACCESS,
		"}\n" },
	/* The first address of each subnet is a stranger's on the LAN. */
	{ "tried.json",
		"{\"name\":\"tried\",\"parent\":\"eth0\"," NO_DNS
		",\"subnets\":[{\"subnet\":\"10.3.0.0/24\"},"
		"{\"subnet\":\"2001:db8:3:1::/64\"}],\"conflict_detection_ms\":6,\"host_access\":",
		"}\n" },
	/* There is one address of each family, so one that is lost is missed at once. */
	{ LAB_PLUGIN ".json",
		"{\"name\":\"" LAB_PLUGIN "\",\"parent\":\"eth0\"," NO_DNS
		",\"ipam\":{\"driver\":\"host-local\",\"config\":{\"dataDir\":\"" LAB_LEASES
		"\",\"ranges\":[[{\"subnet\":\"10.4.0.0/24\",\"rangeStart\":\"10.4.0.5\","
		"\"rangeEnd\":\"10.4.0.5\"}],"
		"[{\"subnet\":\"2001:db8:4:1::/64\",\"rangeStart\":\"2001:db8:4:1::5\","
		"\"rangeEnd\":\"2001:db8:4:1::5\"}]],\"routes\":[{\"dst\":\"::/0\"},"
		"{\"dst\":\"0.0.0.0/0\"}]}}" HOST_ACCESS,
		"}\n" },
	/* The first of two addresses is a stranger's: the plugin is asked for another. */
	{ LAB_ASKED ".json",
		"{\"name\":\"" LAB_ASKED "\",\"parent\":\"eth0\"," NO_DNS
		",\"ipam\":{\"driver\":\"host-local\",\"config\":{\"dataDir\":\"" LAB_LEASES
		"\",\"ranges\":[[{\"subnet\":\"10.5.0.0/24\",\"rangeStart\":\"10.5.0.5\","
		"\"rangeEnd\":\"10.5.0.6\"}],"
		"[{\"subnet\":\"2001:db8:5:1::/64\",\"rangeStart\":\"2001:db8:5:1::5\","
		"\"rangeEnd\":\"2001:db8:5:1::6\"}]]}},\"conflict_detection_ms\":6,\"host_access\":",
		"}\n" },
	{ LAB_LEASED ".json", DHCP(LAB_LEASED, "eth0", "6", "5000"), "}\n" },
	{ LAB_LEASED_SOON ".json", DHCP(LAB_LEASED_SOON, "eth0", "6", "1000"), "}\n" },
	/* There is no server. */
	{ LAB_LEASED_NEVER ".json", DHCP(LAB_LEASED_NEVER, "eth1", "7", "100"), "}\n" },
	/* No parent: the attach makes one. Whether it is internal makes no difference there. */
	{ LAB_ISOLATED ".json",
		"{\"name\":\"" LAB_ISOLATED "\"," NO_DNS ",\"subnets\":["
		"{\"subnet\":\"10.2.0.0/24\",\"gateway\":\"10.2.0.1\"},"
		"{\"subnet\":\"2001:db8:2:1::/64\",\"gateway\":\"2001:db8:2:1::1\"}],\"internal\":",
		"}\n" },
};

/**
 * lab_write() - write a file
 * @dir:  its folder
 * @name: its name
 * @text: what it says
 */
void lab_write(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "write a file");
}

/**
 * lab_write_networks() - write the network files, also where they are there
 * @lab:         the lab
 * @host_access: whether they have it
 */
void lab_write_networks(const struct lab *lab, bool host_access)
{
	char dir[PATH_MAX];
	char text[1024];

	snprintf(dir, sizeof(dir), "%s/networks", lab->etc);
	for (unsigned i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		const char *const parts[] = { networks[i].head, host_access ? "true" : "false",
			networks[i].tail, NULL };

		text_join_parts(text, sizeof(text), parts);
		lab_write(dir, networks[i].file, text);
	}
}

/* As /proc says of a process that runs it. */
static void find_program(const char *build, const char *name, char ret[PATH_MAX])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", build, name);
	must(realpath(path, ret) != NULL, "find a program");
}

/**
 * lab_setup() - make the folders, below TMPDIR
 * @lab:   filled
 * @build: where the programs are
 */
void lab_setup(struct lab *lab, const char *build)
{
	const char *tmp = getenv("TMPDIR");
	char path[LAB_PATH - 16];
	char dir[PATH_MAX];

	snprintf(path, sizeof(path), "%s/crash-XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(path) != NULL, "make a folder");
	find_program(build, "oci-macvlan-hook", lab->hook);
	find_program(build, "oci-macvlan", lab->cli);
	snprintf(lab->etc, sizeof(lab->etc), "%s/etc", path);
	snprintf(lab->run, sizeof(lab->run), "%s/run", path);
	snprintf(lab->bundle, sizeof(lab->bundle), "%s/bundle", path);
	snprintf(lab->rootfs, sizeof(lab->rootfs), "%s/rootfs", path);
	must(mkdir(lab->bundle, 0755) == 0 && mkdir(lab->rootfs, 0755) == 0, "make a folder");
	lab_write(lab->bundle, "config.json", "{\"root\":{\"path\":\"../rootfs\"}}\n");
	must(mkdir(lab->etc, 0755) == 0, "make a folder");
	must(mkdir(LAB_LEASES, 0755) == 0 && mkdir(LAB_LEASES "/" LAB_PLUGIN, 0755) == 0 &&
			mkdir(LAB_LEASES "/" LAB_ASKED, 0755) == 0,
		"make a folder");
	snprintf(dir, sizeof(dir), "%s/networks", lab->etc);
	must(mkdir(dir, 0755) == 0, "make a folder");
	lab_write_networks(lab, false);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int remove_lease(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return type == FTW_F ? remove_one(path, status, type, walk) : 0;
}

/**
 * lab_wipe_run() - remove RUN with all that is in it, what host-local has handed out, and what the
 *                  host has of ours
 * @lab: the lab
 */
void lab_wipe_run(const struct lab *lab)
{
	nftw(LAB_LEASES, remove_lease, 16, FTW_PHYS);
	nftw(lab->run, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	lab_wipe_host();
}

/**
 * lab_has_network() - is there a network file
 * @lab:  the lab
 * @name: the network
 *
 * Return: true when there is.
 */
bool lab_has_network(const struct lab *lab, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/networks/%s.json", lab->etc, name);
	return access(path, F_OK) == 0;
}

/**
 * lab_hook() - run the hook for a container
 * @lab:   the lab
 * @box:   the container
 * @stage: createRuntime or poststop
 * @judge: see trace_run()
 * @arg:   for @judge
 * @ret:   how it ended
 */
void lab_hook(const struct lab *lab, const struct box *box, const char *stage, trace_fn *judge,
	void *arg, struct trace_result *ret)
{
	const char *const argv[] = { lab->hook, "--etc", lab->etc, "--run", lab->run, stage, NULL };
	char state[4096];
	struct trace_command command = { argv, state };

	snprintf(state, sizeof(state),
		"{\"ociVersion\":\"1.0.2\",\"id\":\"%s\",\"status\":\"%s\",\"pid\":%d,"
		"\"bundle\":\"%s\",\"annotations\":{%s}}",
		box->id, strcmp(stage, "poststop") ? "creating" : "stopped", (int)box->pid,
		lab->bundle, box->annotations);
	trace_run(&command, judge, arg, ret);
}

/**
 * lab_cli() - run a command of oci-macvlan
 * @lab:       the lab
 * @arguments: the command and its arguments; NULL at the end
 * @judge:     see trace_run()
 * @arg:       for @judge
 * @ret:       how it ended
 */
void lab_cli(const struct lab *lab, const char *const arguments[], trace_fn *judge, void *arg,
	struct trace_result *ret)
{
	const char *argv[ARGUMENTS_MAX] = { lab->cli, "--etc", lab->etc, "--run", lab->run };
	struct trace_command command = { argv, NULL };

	for (unsigned i = 0; arguments[i] && i + 6 < ARGUMENTS_MAX; i++)
		argv[5 + i] = arguments[i];
	trace_run(&command, judge, arg, ret);
}

static bool runs_hook(const struct lab *lab)
{
	struct dirent *entry;
	bool found = false;
	DIR *proc = opendir("/proc");

	must(proc != NULL, "list processes");
	while (!found && (entry = readdir(proc))) {
		char path[LAB_PATH + 16];
		char program[PATH_MAX];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		n = readlink(path, program, sizeof(program) - 1);
		program[n > 0 ? n : 0] = '\0';
		found = !strcmp(program, lab->hook) || !strcmp(program, lab->cli);
	}
	closedir(proc);
	return found;
}

/**
 * lab_settle() - wait until none of our programs runs
 * @lab: the lab
 *
 * What a killed one has started goes on by itself for a moment, and holds a lock: gc passes over
 * that.
 */
void lab_settle(const struct lab *lab)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (unsigned try = 0; runs_hook(lab); try++) {
		must(try < SETTLE_TRIES, "see the end of what was started");
		nanosleep(&moment, NULL);
	}
}

/**
 * lab_succeeded() - has a program done what it should, without a word
 * @result: how it ended
 *
 * Return: true for exit status 0 and nothing on stderr.
 */
bool lab_succeeded(const struct trace_result *result)
{
	return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0 && !*result->err;
}

/* A listing under way. nftw() has no argument for its function. */
static struct {
	unsigned n;
	char *line[FILES_MAX];
} files;

static bool is_passed_over(const char *name)
{
	return !strncmp(name, ".hint-", 6) || !strncmp(name, "last_reserved_ip", 16) ||
	       !strcmp(name, "errors") || !strcmp(name, "lock");
}

/* "PATH FORM CONTENT" */
static int list_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	char content[LAB_TEXT] = "";
	ssize_t n = 0;

	if (walk->level == 0 || is_passed_over(path + walk->base))
		return 0;
	/* Empty pools are nobody's, as is RUN/dhcp: which there are depends on who came by. */
	if (type == FTW_D && (walk->level == 2 || !strcmp(path + walk->base, "dhcp")))
		return 0;
	if (type == FTW_SL) {
		n = readlink(path, content, sizeof(content) - 1);
		if (n > 0 && !strncmp(content, ".conflict/", 10))
			return 0; /* a stranger's address, for ten minutes */
	} else if (type == FTW_F) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		n = fd < 0 ? 0 : read(fd, content, sizeof(content) - 1);
		close(fd);
	}
	content[n > 0 ? n : 0] = '\0';
	must(files.n < FILES_MAX && asprintf(&files.line[files.n++], "%s %o %s", path,
					    status->st_mode, content) > 0,
		"list a file");
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_tree(const char *root, char ret[LAB_TEXT])
{
	size_t used = strlen(ret);

	files.n = 0;
	nftw(root, list_one, 16, FTW_PHYS);
	qsort(files.line, files.n, sizeof(files.line[0]), compare_lines);
	for (unsigned i = 0; i < files.n; i++) {
		used += (size_t)snprintf(
			ret + used, LAB_TEXT - used, "%s\n", files.line[i] + strlen(root) + 1);
		must(used < LAB_TEXT, "list a folder");
		free(files.line[i]);
	}
}

/**
 * lab_list_state() - RUN, ETC and the containers' root file system as text: each file with its mode
 *                    and content, each link's target; and what the host has of ours
 * @lab: the lab
 * @ret: the listing
 *
 * What plugin host-local has handed out belongs to it. Hints are left out, which are never trusted,
 * the lock, and the errors, which are there to stay.
 */
void lab_list_state(const struct lab *lab, char ret[LAB_TEXT])
{
	*ret = '\0';
	list_tree(lab->run, ret);
	list_tree(lab->etc, ret);
	list_tree(LAB_LEASES, ret);
	lab_list_host(ret);
	list_tree(lab->rootfs, ret);
}

/**
 * lab_list_netns() - what the kernel has in a container's namespace, as text
 * @box: the container
 * @ret: the listing
 */
void lab_list_netns(const struct box *box, char ret[LAB_TEXT])
{
	int nl = kernel_open(box->netns);

	must(nl >= 0, "look into a namespace");
	must(kernel_listing(nl, ret, LAB_TEXT) == 0, "list a namespace");
	close(nl);
}

/**
 * lab_list_parents() - the names of the host's interfaces that are ours, but for its own macvlans
 *                      (lab_list_host()), as text
 * @ret: the names, one a line
 */
void lab_list_parents(char ret[LAB_TEXT])
{
	struct kernel_view view;
	size_t used = 0;
	int nl = kernel_open_pid(getpid());

	must(nl >= 0 && kernel_view(nl, KERNEL_HERE, &view) == 0, "look at the host's links");
	close(nl);
	*ret = '\0';
	for (unsigned i = 0; i < view.n_links; i++)
		if (!strncmp(view.links[i].name, "omv-", 4) && view.links[i].name[4] != 'h')
			used += (size_t)snprintf(
				ret + used, LAB_TEXT - used, "%s\n", view.links[i].name);
}

/**
 * lab_claim_owner() - who has claimed an address
 * @lab:     the lab
 * @address: the address
 * @ret:     CONTAINER/INTERFACE
 * @size:    how much fits
 *
 * Return: false when nobody has.
 */
bool lab_claim_owner(const struct lab *lab, const char *address, char *ret, size_t size)
{
	char isolated[INTERFACE_NAME_MAX + 1];
	const char *const parents[] = { "eth0", "eth1",
		network_isolated_parent(LAB_ISOLATED, isolated) };

	for (unsigned i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		char path[PATH_MAX];
		ssize_t n;

		snprintf(path, sizeof(path), "%s/pools/%s/%s", lab->run, parents[i], address);
		n = readlink(path, ret, size - 1);
		if (n < 0)
			continue;
		ret[n] = '\0';
		return true;
	}
	return false;
}
