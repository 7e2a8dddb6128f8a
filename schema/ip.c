// SPDX-License-Identifier: MIT
/*
 * Addresses, subnets and MACs: text to value and back, and the arithmetic on them. IPv4 and IPv6
 * alike, through a 128-bit value.
 */
#include "schema/ip.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "schema/error.h"
#include "schema/text.h"

/**
 * ip_bits() - how long an address is
 * @family: AF_INET or AF_INET6
 *
 * Return: 32 or 128.
 */
unsigned ip_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

/**
 * ip_parse() - read an IPv4 or IPv6 address
 * @text: as inet_pton(3) takes it
 * @ret:  the address
 * @err:  filled on failure
 *
 * An IPv4-mapped IPv6 address is refused: it is no address of a LAN.
 *
 * Return: 0 or -EINVAL.
 */
int ip_parse(const char *text, struct ip *ret, struct error *err)
{
	struct ip ip = { 0 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, text, ip.bytes) == 1)
		ip.family = AF_INET;
	else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
		ip.family = AF_INET6;
	else
		return error_set(err, -EINVAL, "'%s' is not an IP address", text);
	if (ip.family == AF_INET6 && !memcmp(ip.bytes, mapped, sizeof(mapped)))
		return error_set(err, -EINVAL, "'%s' is an IPv4 address written as IPv6", text);
	*ret = ip;
	return 0;
}

static char *put_ip4(char *to, const uint8_t bytes[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			*to++ = '.';
		to = text_put_uint(to, bytes[i]);
	}
	return to;
}

/* Zeros that are written as "::". */
struct gap {
	unsigned first;
	unsigned n;
};

/* The longest run of two zero groups or more, and of those the first (RFC 5952, 4.2). */
static struct gap find_gap(const unsigned groups[8])
{
	struct gap longest = { 8, 1 };

	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && groups[i + n] == 0)
			n++;
		if (n > longest.n)
			longest = (struct gap){ i, n };
	}
	return longest;
}

/* Is the end of it an IPv4 address: "::ffff:192.0.2.1", "::192.0.2.1" (RFC 4291, 2.5.5). */
static bool ends_as_ip4(const unsigned groups[8], const struct gap *gap)
{
	return gap->first == 0 && (gap->n == 6 || (gap->n == 5 && groups[5] == 0xffff));
}

static char *put_ip6(char *to, const uint8_t bytes[16])
{
	unsigned groups[8];
	struct gap gap;

	for (unsigned i = 0; i < 8; i++)
		groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	gap = find_gap(groups);
	for (unsigned i = 0; i < 8; i++) {
		if (i == gap.first) {
			*to++ = ':';
			i += gap.n - 1;
			if (i == 7)
				*to++ = ':';
			continue;
		}
		if (i > 0)
			*to++ = ':';
		if (i == 6 && ends_as_ip4(groups, &gap))
			return put_ip4(to, bytes + 12);
		to = text_put_hex(to, groups[i], 1);
	}
	return to;
}

/**
 * ip_format() - write an address as text, as inet_ntop(3) does
 * @ip:  the address; of another family: ""
 * @ret: where to
 *
 * inet_ntop() would do, but takes ten times as long for it.
 *
 * Return: @ret.
 */
const char *ip_format(const struct ip *ip, char ret[IP_TEXT])
{
	char *end = ret;

	if (ip->family == AF_INET)
		end = put_ip4(ret, ip->bytes);
	else if (ip->family == AF_INET6)
		end = put_ip6(ret, ip->bytes);
	*end = '\0';
	return ret;
}

/**
 * ip_equal() - are two addresses the same
 * @a: one
 * @b: the other
 *
 * Return: true when they are.
 */
bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/**
 * ip_to_value() - an address as a number
 * @ip: the address
 *
 * Return: its value; below 2^32 for IPv4.
 */
ip_value ip_to_value(const struct ip *ip)
{
	uint64_t halves[2];
	uint32_t word;

	if (ip->family == AF_INET) {
		memcpy(&word, ip->bytes, sizeof(word));
		return be32toh(word);
	}
	memcpy(halves, ip->bytes, sizeof(halves));
	return (ip_value)be64toh(halves[0]) << 64 | be64toh(halves[1]);
}

/**
 * ip_from_value() - a number as an address
 * @family: AF_INET or AF_INET6
 * @value:  its value
 *
 * Return: the address.
 */
struct ip ip_from_value(sa_family_t family, ip_value value)
{
	const uint64_t halves[2] = { htobe64((uint64_t)(value >> 64)), htobe64((uint64_t)value) };
	const uint32_t word = htobe32((uint32_t)value);
	struct ip ip = { .family = family };

	if (family == AF_INET)
		memcpy(ip.bytes, &word, sizeof(word));
	else
		memcpy(ip.bytes, halves, sizeof(halves));
	return ip;
}

/**
 * ip_is_assignable() - can a container on a LAN have this address
 * @ip: the address
 *
 * Return: false for unspecified, loopback, multicast, IPv4 0/8 and 240/4, IPv6 link-local.
 */
bool ip_is_assignable(const struct ip *ip)
{
	ip_value value = ip_to_value(ip);

	if (ip->family == AF_INET)
		return ip->bytes[0] != 0 && ip->bytes[0] != 127 && ip->bytes[0] < 224;
	return value > 1 && ip->bytes[0] != 0xff && !ip_is_link_local(ip);
}

/**
 * ip_is_link_local() - is this an IPv6 address that only one link knows
 * @ip: the address
 *
 * Unlike a container, a router can be known by such an address alone.
 *
 * Return: true for fe80::/10.
 */
bool ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* A number from 0 to max and nothing else: no sign, no blanks, no leading zero. */
static bool parse_len(const char *text, unsigned max, uint8_t *ret)
{
	unsigned value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*ret = (uint8_t)value;
	return true;
}

/**
 * cidr_parse() - read ADDRESS/LEN
 * @text: the text; the host part may be set
 * @ret:  the address and the prefix length
 * @err:  filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int cidr_parse(const char *text, struct cidr *ret, struct error *err)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT];
	struct cidr cidr;
	int r;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return error_set(err, -EINVAL, "'%s' is not ADDRESS/LENGTH", text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	r = ip_parse(address, &cidr.ip, err);
	if (r < 0)
		return r;
	if (!parse_len(slash + 1, ip_bits(cidr.ip.family), &cidr.len))
		return error_set(err, -EINVAL, "'%s': the prefix length is not 0 to %u", text,
			ip_bits(cidr.ip.family));
	*ret = cidr;
	return 0;
}

/**
 * cidr_parse_subnet() - read a subnet: ADDRESS/LEN with no bit of the host part set
 * @text: the text
 * @ret:  the subnet
 * @err:  filled on failure; it names the subnet that was probably meant
 *
 * Return: 0 or -EINVAL.
 */
int cidr_parse_subnet(const char *text, struct cidr *ret, struct error *err)
{
	char meant[CIDR_TEXT];
	struct cidr cidr;
	struct cidr subnet;
	int r = cidr_parse(text, &cidr, err);

	if (r < 0)
		return r;
	subnet = cidr_subnet(&cidr);
	if (!ip_equal(&subnet.ip, &cidr.ip))
		return error_set(err, -EINVAL, "'%s' is not a subnet: did you mean '%s'?", text,
			cidr_format(&subnet, meant));
	*ret = cidr;
	return 0;
}

/**
 * cidr_format() - write ADDRESS/LEN
 * @cidr: the address or subnet
 * @ret:  where to
 *
 * Return: @ret.
 */
const char *cidr_format(const struct cidr *cidr, char ret[CIDR_TEXT])
{
	char address[IP_TEXT];
	char len[TEXT_UINT];

	return text_join(
		ret, CIDR_TEXT, ip_format(&cidr->ip, address), "/", text_uint(cidr->len, len));
}

/* The bits of the host part, all set. Shifting by the whole width is undefined, so in two steps. */
static ip_value host_mask(const struct cidr *cidr)
{
	unsigned host_bits = ip_bits(cidr->ip.family) - cidr->len;

	if (host_bits == 0)
		return 0;
	return ((((ip_value)1 << (host_bits - 1)) - 1) << 1) | 1;
}

/**
 * cidr_subnet() - the subnet that an address with its prefix length lies in
 * @cidr: the address
 *
 * Return: the subnet.
 */
struct cidr cidr_subnet(const struct cidr *cidr)
{
	ip_value value = ip_to_value(&cidr->ip) & ~host_mask(cidr);

	return (struct cidr){ ip_from_value(cidr->ip.family, value), cidr->len };
}

/**
 * cidr_first() - the lowest address of a subnet
 * @subnet: the subnet
 *
 * Return: the address.
 */
struct ip cidr_first(const struct cidr *subnet)
{
	return cidr_subnet(subnet).ip;
}

/**
 * cidr_last() - the highest address of a subnet
 * @subnet: the subnet
 *
 * Return: the address.
 */
struct ip cidr_last(const struct cidr *subnet)
{
	return ip_from_value(subnet->ip.family, ip_to_value(&subnet->ip) | host_mask(subnet));
}

/**
 * cidr_contains() - does an address lie in a subnet
 * @subnet: the subnet
 * @ip:     the address
 *
 * Return: true when it does; false too for the other family.
 */
bool cidr_contains(const struct cidr *subnet, const struct ip *ip)
{
	return subnet->ip.family == ip->family &&
	       ((ip_to_value(&subnet->ip) ^ ip_to_value(ip)) & ~host_mask(subnet)) == 0;
}

/**
 * cidr_overlaps() - do two subnets share an address
 * @a: one
 * @b: the other
 *
 * Return: true when they do: then one contains the other.
 */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return cidr_contains(a, &b->ip) || cidr_contains(b, &a->ip);
}

/**
 * cidr_reserves() - is this an address of the subnet that no host may have
 * @subnet: the subnet
 * @ip:     an address in it
 *
 * Return: true for IPv4's network and broadcast address (not in a /31, RFC 3021, nor a /32) and
 * for IPv6's subnet-router anycast address (RFC 4291 2.6.1; not in a /127, RFC 6164, nor a /128).
 */
bool cidr_reserves(const struct cidr *subnet, const struct ip *ip)
{
	ip_value host = ip_to_value(ip) & host_mask(subnet);

	if (subnet->len + 2U > ip_bits(subnet->ip.family))
		return false;
	return host == 0 || (subnet->ip.family == AF_INET && host == host_mask(subnet));
}

/**
 * mac_parse() - read a unicast MAC address: six pairs of hex digits with ':' or '-' between
 * @text: the text
 * @ret:  the address
 * @err:  filled on failure
 *
 * Return: 0 or -EINVAL; multicast and all zeroes are refused, as no interface can have them.
 */
int mac_parse(const char *text, uint8_t ret[MAC_SIZE], struct error *err)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint8_t mac[MAC_SIZE] = { 0 };
	static const uint8_t zero[MAC_SIZE];
	bool valid = strlen(text) == MAC_TEXT - 1;

	for (unsigned i = 0; valid && i < MAC_TEXT - 1; i++) {
		const char *digit = strchr(digits, text[i]);

		if (i % 3 == 2)
			valid = text[i] == text[2] && (text[i] == ':' || text[i] == '-');
		else if (!digit)
			valid = false;
		else
			mac[i / 3] = (uint8_t)(mac[i / 3] << 4 | (uint8_t)((digit - digits) % 16));
	}
	if (!valid)
		return error_set(err, -EINVAL, "'%s' is not a MAC address", text);
	if ((mac[0] & 1) || !memcmp(mac, zero, MAC_SIZE))
		return error_set(err, -EINVAL, "'%s' is not a unicast MAC address", text);
	memcpy(ret, mac, MAC_SIZE);
	return 0;
}

/**
 * mac_format() - write a MAC address as text
 * @mac: the address
 * @ret: where to
 *
 * Return: @ret.
 */
const char *mac_format(const uint8_t mac[MAC_SIZE], char ret[MAC_TEXT])
{
	char *to = ret;

	for (unsigned i = 0; i < MAC_SIZE; i++) {
		if (i > 0)
			*to++ = ':';
		to = text_put_hex(to, mac[i], 2);
	}
	*to = '\0';
	return ret;
}
