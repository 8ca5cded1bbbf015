/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <idn2.h>

#include "common/spfidn.h"
#include "common/str.h"

/* A name of 253 characters has no more bytes of UTF-8. Conversion takes time
 * with the square of a label's length. */
#define UTF8_MAX 1024

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
	if (str_is_ascii(domain))
		return copy(domain, out);
	if (strlen(domain) > UTF8_MAX ||
	    idn2_to_ascii_8z(domain, &converted,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	good = copy(converted, out);
	idn2_free(converted);
	return good;
}
