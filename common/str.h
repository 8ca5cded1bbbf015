/* SPDX-License-Identifier: ISC */
/*
 * str.h - text in bounded buffers: build, trim, compare, make printable
 *
 * All case rules are ASCII's, whatever the locale: that is what SMTP and DNS
 * mean by case.
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_STR_H
#define POSTERN_COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A builder over the caller's buffer. text is NUL-terminated after every
 * call; what does not fit is dropped and truncated says so. */
struct str {
	char *text; /* borrowed from the caller of str_init */
	size_t len; /* without the NUL, < cap */
	size_t cap;
	bool truncated;
};

/* Starts an empty text in buf of cap bytes (cap >= 1). buf stays the
 * caller's and must outlive s. */
void str_init(struct str *s, char *buf, size_t cap);

/* Appends len bytes as they are (also NUL bytes). */
void str_add_bytes(struct str *s, const char *bytes, size_t len);

/* Appends a NUL-terminated text. */
void str_add(struct str *s, const char *text);

/* Appends one character. */
void str_add_char(struct str *s, char c);

/* Appends formatted text. */
void str_addf(struct str *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends len hostile bytes for a log or a reply: bytes outside 0x20..0x7e
 * and those in also (a NUL-terminated set, may be "") as %XX with upper-case
 * hex digits. Nothing is cut within a %XX. */
void str_add_escaped(
    struct str *s, const char *bytes, size_t len, const char *also);

/* Cuts blanks (space, tab, CR, LF) from both ends of text in place and
 * returns the first character that stays. */
char *str_trim(char *text);

/* Folds the len bytes at text to ASCII lower case in place. */
void str_lower(char *text, size_t len);

/* Is a equal to b, without regard to ASCII case? */
bool str_equal_nocase(const char *a, const char *b);

/* Does text begin with prefix, without regard to ASCII case? */
bool str_has_prefix_nocase(const char *text, const char *prefix);

/* Are a and b the same option name: without regard to case, '-' and '_'? */
bool str_equal_name(const char *a, const char *b);

/* How many single-character edits (insert, delete, replace; names compared
 * as in str_equal_name) turn a into b; at most 64. For "did you mean". */
unsigned str_distance(const char *a, const char *b);

/* Is all of text ASCII? */
bool str_is_ascii(const char *text);

/* How often c is in text. */
size_t str_count(const char *text, char c);

/* The value of a hex digit of either case, -1 when c is none. */
int str_hex_digit(char c);

/* How many labels the domain name of len bytes has: 1 to 63 letters, digits,
 * "-" and "_" each, at most 253 characters in all, no dot at the end; with
 * is_strict none begins or ends with "-". 0: it is no such name. */
size_t str_labels(const char *name, size_t len, bool is_strict);

/* The file's name in a path: what stands behind the last "/". */
const char *str_base(const char *path);

/* Decodes the UTF-8 sequence at bytes, of which there are len >= 1. Returns
 * its length and the character, or 0 when it is not valid (RFC 3629: no
 * surrogates, nothing overlong). */
size_t str_utf8(const char *bytes, size_t len, uint32_t *code_r);

/* Parses a decimal number without sign in the whole of text. Returns false
 * when there is anything else, or the value is above max. */
bool str_to_uint(
    const char *text, unsigned long long max, unsigned long long *value_r);

#endif
