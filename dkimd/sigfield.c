/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "common/str.h"

#include "dkimd/sigfield.h"
#include "dkimd/tagtext.h"

/* RFC 1035: of a label, and of a name as text without the last dot. */
#define NAME_MAX_LEN 253
#define DOMAINKEY "._domainkey."
/* Longer identities do not fit into the library's buffer. */
#define IDENTITY_MAX 254
/* RFC 6376 section 3.5: of t= and x=. l= may have 76, but no body has. */
#define TIME_DIGITS 12
#define LENGTH_DIGITS 15
/* Base64 of 32 bytes, and of the largest signature. */
#define HASH_CHARS 44
#define SIGNATURE_CHARS 1400
/* How much of b= goes into header.b (RFC 6008: 8 at least). */
#define B_START 8

struct parse {
	const struct header_field *field;
	int64_t now, drift_s;
	struct arena *arena;
	struct sigfield *sig;
	struct tagtext list;
	enum result result; /* the first fault's */
	const char *reason;
};

/* Keeps the first fault; what is left is still read, for the log. */
static void
fault(struct parse *p, enum result result, const char *reason)
{
	if (p->result != RESULT_NONE)
		return;
	p->result = result;
	p->reason = reason;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* The value of a tag that must be there. */
static bool
required(struct parse *p, const char *name, struct tagtext_piece *value_r)
{
	const struct tagtext_tag *tag = tagtext_find(&p->list, name);

	if (tag == NULL || tag->value.len == 0) {
		fault(p, RESULT_PERMERROR, "signature lacks a required tag");
		return false;
	}
	*value_r = tag->value;
	return true;
}

static bool
optional(struct parse *p, const char *name, struct tagtext_piece *value_r)
{
	const struct tagtext_tag *tag = tagtext_find(&p->list, name);

	if (tag == NULL)
		return false;
	*value_r = tag->value;
	return true;
}

/* "_" DNS does not mind, and selectors do have it. */
static bool
is_domain(struct tagtext_piece name, size_t labels_min)
{
	return str_labels(name.start, name.len, true) >= labels_min;
}

static const char *
lowered(struct parse *p, struct tagtext_piece piece)
{
	char *text = arena_strndup(p->arena, piece.start, piece.len);

	str_lower(text, piece.len);
	return text;
}

/* What the library would read in another way than we do, or cannot read. */
static void
read_names(struct parse *p)
{
	static const char *const known[] = { "v", "a", "b", "bh", "c", "d", "h",
		"i", "l", "q", "s", "t", "x", "z" };

	for (size_t i = 0; i < p->list.count; i++) {
		const struct tagtext_tag *tag = &p->list.tags[i];
		struct tagtext_piece name = tag->name;
		const char *end = name.start + name.len;

		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
			if (tagtext_is_nocase(name, known[k]) &&
			    !tagtext_is(name, known[k]))
				fault(p, RESULT_PERMERROR,
				    "a tag is written in another case");
		}
		if (name.len > 1 && end[-1] == 'b')
			fault(p, RESULT_NEUTRAL,
			    "a tag of unknown meaning ends in \"b\"");
		if (tagtext_is(name, "b") && *end != '=')
			fault(
			    p, RESULT_NEUTRAL, "a blank in front of b's \"=\"");
		if (!tag->is_ascii)
			fault(p, RESULT_NEUTRAL,
			    "characters beyond ASCII are not supported");
	}
}

static void
read_version(struct parse *p)
{
	struct tagtext_piece value;

	if (required(p, "v", &value) && !tagtext_is(value, "1"))
		fault(p, RESULT_PERMERROR, "unknown version (v=)");
}

static void
read_algorithm(struct parse *p)
{
	struct tagtext_piece value;

	p->sig->algorithm = SIGFIELD_UNKNOWN;
	if (!required(p, "a", &value))
		return;
	for (int i = SIGFIELD_RSA_SHA256; i < SIGFIELD_UNKNOWN; i++) {
		enum sigfield_algorithm algorithm = (enum sigfield_algorithm)i;

		if (tagtext_is_nocase(
			value, sigfield_algorithm_name(algorithm)))
			p->sig->algorithm = algorithm;
	}
	if (p->sig->algorithm == SIGFIELD_RSA_SHA1)
		fault(p, RESULT_POLICY, "rsa-sha1 is not accepted");
	else if (p->sig->algorithm == SIGFIELD_UNKNOWN)
		fault(p, RESULT_NEUTRAL, "unknown algorithm (a=)");
}

static bool
read_canon(struct tagtext_piece text, enum sigfield_canon *canon_r)
{
	*canon_r = tagtext_is_nocase(text, "relaxed") ? SIGFIELD_RELAXED
						      : SIGFIELD_SIMPLE;
	return *canon_r == SIGFIELD_RELAXED ||
	       tagtext_is_nocase(text, "simple");
}

static void
read_canons(struct parse *p)
{
	struct tagtext_piece header, body = { "simple", 6 };
	const char *slash;

	p->sig->header_canon = p->sig->body_canon = SIGFIELD_SIMPLE;
	if (!optional(p, "c", &header))
		return;
	slash = memchr(header.start, '/', header.len);
	if (slash != NULL) {
		body.start = slash + 1;
		body.len = (size_t)(header.start + header.len - body.start);
		header.len = (size_t)(slash - header.start);
	}
	if (!read_canon(header, &p->sig->header_canon) ||
	    !read_canon(body, &p->sig->body_canon))
		fault(p, RESULT_PERMERROR, "unknown canonicalization (c=)");
}

static void
read_domain(struct parse *p)
{
	struct tagtext_piece domain, selector;

	if (required(p, "d", &domain)) {
		if (is_domain(domain, 2))
			p->sig->domain = lowered(p, domain);
		else
			fault(p, RESULT_PERMERROR, "invalid domain (d=)");
	}
	if (required(p, "s", &selector)) {
		if (is_domain(selector, 1))
			p->sig->selector = lowered(p, selector);
		else
			fault(p, RESULT_PERMERROR, "invalid selector (s=)");
	}
	if (strlen(p->sig->domain) + strlen(p->sig->selector) +
		strlen(DOMAINKEY) >
	    NAME_MAX_LEN)
		fault(p, RESULT_PERMERROR, "name of the key is too long");
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes dkim-quoted-printable in place. Controls are refused. */
static bool
decode_qp(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		int c = (unsigned char)*from;

		if (c == '=') {
			int high = hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0)
				return false;
			c = high * 16 + low;
			from += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		*to++ = (char)c;
	}
	*to = '\0';
	return true;
}

/* Is name the domain, or below it? */
static bool
is_within(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	if (len < domain_len || domain_len == 0 ||
	    strcasecmp(name + len - domain_len, domain) != 0)
		return false;
	return len == domain_len || name[len - domain_len - 1] == '.';
}

static void
read_identity(struct parse *p)
{
	char text[IDENTITY_MAX + 1], *at;
	struct tagtext_piece value, domain;

	if (p->sig->domain[0] == '\0')
		return;
	if (!optional(p, "i", &value)) {
		char *own = arena_alloc(p->arena, strlen(p->sig->domain) + 2);

		own[0] = '@';
		memcpy(own + 1, p->sig->domain, strlen(p->sig->domain) + 1);
		p->sig->identity = own;
		return;
	}
	if (tagtext_squeeze(value, text, sizeof(text)) == sizeof(text) ||
	    !decode_qp(text) || (at = strchr(text, '@')) == NULL) {
		fault(p, RESULT_PERMERROR, "invalid identity (i=)");
		return;
	}
	if (strchr(at + 1, '@') != NULL) {
		fault(p, RESULT_NEUTRAL, "\"@\" in the local part of i=");
		return;
	}
	domain = (struct tagtext_piece){ at + 1, strlen(at + 1) };
	if (!is_domain(domain, 2) || !is_within(at + 1, p->sig->domain)) {
		fault(p, RESULT_PERMERROR, "i= is not within d=");
		return;
	}
	p->sig->identity = arena_strdup(p->arena, text);
}

/* Printable ASCII but ":" (and ";", which cannot be here). */
static bool
is_field_name(struct tagtext_piece name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.start[i] < 0x21 || name.start[i] > 0x7e)
			return false;
	}
	return name.len > 0;
}

static void
read_field_names(struct parse *p)
{
	struct tagtext_piece rest, entry;
	const char **names;
	size_t bytes = 0, count = 0;
	bool has_from = false;

	if (!required(p, "h", &rest))
		return;
	names = arena_alloc(p->arena, SIGFIELD_NAMES_MAX * sizeof(*names));
	while (tagtext_next(&rest, &entry)) {
		if (!is_field_name(entry)) {
			fault(
			    p, RESULT_PERMERROR, "invalid list of fields (h=)");
			return;
		}
		bytes += entry.len + 1;
		if (count == SIGFIELD_NAMES_MAX ||
		    bytes > SIGFIELD_NAMES_BYTES) {
			fault(p, RESULT_PERMERROR, "too many fields in h=");
			return;
		}
		/* The library would take this very field for one of them. */
		if (tagtext_is_nocase(entry, "DKIM-Signature"))
			fault(p, RESULT_NEUTRAL,
			    "signed signatures (h=) are not supported");
		has_from = has_from || tagtext_is_nocase(entry, "From");
		names[count++] = lowered(p, entry);
	}
	if (!has_from)
		fault(p, RESULT_PERMERROR, "From is not signed (h=)");
	p->sig->names = names;
	p->sig->name_count = count;
}

/* A decimal number of at most so many digits; else -1 and a fault. */
static int64_t
read_number(
    struct parse *p, const char *name, size_t digits_max, const char *reason)
{
	struct tagtext_piece value;
	int64_t number = 0;

	if (!optional(p, name, &value))
		return -1;
	for (size_t i = 0; i < value.len && i < digits_max; i++) {
		if (value.start[i] < '0' || value.start[i] > '9')
			number = -1;
		else if (number >= 0)
			number = number * 10 + (value.start[i] - '0');
	}
	if (value.len == 0 || value.len > digits_max)
		number = -1;
	if (number < 0)
		fault(p, RESULT_PERMERROR, reason);
	return number;
}

static void
read_numbers(struct parse *p)
{
	struct sigfield *sig = p->sig;

	sig->length =
	    read_number(p, "l", LENGTH_DIGITS, "invalid body length (l=)");
	sig->timestamp =
	    read_number(p, "t", TIME_DIGITS, "invalid timestamp (t=)");
	sig->expires =
	    read_number(p, "x", TIME_DIGITS, "invalid expiration (x=)");
	if (sig->timestamp >= 0 && sig->timestamp > p->now + p->drift_s)
		fault(p, RESULT_PERMERROR, "signature is from the future");
	if (sig->expires >= 0 && sig->timestamp >= 0 &&
	    sig->expires <= sig->timestamp)
		fault(
		    p, RESULT_PERMERROR, "signature expires before it begins");
	if (sig->expires >= 0 && p->now > sig->expires + p->drift_s)
		fault(p, RESULT_PERMERROR, "signature expired");
}

/* Unknown methods do not count, but one must be ours. */
static void
read_query(struct parse *p)
{
	struct tagtext_piece rest, entry;

	if (!optional(p, "q", &rest))
		return;
	while (tagtext_next(&rest, &entry)) {
		if (tagtext_is_nocase(entry, "dns/txt"))
			return;
	}
	fault(p, RESULT_NEUTRAL, "unknown query method (q=)");
}

static bool
is_base64(const char *text, size_t len)
{
	size_t body = len;

	while (body > 0 && len - body < 2 && text[body - 1] == '=')
		body--;
	for (size_t i = 0; i < body; i++) {
		if (!is_alnum(text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	}
	return body > 0 && len % 4 == 0;
}

static void
read_hashes(struct parse *p)
{
	char text[SIGNATURE_CHARS + 1];
	struct tagtext_piece value;
	size_t len;

	if (required(p, "bh", &value)) {
		len = tagtext_squeeze(value, text, sizeof(text));
		if (len != HASH_CHARS || !is_base64(text, len) ||
		    text[HASH_CHARS - 1] != '=' || text[HASH_CHARS - 2] == '=')
			fault(p, RESULT_PERMERROR, "invalid body hash (bh=)");
	}
	if (required(p, "b", &value)) {
		len = tagtext_squeeze(value, text, sizeof(text));
		if (len == sizeof(text) || !is_base64(text, len))
			fault(p, RESULT_PERMERROR, "invalid signature (b=)");
		else
			p->sig->b_start = arena_strndup(
			    p->arena, text, len < B_START ? len : B_START);
	}
}

static void
read_list(struct parse *p)
{
	const struct header_field *field = p->field;
	const char *reason;
	size_t len = field->value_len;

	/* The tags' ends are looked at, thus never an empty list. */
	p->list.count = 0;
	if (len > SIGFIELD_VALUE_MAX) {
		fault(p, RESULT_PERMERROR, "signature is too long");
		len = 0;
	}
	if (memchr(field->name, '\t', field->name_len) != NULL)
		fault(p, RESULT_NEUTRAL, "a tab in front of the colon");
	if (memchr(field->value, '\r', len) != NULL)
		fault(p, RESULT_PERMERROR, "a stray carriage return");
	if (!tagtext_parse(field->value, len, &p->list, &reason))
		fault(p, RESULT_PERMERROR, reason);
}

enum result
sigfield_parse(const struct header_field *field, int64_t now, int64_t drift_s,
    struct arena *arena, struct sigfield *sig_r, const char **reason_r)
{
	static void (*const steps[])(struct parse *) = { read_list, read_names,
		read_version, read_domain, read_algorithm, read_canons,
		read_identity, read_field_names, read_numbers, read_query,
		read_hashes };
	struct parse p = { .field = field,
		.now = now,
		.drift_s = drift_s,
		.arena = arena,
		.sig = sig_r,
		.result = RESULT_NONE,
		.reason = "" };

	*sig_r = (struct sigfield){
		.domain = "", .selector = "", .identity = "", .b_start = ""
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		steps[i](&p);
	*reason_r = p.reason;
	return p.result;
}

const char *
sigfield_algorithm_name(enum sigfield_algorithm algorithm)
{
	switch (algorithm) {
	case SIGFIELD_RSA_SHA256:
		return "rsa-sha256";
	case SIGFIELD_ED25519_SHA256:
		return "ed25519-sha256";
	case SIGFIELD_RSA_SHA1:
		return "rsa-sha1";
	case SIGFIELD_UNKNOWN:
		break;
	}
	return "unknown";
}
