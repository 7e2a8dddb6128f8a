// SPDX-License-Identifier: MIT
/*
 * The rule of ipam/store.c under stress: a claim is unlinked only by who holds the lock of the id
 * in it, and only if the init that the record names is dead.
 *
 *   test_claims_stress [--seconds N] [--without-lock]
 *
 * Attachers live the life of containers: lock the id, look at its record (an init that is alive:
 * not ours; dead: detach that one first), intent record, claim, final record, unlock, use the
 * address, die. Their ids come from a small set, so one id comes back all the time. Releasers are
 * poststops: for random ids, so that most are duplicates, and many are late and meet the next
 * container of that id. The parent kills both at any moment, with kill -9, and starts new ones.
 *
 * A table in shared memory says who uses which address in truth. With --without-lock the same is
 * done without the locks; it must fail then, or it would prove nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipam/hint.h"
#include "ipam/pool.h"
#include "ipam/store.h"
#include "schema/error.h"
#include "tests/unit/tap.h"

#define ATTACHERS 12
#define RELEASERS 8
#define WORKERS (ATTACHERS + RELEASERS)
#define IDS 20
#define ADDRESSES 16 /* of the /28; fewer than ids, so the pool is full at times */
#define SUBNET "10.0.0.0/28"

/* What stands for RUN/containers/ID.json. */
struct stress_record {
	uint64_t life; /* of init; 0: no record */
	int address;   /* the last byte of the address; -1: an intent */
};

/* A life is one container's: its worker's number + 1 and a count. It is over as soon as the
 * worker's current life is another, which no process can miss: init's death needs no lock.
 */
struct table {
	uint64_t users[ADDRESSES]; /* the life that uses the address; 0: nobody */
	uint64_t current[WORKERS];
	struct stress_record records[IDS];
	uint64_t attached;
	uint64_t released;
	uint64_t late; /* releases that met a container that lives */
	uint64_t full;
	uint64_t failed;
	uint64_t held_twice;
	uint64_t lost;
	bool stop;
};

/* One process of the test. */
struct worker {
	struct table *table;
	struct store store;
	int pool;
	struct hints hints;
	unsigned number;
	unsigned seed;
	bool locking;
};

static uint64_t get(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_SEQ_CST);
}

static void set(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_SEQ_CST);
}

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static bool swap(uint64_t *at, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(
		at, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool is_dead(const struct table *table, uint64_t life)
{
	return get(&table->current[(life >> 32) - 1]) != life;
}

static uint64_t begin_life(struct table *table, unsigned number)
{
	uint64_t life = (uint64_t)(number + 1) << 32 | (uint32_t)(get(&table->current[number]) + 1);

	set(&table->current[number], life);
	return life;
}

/* Up to that many microseconds, or none at all: so that every order of events comes up. */
static void pause_at_random(struct worker *worker, unsigned microseconds)
{
	struct timespec pause = { 0,
		(long)((unsigned)rand_r(&worker->seed) % microseconds) * 1000 };

	if (rand_r(&worker->seed) % 3 == 0)
		nanosleep(&pause, NULL);
}

static void lock(const struct worker *worker, const char *id)
{
	if (worker->locking && store_lock_id(&worker->store, id, NULL) < 0)
		count(&worker->table->failed);
}

static void unlock(const struct worker *worker, const char *id)
{
	if (worker->locking)
		store_unlock_id(&worker->store, id);
}

static struct cidr address_of(int last)
{
	struct cidr address;

	cidr_parse(SUBNET, &address, NULL);
	address.ip.bytes[3] = (uint8_t)last;
	return address;
}

static int release_found(void *arg, const char *name, const char *owner, struct error *err)
{
	return claims_release(*(const int *)arg, name, owner, err);
}

/* The lock is held, and init is dead. */
static void detach(struct worker *worker, struct stress_record *record, const char *owner)
{
	int last = __atomic_load_n(&record->address, __ATOMIC_SEQ_CST);
	struct cidr address = address_of(last);
	int r;

	pause_at_random(worker, 50);
	if (last < 0)
		r = pool_list_owner(worker->pool, owner, release_found, &worker->pool, NULL);
	else
		r = pool_release(worker->pool, &worker->hints, &address, owner, NULL);
	if (r < 0)
		count(&worker->table->failed);
	set(&record->life, 0);
}

/* The lock is held. Returns the last byte of the address, or 0. */
static int attach(
	struct worker *worker, struct stress_record *record, const char *owner, uint64_t life)
{
	struct pool_request request = { .owner = owner, .key = owner, .network = "net" };
	struct table *table = worker->table;
	struct ip ip;
	int r;

	request.subnet = request.range = address_of(0);
	__atomic_store_n(&record->address, -1, __ATOMIC_SEQ_CST);
	set(&record->life, life);
	r = pool_allocate(worker->pool, &worker->hints, &request, &ip, NULL);
	if (r < 0) {
		count(r == -ENOSPC ? &table->full : &table->failed);
		detach(worker, record, owner);
		return 0;
	}
	if (!swap(&table->users[ip.bytes[3]], 0, life))
		count(&table->held_twice);
	pause_at_random(worker, 50);
	__atomic_store_n(&record->address, (int)ip.bytes[3], __ATOMIC_SEQ_CST);
	count(&table->attached);
	return ip.bytes[3];
}

/* A container looks whether its address is its own for as long as it lives. */
static void use(struct worker *worker, int last, const char *owner, uint64_t life)
{
	struct table *table = worker->table;
	struct cidr address = address_of(last);
	char holder[CLAIMS_OWNER_MAX + 1] = "";
	char name[IP_TEXT];

	ip_format(&address.ip, name);
	for (unsigned i = 0; i < 5; i++) {
		if (get(&table->users[last]) != life)
			count(&table->held_twice);
		if (claims_owner(worker->pool, name, holder, NULL) < 0 ||
			strcmp(holder, owner) != 0)
			count(&table->lost);
		pause_at_random(worker, 200);
	}
}

static void attach_once(struct worker *worker)
{
	unsigned index = (unsigned)rand_r(&worker->seed) % IDS;
	struct stress_record *record = &worker->table->records[index];
	uint64_t life;
	char owner[32];
	char id[16];
	int last;

	snprintf(id, sizeof(id), "c%u", index);
	snprintf(owner, sizeof(owner), "%s/eth0", id);
	lock(worker, id);
	life = get(&record->life);
	if (life && !is_dead(worker->table, life)) {
		unlock(worker, id); /* id in use */
		return;
	}
	if (life)
		detach(worker, record, owner);
	life = begin_life(worker->table, worker->number);
	last = attach(worker, record, owner, life);
	unlock(worker, id);
	if (last) {
		use(worker, last, owner, life);
		swap(&worker->table->users[last], life, 0);
	}
	begin_life(worker->table, worker->number);
}

static void release_once(struct worker *worker)
{
	unsigned index = (unsigned)rand_r(&worker->seed) % IDS;
	struct stress_record *record = &worker->table->records[index];
	uint64_t life;
	char owner[32];
	char id[16];

	snprintf(id, sizeof(id), "c%u", index);
	snprintf(owner, sizeof(owner), "%s/eth0", id);
	lock(worker, id);
	life = get(&record->life);
	if (life && is_dead(worker->table, life)) {
		detach(worker, record, owner);
		count(&worker->table->released);
	} else if (life) {
		count(&worker->table->late);
	}
	unlock(worker, id);
	pause_at_random(worker, 100);
}

static pid_t start(struct table *table, const char *run, unsigned number, bool locking)
{
	struct worker worker = { .table = table, .number = number, .locking = locking };
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	worker.seed = number + WORKERS * (unsigned)get(&table->current[number]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (store_open(run, true, &worker.store, NULL) < 0 ||
		store_open_pool(&worker.store, "eth0", true, &worker.pool, NULL) < 0)
		_exit(1);
	while (!__atomic_load_n(&table->stop, __ATOMIC_SEQ_CST))
		if (number < ATTACHERS)
			attach_once(&worker);
		else
			release_once(&worker);
	_exit(0);
}

/* A killed worker's container is dead, and uses no address, from when the parent says so. */
static void bury(struct table *table, unsigned number)
{
	uint64_t life = get(&table->current[number]);

	for (unsigned i = 0; life && i < ADDRESSES; i++)
		swap(&table->users[i], life, 0);
	begin_life(table, number);
}

static unsigned run_workers(struct table *table, const char *run, unsigned seconds, bool locking)
{
	struct timespec end;
	struct timespec now;
	pid_t pids[WORKERS];
	unsigned killed = 0;
	unsigned seed = 7;

	for (unsigned i = 0; i < WORKERS; i++)
		pids[i] = start(table, run, i, locking);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)seconds;
	do {
		struct timespec pause = { 0, rand_r(&seed) % 4000000 };
		unsigned victim = (unsigned)rand_r(&seed) % WORKERS;

		nanosleep(&pause, NULL);
		kill(pids[victim], SIGKILL);
		waitpid(pids[victim], NULL, 0);
		bury(table, victim);
		pids[victim] = start(table, run, victim, locking);
		killed++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (
		now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	__atomic_store_n(&table->stop, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < WORKERS; i++) {
		waitpid(pids[i], NULL, 0);
		bury(table, i);
	}
	return killed;
}

/* What gc does: every container is dead now. Returns the claims that are left then. */
static unsigned long collect(struct table *table, const char *run)
{
	struct worker worker = { .table = table, .seed = 1, .locking = true };
	struct cidr subnet = address_of(0);
	unsigned long left = 0;

	if (store_open(run, true, &worker.store, NULL) < 0 ||
		store_open_pool(&worker.store, "eth0", true, &worker.pool, NULL) < 0)
		return 999;
	for (unsigned i = 0; i < IDS; i++) {
		char owner[32];

		snprintf(owner, sizeof(owner), "c%u/eth0", i);
		if (get(&table->records[i].life))
			detach(&worker, &table->records[i], owner);
	}
	pool_count(worker.pool, &subnet, &left, NULL);
	close(worker.pool);
	store_close(&worker.store);
	return left;
}

int main(int argc, char **argv)
{
	struct table *table = mmap(
		NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seconds = 5;
	bool locking = true;
	char run[128];
	unsigned killed;

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--without-lock"))
			locking = false;
		else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
			seconds = (unsigned)atoi(argv[++i]);
	if (table == MAP_FAILED)
		return EXIT_FAILURE;
	snprintf(run, sizeof(run), "%s/run", tap_tempdir());
	killed = run_workers(table, run, seconds, locking);
	printf("# %ju attached, %ju released by poststops, %ju late poststops, %ju times full, "
	       "%u killed\n",
		(uintmax_t)table->attached, (uintmax_t)table->released, (uintmax_t)table->late,
		(uintmax_t)table->full, killed);
	ok(table->attached > 100 && table->released > 100 && table->late > 10 && killed > 10,
		"there was something to see");
	is_int(table->failed, 0, "no call failed");
	is_int(table->held_twice, 0, "no address was held twice");
	is_int(table->lost, 0, "no claim was lost while in use");
	is_int(collect(table, run), 0, "nothing is leaked");
	return tap_done();
}
