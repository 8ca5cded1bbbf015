/* SPDX-License-Identifier: ISC */
/*
 * result.h - what became of a signature
 *
 * Sources: RFC 8601 section 2.7.1, RFC 6376 section 3.9.
 */
#ifndef POSTERN_DKIMD_RESULT_H
#define POSTERN_DKIMD_RESULT_H

/* In the words of RFC 8601. */
enum result {
	RESULT_NONE, /* no signature; or: not decided yet */
	RESULT_PASS,
	RESULT_FAIL,
	RESULT_POLICY,
	RESULT_NEUTRAL,
	RESULT_TEMPERROR,
	RESULT_PERMERROR,
};

/* "none", "pass", ... */
const char *result_name(enum result result);

#endif
