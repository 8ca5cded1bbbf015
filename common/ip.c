/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "common/ip.h"
#include "common/str.h"

/* RFC 4291 section 2.5.5.2: 80 bits of zero, 16 of one. */
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };
#define MAPPED_BITS 96u

unsigned
ip_bits(enum ip_family family)
{
	return family == IP_V4 ? 32 : 128;
}

/* By hand rather than by inet_pton: this one runs for every request. */
static bool
parse_v4(const char *text, uint8_t bytes[static 4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;

		for (; *text >= '0' && *text <= '9'; text++) {
			if (++digits > 3 || (digits > 1 && value == 0))
				return false;
			value = value * 10 + (unsigned)(*text - '0');
		}
		if (digits == 0 || value > 255)
			return false;
		bytes[i] = (uint8_t)value;
		if (*text++ != (i < 3 ? '.' : '\0'))
			return false;
	}
	return true;
}

/* Takes the IPv4 address out of a mapped one; says whether it was one. */
static bool
unmap(struct ip *ip)
{
	if (memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
		return false;
	memcpy(ip->bytes, ip->bytes + sizeof(mapped_prefix), 4);
	memset(ip->bytes + 4, 0, sizeof(ip->bytes) - 4);
	ip->family = IP_V4;
	return true;
}

/* was_mapped_r: was it written as an IPv6 address that stands for an IPv4
 * one? */
static bool
parse(const char *text, struct ip *ip_r, bool *was_mapped_r)
{
	*was_mapped_r = false;
	memset(ip_r, 0, sizeof(*ip_r));
	if (strchr(text, ':') == NULL) {
		ip_r->family = IP_V4;
		return parse_v4(text, ip_r->bytes);
	}
	ip_r->family = IP_V6;
	if (inet_pton(AF_INET6, text, ip_r->bytes) != 1)
		return false;
	*was_mapped_r = unmap(ip_r);
	return true;
}

bool
ip_parse(const char *text, struct ip *ip_r)
{
	bool was_mapped;

	return parse(text, ip_r, &was_mapped);
}

/* printf takes ten times as long, and every key has an address in it. */
static void
add_number(struct str *s, unsigned value, unsigned base)
{
	char digits[8];
	size_t at = sizeof(digits);

	assert(value <= 0xffff && base >= 10);
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	str_add_bytes(s, digits + at, sizeof(digits) - at);
}

static void
add_v4(struct str *s, const uint8_t *bytes)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			str_add_char(s, '.');
		add_number(s, bytes[i], 10);
	}
}

static unsigned
group(const struct ip *ip, unsigned i)
{
	return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* RFC 5952 section 4.2: the longest run of two or more zero groups, the
 * first of equals. Returns its length, 0 when there is none. */
static unsigned
longest_zero_run(const struct ip *ip, unsigned *start_r)
{
	unsigned best = 0, run = 0;

	*start_r = 0;
	for (unsigned i = 0; i < 8; i++) {
		run = group(ip, i) == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*start_r = i + 1 - run;
		}
	}
	return best >= 2 ? best : 0;
}

const char *
ip_format(const struct ip *ip, char buf[static IP_TEXT_SIZE])
{
	struct str s;
	unsigned start, run;

	str_init(&s, buf, IP_TEXT_SIZE);
	if (ip->family == IP_V4) {
		add_v4(&s, ip->bytes);
		return buf;
	}
	run = longest_zero_run(ip, &start);
	for (unsigned i = 0; i < 8; i++) {
		if (run > 0 && i == start) {
			str_add(&s, "::");
			i += run - 1;
			continue;
		}
		if (i > 0 && !(run > 0 && i == start + run))
			str_add_char(&s, ':');
		add_number(&s, group(ip, i), 16);
	}
	return buf;
}

const char *
ip_format_plain(const struct ip *ip, char buf[static IP_TEXT_SIZE])
{
	struct str s;

	str_init(&s, buf, IP_TEXT_SIZE);
	if (ip->family == IP_V4) {
		add_v4(&s, ip->bytes);
		return buf;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i > 0)
			str_add_char(&s, ':');
		add_number(&s, group(ip, i), 16);
	}
	return buf;
}

void
ip_mask(struct ip *ip, unsigned prefix)
{
	unsigned whole = prefix / 8;

	if (prefix >= ip_bits(ip->family))
		return;
	ip->bytes[whole] &= (uint8_t)(0xff00u >> prefix % 8);
	memset(ip->bytes + whole + 1, 0, sizeof(ip->bytes) - whole - 1);
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
ip_net_parse(const char *text, struct ip_net *net_r)
{
	char address[IP_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned long long prefix;
	bool was_mapped;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse(address, &net_r->base, &was_mapped))
		return false;
	net_r->prefix = ip_bits(net_r->base.family);
	if (slash == NULL)
		return true;
	if (!str_to_uint(slash + 1, was_mapped ? 128 : net_r->prefix, &prefix))
		return false;
	if (was_mapped) {
		if (prefix < MAPPED_BITS)
			return false;
		prefix -= MAPPED_BITS;
	}
	net_r->prefix = (unsigned)prefix;
	ip_mask(&net_r->base, net_r->prefix);
	return true;
}

bool
ip_net_contains(const struct ip_net *net, const struct ip *ip)
{
	unsigned whole = net->prefix / 8;
	unsigned rest = net->prefix % 8;

	if (net->base.family != ip->family ||
	    memcmp(net->base.bytes, ip->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (net->base.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}
