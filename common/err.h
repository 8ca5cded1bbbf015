/* SPDX-License-Identifier: ISC */
/*
 * err.h - one sentence about what went wrong, handed up to whoever logs it
 *
 * A function that can fail at run time takes a struct err * as its last
 * parameter and returns -1 after filling it. Lower layers never log; the
 * daemon does, once, with the client and the queue id.
 *
 * Threads: any, one struct per thread.
 */
#ifndef POSTERN_COMMON_ERR_H
#define POSTERN_COMMON_ERR_H

/* Room for a sentence; longer ones are cut and end in "...". */
#define ERR_TEXT_SIZE 512

struct err {
	char text[ERR_TEXT_SIZE]; /* NUL-terminated, no line end */
};

/* Sets the text of err (may be NULL: then nothing is kept). Control and
 * 8-bit characters that came in through arguments become "?". Returns -1
 * always, so that a caller can write "return err_set(...)". */
int err_set(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, with ": " and the text of the errno value errnum appended. */
int err_set_errno(struct err *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts text in front of what err already says ("file:line: "). Returns -1. */
int err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
