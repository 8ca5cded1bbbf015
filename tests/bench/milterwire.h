/* SPDX-License-Identifier: ISC */
/*
 * milterwire.h - one connection to a milter, as a mail server holds it
 *
 * Speaks version 6 of the protocol, offers everything and sends all that the
 * milter did not decline; what needs a reply waits for it.
 *
 * Threads: one connection belongs to one thread; a message serves all.
 */
#ifndef POSTERN_TESTS_BENCH_MILTERWIRE_H
#define POSTERN_TESTS_BENCH_MILTERWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/target.h"

/* A message, ready to be sent. */
struct milterwire_message;

/* Reads the message in the file at path; line ends may be LF or CRLF.
 * Returns it, or NULL with a line on stderr. */
struct milterwire_message *milterwire_read(const char *path);

/* Frees it and sets *message to NULL, which it may be. */
void milterwire_free(struct milterwire_message **message);

struct milterwire {
	int fd;
	uint32_t steps; /* what the milter asked for */
	uint8_t *reply; /* the last one */
	size_t reply_len, reply_cap;
};

/* What became of a message. */
struct milterwire_verdict {
	char action;    /* 'a', 'c', 'r', 't', 'd', 'y'; 0: connection lost */
	unsigned edits; /* of the message */
	char fields[4096]; /* those that were added, "Name: value\n" each */
};

/* Connects, negotiates, and tells of a client at address (IPv4). Returns
 * false with errno when that fails. */
bool milterwire_open(
    struct milterwire *wire, const struct target *target, const char *address);

/* Sends message and takes the verdict. Returns false when the connection
 * broke. */
bool milterwire_send(struct milterwire *wire,
    const struct milterwire_message *message,
    struct milterwire_verdict *verdict_r);

/* Says goodbye and closes; wire may never have been open (fd -1). */
void milterwire_close(struct milterwire *wire);

#endif
