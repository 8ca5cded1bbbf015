/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/authres.h"
#include "common/xmem.h"

#include "dkimd/report.h"

#define PROPERTIES_MAX 5
#define COMMENT_SIZE 64

static const char *
dnssec_name(enum outcome_dnssec dnssec)
{
	switch (dnssec) {
	case OUTCOME_SECURE:
		return "; secure";
	case OUTCOME_INSECURE:
		return "; unprotected";
	case OUTCOME_BOGUS:
		return "; bogus";
	case OUTCOME_UNKNOWN:
		break;
	}
	return "";
}

/* One result with the texts that it points to. */
struct entry {
	struct authres_result result;
	struct authres_property properties[PROPERTIES_MAX];
	char comment[COMMENT_SIZE];
};

static void
add(struct entry *e, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	e->properties[e->result.property_count++] = (struct authres_property){
		.type = "header", .name = name, .value = value
	};
}

static void
fill(struct entry *e, const struct outcome *o, bool without_b)
{
	struct str comment;

	e->result = (struct authres_result){
		.method = "dkim",
		.version = 1,
		.result = result_name(o->result),
		.reason = o->reason[0] == '\0' ? NULL : o->reason,
		.properties = e->properties,
	};
	if (o->key != NULL) {
		str_init(&comment, e->comment, sizeof(e->comment));
		str_addf(&comment, "%u-bit key%s", o->key->bits,
		    dnssec_name(o->dnssec));
		e->result.comment = e->comment;
	}
	add(e, "d", o->sig->domain);
	add(e, "i", o->sig->identity);
	if (o->sig->algorithm != SIGFIELD_UNKNOWN)
		add(e, "a", sigfield_algorithm_name(o->sig->algorithm));
	add(e, "s", o->sig->selector);
	if (!without_b)
		add(e, "b", o->sig->b_start);
}

/* Appends as many of the results as fit. */
static void
format(struct str *s, struct authres *authres)
{
	size_t start = s->len;

	for (;;) {
		authres_format(s, authres);
		if (!s->truncated || authres->result_count <= 1)
			return;
		authres->result_count--;
		s->len = start;
		s->text[start] = '\0';
		s->truncated = false;
	}
}

void
report_field(struct str *s, const struct report_options *options,
    const struct outcome *outcomes, size_t count, const char *problem)
{
	const struct authres_result simple = {
		.method = "dkim",
		.version = 1,
		.result = problem == NULL ? "none" : "permerror",
		.comment = problem,
	};
	struct entry *entries = xmem_calloc(count + 1, sizeof(*entries));
	struct authres_result *results =
	    xmem_calloc(count + 1, sizeof(*results));
	struct authres authres = { .version = 1 };
	char id[600];
	struct str id_text;

	str_init(&id_text, id, sizeof(id));
	str_add(&id_text, options->authserv_id);
	if (options->job_id != NULL && options->job_id[0] != '\0') {
		str_add_char(&id_text, '/');
		str_add(&id_text, options->job_id);
	}
	for (size_t i = 0; i < count; i++) {
		fill(&entries[i], &outcomes[i], options->without_b);
		results[i] = entries[i].result;
	}
	authres.authserv_id = id;
	authres.results = results;
	authres.result_count = count;
	if (count == 0 || problem != NULL) {
		authres.results = &simple;
		authres.result_count = 1;
	}
	format(s, &authres);
	xmem_free(&results);
	xmem_free(&entries);
}

/* opendkim's words, which logs are searched for. */
static const char *
words(const struct outcome *o)
{
	if (o->result == RESULT_PASS)
		return "DKIM verification successful";
	if (o->result == RESULT_FAIL)
		return "bad signature data";
	if (o->key_not_found || o->result == RESULT_TEMPERROR)
		return "key retrieval failed";
	return "signature not used";
}

/* "a=B" in the list that begins with "(". */
static void
add_item(struct str *s, bool *is_open, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	str_add(s, *is_open ? ", " : " (");
	*is_open = true;
	str_addf(s, "%s=", name);
	str_add_escaped(s, value, strlen(value), " \",()");
}

void
report_log(struct str *s, const struct outcome *o)
{
	bool is_open = false;

	str_add(s, words(o));
	add_item(s, &is_open, "s", o->sig->selector);
	add_item(s, &is_open, "d", o->sig->domain);
	if (o->sig->algorithm != SIGFIELD_UNKNOWN)
		add_item(s, &is_open, "a",
		    sigfield_algorithm_name(o->sig->algorithm));
	add_item(s, &is_open, "b", o->sig->b_start);
	str_addf(s, "%s: dkim=%s", is_open ? ")" : "", result_name(o->result));
	if (o->reason[0] != '\0') {
		str_add(s, " reason=\"");
		str_add_escaped(s, o->reason, strlen(o->reason), "\"");
		str_add_char(s, '"');
	}
}
