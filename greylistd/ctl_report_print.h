/* SPDX-License-Identifier: ISC */
/*
 * ctl_report_print.h - the report's triplets on standard output
 *
 * The columns are those of postgreyreport, so that scripts which cut them go
 * on working; a null sender is "<>".
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_REPORT_PRINT_H
#define POSTERN_GREYLISTD_CTL_REPORT_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ip.h"
#include "greylistd/key.h"

/* A triplet that the log names. */
struct ctl_report_triplet {
	char key[KEY_SIZE]; /* by host, whatever the configuration */
	struct ip ip;
	char *name; /* as first seen; these are owned */
	char *sender;
	char *recipient;
	char *time;
	unsigned long refused;  /* attempts that Postfix wrote down */
	unsigned long deferred; /* attempts that the policy server did */
	bool passed;            /* the log says that it passed once */
};

struct ctl_report_style {
	bool tries;
	bool time;
	bool tab;
	bool grouped;       /* by client, on several lines */
	const char *by_net; /* text before each network, or NULL; "\n" and
				 * "\t" are understood */
	const char *by_ip;
};

/* Sorts count triplets by address and prints them; key tells what a network
 * is. */
void ctl_report_print(struct ctl_report_triplet **all, size_t count,
    const struct key_config *key, const struct ctl_report_style *style,
    bool json);

#endif
