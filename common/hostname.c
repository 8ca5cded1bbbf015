/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "common/hostname.h"
#include "common/xmem.h"

char *
hostname_or_own(const char *given)
{
	char name[256] = "";

	if (given[0] != '\0')
		return xmem_strdup(given);
	if (gethostname(name, sizeof(name) - 1) != 0)
		return xmem_strdup("localhost");
	return xmem_strdup(name);
}
