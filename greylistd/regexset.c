/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/regex.h"
#include "common/str.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"
#include "greylistd/regexset.h"

struct entry {
	struct regex *regex;
	char *ending;       /* see struct regexset_ending */
	size_t ending_len;  /* 0: not known */
	struct entry *next; /* with the same domain */
	struct entry *next_of_all;
};

struct regexset {
	struct entry *all;
	struct entry *others;    /* without a domain, a chain */
	struct namemap *domains; /* domain -> struct entry, a chain */
};

struct subject {
	const char *text;
	const char *lower;
	size_t len;
};

struct regexset *
regexset_new(void)
{
	struct regexset *set = xmem_calloc(1, sizeof(*set));

	set->domains = namemap_new();
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
		xmem_free(&entry->ending);
		xmem_free(&entry);
	}
	namemap_free(&(*set)->domains);
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

enum token_kind {
	TOKEN_OTHER,
	TOKEN_LITERAL,
	TOKEN_ANY,      /* "." */
	TOKEN_INVOLVED, /* may change what comes after */
};

/* One step through a pattern. */
struct token {
	enum token_kind kind;
	char literal;
	const char *next;
};

static struct token
read_escape(const char *p)
{
	/* These stand alone; all other letters and digits go on (\x2e),
	 * refer to something (\1) or quote (\Q). */
	if (p[1] != '\0' && strchr("dDwWsSbBhHvV", p[1]) != NULL)
		return (struct token){ TOKEN_OTHER, 0, p + 2 };
	if (p[1] > ' ' && p[1] < 0x7f && !(p[1] >= '0' && p[1] <= '9') &&
	    !(p[1] >= 'A' && p[1] <= 'Z') && !(p[1] >= 'a' && p[1] <= 'z'))
		return (struct token){ TOKEN_LITERAL, p[1], p + 2 };
	return (struct token){ TOKEN_INVOLVED, 0, NULL };
}

static struct token
read_token(const char *p)
{
	struct token involved = { TOKEN_INVOLVED, 0, NULL };
	const char *end;

	switch (*p) {
	case '\\':
		return read_escape(p);
	case '[':
		end = skip_class(p);
		return end == NULL ? involved
				   : (struct token){ TOKEN_OTHER, 0, end };
	case '(':
		/* "(?:" only groups; the others may change the rules. */
		if (p[1] == '*' || (p[1] == '?' && p[2] != ':'))
			return involved;
		return (struct token){ TOKEN_OTHER, 0,
			p[1] == '?' ? p + 3 : p + 1 };
	case '.':
		return (struct token){ TOKEN_ANY, 0, p + 1 };
	case ')':
	case '^':
	case '$':
	case '|':
	case '*':
	case '+':
	case '?':
	case '{':
	case '}':
		return (struct token){ TOKEN_OTHER, 0, p + 1 };
	default:
		return (struct token){ TOKEN_LITERAL, *p, p + 1 };
	}
}

/* Finds the domain at the end of a finished ending. */
static void
find_domain(struct regexset_ending *ending)
{
	ending->domain = ending->len;
	for (size_t i = ending->len; i-- > 0 && ending->text[i] != '\0';)
		if (ending->text[i] == '.' && i + 1 < ending->len)
			ending->domain = i + 1;
}

bool
regexset_find_ending(const char *pattern, struct regexset_ending *ending_r)
{
	struct regexset_ending *e = ending_r;
	bool anchored = false;
	unsigned depth = 0;

	e->len = 0;
	for (const char *p = pattern; *p != '\0';) {
		struct token token = read_token(p);

		if (token.kind == TOKEN_INVOLVED || (*p == '|' && depth == 0))
			return false;
		if (token.kind == TOKEN_OTHER && *p == '$' && p[1] == '\0' &&
		    depth == 0)
			anchored = true;
		else if (token.kind == TOKEN_OTHER)
			e->len = 0;
		else if (e->len == sizeof(e->text))
			return false;
		else
			e->text[e->len++] = token.literal;
		depth += *p == '(';
		depth -= *p == ')' && depth > 0;
		p = token.next;
	}
	str_lower(e->text, e->len);
	find_domain(e);
	return anchored && e->len > 0;
}

int
regexset_add(struct regexset *set, const char *pattern, struct err *err)
{
	struct regex *regex = regex_new(pattern, true, err);
	struct regexset_ending ending;
	struct entry *entry;

	if (regex == NULL)
		return -1;
	if (!regexset_find_ending(pattern, &ending))
		ending.len = ending.domain = 0;
	entry = xmem_calloc(1, sizeof(*entry));
	entry->regex = regex;
	entry->ending_len = ending.len;
	entry->ending = xmem_alloc(ending.len);
	memcpy(entry->ending, ending.text, ending.len);
	entry->next_of_all = set->all;
	set->all = entry;
	if (ending.domain < ending.len) {
		entry->next =
		    namemap_put(set->domains, ending.text + ending.domain,
			ending.len - ending.domain, entry);
	} else {
		entry->next = set->others;
		set->others = entry;
	}
	return 0;
}

static bool
ends_so(const struct entry *entry, const struct subject *subject)
{
	const char *end;

	if (subject->len < entry->ending_len)
		return false;
	end = subject->lower + subject->len - entry->ending_len;
	for (size_t i = entry->ending_len; i-- > 0;)
		if (entry->ending[i] != end[i] && entry->ending[i] != '\0')
			return false;
	return true;
}

static bool
chain_matches(const void *value, const void *arg)
{
	const struct subject *subject = arg;

	for (const struct entry *e = value; e != NULL; e = e->next)
		if (ends_so(e, subject) && regex_match(e->regex, subject->text,
					       subject->len) == REGEX_MATCH)
			return true;
	return false;
}

bool
regexset_matches(const struct regexset *set, const char *subject, size_t len)
{
	char lower[REGEX_SUBJECT_MAX];
	const struct subject s = { subject, lower, len };

	if (set->all == NULL || len > sizeof(lower))
		return false;
	/* "$" also matches before a line end. */
	if (len > 0 && subject[len - 1] == '\n') {
		for (const struct entry *e = set->all; e != NULL;
		     e = e->next_of_all)
			if (regex_match(e->regex, subject, len) == REGEX_MATCH)
				return true;
		return false;
	}
	memcpy(lower, subject, len);
	str_lower(lower, len);
	return namemap_suffix(set->domains, lower, len, chain_matches, &s) !=
		   NULL ||
	       chain_matches(set->others, &s);
}
