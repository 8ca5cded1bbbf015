/* SPDX-License-Identifier: ISC */
/*
 * ctl_txt.h - key records as they are published: TXT and zone file text
 *
 * Sources: RFC 6376 sections 3.2 and 3.6.1, RFC 8463 section 4, RFC 1035
 * section 5.1.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_CTL_TXT_H
#define POSTERN_DKIMD_CTL_TXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/str.h"

/* Bytes of a note: all of them escaped, it still fits a record. */
#define CTL_TXT_NOTE_MAX 200
/* Room for a record of the largest key, and for its zone file text. */
#define CTL_TXT_SIZE 4096

/* What the record of a key says. */
struct ctl_txt {
	const char *type;   /* k=: "rsa", "ed25519" */
	const char *key;    /* p=: base64 */
	const char *hashes; /* h=: "sha256", "" = none */
	const char *note;   /* n=, NULL = none */
	bool is_test;       /* t=y */
	bool is_strict;     /* t=s: not for subdomains in i= */
	bool is_email;      /* s=email */
};

/* Appends the record: "v=DKIM1; h=sha256; k=rsa; p=...". What a tag cannot
 * hold is escaped in the note. */
void ctl_txt_record(struct str *s, const struct ctl_txt *txt);

/* Appends the record as a line of a zone file, in strings of at most 250
 * bytes, with a comment that names selector and domain ("" = none). The name
 * ends in the domain and a dot when is_absolute, else it is relative to the
 * domain's zone. */
void ctl_txt_zone(struct str *s, const char *selector, const char *domain,
    bool is_absolute, const char *record);

/* Is it a host name or a selector: labels of letters, digits, "-" and "_" with
 * single dots between, no "-" at their ends, of at most 63 and in all max
 * bytes? */
bool ctl_txt_name_ok(const char *name, size_t max);

/* Is it a list for h=: names of letters and digits, with "-", between colons,
 * "sha256" among them? */
bool ctl_txt_hashes_ok(const char *hashes);

#endif
