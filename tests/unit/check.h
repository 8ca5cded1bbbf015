/* SPDX-License-Identifier: ISC */
/*
 * check.h - unit tests as tables of { name, input, want }, TAP on stdout
 *
 *     for (size_t i = 0; i < CHECK_COUNT(rows); i++)
 *             check_str(rows[i].name, fold(rows[i].input), rows[i].want);
 *     return check_done();
 *
 * A check that fails prints what it got and what it wanted, and the test goes
 * on. check_done prints the plan: a test that dies half-way has none, and
 * that is a failure too.
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_CHECK_H
#define POSTERN_TESTS_UNIT_CHECK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CHECK_COUNT(table) (sizeof(table) / sizeof(*(table)))

/* Every check takes the name of its row and returns whether it held. */
#define check_true(name, got)                                                  \
	check_bool_at(__FILE__, __LINE__, #got, name, got, true)
#define check_false(name, got)                                                 \
	check_bool_at(__FILE__, __LINE__, #got, name, got, false)
#define check_bool(name, got, want)                                            \
	check_bool_at(__FILE__, __LINE__, #got, name, got, want)
/* Any signed integer or enum. */
#define check_int(name, got, want)                                             \
	check_int_at(                                                          \
	    __FILE__, __LINE__, #got, name, (intmax_t)(got), (intmax_t)(want))
/* Any unsigned integer. */
#define check_uint(name, got, want)                                            \
	check_uint_at(__FILE__, __LINE__, #got, name, (uintmax_t)(got),        \
	    (uintmax_t)(want))
/* NUL-terminated texts; NULL equals only NULL. */
#define check_str(name, got, want)                                             \
	check_str_at(__FILE__, __LINE__, #got, name, got, want)
/* Bytes with a length, NUL bytes among them. */
#define check_mem(name, got, got_len, want, want_len)                          \
	check_mem_at(__FILE__, __LINE__, #got, name,                           \
	    &(struct check_bytes){ got, got_len },                             \
	    &(struct check_bytes){ want, want_len })
/* Is the text want somewhere in got? For sentences of errors. */
#define check_contains(name, got, want)                                        \
	check_contains_at(__FILE__, __LINE__, #got, name, got, want)

struct check_bytes {
	const void *bytes;
	size_t len;
};

static unsigned check_count_run;
static unsigned check_count_failed;

/* "#" would begin a directive of TAP. */
static inline void
check_print_name(const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '#' || *name == '\\')
			putchar('\\');
		putchar(*name == '\n' ? ' ' : *name);
	}
}

static inline void
check_print_bytes(const char *what, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	printf("#   %s: ", what);
	if (p == NULL) {
		printf("NULL\n");
		return;
	}
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\')
			printf("\\x%02x", p[i]);
		else
			putchar(p[i]);
	}
	printf("\" (%zu bytes)\n", len);
}

/* Prints the TAP line of one check; the caller adds got and want. Returns
 * held. Flushed, so that a fork later prints nothing twice. */
static inline bool
check_report(
    const char *file, int line, const char *expr, const char *name, bool held)
{
	check_count_run++;
	printf("%sok %u - ", held ? "" : "not ", check_count_run);
	check_print_name(name);
	putchar('\n');
	if (!held) {
		check_count_failed++;
		printf("#   at %s:%d: %s\n", file, line, expr);
	}
	fflush(stdout);
	return held;
}

static inline bool
check_bool_at(const char *file, int line, const char *expr, const char *name,
    bool got, bool want)
{
	if (check_report(file, line, expr, name, got == want))
		return true;
	printf("#    got: %s\n#   want: %s\n", got ? "true" : "false",
	    want ? "true" : "false");
	return false;
}

static inline bool
check_int_at(const char *file, int line, const char *expr, const char *name,
    intmax_t got, intmax_t want)
{
	if (check_report(file, line, expr, name, got == want))
		return true;
	printf("#    got: %" PRIdMAX "\n#   want: %" PRIdMAX "\n", got, want);
	return false;
}

static inline bool
check_uint_at(const char *file, int line, const char *expr, const char *name,
    uintmax_t got, uintmax_t want)
{
	if (check_report(file, line, expr, name, got == want))
		return true;
	printf("#    got: %" PRIuMAX "\n#   want: %" PRIuMAX "\n", got, want);
	return false;
}

static inline bool
check_mem_at(const char *file, int line, const char *expr, const char *name,
    const struct check_bytes *got, const struct check_bytes *want)
{
	bool held = (got->bytes == NULL) == (want->bytes == NULL) &&
		    got->len == want->len &&
		    (got->bytes == NULL || got->len == 0 ||
			memcmp(got->bytes, want->bytes, got->len) == 0);

	if (check_report(file, line, expr, name, held))
		return true;
	check_print_bytes(" got", got->bytes, got->len);
	check_print_bytes("want", want->bytes, want->len);
	return false;
}

static inline bool
check_str_at(const char *file, int line, const char *expr, const char *name,
    const char *got, const char *want)
{
	return check_mem_at(file, line, expr, name,
	    &(struct check_bytes){ got, got == NULL ? 0 : strlen(got) },
	    &(struct check_bytes){ want, want == NULL ? 0 : strlen(want) });
}

static inline bool
check_contains_at(const char *file, int line, const char *expr,
    const char *name, const char *got, const char *want)
{
	if (check_report(file, line, expr, name,
		got != NULL && strstr(got, want) != NULL))
		return true;
	check_print_bytes(" got", got, got == NULL ? 0 : strlen(got));
	check_print_bytes("want in it", want, strlen(want));
	return false;
}

/* Says that a check was not run here, and why. */
static inline void
check_skip(const char *name, const char *why)
{
	printf("ok %u - ", ++check_count_run);
	check_print_name(name);
	printf(" # SKIP %s\n", why);
	fflush(stdout);
}

/* A remark for the reader. */
static inline void check_note(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static inline void
check_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* Prints the plan and returns the exit status for main. */
static inline int
check_done(void)
{
	printf("1..%u\n", check_count_run);
	fflush(stdout);
	return check_count_failed == 0 && check_count_run > 0 ? 0 : 1;
}

#endif
