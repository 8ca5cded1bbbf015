/* SPDX-License-Identifier: ISC */
/* What answers say, without asking. */
#include <string.h>

#include "common/dns.h"
#include "common/ip.h"
#include "common/str.h"

bool
dns_has_address(const struct dns_answer *answer, const struct ip *ip)
{
	size_t len = ip_bits(ip->family) / 8;

	for (size_t i = 0; i < answer->count; i++)
		if (answer->records[i].len == len &&
		    memcmp(answer->records[i].data, ip->bytes, len) == 0)
			return true;
	return false;
}

const char *
dns_status_name(enum dns_status status)
{
	switch (status) {
	case DNS_FOUND:
		return "found";
	case DNS_NO_DATA:
		return "no data";
	case DNS_NO_NAME:
		return "no such name";
	case DNS_TEMPORARY:
		return "temporary failure";
	case DNS_BOGUS:
		return "bogus";
	}
	return "?";
}

const char *
dns_reverse_name(const struct ip *ip, char buf[static DNS_REVERSE_SIZE])
{
	struct str s;
	size_t i;

	str_init(&s, buf, DNS_REVERSE_SIZE);
	if (ip->family == IP_V4) {
		str_addf(&s, "%u.%u.%u.%u.in-addr.arpa", ip->bytes[3],
		    ip->bytes[2], ip->bytes[1], ip->bytes[0]);
		return buf;
	}
	for (i = 16; i > 0; i--)
		str_addf(&s, "%x.%x.", ip->bytes[i - 1] & 0x0fU,
		    ip->bytes[i - 1] >> 4);
	str_add(&s, "ip6.arpa");
	return buf;
}
