/* SPDX-License-Identifier: ISC */
/*
 * log.h - one line per event, to standard error, the journal or syslog
 *
 * Under systemd (JOURNAL_STREAM names our standard error) lines carry the
 * "<N>" priority prefix; in the foreground they are plain; daemonized, or under
 * spawn(8), where standard error is the client, they go to syslog. No time
 * stamps of our own. A line is at most LOG_LINE_MAX bytes; control characters
 * and 8-bit bytes that reach it become %XX, so that a line can never be split
 * or forged.
 *
 * Threads: any, after log_open.
 */
#ifndef POSTERN_COMMON_LOG_H
#define POSTERN_COMMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX 4096

/* Names as in syslog(3), less severe ones are larger. */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE, /* decisions */
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_sink {
	LOG_SINK_STDERR, /* plain, or with <N> under systemd */
	LOG_SINK_SYSLOG,
};

/* Starts logging as ident (borrowed, must stay valid) to sink. facility is
 * syslog's number (log_facility). May be called again to switch. */
void log_open(const char *ident, enum log_sink sink, int facility);

/* Lines less severe than level are dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Would a line of this level be written? */
bool log_enabled(enum log_level level);

/* The syslog number of a facility by its name ("mail", "local3"; any case,
 * with or without "LOG_"), or -1. */
int log_facility(const char *name);

/* Writes a line at the given level. */
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same without printf: text is one finished line. */
void log_line(enum log_level level, const char *text);

/* From now on lines for standard error are collected, to be written together:
 * a busy loop then makes one system call per turn, not one per line. At most
 * PIPE_BUF bytes are held, which one write keeps together. Lines for syslog
 * go out at once. Threads: one, while others do not log. */
void log_hold(void);
/* Writes what was collected since log_hold and ends it. */
void log_release(void);

/* Writes a line; one each, by name. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A warning: something is wrong, service goes on. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What an admin wants to see by default. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What helps to find a fault. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* State of one kind of repeated warning; zero-initialised, static. */
struct log_rate {
	int64_t next_ms;       /* monotonic time of the next line */
	unsigned long dropped; /* lines held back since the last */
};

/* Writes a warning at most once per interval_s; the next one that appears
 * says how many were held back. Threads: one thread per struct log_rate. */
void log_warn_rated(struct log_rate *rate, int64_t interval_s,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
