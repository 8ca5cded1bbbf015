/* SPDX-License-Identifier: ISC */
/*
 * options.h - spfd's configuration: the struct and its table
 *
 * Every option of policyd-spf.conf(5) is here under its own name and with
 * its own meaning, so that this file is read as it is; the rest are ours.
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_SPFD_OPTIONS_H
#define POSTERN_SPFD_OPTIONS_H

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
#define OPTIONS_FILE "/etc/postern/spfd.conf"
/* The same when called as policyd-spf. */
#define OPTIONS_POLICYD_SPF_FILE                                               \
	"/etc/postfix-policyd-spf-python/policyd-spf.conf"

/* What to answer when a check cannot be made. */
enum options_on_error {
	OPTIONS_ON_ERROR_PASS,
	OPTIONS_ON_ERROR_TEMPFAIL,
};

/* Header_Type. */
enum options_header {
	OPTIONS_HEADER_SPF,
	OPTIONS_HEADER_AR,
	OPTIONS_HEADER_NONE,
	OPTIONS_HEADER_BOTH,
};

struct options {
	struct daemon_config daemon;

	struct sockset_options sockets;
	struct policysrv_config policysrv;

	int64_t max_sessions; /* checks at the same time */
	int on_error;         /* enum options_on_error */

	struct dns_options dns;

	int64_t test_only;           /* 1 = live, 0 = headers only */
	int helo_reject;             /* enum verdict_reject */
	int mailfrom_reject;         /* enum verdict_reject */
	int softfail_action;         /* enum verdict_softfail */
	char *helo_pass_restriction; /* "" = none */
	char *mailfrom_pass_restriction;
	bool no_mail;
	struct config_list reject_not_pass_domains;
	bool permerror_reject;
	bool temperror_defer;

	char *prospective; /* an address, or "" */
	bool skip_authenticated;
	struct config_list external_relay;
	struct config_list skip_addresses;
	struct config_list whitelist;
	struct config_list helo_whitelist;
	struct config_list domain_whitelist;
	struct config_list domain_whitelist_ptr;

	bool enhanced_codes;
	int header_type; /* enum options_header */
	bool hide_receiver;
	char *authserv_id;    /* HOSTNAME = ask the system */
	char *hostname;       /* "" = ask the system */
	char *reason_message; /* templates, see text.h */
	char *reason_url;

	int64_t lookup_time_s;
	int64_t whitelist_lookup_time_s;
	int64_t void_limit;

	bool mock;
	bool queue_id;
	char *per_user; /* "text,/path", "/path", or "" */
};

/* The table, ended by CONFIG_END. */
extern const struct config_option options_table[];

/* What differs from the common options. */
extern const struct daemon_default options_spfd_defaults[];
/* What differs when the program is called as policyd-spf. */
extern const struct daemon_default options_policyd_spf_defaults[];

/* Checks that the options fit together. Returns 0 or -1 with err. */
int options_check(struct config *config, struct err *err);

/* The path within Per_User, or NULL when there is none. */
const char *options_per_user_path(const struct options *options);

#endif
