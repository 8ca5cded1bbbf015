/* SPDX-License-Identifier: ISC */
/*
 * authres_int.h - what the files of authres share
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_AUTHRES_INT_H
#define POSTERN_COMMON_AUTHRES_INT_H

#include "common/authres.h"

/* Of methods, results, types and names. */
bool authres_is_keyword_char(char c);

/* RFC 2045 section 5.1. */
bool authres_is_token_char(char c);

/* Of an identifier: opendkim's "host/job" is no token, but many write and read
 * it. */
bool authres_is_id_char(char c);

#endif
