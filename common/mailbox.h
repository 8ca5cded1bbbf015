/* SPDX-License-Identifier: ISC */
/*
 * mailbox.h - the addresses of a From, Sender or envelope, parsed strictly
 *
 * A From field may hold what was made to look different to each reader
 * (comments, quoted strings, groups, routes, encoded words, several
 * addresses). This parser either says exactly which mailboxes there are, or
 * that the field cannot be understood; it never guesses.
 *
 * Sources: RFC 5322 sections 3.4 and 4.4, RFC 6532 (UTF-8), RFC 5321
 * section 4.1.2.
 * Threads: any.
 */
#ifndef POSTERN_COMMON_MAILBOX_H
#define POSTERN_COMMON_MAILBOX_H

#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"

/* Limits: longer fields and more mailboxes are a syntax error. */
#define MAILBOX_FIELD_MAX 65536
#define MAILBOX_COUNT_MAX 100
/* Octets of local part and domain. */
#define MAILBOX_LOCAL_MAX 256
#define MAILBOX_DOMAIN_MAX 255

struct mailbox {
	const char *local;  /* without quotes and escapes */
	const char *domain; /* lower case (ASCII), no final dot; U-labels stay
			     * as they are; a domain literal keeps its [] */
};

/* Parses the value of a From or Sender field: mailboxes, and groups, whose
 * members count. Obsolete syntax that has one meaning is taken (blanks and
 * comments around dots, empty elements between commas), and so are dots
 * anywhere in a local part, which some providers have given out, and the same
 * address as the name of itself ("a@b <a@b>"). Routes, missing domains,
 * encoded words in an address, domains and literals with characters that no
 * host or IP address has, NUL, control characters and, in an address, invalid
 * UTF-8 are errors; in a name or comment any 8-bit text is taken, since old
 * devices write it. Returns the number of mailboxes (0 when only empty groups
 * are there), or -1 with a sentence that says where. *list_r is in arena. */
int mailbox_parse_list(const char *value, size_t len, struct arena *arena,
    struct mailbox **list_r, struct err *err);

/* Parses an envelope address, without <>: "local@domain", the local part
 * perhaps quoted. Blanks in it are taken without quotes too: Postfix tells
 * milters addresses whose quotes it took off. Returns 0, or -1 ("" is an
 * error as well). */
int mailbox_parse_address(const char *text, struct arena *arena,
    struct mailbox *mailbox_r, struct err *err);

#endif
