// SPDX-License-Identifier: MIT
/*
 * How long it takes to find and claim a free address of a /16, by how full it is. The pools are
 * made by allocation itself, as they come to be in use: all addresses are handed out, and then
 * some are given back, here and there or in one piece.
 */
#include "tests/bench/allocate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipam/pool.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "tests/bench/spawn.h"

#define SUBNET "10.65.0.0/16"
#define GATEWAY "10.65.0.1"
#define PARENT "eth0"
#define ADDRESSES 65533 /* without the gateway, the network's and the broadcast address */
#define SEED 1
#define PROCESSES 64
#define PROCESS_ROUNDS 2000
#define TURNS 5
#define SHOWN_EVERY 20 /* one in so many of these is written down */
#define PATH_SIZE 512

/* One pool, so and so full. */
struct field {
	const char *kase;
	unsigned per_mille; /* how much of it is in use */
	bool fragmented;    /* the free addresses are everywhere, not at the end */
	char dir[PATH_SIZE];
	struct store store;
	bool stays_open; /* the pool is not opened and closed for each address */
	int pool;	 /* -1: closed */
	struct hints hints;
	unsigned n_owners; /* so many have asked for an address */
};

static struct field fields[] = {
	{ .kase = "0%" },
	{ .kase = "50% fragmented", .per_mille = 500, .fragmented = true },
	{ .kase = "50% contiguous", .per_mille = 500 },
	{ .kase = "90% fragmented", .per_mille = 900, .fragmented = true },
	{ .kase = "90% contiguous", .per_mille = 900 },
	{ .kase = "99% fragmented", .per_mille = 990, .fragmented = true },
	{ .kase = "99% contiguous", .per_mille = 990 },
	{ .kase = "99.9% fragmented", .per_mille = 999, .fragmented = true },
	{ .kase = "99.9% contiguous", .per_mille = 999 },
};

/* The one that many processes allocate from at once. */
#define CROWDED 5

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void must(bool done, const char *what, const struct error *err)
{
	if (done)
		return;
	fprintf(stderr, "bench: cannot %s: %s\n", what, err ? err->text : strerror(errno));
	exit(EXIT_FAILURE);
}

static void open_pool(struct field *field)
{
	struct error err = { 0 };

	if (field->pool < 0)
		must(store_open_pool(&field->store, PARENT, true, &field->pool, &err) == 0,
			"open a pool", &err);
}

static void close_pool(struct field *field)
{
	hints_close(&field->hints);
	close(field->pool);
	field->pool = -1;
}

/* Asks for an address for somebody new, and opens the pool for it if need be. */
static void take(struct field *field, char owner[CLAIMS_OWNER_MAX + 1], struct ip *ret)
{
	struct pool_request request = { .owner = owner, .key = owner, .network = "wide" };
	struct error err = { 0 };
	struct ip gateway;

	snprintf(owner, CLAIMS_OWNER_MAX + 1, "fill%u/eth0", field->n_owners++);
	ip_parse(GATEWAY, &gateway, NULL);
	cidr_parse_subnet(SUBNET, &request.subnet, NULL);
	request.range = request.subnet;
	request.reserved = &gateway;
	request.n_reserved = 1;
	open_pool(field);
	must(pool_allocate(field->pool, &field->hints, &request, ret, &err) == 0, "allocate", &err);
}

static void give_back(struct field *field, const char *owner, const struct ip *ip)
{
	const struct cidr address = { *ip, 16 };
	struct error err = { 0 };

	open_pool(field);
	must(pool_release(field->pool, &field->hints, &address, owner, &err) == 0, "release", &err);
	if (!field->stays_open)
		close_pool(field);
}

/* The addresses that are given back come first: the last ones, or any. */
static void choose_free(const struct field *field, unsigned order[ADDRESSES])
{
	unsigned seed = SEED;

	for (unsigned i = 0; i < ADDRESSES; i++)
		order[i] = ADDRESSES - 1 - i;
	for (unsigned i = 0; field->fragmented && i + 1 < ADDRESSES; i++) {
		unsigned j = i + (unsigned)rand_r(&seed) % (ADDRESSES - i);
		unsigned swapped = order[i];

		order[i] = order[j];
		order[j] = swapped;
	}
}

/* host-local has a file for each address: the same are in use there. */
static void fill_peer(const struct field *field, const char *address)
{
	char path[PATH_SIZE + IP_TEXT + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/cni/wide/%s", field->dir, address);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, "fill\r\neth0", 10) == 10, "write a peer's file", NULL);
	close(fd);
}

static void fill(struct field *field)
{
	static struct ip ips[ADDRESSES];
	static unsigned order[ADDRESSES];
	unsigned n_free = ADDRESSES - ADDRESSES * field->per_mille / 1000;
	char owner[CLAIMS_OWNER_MAX + 1];
	char text[IP_TEXT];

	if (field->per_mille == 0)
		return;
	field->stays_open = true;
	for (unsigned i = 0; i < ADDRESSES; i++)
		take(field, owner, &ips[i]);
	choose_free(field, order);
	for (unsigned i = 0; i < n_free; i++) {
		snprintf(owner, sizeof(owner), "fill%u/eth0", order[i]);
		give_back(field, owner, &ips[order[i]]);
	}
	for (unsigned i = n_free; i < ADDRESSES; i++)
		fill_peer(field, ip_format(&ips[order[i]], text));
	field->stays_open = false;
	close_pool(field);
}

static void make_folder(const char *dir, const char *name)
{
	char path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	must(mkdir(path, 0700) == 0, "make a folder", NULL);
}

static void make_field(const char *dir, unsigned number, struct field *field)
{
	char path[PATH_SIZE + 16];
	struct error err = { 0 };

	snprintf(field->dir, sizeof(field->dir), "%s/fill%u", dir, number);
	must(mkdir(field->dir, 0700) == 0, "make a folder", NULL);
	make_folder(field->dir, "cni");
	make_folder(field->dir, "cni/wide");
	make_folder(field->dir, "bundle");
	snprintf(path, sizeof(path), "%s/etc", field->dir);
	must(symlink("../etc", path) == 0, "make a link", NULL);
	snprintf(path, sizeof(path), "%s/run", field->dir);
	must(store_open(path, true, &field->store, &err) == 0, "open RUN", &err);
	field->pool = -1;
	fill(field);
}

static void report(const char *kase, unsigned round, uint64_t ns)
{
	printf("allocation,%s,ours,%u,%.2f,0\n", kase, round, (double)ns / 1000);
}

static uint64_t take_timed(struct field *field)
{
	char owner[CLAIMS_OWNER_MAX + 1];
	uint64_t start = spawn_clock();
	struct ip ip;
	uint64_t end;

	take(field, owner, &ip);
	end = spawn_clock();
	if (!field->stays_open)
		close_pool(field);
	give_back(field, owner, &ip);
	return end - start;
}

/* 64 processes on one pool, each as fast as it can. */
static void take_at_once(struct field *field, const char *kase, bool stays_open, unsigned turn)
{
	size_t size = sizeof(uint64_t) * PROCESSES * PROCESS_ROUNDS;
	uint64_t *times =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(times != MAP_FAILED, "map memory", NULL);
	fflush(stdout);
	field->stays_open = stays_open;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork", NULL);
		if (pid > 0)
			continue;
		field->n_owners += (i + 1) * PROCESS_ROUNDS; /* nobody else's */
		for (unsigned j = 0; j < PROCESS_ROUNDS; j++)
			times[i * PROCESS_ROUNDS + j] = take_timed(field);
		_exit(EXIT_SUCCESS);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = 0;

		must(wait(&status) > 0 && status == 0, "run an allocator", NULL);
	}
	for (unsigned i = 0; i < PROCESSES * PROCESS_ROUNDS; i += SHOWN_EVERY)
		report(kase, turn, times[i]);
	field->stays_open = false;
	munmap(times, size);
}

/**
 * allocate_race() - how long an allocation takes, by how full the /16 is
 * @race:  the race; its rounds are those of whole processes
 * @whole: also whole processes: host-local's, and the hook's with all its other work
 */
void allocate_race(struct race *race, bool whole)
{
	const struct place *everywhere = race->place;
	const unsigned rounds = whole ? 2000 : 500;

	for (unsigned i = 0; i < FIELDS; i++)
		make_field(everywhere->dir, i, &fields[i]);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < FIELDS; i++)
			report(fields[i].kase, round, take_timed(&fields[i]));
	for (unsigned turn = 0; turn < TURNS; turn++) {
		take_at_once(&fields[CROWDED], "64 at once", false, turn);
		take_at_once(&fields[CROWDED], "64 at once, the pool stays open", true, turn);
	}
	for (unsigned i = 0; whole && i < FIELDS; i++) {
		struct place place = *everywhere;

		place.dir = fields[i].dir;
		race->place = &place;
		race->kase = fields[i].kase;
		race_enter(race, "ours-attach host-local");
		race_attach(race);
	}
	race->place = everywhere;
}
