/* SPDX-License-Identifier: ISC */
#include "dkimd/required.h"

static const struct {
	const char *name;
	const char *missing; /* NULL = need not be there */
	const char *repeated;
} rows[] = {
	{ "From", "From field is missing", "several From fields" },
	{ "Date", "Date field is missing", "several Date fields" },
	{ "Sender", NULL, "several Sender fields" },
	{ "Reply-To", NULL, "several Reply-To fields" },
	{ "To", NULL, "several To fields" },
	{ "Cc", NULL, "several Cc fields" },
	{ "Bcc", NULL, "several Bcc fields" },
	{ "Message-ID", NULL, "several Message-ID fields" },
	{ "In-Reply-To", NULL, "several In-Reply-To fields" },
	{ "References", NULL, "several References fields" },
	{ "Subject", NULL, "several Subject fields" },
};

static const char *
problem(size_t row, const struct header_field *fields, size_t count)
{
	size_t n = header_count(fields, count, rows[row].name);

	if (n == 0)
		return rows[row].missing;
	return n > 1 ? rows[row].repeated : NULL;
}

const char *
required_problem(const struct header_field *fields, size_t count)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = problem(i, fields, count);

		if (text != NULL)
			return text;
	}
	return NULL;
}

const char *
required_author_problem(const struct header_field *fields, size_t count)
{
	return problem(0, fields, count);
}
