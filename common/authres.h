/* SPDX-License-Identifier: ISC */
/*
 * authres.h - Authentication-Results: build, parse, and know our own
 *
 * Whoever reads results must first delete what strangers wrote in our name.
 * authres_claims finds a field that bears our identifier in any disguise:
 * another case, quotes, comments, folding, a version, a field that does not
 * parse or is oversized. In doubt it is ours: deleting a foreign field costs
 * nothing.
 *
 * Sources: RFC 8601, RFC 8616 section 5 (internationalised mail).
 * Threads: any.
 */
#ifndef POSTERN_COMMON_AUTHRES_H
#define POSTERN_COMMON_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/header.h"
#include "common/str.h"

/* The field's name. */
#define AUTHRES_NAME "Authentication-Results"
/* Larger values are not parsed. */
#define AUTHRES_VALUE_MAX 65536
/* More results, or properties of one result, are a syntax error. */
#define AUTHRES_RESULTS_MAX 100
#define AUTHRES_PROPERTIES_MAX 64

/* "header.d=example.com". */
struct authres_property {
	const char *type;  /* "smtp", "header", "body", "policy" */
	const char *name;  /* "d" */
	const char *value; /* unquoted; may hold anything but control
			    * characters */
};

/* "dkim=pass (2048-bit key) reason="..." header.d=..." */
struct authres_result {
	const char *method;  /* "dkim" */
	unsigned version;    /* of the method; 1 unless it says otherwise */
	const char *result;  /* "pass" */
	const char *reason;  /* NULL = none */
	const char *comment; /* for building: in brackets after the result,
			      * NULL = none; parsing drops comments */
	const struct authres_property *properties;
	size_t property_count;
};

struct authres {
	const char *authserv_id; /* unquoted */
	unsigned version;        /* 1 unless it says otherwise */
	const struct authres_result *results;
	size_t result_count; /* 0: "none" */
};

/* Appends the value of a field (without name and leading space): one result
 * per line, lines folded with "\n\t", a line of more than 900 characters once
 * more. Values that are no token or address are quoted, base64 as well;
 * control characters and invalid UTF-8 become "?"; a comment's brackets are
 * escaped. An identifier may have "/" and a job's number behind it without
 * quotes, as opendkim writes it. Methods, results, types and names must be
 * keywords (letters, digits, "-"). The caller's buffer bounds it:
 * s->truncated says when it did not fit. */
void authres_format(struct str *s, const struct authres *authres);

/* Parses a value (as header.h keeps it) strictly; what it forgives is "/" in
 * an identifier, and "/" "=" "?" ":" in a property's value without quotes.
 * Keywords come in lower case; a quoted local part with a domain behind it
 * comes without its quotes. All texts are in arena. Returns 0 or -1 with a
 * sentence. */
int authres_parse(const char *value, size_t len, struct arena *arena,
    struct authres *authres_r, struct err *err);

/* Is field an Authentication-Results field (only that name, blanks before the
 * colon or not; no X- or ARC- form) that claims to come from authserv_id, in
 * any disguise, or of which it cannot be told? Another's it is only when a
 * plain ASCII identifier (perhaps quoted as a whole) and perhaps a version
 * stand before the first semicolon or the end, comments and blanks aside. Case
 * does not count, nor dots at the end, nor "/" and what follows it. An
 * identifier in UTF-8 is a claim: it might be the U-labels of ours. */
bool authres_claims(const struct header_field *field, const char *authserv_id);

/* Appends the identifier of an Authentication-Results field, whatever stands
 * behind it, without "/" and what follows it and without dots at the end.
 * Returns false where authres_claims cannot tell whose it is. */
bool authres_speaker(const struct header_field *field, struct str *s);

/* Can this text be an AuthservID in our configuration: a host name or another
 * ASCII token (RFC 2045: no blanks, quotes, brackets, "/", ";" ...), at most
 * 255 bytes? */
bool authres_id_ok(const char *text);

#endif
