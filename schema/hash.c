// SPDX-License-Identifier: MIT
/*
 * SHA-256 (FIPS 180-4) over lists of strings: stable ids, hashed MACs, lock offsets. It is here
 * because ids of 64 hex digits must not differ between builds and libraries, and because the
 * programs link nothing else that has it.
 */
#include "schema/hash.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 64
/* Where FNV-1a begins (draft-eastlake-fnv, 64 bits). */
#define QUICK_FIRST UINT64_C(0xcbf29ce484222325)

struct sha256 {
	uint32_t state[8];
	uint8_t block[BLOCK];
	uint64_t length; /* bytes so far */
};

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word >> by | word << (32 - by);
}

static uint32_t load_word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

/* The message schedule (FIPS 180-4, 6.2.2 step 1). */
static void expand(const uint8_t block[BLOCK], uint32_t w[64])
{
	for (unsigned i = 0; i < 16; i++)
		w[i] = load_word(block + 4 * i);
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
}

/* The round constants (FIPS 180-4, 4.2.2). */
/* clang-format off: eight in a row, as in the standard */
static const uint32_t k[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};
/* clang-format on */

static void compress(uint32_t state[8], const uint8_t block[BLOCK])
{
	uint32_t w[64];
	uint32_t s[8];

	expand(block, w);
	memcpy(s, state, sizeof(s));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
		uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
		uint32_t t = s[7] + e + choose + k[i] + w[i];

		/* One by one, so that they stay in registers: twice as fast as memmove(3). */
		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t + a + majority;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

static void update(struct sha256 *sha, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		sha->block[sha->length++ % BLOCK] = bytes[i];
		if (sha->length % BLOCK == 0)
			compress(sha->state, sha->block);
	}
}

static void finish(struct sha256 *sha, uint8_t ret[HASH_SIZE])
{
	uint64_t bits = sha->length * 8;
	uint8_t length[8];

	update(sha, "\x80", 1);
	while (sha->length % BLOCK != BLOCK - sizeof(length))
		update(sha, "", 1);
	for (unsigned i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	update(sha, length, sizeof(length));
	for (unsigned i = 0; i < HASH_SIZE; i++)
		ret[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

/**
 * hash_strings() - SHA-256 of a list of strings
 * @strings: ends with NULL; each counts with the NUL at its end, so that ("ab", "c") and
 *           ("a", "bc") differ
 * @ret:     the digest
 */
void hash_strings(const char *const strings[], uint8_t ret[HASH_SIZE])
{
	struct sha256 sha = {
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
			0x1f83d9ab, 0x5be0cd19 },
	};

	for (; *strings; strings++)
		update(&sha, *strings, strlen(*strings) + 1);
	finish(&sha, ret);
}

/**
 * hash_strings_u64() - the first 64 bits of hash_strings()
 * @strings: ends with NULL
 *
 * Return: the number.
 */
uint64_t hash_strings_u64(const char *const strings[])
{
	uint8_t digest[HASH_SIZE];
	uint64_t value = 0;

	hash_strings(strings, digest);
	for (unsigned i = 0; i < sizeof(value); i++)
		value = value << 8 | digest[i];
	return value;
}

/**
 * hash_strings_hex() - hash_strings() as 64 hex digits
 * @strings: ends with NULL
 * @ret:     where to
 *
 * Return: @ret.
 */
const char *hash_strings_hex(const char *const strings[], char ret[HASH_HEX])
{
	uint8_t digest[HASH_SIZE];

	hash_strings(strings, digest);
	for (unsigned i = 0; i < HASH_SIZE; i++)
		snprintf(ret + (size_t)(2 * i), 3, "%02x", digest[i]);
	return ret;
}

static uint64_t add_quick(uint64_t hash, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/**
 * hash_quick() - a number for tables that are not trusted (FNV-1a)
 * @text: what it stands for
 *
 * A tenth of what SHA-256 takes. Who chooses the text can choose two with one number.
 *
 * Return: the number.
 */
uint64_t hash_quick(const char *text)
{
	return add_quick(QUICK_FIRST, text, strlen(text));
}

/**
 * hash_quick_strings() - hash_quick() of a list of strings
 * @strings: ends with NULL; each counts with the NUL at its end
 *
 * Return: the number.
 */
uint64_t hash_quick_strings(const char *const strings[])
{
	uint64_t hash = QUICK_FIRST;

	for (; *strings; strings++)
		hash = add_quick(hash, *strings, strlen(*strings) + 1);
	return hash;
}
