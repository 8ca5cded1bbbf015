/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <idn2.h>

#include "common/spfidn.h"

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((*text & 0x80) != 0)
			return false;
	}
	return true;
}

static bool
copy(const char *domain, char out[static SPFIDN_SIZE])
{
	size_t len = strlen(domain);

	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (len >= SPFIDN_SIZE)
		return false;
	memcpy(out, domain, len);
	out[len] = '\0';
	return true;
}

bool
spfidn_to_ascii(const char *domain, char out[static SPFIDN_SIZE])
{
	char *converted = NULL;
	bool good;

	out[0] = '\0';
	if (is_ascii(domain))
		return copy(domain, out);
	if (idn2_to_ascii_8z(domain, &converted,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	good = copy(converted, out);
	idn2_free(converted);
	return good;
}
