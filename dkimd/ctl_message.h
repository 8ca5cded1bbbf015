/* SPDX-License-Identifier: ISC */
/*
 * ctl_message.h - a message from a file, as a milter would be told it
 *
 * Lines end in "\n" or "\r\n". A first line "From " of an mbox is no part of
 * the message. A last line may lack its end.
 *
 * Sources: RFC 5322 section 2.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_CTL_MESSAGE_H
#define POSTERN_DKIMD_CTL_MESSAGE_H

#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/header.h"

/* More fields are an error. */
#define CTL_MESSAGE_FIELDS_MAX 100000

struct ctl_message {
	const struct header_field *fields; /* see header.h */
	size_t field_count;
	const char *body; /* lines end in "\r\n" */
	size_t body_len;
	size_t start;         /* where it begins in the text */
	const char *line_end; /* of the text: "\n" or "\r\n" */
};

/* Takes the len bytes at text apart; all is in arena. Returns 0, or -1 with
 * err, which names the line: no field name, a NUL byte or a carriage return
 * in the header, too many fields. */
int ctl_message_parse(const char *text, size_t len, struct arena *arena,
    struct ctl_message *message_r, struct err *err);

#endif
