/* SPDX-License-Identifier: ISC */
/*
 * dns_options.h - the options of a daemon that asks DNS
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_COMMON_DNS_OPTIONS_H
#define POSTERN_COMMON_DNS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/dns.h"
#include "common/err.h"

/* Part of a daemon's configuration struct as its member named by
 * DNS_OPTIONS. */
struct dns_options {
	struct config_list nameservers; /* each one or several, see below */
	char *trust_anchor_file;        /* "" = no DNSSEC */
	int64_t question_timeout_s;
	int64_t cache_bytes;
};

/* The rows of struct dns_options for a table, see DAEMON_OPTIONS. */
#define DNS_OPTIONS(owner, member)                                             \
	{ .name = "Nameservers",                                               \
		.type = CONFIG_LIST,                                           \
		.offset = offsetof(owner, member.nameservers),                 \
		.check = dns_options_check_servers,                            \
		.argument = "ADDR[@PORT]",                                     \
		.help = "ask these (default: those of resolv.conf)" },         \
	    { .name = "TrustAnchorFile",                                       \
		    .type = CONFIG_STRING,                                     \
		    .offset = offsetof(owner, member.trust_anchor_file),       \
		    .initial = "",                                             \
		    .argument = "PATH",                                        \
		    .help = "check DNSSEC with these keys" },                  \
	    { .name = "QuestionTimeout",                                       \
		    .type = CONFIG_TIME,                                       \
		    .unit = 's',                                               \
		    .offset = offsetof(owner, member.question_timeout_s),      \
		    .initial = "8s",                                           \
		    .min = 1,                                                  \
		    .max = 60,                                                 \
		    .argument = "TIME",                                        \
		    .help = "time for a DNS question" },                       \
	{                                                                      \
		.name = "DNSCacheSize", .type = CONFIG_SIZE, .unit = 'b',      \
		.offset = offsetof(owner, member.cache_bytes),                 \
		.initial = "16M", .min = 1048576, .max = INT64_C(1) << 36,     \
		.argument = "SIZE", .help = "memory for DNS answers"           \
	}

/* Are these name servers: "ADDR" or "ADDR@PORT", several with blanks or commas
 * between them? Returns 0 or -1 with err. */
int dns_options_check_servers(const char *value, struct err *err);

/* The options as dns_new wants them, in a copy that outlives the
 * configuration; freed by dns_options_free. */
struct dns_config *dns_options_config(const struct dns_options *options);

/* Do both make the same resolver? */
bool dns_options_equal(const struct dns_config *a, const struct dns_config *b);

/* Frees what dns_options_config returned and sets it to NULL, which it may be
 * already. */
void dns_options_free(struct dns_config **config);

#endif
