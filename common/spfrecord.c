/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/spfrecord.h"
#include "common/str.h"

#define VERSION "v=spf1"
#define VERSION_LEN (sizeof(VERSION) - 1)
/* RFC 1035: of a label, and of a name as text without the last dot. */
#define LABEL_MAX 63
#define NAME_MAX_LEN 253
/* How much of a faulty term its complaint shows. */
#define SHOWN_MAX 60
/* Labels to the left of these numbers do not matter: any name has fewer. */
#define KEEP_MAX 1000

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_OPTIONAL,
	ARGUMENT_REQUIRED,
};

/* Section 5, in the order of enum spfrecord_mechanism. */
static const struct {
	const char *name;
	enum argument argument;
	bool dual_cidr; /* "/32//128" may follow */
} mechanisms[] = {
	[SPFRECORD_ALL] = { "all", ARGUMENT_NONE, false },
	[SPFRECORD_INCLUDE] = { "include", ARGUMENT_REQUIRED, false },
	[SPFRECORD_A] = { "a", ARGUMENT_OPTIONAL, true },
	[SPFRECORD_MX] = { "mx", ARGUMENT_OPTIONAL, true },
	[SPFRECORD_PTR] = { "ptr", ARGUMENT_OPTIONAL, false },
	[SPFRECORD_IP4] = { "ip4", ARGUMENT_REQUIRED, false },
	[SPFRECORD_IP6] = { "ip6", ARGUMENT_REQUIRED, false },
	[SPFRECORD_EXISTS] = { "exists", ARGUMENT_REQUIRED, false },
};
#define MECHANISM_COUNT (sizeof(mechanisms) / sizeof(*mechanisms))

struct parser {
	const char *text;
	struct spfrecord *record;
	struct spfrecord_term *terms;
	struct spfrecord_fault *fault;
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* strchr would find the NUL. */
static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
fault(const struct parser *p, struct spfrecord_text where, const char *what)
{
	struct str s;

	p->fault->offset = (size_t)(where.start - p->text);
	str_init(&s, p->fault->text, sizeof(p->fault->text));
	str_add(&s, what);
	if (where.len > 0) {
		str_add(&s, ": ");
		str_add_escaped(&s, where.start,
		    where.len < SHOWN_MAX ? where.len : SHOWN_MAX, "");
		if (where.len > SHOWN_MAX)
			str_add(&s, "...");
	}
	return false;
}

static struct spfrecord_text
skip(struct spfrecord_text text, size_t count)
{
	return (struct spfrecord_text){ text.start + count, text.len - count };
}

bool
spfrecord_is(const char *text, size_t len)
{
	return len >= VERSION_LEN &&
	       strncasecmp(text, VERSION, VERSION_LEN) == 0 &&
	       (len == VERSION_LEN || text[VERSION_LEN] == ' ');
}

const char *
spfrecord_mechanism_name(enum spfrecord_mechanism mechanism)
{
	return mechanisms[mechanism].name;
}

static void
add_delimiter(struct spfrecord_macro *macro, char c)
{
	size_t len = strlen(macro->delimiters);

	if (!is_one_of(c, macro->delimiters) &&
	    len + 1 < sizeof(macro->delimiters))
		macro->delimiters[len] = c;
}

/* What stands between the letter and the brace: transformers, delimiters.
 * Returns where it ends, 0 for a fault. */
static size_t
macro_tail(const char *text, size_t len, struct spfrecord_macro *macro)
{
	size_t i = 3;

	if (i < len && is_digit(text[i])) {
		for (; i < len && is_digit(text[i]); i++) {
			if (macro->keep < KEEP_MAX)
				macro->keep = macro->keep * 10 +
					      (unsigned)(text[i] - '0');
		}
		/* "%{d0}" is a fault; "%{d}" keeps all, which 0 says. */
		if (macro->keep == 0)
			return 0;
	}
	if (i < len && lower(text[i]) == 'r') {
		macro->reverse = true;
		i++;
	}
	for (; i < len && is_one_of(text[i], ".-+,/_="); i++)
		add_delimiter(macro, text[i]);
	if (macro->delimiters[0] == '\0')
		macro->delimiters[0] = '.';
	return i < len && text[i] == '}' ? i + 1 : 0;
}

size_t
spfrecord_macro(const char *text, size_t len, bool in_explanation,
    struct spfrecord_macro *macro_r)
{
	memset(macro_r, 0, sizeof(*macro_r));
	if (len < 2)
		return 0;
	if (is_one_of(text[1], "%_-")) {
		macro_r->letter = text[1];
		return 2;
	}
	if (text[1] != '{' || len < 4)
		return 0;
	macro_r->letter = lower(text[2]);
	macro_r->url = macro_r->letter != text[2];
	if (!is_one_of(
		macro_r->letter, in_explanation ? "slodiphvcrt" : "slodiphv"))
		return 0;
	return macro_tail(text, len, macro_r);
}

/* macro-string; ends_in_macro_r: is its last piece a macro-expand? */
static bool
macro_string_ok(struct spfrecord_text text, bool *ends_in_macro_r)
{
	struct spfrecord_macro macro;

	*ends_in_macro_r = false;
	while (text.len > 0) {
		size_t len = 1;

		if (*text.start == '%')
			len = spfrecord_macro(
			    text.start, text.len, false, &macro);
		else if (*text.start < 0x21 || *text.start > 0x7e)
			return false;
		if (len == 0)
			return false;
		*ends_in_macro_r = *text.start == '%';
		text = skip(text, len);
	}
	return true;
}

/* toplabel of section 7.1 at the end of text, behind a dot: letters, digits
 * and inner hyphens, not digits alone. */
static bool
top_label_ok(struct spfrecord_text text)
{
	const char *start = text.start, *end = start + text.len, *label;
	bool alpha = false, hyphen = false;

	if (end[-1] == '.')
		end--;
	for (label = end;
	     label > start && (is_alnum(label[-1]) || label[-1] == '-');
	     label--) {
		alpha |= is_alpha(label[-1]);
		hyphen |= label[-1] == '-';
	}
	if (label == end || label == start || label[-1] != '.')
		return false;
	return *label != '-' && end[-1] != '-' && (alpha || hyphen);
}

static bool
domain_spec_ok(struct spfrecord_text text)
{
	bool ends_in_macro;

	return text.len > 0 && macro_string_ok(text, &ends_in_macro) &&
	       (ends_in_macro || top_label_ok(text));
}

enum cidr {
	CIDR_ABSENT,
	CIDR_TAKEN,
	CIDR_BAD,
};

/* Takes "/N" or "//N" from the end of text. */
static enum cidr
take_cidr(struct spfrecord_text *text, size_t slashes, unsigned max,
    unsigned *prefix_r)
{
	const char *s = text->start;
	size_t digits = text->len, before;
	unsigned value = 0;

	while (digits > 0 && is_digit(s[digits - 1]))
		digits--;
	for (before = digits; before > 0 && s[before - 1] == '/';)
		before--;
	/* Of three slashes one is left, where nothing can want it. */
	if (digits - before < slashes || (slashes == 1 && digits - before == 2))
		return CIDR_ABSENT;
	if (digits == text->len || text->len - digits > 3 ||
	    (text->len - digits > 1 && s[digits] == '0'))
		return CIDR_BAD;
	for (size_t i = digits; i < text->len; i++)
		value = value * 10 + (unsigned)(s[i] - '0');
	if (value > max)
		return CIDR_BAD;
	*prefix_r = value;
	text->len = digits - slashes;
	return CIDR_TAKEN;
}

static bool
parse_network(const struct parser *p, struct spfrecord_text value,
    struct spfrecord_term *term)
{
	bool v6 = term->mechanism == SPFRECORD_IP6;
	char text[INET6_ADDRSTRLEN];

	term->net.base.family = v6 ? IP_V6 : IP_V4;
	term->net.prefix = ip_bits(term->net.base.family);
	if (take_cidr(&value, 1, term->net.prefix, &term->net.prefix) ==
	    CIDR_BAD)
		return fault(p, term->source, "bad CIDR length");
	if (value.len == 0 || value.len >= sizeof(text) ||
	    memchr(value.start, '\0', value.len) != NULL)
		return fault(p, term->source, "bad address");
	memcpy(text, value.start, value.len);
	text[value.len] = '\0';
	/* Not ip_parse: an IPv4-mapped address stays IPv6 here, and matches
	 * nothing, as clients with such an address count as IPv4. */
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, term->net.base.bytes) != 1)
		return fault(p, term->source, "bad address");
	ip_mask(&term->net.base, term->net.prefix);
	return true;
}

/* The part behind the mechanism's name. */
static bool
parse_argument(const struct parser *p, struct spfrecord_text rest,
    struct spfrecord_term *term)
{
	enum argument argument = mechanisms[term->mechanism].argument;

	if (mechanisms[term->mechanism].dual_cidr &&
	    (take_cidr(&rest, 2, 128, &term->cidr6) == CIDR_BAD ||
		take_cidr(&rest, 1, 32, &term->cidr4) == CIDR_BAD))
		return fault(p, term->source, "bad CIDR length");
	if (rest.len == 0)
		return argument != ARGUMENT_REQUIRED ||
		       fault(p, term->source, "value missing");
	if (*rest.start != ':')
		return fault(p, term->source, "syntax error");
	if (argument == ARGUMENT_NONE)
		return fault(p, term->source, "takes no value");
	rest = skip(rest, 1);
	if (term->mechanism == SPFRECORD_IP4 ||
	    term->mechanism == SPFRECORD_IP6)
		return parse_network(p, rest, term);
	if (!domain_spec_ok(rest))
		return fault(p, term->source, "bad domain");
	term->domain = rest;
	return true;
}

static bool
parse_directive(struct parser *p, struct spfrecord_text source)
{
	struct spfrecord_term *term = &p->terms[p->record->count];
	struct spfrecord_text rest = source;
	size_t len = 0, i;

	term->qualifier = '+';
	term->cidr4 = 32;
	term->cidr6 = 128;
	term->source = source;
	if (is_one_of(*rest.start, "+-~?")) {
		term->qualifier = *rest.start;
		rest = skip(rest, 1);
	}
	while (len < rest.len && is_alnum(rest.start[len]))
		len++;
	for (i = 0; i < MECHANISM_COUNT; i++) {
		if (strlen(mechanisms[i].name) == len &&
		    strncasecmp(mechanisms[i].name, rest.start, len) == 0)
			break;
	}
	if (i == MECHANISM_COUNT)
		return fault(p, source, "unknown mechanism");
	if (p->record->count == SPFRECORD_TERMS_MAX)
		return fault(p, source, "too many terms");
	term->mechanism = (enum spfrecord_mechanism)i;
	if (!parse_argument(p, skip(rest, len), term))
		return false;
	p->record->count++;
	return true;
}

/* redirect= and exp=: at most one of each. */
static bool
set_modifier(const struct parser *p, struct spfrecord_text source,
    struct spfrecord_text value, struct spfrecord_text *to)
{
	if (to->start != NULL)
		return fault(p, source, "second modifier of this name");
	if (!domain_spec_ok(value))
		return fault(p, source, "bad domain");
	*to = value;
	return true;
}

/* Is it a modifier (name "=" ...)? name_len_r is then where the '=' is. */
static bool
is_modifier(struct spfrecord_text source, size_t *name_len_r)
{
	size_t i = 1;

	if (!is_alpha(*source.start))
		return false;
	while (i < source.len &&
	       (is_alnum(source.start[i]) || is_one_of(source.start[i], "-_.")))
		i++;
	*name_len_r = i;
	return i < source.len && source.start[i] == '=';
}

static bool
parse_term(struct parser *p, struct spfrecord_text source)
{
	size_t len;
	struct spfrecord_text value;
	bool ends_in_macro;

	if (!is_modifier(source, &len))
		return parse_directive(p, source);
	value = skip(source, len + 1);
	if (len == 8 && strncasecmp(source.start, "redirect", len) == 0)
		return set_modifier(p, source, value, &p->record->redirect);
	if (len == 3 && strncasecmp(source.start, "exp", len) == 0)
		return set_modifier(p, source, value, &p->record->exp);
	return macro_string_ok(value, &ends_in_macro) ||
	       fault(p, source, "bad modifier");
}

/* Room for as many terms as there can be: one per blank. */
static size_t
most_terms(const char *text, size_t len)
{
	size_t count = 1;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ' ';
	return count < SPFRECORD_TERMS_MAX ? count : SPFRECORD_TERMS_MAX;
}

static bool
printable(const struct parser *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p->text[i] < 0x20 || p->text[i] > 0x7e)
			return fault(p,
			    (struct spfrecord_text){ p->text + i, 1 },
			    "not printable ASCII");
	}
	return true;
}

const struct spfrecord *
spfrecord_parse(const char *text, size_t len, struct arena *arena,
    struct spfrecord_fault *fault_r)
{
	struct parser p = { .text = text, .fault = fault_r };
	size_t i = VERSION_LEN, end;

	if (!spfrecord_is(text, len)) {
		fault(&p, (struct spfrecord_text){ text, 0 },
		    "does not begin with " VERSION);
		return NULL;
	}
	if (!printable(&p, len))
		return NULL;
	p.record = arena_alloc(arena, sizeof(*p.record));
	/* One more: the term that is one too many is read, then refused. */
	p.terms =
	    arena_alloc(arena, (most_terms(text, len) + 1) * sizeof(*p.terms));
	p.record->terms = p.terms;
	for (; i < len; i = end) {
		while (i < len && text[i] == ' ')
			i++;
		for (end = i; end < len && text[end] != ' ';)
			end++;
		if (end > i && !parse_term(&p, (struct spfrecord_text){
						   text + i, end - i }))
			return NULL;
	}
	return p.record;
}

bool
spfrecord_domain_ok(const char *domain)
{
	size_t label = 0, labels = 0, len = strlen(domain);

	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i == len || domain[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			labels++;
		} else if (++label > LABEL_MAX || domain[i] == ' ' ||
			   domain[i] == '[') {
			return false;
		}
	}
	return labels >= 2;
}
