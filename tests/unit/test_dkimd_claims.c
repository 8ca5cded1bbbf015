/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "common/authres.h"

#include "dkimd/claims.h"
#include "dkimd/options.h"

/* Fields in short: o ours, about SPF; d ours, about DKIM; b ours, broken; f a
 * foreign one about DKIM; s a foreign one about SPF; x another field. */
static const struct {
	const char *name;
	const char *options;
	const char *fields;
	const char *want; /* + is removed, - stays */
} rows[] = {
	{ "ours, whatever it says", "", "xodbx", "-+++-" },
	{ "foreign ones stay", "", "fs", "--" },
	{ "nothing is removed", "KeepAuthResults yes\n", "odb", "---" },
	{ "one was prepended", "PrependedResults 1\n", "oxo", "--+" },
	{ "prepended ones are on top", "PrependedResults 2\n", "xoo", "-++" },
	{ "they do not speak of DKIM", "PrependedResults 1\n", "do", "++" },
	{ "they are whole", "PrependedResults 1\n", "bo", "++" },
	{ "others' results of DKIM", "RemoveARFrom other.example\n", "fs",
	    "+-" },
	{ "others' results", "RemoveARFrom other.example\nRemoveARAll yes\n",
	    "fsx", "++-" },
};

static struct header_field
field_of(char letter)
{
	static const char *const values[] = {
		['o'] = " mx.example.net; spf=pass smtp.mailfrom=a.example",
		['d'] = " mx.example.net; dkim=pass header.d=a.example",
		['b'] = " mx.example.net; spf=pass (",
		['f'] = " other.example; dkim=pass header.d=a.example",
		['s'] = " other.example; spf=pass smtp.mailfrom=a.example",
		['x'] = " mx.example.net; dkim=pass header.d=a.example",
	};
	const char *name = letter == 'x' ? "Subject" : AUTHRES_NAME;
	const char *value = values[(unsigned char)letter];

	return (
	    struct header_field){ name, strlen(name), value, strlen(value) };
}

static void
ignore(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

/* Settings of these options alone: no files, no keys. */
static struct settings *
load(const char *text)
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	struct settings *settings;
	struct err err = { "" };

	config_set_style(config, OPTIONS_STYLE);
	check_int(text, config_parse(config, "f", text, strlen(text), &err), 0);
	settings = settings_load(config, 0, ignore, NULL, &err);
	check_str(text, err.text, "");
	config_free(&config);
	return settings;
}

int
main(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct settings *settings = load(rows[i].options);
		size_t count = strlen(rows[i].fields), found, want = 0;
		struct header_field fields[8];
		bool removed[8];
		char got[9] = "";

		for (size_t k = 0; k < count; k++)
			fields[k] = field_of(rows[i].fields[k]);
		found = claims_find(
		    settings, "mx.example.net", fields, count, removed);
		for (size_t k = 0; k < count; k++) {
			got[k] = removed[k] ? '+' : '-';
			want += removed[k];
		}
		check_str(rows[i].name, got, rows[i].want);
		check_uint(rows[i].name, found, want);
		settings_release(&settings);
	}
	return check_done();
}
