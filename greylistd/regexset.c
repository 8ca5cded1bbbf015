/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/regex.h"
#include "common/str.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"
#include "greylistd/regexset.h"

/* Longer subjects are tried against every pattern. */
#define SUBJECT_MAX 512

struct entry {
	struct regex *regex;
	struct entry *next;	/* with the same tail */
	struct entry *next_of_all;
};

struct regexset {
	struct entry *all;
	struct entry *tailless;
	struct namemap *tails;	/* domain -> struct entry, a chain */
};

struct subject {
	const char *text;
	size_t len;
};

struct regexset *
regexset_new(void)
{
	struct regexset *set = xmem_calloc(1, sizeof(*set));

	set->tails = namemap_new();
	return set;
}

void
regexset_free(struct regexset **set)
{
	if (*set == NULL)
		return;
	while ((*set)->all != NULL) {
		struct entry *entry = (*set)->all;

		(*set)->all = entry->next_of_all;
		regex_free(&entry->regex);
		xmem_free(&entry);
	}
	namemap_free(&(*set)->tails);
	xmem_free(set);
}

/* Returns the first byte after the class that begins at p, or NULL when it
 * holds a quotation or a named class. */
static const char *
skip_class(const char *p)
{
	p++;
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	for (; *p != '\0' && *p != ']'; p++) {
		if (*p == '\\') {
			p++;
			if (*p == 'Q' || *p == 'E' || *p == 'c' || *p == '\0')
				return NULL;
		} else if (*p == '[' && strchr(":.=", p[1]) != NULL) {
			return NULL;
		}
	}
	return *p == ']' ? p + 1 : NULL;
}

/* One step through a pattern. */
struct token {
	const char *next;	/* NULL: too involved */
	char literal;		/* 0: something else than a literal */
};

static struct token
read_escape(const char *p)
{
	/* These stand alone; all other letters and digits go on (\x2e),
	 * refer to something (\1) or quote (\Q). */
	if (p[1] != '\0' && strchr("dDwWsSbBhHvV", p[1]) != NULL)
		return (struct token){ p + 2, 0 };
	if (p[1] > ' ' && p[1] < 0x7f && !(p[1] >= '0' && p[1] <= '9') &&
	    !(p[1] >= 'A' && p[1] <= 'Z') && !(p[1] >= 'a' && p[1] <= 'z'))
		return (struct token){ p + 2, p[1] };
	return (struct token){ NULL, 0 };
}

static struct token
read_token(const char *p)
{
	switch (*p) {
	case '\\':
		return read_escape(p);
	case '[':
		return (struct token){ skip_class(p), 0 };
	case '(':
		/* "(?:" only groups; the others may change the rules. */
		if (p[1] == '*' || (p[1] == '?' && p[2] != ':'))
			return (struct token){ NULL, 0 };
		return (struct token){ p[1] == '?' ? p + 3 : p + 1, 0 };
	case ')':
	case '.':
	case '^':
	case '$':
	case '|':
	case '*':
	case '+':
	case '?':
	case '{':
	case '}':
		return (struct token){ p + 1, 0 };
	default:
		return (struct token){ p + 1, *p };
	}
}

bool
regexset_tail(const char *pattern, char tail_r[static REGEXSET_TAIL_SIZE])
{
	char run[REGEXSET_TAIL_SIZE];
	const char *dot = NULL;
	struct str s;
	unsigned depth = 0;

	str_init(&s, run, sizeof(run));
	for (const char *p = pattern; *p != '\0'; ) {
		struct token token = read_token(p);

		if (token.next == NULL || (*p == '|' && depth == 0))
			return false;
		if (token.literal != 0)
			str_add_char(&s, token.literal);
		else if (*p != '$' || p[1] != '\0' || depth > 0)
			str_init(&s, run, sizeof(run));
		else
			dot = strchr(run, '.');
		depth += *p == '(';
		depth -= *p == ')' && depth > 0;
		p = token.next;
	}
	if (dot == NULL || dot[1] == '\0' || s.truncated)
		return false;
	memcpy(tail_r, dot + 1, strlen(dot + 1) + 1);
	str_lower(tail_r, strlen(tail_r));
	return true;
}

int
regexset_add(struct regexset *set, const char *pattern, struct err *err)
{
	struct regex *regex = regex_new(pattern, true, err);
	char tail[REGEXSET_TAIL_SIZE];
	struct entry *entry;

	if (regex == NULL)
		return -1;
	entry = xmem_calloc(1, sizeof(*entry));
	entry->regex = regex;
	entry->next_of_all = set->all;
	set->all = entry;
	if (regexset_tail(pattern, tail)) {
		entry->next = namemap_put(set->tails, tail, strlen(tail),
		    entry);
	} else {
		entry->next = set->tailless;
		set->tailless = entry;
	}
	return 0;
}

static bool
chain_matches(const void *value, const void *arg)
{
	const struct subject *subject = arg;

	for (const struct entry *e = value; e != NULL; e = e->next)
		if (regex_match(e->regex, subject->text, subject->len) ==
		    REGEX_MATCH)
			return true;
	return false;
}

bool
regexset_matches(const struct regexset *set, const char *subject, size_t len)
{
	const struct subject s = { subject, len };
	char lower[SUBJECT_MAX];

	if (set->all == NULL)
		return false;
	if (len > sizeof(lower)) {
		for (const struct entry *e = set->all; e != NULL;
		    e = e->next_of_all)
			if (regex_match(e->regex, subject, len) == REGEX_MATCH)
				return true;
		return false;
	}
	memcpy(lower, subject, len);
	str_lower(lower, len);
	return namemap_suffix(set->tails, lower, len, chain_matches, &s) !=
	    NULL || chain_matches(set->tailless, &s);
}
