/* SPDX-License-Identifier: ISC */
/*
 * ip.h - IP addresses and networks: parse, print, mask, match
 *
 * Pure: no resolver is ever asked ("localhost" is not an address here).
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) is
 * the IPv4 address it stands for, from the moment it is parsed.
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_IP_H
#define POSTERN_COMMON_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any address as text: longer than "ffff:...:255.255.255.255". */
#define IP_TEXT_SIZE 48

enum ip_family {
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ip {
	enum ip_family family;
	uint8_t bytes[16]; /* network order; IPv4 in the first 4, rest 0 */
};

struct ip_net {
	struct ip base;  /* host bits are zero */
	unsigned prefix; /* 0..32 or 0..128 */
};

/* How many bits an address of this family has: 32 or 128. */
unsigned ip_bits(enum ip_family family);

/* Parses an address: dotted quad with four decimal numbers (no leading
 * zeros), or RFC 4291 text. No zone, no brackets, no blanks. Returns false
 * for everything else; ip_r is then undefined. */
bool ip_parse(const char *text, struct ip *ip_r);

/* Writes RFC 5952 text (compressed, lower case) and returns buf. */
const char *ip_format(const struct ip *ip, char buf[static IP_TEXT_SIZE]);

/* Writes IPv6 without "::" and without leading zeros
 * ("2001:db8:0:0:0:0:0:1"), IPv4 dotted; postgrey's key form. Returns buf. */
const char *ip_format_plain(const struct ip *ip, char buf[static IP_TEXT_SIZE]);

/* Sets all bits beyond the first prefix bits to zero. */
void ip_mask(struct ip *ip, unsigned prefix);

/* Are both the same address? */
bool ip_equal(const struct ip *a, const struct ip *b);

/* Parses ADDRESS or ADDRESS/PREFIX; host bits are masked off. A prefix of an
 * IPv4-mapped address counts from the IPv6 side and must be >= 96. Returns
 * false when it is neither. */
bool ip_net_parse(const char *text, struct ip_net *net_r);

/* Is ip in net? Families never match each other. */
bool ip_net_contains(const struct ip_net *net, const struct ip *ip);

#endif
