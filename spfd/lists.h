/* SPDX-License-Identifier: ISC */
/*
 * lists.h - lists of networks and of domain names, as options hold them
 *
 * The text is what policyd-spf.conf has: elements with commas between them;
 * blanks may stand anywhere around. Networks may have host bits (they are
 * masked off), names any case and a dot at the end.
 *
 * Threads: any; pure, but for lists_read_file.
 */
#ifndef POSTERN_SPFD_LISTS_H
#define POSTERN_SPFD_LISTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/err.h"
#include "common/ip.h"

struct lists_nets {
	struct ip_net *items;
	size_t count;
};

struct lists_names {
	char **items; /* lower case, no dot at the end */
	size_t count;
};

/* Is the text a list of networks, or of names? For the option table; returns
 * 0, or -1 with a sentence that shows the element that is none. */
int lists_check_nets(const char *text, struct err *err);
/* The same for names. */
int lists_check_names(const char *text, struct err *err);

/* Adds the elements of a file to the option of that name, a list: commas,
 * blanks and line ends are between them, "#" begins a comment. Returns 0, or
 * -1 with "PATH:LINE: ". */
int lists_read_file(struct config *config, const char *option, const char *path,
    struct err *err);

/* Reads all texts of an option that were checked so. lists_free_* frees. */
struct lists_nets lists_nets(const struct config_list *texts);
/* The same for names. */
struct lists_names lists_names(const struct config_list *texts);

/* Frees the elements and empties the list. */
void lists_free_nets(struct lists_nets *nets);
/* Frees the elements and empties the list. */
void lists_free_names(struct lists_names *names);

/* Is ip in one of the networks? */
bool lists_has_ip(const struct lists_nets *nets, const struct ip *ip);

/* Is name one of the names? Case and a dot at its end do not matter. */
bool lists_has_name(const struct lists_names *names, const char *name);

/* Is name one of the names, or below one of them, label by label?
 * "mail.example.org" is below "example.org"; "badexample.org" is not. */
bool lists_covers_name(const struct lists_names *names, const char *name);

#endif
