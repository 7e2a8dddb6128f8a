// SPDX-License-Identifier: MIT
/*
 * The hint file of a subnet, RUN/pools/PARENT/.hint-FIRST_LEN, mapped by whoever allocates there:
 * a bitmap of the addresses in use, the bit that was handed out last (the cursor), who had which
 * bit last, and who gave one back a short time ago. Changed by all with atomic operations and no
 * lock.
 *
 * The claims are the truth, and this only says where to look: with any content, however wrong,
 * and with no file at all, the same addresses come out as free, later. So nothing is ever
 * repaired here; what cannot be mapped is removed and begun anew, and where that fails too an empty
 * bitmap of our own does.
 *
 * The bit of an address is its value modulo the size of the bitmap, which does not depend on a
 * network's range: so release finds it from the address and the prefix length alone.
 */
#include "ipam/hint.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/text.h"

/* The last character is the version: another layout, another magic. */
#define MAGIC UINT64_C(0x4f434d5648494e33) /* OCMVHIN3 */
#define SLOTS 4096
#define CURSORS 64
#define PASTS 1024
#define TRIES_MAX 3
/* ".hint-", an address, "_", "128" */
#define NAME_SIZE (sizeof(".hint-") + IP_TEXT + sizeof("_128"))
/* A slot: a bit's number in the low part, the high part of the key's hash above. */
#define BIT_MASK ((uint64_t)HINT_BITS_MAX - 1)

struct hint_file {
	uint64_t magic;
	uint64_t cursors[CURSORS]; /* by range: networks on one parent may share a subnet */
	uint64_t slots[SLOTS];	   /* by key and network; on a collision the last one stays */
	struct past {
		uint64_t when; /* milliseconds above, the bit below */
		uint64_t mac;
		uint64_t key;
	} pasts[PASTS]; /* by bit; on a collision the last one stays */
	uint64_t words[];
};

/**
 * hint_bits() - the size of a subnet's bitmap
 * @subnet: the subnet
 *
 * Return: the bits, a power of two.
 */
uint32_t hint_bits(const struct cidr *subnet)
{
	unsigned host_bits = ip_bits(subnet->ip.family) - subnet->len;

	return host_bits >= 20 ? HINT_BITS_MAX : 1U << host_bits;
}

/**
 * bitmap_words() - how many words a bitmap has
 * @bits: its bits
 *
 * Return: the number of 64-bit words.
 */
size_t bitmap_words(uint32_t bits)
{
	return (bits + 63U) / 64U;
}

/**
 * bitmap_test() - is a bit set
 * @words: the bitmap
 * @bit:   the bit
 *
 * Return: true when it is.
 */
bool bitmap_test(const uint64_t *words, uint32_t bit)
{
	return __atomic_load_n(&words[bit / 64], __ATOMIC_RELAXED) >> bit % 64 & 1;
}

/**
 * bitmap_set() - set a bit
 * @words: the bitmap
 * @bit:   the bit
 *
 * Return: true when it was set already: another process was faster.
 */
bool bitmap_set(uint64_t *words, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << bit % 64;

	return __atomic_fetch_or(&words[bit / 64], mask, __ATOMIC_RELAXED) & mask;
}

/**
 * bitmap_clear() - clear a bit
 * @words: the bitmap
 * @bit:   the bit
 */
void bitmap_clear(uint64_t *words, uint32_t bit)
{
	__atomic_fetch_and(&words[bit / 64], ~(UINT64_C(1) << bit % 64), __ATOMIC_RELAXED);
}

/* A file of no size is new: all that make it at the same time give it the same size and magic.
 * Its blocks are taken now, as a full disk would be a SIGBUS later.
 */
static int check_file(int fd, size_t size, bool create)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	if (status.st_size == 0 && create)
		return -posix_fallocate(fd, 0, (off_t)size);
	return (uintmax_t)status.st_size == size ? 0 : -EBADMSG;
}

/* Maps the hint file: -EBADMSG or -ELOOP for what is none. */
static int map_file(int pool, const char *name, bool create, struct hint *hint)
{
	autoclose int fd = openat(pool, name,
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0),
		0600);
	uint64_t none = 0;
	struct hint_file *file;
	int r;

	if (fd < 0)
		return -errno;
	r = check_file(fd, hint->size, create);
	if (r < 0)
		return r;
	file = mmap(NULL, hint->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return -errno;
	__atomic_compare_exchange_n(
		&file->magic, &none, MAGIC, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (__atomic_load_n(&file->magic, __ATOMIC_RELAXED) != MAGIC) {
		munmap(file, hint->size);
		return -EBADMSG;
	}
	hint->file = file;
	return 0;
}

/**
 * hint_open() - map the hint file of a subnet
 * @pool:   the pool
 * @subnet: the subnet
 * @create: make the file where it is missing; where that cannot be, have an empty hint for this
 *          process alone
 * @ret:    the hint; hint_close() closes it
 * @err:    filled on failure
 *
 * Return: 0; -ENOMEM; without @create also -ENOENT and whatever else is wrong with the file.
 */
int hint_open(int pool, const struct cidr *subnet, bool create, struct hint *ret, struct error *err)
{
	struct hint hint = { .bits = hint_bits(subnet) };
	struct ip first = cidr_first(subnet);
	char text[IP_TEXT];
	char len[TEXT_UINT];
	char name[NAME_SIZE];
	int r = 0;

	hint.size = sizeof(struct hint_file) + bitmap_words(hint.bits) * sizeof(uint64_t);
	text_join(name, sizeof(name), ".hint-", ip_format(&first, text), "_",
		text_uint(subnet->len, len));
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		r = map_file(pool, name, create, &hint);
		if (!create || (r != -EBADMSG && r != -ELOOP))
			break;
		unlinkat(pool, name, 0);
	}
	if (r < 0 && create) {
		hint.file = mmap(NULL, hint.size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		r = hint.file == MAP_FAILED ? -ENOMEM : 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot map '%s'", name);
	*ret = hint;
	return 0;
}

/**
 * hint_close() - unmap a hint
 * @hint: the hint, or one that was closed
 */
void hint_close(struct hint *hint)
{
	if (hint->file)
		munmap(hint->file, hint->size);
	*hint = HINT_CLOSED;
}

static struct open_hint *find_open(struct hints *hints, const struct cidr *subnet)
{
	for (unsigned i = 0; i < hints->n; i++) {
		struct open_hint *open = &hints->open[i];

		if (open->subnet.len == subnet->len && ip_equal(&open->subnet.ip, &subnet->ip))
			return open;
	}
	return NULL;
}

/**
 * hints_get() - the hint of a subnet, which stays open
 * @hints:  those that are open; all of one pool
 * @pool:   the pool
 * @subnet: the subnet
 * @create: make it where it is missing; see hint_open()
 *
 * Return: the hint, until the next call; or NULL where there is none.
 */
const struct hint *hints_get(struct hints *hints, int pool, const struct cidr *subnet, bool create)
{
	struct open_hint *open = find_open(hints, subnet);

	if (!open) {
		hints->last = hints->n < HINTS_MAX ? hints->n++ : (hints->last + 1) % HINTS_MAX;
		open = &hints->open[hints->last];
		hint_close(&open->hint);
		open->subnet = *subnet;
		hint_open(pool, subnet, create, &open->hint, NULL);
	} else if (create && !open->hint.file) {
		hint_open(pool, subnet, true, &open->hint, NULL);
	}
	return open->hint.file ? &open->hint : NULL;
}

/**
 * hints_close() - unmap all that are open
 * @hints: the hints; there are none afterwards
 */
void hints_close(struct hints *hints)
{
	for (unsigned i = 0; i < hints->n; i++)
		hint_close(&hints->open[i].hint);
	*hints = (struct hints){ 0 };
}

/**
 * hint_words() - the bitmap of a hint
 * @hint: the hint
 *
 * Return: its words.
 */
uint64_t *hint_words(const struct hint *hint)
{
	return hint->file->words;
}

static bool recall(const struct hint *hint, const uint64_t *slot, uint64_t key, uint32_t *ret)
{
	uint64_t value = __atomic_load_n(slot, __ATOMIC_RELAXED);

	if (value == 0 || ((value ^ key) & ~BIT_MASK) != 0)
		return false;
	*ret = (uint32_t)(value & (hint->bits - 1));
	return true;
}

static void remember(uint64_t *slot, uint64_t key, uint32_t bit)
{
	__atomic_store_n(slot, (key & ~BIT_MASK) | bit, __ATOMIC_RELAXED);
}

/**
 * hint_recall() - which bit a key had last
 * @hint: the hint
 * @key:  a hash of it
 * @ret:  the bit
 *
 * Return: false when it is not known.
 */
bool hint_recall(const struct hint *hint, uint64_t key, uint32_t *ret)
{
	return recall(hint, &hint->file->slots[key % SLOTS], key, ret);
}

/**
 * hint_remember() - note which bit a key has
 * @hint: the hint
 * @key:  a hash of it
 * @bit:  the bit
 */
void hint_remember(const struct hint *hint, uint64_t key, uint32_t bit)
{
	remember(&hint->file->slots[key % SLOTS], key, bit);
}

/**
 * hint_recall_cursor() - which bit was handed out last in a range
 * @hint:  the hint
 * @range: a hash of it
 * @ret:   the bit
 *
 * Return: false when none was.
 */
bool hint_recall_cursor(const struct hint *hint, uint64_t range, uint32_t *ret)
{
	return recall(hint, &hint->file->cursors[range % CURSORS], range, ret);
}

/**
 * hint_remember_cursor() - note which bit was handed out last in a range
 * @hint:  the hint
 * @range: a hash of it
 * @bit:   the bit
 */
void hint_remember_cursor(const struct hint *hint, uint64_t range, uint32_t bit)
{
	remember(&hint->file->cursors[range % CURSORS], range, bit);
}

/**
 * hint_recall_past() - who gave a bit back last
 * @hint: the hint
 * @bit:  the bit
 * @ret:  what is known of it
 *
 * Return: false when nothing is.
 */
bool hint_recall_past(const struct hint *hint, uint32_t bit, struct hint_past *ret)
{
	const struct past *past = &hint->file->pasts[bit % PASTS];
	uint64_t when = __atomic_load_n(&past->when, __ATOMIC_ACQUIRE);
	uint64_t mac = __atomic_load_n(&past->mac, __ATOMIC_RELAXED);

	if (when / HINT_BITS_MAX == 0 || (when & BIT_MASK) != bit)
		return false;
	ret->ms = when / HINT_BITS_MAX;
	ret->key = __atomic_load_n(&past->key, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < MAC_SIZE; i++)
		ret->mac[i] = (uint8_t)(mac >> (40 - 8 * i));
	return true;
}

/**
 * hint_note_past() - note who gives a bit back
 * @hint: the hint
 * @bit:  the bit
 * @past: who, and when
 */
void hint_note_past(const struct hint *hint, uint32_t bit, const struct hint_past *past)
{
	struct past *slot = &hint->file->pasts[bit % PASTS];
	uint64_t mac = 0;

	for (unsigned i = 0; i < MAC_SIZE; i++)
		mac |= (uint64_t)past->mac[i] << (40 - 8 * i);
	__atomic_store_n(&slot->mac, mac, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->key, past->key, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->when, past->ms * HINT_BITS_MAX + bit, __ATOMIC_RELEASE);
}
