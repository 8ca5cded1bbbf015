/* SPDX-License-Identifier: ISC */
/*
 * hostname.h - what this machine is called
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_HOSTNAME_H
#define POSTERN_COMMON_HOSTNAME_H

/* Returns a copy of given or, when that is "", the machine's name; "localhost"
 * when it has none. To be freed by xmem_free. */
char *hostname_or_own(const char *given);

#endif
