/* SPDX-License-Identifier: ISC */
/*
 * options.h - dkimd's configuration: the struct and its table
 *
 * Every option of opendkim.conf(5) is here under its own name and with its
 * own meaning, so that this file is read as it is: those that cannot be
 * honoured either have no effect on what mail is signed or how it is judged
 * (one notice), or stop the start with what to write instead. The rest are
 * ours.
 *
 * Datasets and host lists are texts here, see dataset.h and hostlist.h; they
 * are read by settings.h.
 *
 * Threads: start-up only; settings keep a copy that all threads may read.
 */
#ifndef POSTERN_DKIMD_OPTIONS_H
#define POSTERN_DKIMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/args.h"
#include "common/config.h"
#include "common/daemon.h"
#include "common/dns_options.h"
#include "common/err.h"
#include "common/sockset.h"

/* The configuration file when no -c is given (and it exists). */
#define OPTIONS_FILE "/etc/postern/dkimd.conf"
/* The same when called as opendkim. */
#define OPTIONS_OPENDKIM_FILE "/etc/opendkim.conf"

/* MaximumHeaders is never more; options_check makes it of 0. */
#define OPTIONS_HEADERS_MAX (16 * INT64_C(1048576))

/* What an On-* option wants to be done with the message. */
enum options_action {
	OPTIONS_ACCEPT,
	OPTIONS_DISCARD,
	OPTIONS_QUARANTINE,
	OPTIONS_REJECT,
	OPTIONS_TEMPFAIL,
};

/* BogusKey and UnprotectedKey: what a signature becomes whose key's DNSSEC
 * chain is broken, or absent. */
enum options_key_trust {
	OPTIONS_KEY_FAIL,
	OPTIONS_KEY_NEUTRAL,
	OPTIONS_KEY_NONE, /* as if nothing were known */
};

/* Minimum: how much of the body a signature with l= has to cover. */
enum options_minimum {
	OPTIONS_MINIMUM_NONE,
	OPTIONS_MINIMUM_BYTES,   /* at least so many, or all */
	OPTIONS_MINIMUM_PERCENT, /* of the body */
	OPTIONS_MINIMUM_REST,    /* at most so many bytes uncovered */
};

struct options {
	struct daemon_config daemon;

	/* The milter's socket and limits. */
	struct sockset_options sockets; /* exactly one, unless by systemd */
	bool background;
	char *base_directory; /* for relative paths; "" = "/" */
	int64_t max_sessions;
	int64_t max_messages;
	int64_t session_timeout_s;
	int64_t max_recipients;
	int64_t max_fields;
	int64_t maximum_headers; /* bytes; over: On-Security, when the option
				  * was given */

	/* DNS. */
	struct dns_options dns;
	char *test_public_keys; /* path; "" = ask DNS */

	/* Log. */
	bool syslog;
	char *syslog_name; /* "" = the program's name */
	bool syslog_success;
	bool log_why;
	bool log_results;

	/* Whose mail is signed, whose is left alone. */
	char *mode;                 /* "sv", "s", "v" */
	char *internal_hosts;       /* host list */
	char *external_ignore_list; /* host list */
	char *peer_list;            /* host list */
	char *exempt_domains;       /* dataset */
	char *mta;                  /* dataset of {daemon_name} */
	char *macro_list;           /* dataset */
	char *dont_sign_mail_to;    /* dataset */
	char *sender_headers;       /* csl */
	char *sender_macro;         /* "" = the header decides */
	char *sign_only_own_from;   /* "" or no; yes; dataset */

	/* Keys. */
	char *domain;   /* dataset */
	char *key_file; /* path or credential:NAME */
	char *selector;
	char *key_table;     /* dataset */
	char *signing_table; /* dataset */
	char *key_directory; /* path */
	bool sub_domains;
	bool multiple_signatures;
	bool require_safe_keys;
	int64_t minimum_key_bits;

	/* How signatures look. */
	char *canonicalization;
	int64_t signature_ttl_s; /* 0 = no x= */
	char *sign_headers;      /* dataset, with deltas */
	char *omit_headers;
	char *oversign_headers;
	bool remove_old_signatures;

	/* Verifying. */
	int64_t maximum_signatures;
	int64_t clock_drift_s;
	char *minimum;               /* see options_parse_minimum */
	char *must_be_signed;        /* dataset */
	char *trust_signatures_from; /* dataset of domains; "" = all */
	int bogus_key;               /* enum options_key_trust */
	int unprotected_key;         /* enum options_key_trust */
	bool strict_headers;
	bool required_headers;
	bool ignore_malformed_mail;

	/* Fields of the header. */
	char *authserv_id; /* "" = Postfix's myhostname; HOSTNAME */
	bool authserv_id_with_job_id;
	bool always_add_ar_header;
	bool no_header_b;
	bool keep_auth_results;
	int64_t prepended_results; /* fields on top that policy servers of
				    * ours added */
	bool remove_ar_all;
	char *remove_ar_from; /* host list */
	bool software_header;

	/* What becomes of messages: enum options_action. */
	int on_default;
	int on_bad_signature;
	int on_dns_error;
	int on_internal_error;
	int on_key_not_found;
	int on_no_signature;
	int on_security;
	int on_signature_error;
	bool quarantine;
	bool capture_unknown_errors;
};

/* The table, ended by CONFIG_END. */
extern const struct config_option options_table[];

/* For args_spec: files are written as opendkim.conf(5) says. */
#define OPTIONS_STYLE CONFIG_STYLE_OPENDKIM

/* What differs from the common options. */
extern const struct daemon_default options_dkimd_defaults[];
/* What differs when the program is called as opendkim. */
extern const struct daemon_default options_opendkim_defaults[];

/* Checks that the options fit together, and lets On-Default act. Returns 0
 * or -1 with err. */
int options_check(struct config *config, struct err *err);

/* Background, for struct daemon_spec. */
bool options_is_background(const struct config *config);
/* SyslogName, for struct daemon_spec. */
const char *options_log_name(const struct config *config);

/* Parses Minimum ("N", "N%", "N+"; "" = none). Returns 0 or -1 with err. */
int options_parse_minimum(const char *text, enum options_minimum *kind_r,
    int64_t *number_r, struct err *err);

#endif
