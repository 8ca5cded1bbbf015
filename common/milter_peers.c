/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/milter_int.h"

void
milter_peers_name(int listener, struct milter_name *name_r)
{
	name_r->len = sizeof(name_r->address);
	if (getsockname(listener, (struct sockaddr *)&name_r->address,
		&name_r->len) < 0)
		name_r->len = 0;
}

static in_port_t
port_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6
		   ? ((const struct sockaddr_in6 *)(const void *)address)
			 ->sin6_port
		   : ((const struct sockaddr_in *)(const void *)address)
			 ->sin_port;
}

/* Is fd the other end of somebody who connected to name? An accepted socket
 * has the name of the one that it came from; but a listener on all addresses
 * has none of its own, so of TCP only the port counts. */
static bool
is_peer(int fd, const struct milter_name *name)
{
	struct milter_name own;

	milter_peers_name(fd, &own);
	if (own.len == 0 || own.address.ss_family != name->address.ss_family)
		return false;
	if (own.address.ss_family == AF_UNIX)
		return own.len == name->len &&
		       memcmp(&own.address, &name->address, own.len) == 0;
	return (own.address.ss_family == AF_INET ||
		   own.address.ss_family == AF_INET6) &&
	       port_of(&own.address) == port_of(&name->address);
}

bool
milter_peers_any(const struct milter_name *name)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	bool found = false;

	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' &&
			is_peer((int)strtol(entry->d_name, NULL, 10), name);
	(void)closedir(dir);
	return found;
}
