/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
/* The library's header wants bool and the BSD types. */
#include <opendkim/dkim.h>
#include <string.h>
#include <strings.h>

#include "common/xmem.h"

#include "dkimd/bodylen.h"
#include "dkimd/choose.h"
#include "dkimd/engine_int.h"

struct signature {
	const struct header_field *field;
	const struct sigfield *parsed;
	const struct keyrecord *key; /* from engine_verify_end */
	DKIM_SIGINFO *info;          /* the library's; NULL = it has none */
	struct bodylen body;         /* only when there is an l= */
	const char *refused;         /* whatever the library says; or NULL */
};

struct engine_verify {
	struct engine *engine;
	DKIM_LIB *library; /* this message's alone */
	DKIM *handle;
	struct engine_memory memory;
	struct signature signatures[ENGINE_SIGNATURES_MAX];
	size_t count;
	struct engine_tail tail;
	bool has_failed; /* the library ran out of something */
};

/* The library asks for the key of one of its signatures. */
static DKIM_STAT
give_key(DKIM *handle, DKIM_SIGINFO *info, unsigned char *buf, size_t cap)
{
	const struct engine_verify *verify = dkim_get_user_context(handle);

	for (size_t i = 0; i < verify->count; i++) {
		const struct keyrecord *key = verify->signatures[i].key;

		if (verify->signatures[i].info != info || key == NULL ||
		    key->canonical_len >= cap)
			continue;
		memcpy(buf, key->canonical, key->canonical_len);
		buf[key->canonical_len] = '\0';
		return DKIM_CBSTAT_CONTINUE;
	}
	return DKIM_CBSTAT_NOTFOUND;
}

void
engine_verify_setup(DKIM_LIB *library)
{
	dkim_set_key_lookup(library, give_key);
}

static bool
names(const struct sigfield *parsed, const struct header_field *field)
{
	for (size_t i = 0; i < parsed->name_count; i++) {
		if (header_is(field, parsed->names[i]))
			return true;
	}
	return false;
}

/* Nobody's word counts for signatures of this field. */
static void
refuse(struct engine_verify *verify, const struct header_field *field,
    bool relaxed_only, const char *reason)
{
	for (size_t i = 0; i < verify->count; i++) {
		struct signature *signature = &verify->signatures[i];

		if (relaxed_only &&
		    signature->parsed->header_canon != SIGFIELD_RELAXED)
			continue;
		if (names(signature->parsed, field))
			signature->refused = reason;
	}
}

static int
feed_signed(struct engine_verify *verify, const struct header_field *field)
{
	/* The library does not take such a name. */
	if (memchr(field->name, '\t', field->name_len) != NULL) {
		refuse(verify, field, false, "tab in the name of a field");
		return DKIM_STAT_OK;
	}
	/* It takes these for blanks, which RFC 6376 does not. */
	if (memchr(field->value, '\v', field->value_len) != NULL ||
	    memchr(field->value, '\f', field->value_len) != NULL)
		refuse(verify, field, true, "control character in a field");
	return engine_feed(verify->handle, field);
}

/* Feeds one field of ours first, so that the library's array bounds always
 * hold, whatever a message brings; then what the signatures need. */
static int
feed(struct engine_verify *verify, const struct header_field *fields,
    size_t count)
{
	static const struct header_field pad = { "pad pad", 7, " x", 2 };
	const struct sigfield *parsed[ENGINE_SIGNATURES_MAX];
	bool *wanted = xmem_calloc(count + 1, sizeof(*wanted)),
	     has_from = false;
	int status = engine_feed(verify->handle, &pad);

	for (size_t i = 0; i < verify->count; i++)
		parsed[i] = verify->signatures[i].parsed;
	choose_fields(parsed, verify->count, fields, count, wanted);
	for (size_t i = 0; i < count && status == DKIM_STAT_OK; i++) {
		if (!wanted[i])
			continue;
		status = feed_signed(verify, &fields[i]);
		has_from = has_from || header_is(&fields[i], "From");
	}
	for (size_t i = 0; i < verify->count; i++) {
		if (status == DKIM_STAT_OK)
			status = engine_feed(
			    verify->handle, verify->signatures[i].field);
		if (!has_from)
			verify->signatures[i].refused =
			    "the message has no From field";
	}
	xmem_free(&wanted);
	return status;
}

/* The library lists signatures in the order they were fed. */
static bool
match_signatures(struct engine_verify *verify)
{
	DKIM_SIGINFO **infos;
	int count;

	if (dkim_getsiglist(verify->handle, &infos, &count) != DKIM_STAT_OK ||
	    count != (int)verify->count)
		return false;
	for (size_t i = 0; i < verify->count; i++) {
		const struct sigfield *parsed = verify->signatures[i].parsed;
		const char *domain = (char *)dkim_sig_getdomain(infos[i]);
		const char *selector = (char *)dkim_sig_getselector(infos[i]);

		if (domain == NULL || selector == NULL ||
		    strcasecmp(domain, parsed->domain) != 0 ||
		    strcasecmp(selector, parsed->selector) != 0)
			return false;
		verify->signatures[i].info = infos[i];
	}
	return true;
}

/* The library judges times once more, by its own clock. As much drift as the
 * oldest t= makes it see neither a future nor an end. */
static DKIM_STAT
stop_clock(const struct engine_verify *verify)
{
	uint64_t drift = 1000000000000;

	for (size_t i = 0; i < verify->count; i++) {
		int64_t timestamp = verify->signatures[i].parsed->timestamp;

		if (timestamp >= 0 && (uint64_t)timestamp < drift)
			drift = (uint64_t)timestamp;
	}
	return dkim_options(verify->library, DKIM_OP_SETOPT,
	    DKIM_OPTS_CLOCKDRIFT, &drift, sizeof(drift));
}

/* Begins with the library. Returns 0, or -1 with err. */
static int
begin(struct engine_verify *verify, const struct header_field *fields,
    size_t count, struct err *err)
{
	DKIM_STAT status;

	verify->library = engine_library_take(verify->engine, err);
	if (verify->library == NULL)
		return -1;
	status = stop_clock(verify);
	if (status == DKIM_STAT_OK)
		verify->handle = dkim_verify(verify->library,
		    (const unsigned char *)"verify", &verify->memory, &status);
	if (status == DKIM_STAT_OK) {
		dkim_set_user_context(verify->handle, verify);
		status = feed(verify, fields, count);
	}
	if (status == DKIM_STAT_OK)
		status = dkim_eoh(verify->handle);
	if (status == DKIM_STAT_OK && match_signatures(verify))
		return 0;
	return err_set(err, "libopendkim cannot verify: %s",
	    status == DKIM_STAT_OK ? "it reads the signatures differently"
				   : dkim_getresultstr(status));
}

struct engine_verify *
engine_verify_new(struct engine *engine,
    const struct engine_signature *signatures, size_t count,
    const struct header_field *fields, size_t field_count, struct err *err)
{
	struct engine_verify *verify = xmem_calloc(1, sizeof(*verify));

	verify->engine = engine;
	verify->count =
	    count < ENGINE_SIGNATURES_MAX ? count : ENGINE_SIGNATURES_MAX;
	for (size_t i = 0; i < verify->count; i++)
		verify->signatures[i] = (struct signature){
			.field = signatures[i].field,
			.parsed = signatures[i].parsed,
			.body = { .canon = signatures[i].parsed->body_canon }
		};
	if (begin(verify, fields, field_count, err) == 0)
		return verify;
	engine_verify_free(&verify);
	return NULL;
}

void
engine_verify_body(struct engine_verify *verify, const void *bytes, size_t len)
{
	for (size_t i = 0; i < verify->count; i++) {
		struct signature *signature = &verify->signatures[i];

		if (signature->parsed->length >= 0)
			bodylen_add(&signature->body, bytes, len);
	}
	engine_tail_add(&verify->tail, bytes, len);
	/* Once out of memory, the library would try it again for each piece. */
	if (!verify->has_failed &&
	    (engine_feed_body(verify->handle, bytes, len) != DKIM_STAT_OK ||
		verify->memory.is_exceeded))
		verify->has_failed = true;
}

/* What forbids the use of this key with this signature, or NULL. */
static const char *
mismatch(const struct sigfield *parsed, const struct keyrecord *key)
{
	bool is_ed25519 = parsed->algorithm == SIGFIELD_ED25519_SHA256;
	const char *at = strchr(parsed->identity, '@');

	if (is_ed25519 != (key->type == KEYRECORD_ED25519))
		return "key type does not match a=";
	if (key->is_strict &&
	    (at == NULL || strcasecmp(at + 1, parsed->domain) != 0))
		return "key does not allow subdomains in i=";
	return NULL;
}

/* Decides what can be decided without the library. */
static enum result
before(const struct engine_tail *tail, struct signature *signature,
    const char **reason_r)
{
	const struct keyrecord *key = signature->key;

	if (key == NULL) {
		*reason_r = "key not available";
		return RESULT_TEMPERROR;
	}
	if (tail->has_stray)
		signature->refused = "stray CR or LF in the body";
	if (signature->refused == NULL)
		signature->refused = mismatch(signature->parsed, key);
	*reason_r = signature->refused == NULL ? "" : signature->refused;
	return signature->refused == NULL ? RESULT_NONE : RESULT_PERMERROR;
}

/* The library's word, checked in all three places it says it. */
static enum result
after(const struct engine_verify *verify, DKIM_SIGINFO *info,
    const char **reason_r)
{
	DKIM_SIGERROR error = dkim_sig_geterror(info);
	unsigned flags = dkim_sig_getflags(info);

	*reason_r = "";
	if (!verify->has_failed && !verify->memory.is_exceeded &&
	    DKIM_SIG_CHECK(info) && error == DKIM_SIGERROR_OK)
		return RESULT_PASS;
	if (verify->memory.is_exceeded) {
		*reason_r = "the message has too long a line";
		return RESULT_PERMERROR;
	}
	if (verify->has_failed || error == DKIM_SIGERROR_UNKNOWN ||
	    error == DKIM_SIGERROR_OK) {
		*reason_r = "out of resources";
		return RESULT_TEMPERROR;
	}
	switch (error) {
	case DKIM_SIGERROR_BADSIG:
		*reason_r = (flags & DKIM_SIGFLAG_PASSED) != 0
				? "body hash mismatch"
				: "signature verification failed";
		return RESULT_FAIL;
	case DKIM_SIGERROR_TOOLARGE_L:
		*reason_r = "body is shorter than l=";
		return RESULT_FAIL;
	case DKIM_SIGERROR_KEYDECODE:
		*reason_r = "key cannot be decoded";
		return RESULT_PERMERROR;
	default:
		*reason_r = dkim_sig_geterrorstr(error);
		return RESULT_PERMERROR;
	}
}

void
engine_verify_end(struct engine_verify *verify,
    const struct keyrecord *const *keys, enum result *results_r,
    const char **reasons_r)
{
	const char *end = engine_tail_end(&verify->tail);
	DKIM_STAT status;

	engine_verify_body(verify, end, strlen(end));
	for (size_t i = 0; i < verify->count; i++) {
		struct signature *signature = &verify->signatures[i];

		signature->key = keys[i];
		results_r[i] = before(&verify->tail, signature, &reasons_r[i]);
		if (results_r[i] != RESULT_NONE)
			dkim_sig_ignore(signature->info);
	}
	engine_keycache_begin(verify->engine->keycache, NULL);
	status = dkim_eom(verify->handle, NULL);
	engine_keycache_end();
	if (status == DKIM_STAT_NORESOURCE || status == DKIM_STAT_INTERNAL ||
	    status == DKIM_STAT_SYNTAX || status == DKIM_STAT_INVALID)
		verify->has_failed = true;
	for (size_t i = 0; i < verify->count; i++) {
		if (results_r[i] == RESULT_NONE)
			results_r[i] = after(
			    verify, verify->signatures[i].info, &reasons_r[i]);
	}
}

bool
engine_verify_covers_body(const struct engine_verify *verify, size_t i)
{
	const struct signature *signature = &verify->signatures[i];

	return signature->parsed->length < 0 ||
	       signature->parsed->length >= bodylen_total(&signature->body);
}

void
engine_verify_free(struct engine_verify **verify)
{
	if (*verify == NULL)
		return;
	if ((*verify)->handle != NULL)
		dkim_free((*verify)->handle);
	engine_memory_release(&(*verify)->memory);
	engine_library_return((*verify)->engine, &(*verify)->library);
	xmem_free(verify);
}
