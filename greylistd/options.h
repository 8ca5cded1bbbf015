/* SPDX-License-Identifier: ISC */
/*
 * options.h - greylistd's configuration: the struct and its table
 *
 * Every option of postgrey 1.37 is here under its own name, so that the same
 * table serves greylistd.conf(5), greylistd's command line and postgrey's.
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_GREYLISTD_OPTIONS_H
#define POSTERN_GREYLISTD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/args.h"
#include "common/config.h"
#include "common/daemon.h"
#include "common/dns_options.h"
#include "common/err.h"
#include "common/policysrv.h"
#include "common/sockset.h"

/* The configuration file when no -c is given (and it exists). */
#define OPTIONS_FILE "/etc/postern/greylistd.conf"
/* The database's name below postgrey's --dbdir. */
#define OPTIONS_DATABASE_NAME "greylist.db"

/* What to answer when the store fails. */
enum options_on_error {
	OPTIONS_ON_ERROR_PASS,
	OPTIONS_ON_ERROR_TEMPFAIL,
};

/* What stands for the network in the key when SPF passes. */
enum options_spf_keys {
	OPTIONS_SPF_KEYS_NO,
	OPTIONS_SPF_KEYS_NETWORK, /* the sender's domain */
	OPTIONS_SPF_KEYS_SENDER,  /* and for the local part too */
};

struct options {
	struct daemon_config daemon;

	struct sockset_options sockets;
	struct policysrv_config policysrv;

	char *database;      /* path of the SQLite file */
	int64_t max_entries; /* triplets */
	int on_error;        /* enum options_on_error */

	int64_t delay_s;
	int64_t retry_window_s;
	int64_t max_age_s;
	int64_t auto_whitelist_clients; /* 0 = off */
	bool lookup_by_host;
	int64_t ipv4_cidr;
	int64_t ipv6_cidr;
	bool privacy;
	bool dry_run;

	struct config_list whitelist_clients;
	struct config_list whitelist_recipients;
	char *recipient_table; /* "" = none */

	char *greylist_action;
	char *greylist_text;
	char *x_greylist_header;
	char *hostname; /* "" = ask the system */
	bool quiet;     /* no line per decision */

	/* What asks DNS, see selection.h. */
	bool selective;
	int64_t suspicion_threshold;
	struct config_list suspicion_scores;
	struct config_list dnsbl;
	struct config_list dnswl;
	bool dns_list_tests;
	struct config_list provider_domains;
	int spf_keys; /* enum options_spf_keys */
	int64_t dns_budget_s;
	struct dns_options dns;

	/* Not options, set by the checks below. */
	bool as_postgrey; /* called by that name */
};

/* The table, ended by CONFIG_END. */
extern const struct config_option options_table[];

/* One-letter options, the same as postgrey's. */
extern const struct args_short options_letters[];

/* What differs when the program is called as postgrey. */
extern const struct daemon_default options_postgrey_defaults[];
/* What differs from the common options when it is called greylistd. */
extern const struct daemon_default options_greylistd_defaults[];

/* Checks that the options fit together. Returns 0 or -1 with err. */
int options_check(struct config *config, struct err *err);

/* The same for a program called postgrey: a socket must be given, and with
 * both kinds the TCP socket wins. */
int options_check_postgrey(struct config *config, struct err *err);

/* The files of a whitelist that are to be read: those of the list, and the
 * ".local" twin when the list is the default (given is false). Returns the
 * array of *count_r texts; the caller frees each and the array. */
char **options_whitelist_files(
    const struct config_list *list, bool given, size_t *count_r);

/* Frees what options_whitelist_files returned. */
void options_free_files(char **files, size_t count);

#endif
