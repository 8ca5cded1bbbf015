/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

static void vset(struct err *err, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

/* What was cut says so: a sentence that just stops misleads. */
static void
mark_cut(struct err *err, size_t wanted_len)
{
	static const char mark[] = "...";

	if (wanted_len >= sizeof(err->text))
		memcpy(err->text + sizeof(err->text) - sizeof(mark), mark,
		    sizeof(mark));
}

static void
vset(struct err *err, const char *format, va_list args)
{
	/* The arguments may point into err->text. */
	struct err new;
	int n = vsnprintf(new.text, sizeof(new.text), format, args);

	if (n < 0)
		n = snprintf(new.text, sizeof(new.text), "%s",
		    "an error whose text cannot be written");
	make_printable(new.text);
	*err = new;
	mark_cut(err, (size_t)n);
}

/* Appends a text that has no part of err->text in it. */
static void
append(struct err *err, const char *text)
{
	size_t len = strlen(err->text);
	int n = snprintf(err->text + len, sizeof(err->text) - len, "%s", text);

	if (n > 0)
		mark_cut(err, len + (size_t)n);
}

int
err_set(struct err *err, const char *format, ...)
{
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	vset(err, format, args);
	va_end(args);
	return -1;
}

int
err_set_errno(struct err *err, int errnum, const char *format, ...)
{
	char buf[128];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	vset(err, format, args);
	va_end(args);
	append(err, ": ");
	append(err, strerror_r(errnum, buf, sizeof(buf)));
	return -1;
}

int
err_prefix(struct err *err, const char *format, ...)
{
	struct err old;
	va_list args;

	if (err == NULL)
		return -1;
	old = *err;
	va_start(args, format);
	vset(err, format, args);
	va_end(args);
	append(err, old.text);
	return -1;
}
