/* SPDX-License-Identifier: ISC */
/*
 * whitelist.h - postgrey's whitelist files of clients and of recipients
 *
 * One pattern a line, "#" starts a comment anywhere, blanks around are cut.
 * Clients, the first form that fits:
 *
 *     /REGEX/         on the client's name: Perl syntax, no case, unanchored,
 *                     no blanks
 *     a.b.c.d[/n]  a.b.c = /24  a.b = /16   IPv4 address or network
 *     x:y::z[/n]                            IPv6 address or network
 *     NAME            that host name or any below it; a leading or trailing
 *                     dot does not matter
 *
 * Recipients: /REGEX/ on the address; user@domain (also user+ext@domain);
 * user@ at any domain (also user+ext@); domain and all below it.
 *
 * Names are found by hashing, not by walking the list: a request costs the
 * same with ten names and with ten thousand.
 *
 * Source: postgrey(8), WHITELISTS. Differences: a.b is /16 as postgrey's
 * manual says; 0.0.0.0/0 and ::/0 match their own family only.
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_WHITELIST_H
#define POSTERN_GREYLISTD_WHITELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ip.h"

struct whitelist;

enum whitelist_kind {
	WHITELIST_CLIENTS,
	WHITELIST_RECIPIENTS,
};

/* Told about each line that is not used: "FILE line N: what is wrong". */
typedef void whitelist_warn_fn(void *arg, const char *text);

struct whitelist_faults {
	unsigned lines;      /* lines skipped, of any kind */
	unsigned regexes;    /* of these: regular expressions that do not
				 * compile */
	unsigned files;      /* files that could not be read (a missing one
				 * whose name ends in ".local" is no fault) */
	unsigned unreadable; /* of these: not for being missing */
};

/* Reads count files into a new list (never NULL; empty when nothing could be
 * read). */
struct whitelist *whitelist_load(enum whitelist_kind kind, char *const *files,
    size_t count, whitelist_warn_fn *warn, void *arg,
    struct whitelist_faults *faults_r);

/* Adds patterns from text in memory; name stands for the file. */
void whitelist_parse(struct whitelist *list, const char *name, const char *text,
    size_t len, whitelist_warn_fn *warn, void *arg,
    struct whitelist_faults *faults_io);

/* An empty list. */
struct whitelist *whitelist_new(enum whitelist_kind kind);

/* Frees the list; sets *list to NULL. */
void whitelist_free(struct whitelist **list);

/* How many patterns are in use. */
size_t whitelist_count(const struct whitelist *list);

/* Is the client listed? name is its host name as Postfix verified it ("" or
 * "unknown" match no name pattern but regular expressions), ip its address
 * (NULL when there is none). */
bool whitelist_has_client(
    const struct whitelist *list, const char *name, const struct ip *ip);

/* Is the recipient address listed? */
bool whitelist_has_recipient(
    const struct whitelist *list, const char *recipient);

#endif
