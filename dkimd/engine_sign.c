/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
/* The library's header wants bool and the BSD types. */
#include <opendkim/dkim.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/engine_int.h"

#define OVERSIGN_MAX 64
#define IDENTITY_MAX 254
#define FIELD_START "DKIM-Signature: "

struct engine_sign {
	struct engine *engine;
	const struct engine_key *key;
	DKIM_LIB *library; /* this signing's alone */
	DKIM *handle;
	struct engine_memory memory;
	int64_t timestamp;
	bool is_lent; /* the library has a reference to the key */
	struct engine_tail tail;
	bool has_failed; /* a line too long for the memory of a message */
	char *value;     /* the result */
};

/* What the library takes as a field, and a verifier reads as we do. */
static int
check_field(const struct header_field *field, bool is_relaxed, struct err *err)
{
	for (size_t i = 0; i < field->name_len; i++) {
		char c = field->name[i];

		if (c == ';' || c == ':' || c > 0x7e ||
		    (c <= 0x20 && i + 1 < field->name_len))
			return err_set(err, "a field has an invalid name");
	}
	if (field->name_len == 0 || field->name[0] <= 0x20)
		return err_set(err, "a field without a name");
	if (memchr(field->value, '\r', field->value_len) != NULL ||
	    (is_relaxed &&
		(memchr(field->value, '\v', field->value_len) != NULL ||
		    memchr(field->value, '\f', field->value_len) != NULL)))
		return err_set(
		    err, "the field %s holds a control character", field->name);
	return 0;
}

static int
check_fields(const struct engine_sign_config *config,
    const struct header_field *const *fields, size_t count, struct err *err)
{
	bool is_relaxed =
	    config->header_canon == SIGFIELD_RELAXED ||
	    engine_key_algorithm(config->key) == SIGFIELD_ED25519_SHA256;
	bool has_from = false;
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		if (check_field(fields[i], is_relaxed, err) != 0)
			return -1;
		has_from = has_from || header_is(fields[i], "From");
		bytes += fields[i]->name_len + 1;
	}
	for (size_t i = 0; i < config->oversign_count; i++)
		bytes += strlen(config->oversign[i]) + 1;
	if (!has_from)
		return err_set(err, "no From field to sign");
	/* What we would not verify ourselves; the library keeps the names in
	 * a buffer of 4096. */
	if (bytes > SIGFIELD_NAMES_BYTES ||
	    count + config->oversign_count > SIGFIELD_NAMES_MAX ||
	    config->oversign_count > OVERSIGN_MAX)
		return err_set(err, "too many fields to sign");
	return 0;
}

/* Is the domain of i= that of d=, or below it? */
static bool
is_within(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	return len >= domain_len &&
	       strcasecmp(name + len - domain_len, domain) == 0 &&
	       (len == domain_len || name[len - domain_len - 1] == '.');
}

/* i= as dkim-quoted-printable; only the "@" in front of the domain stays. */
static int
set_identity(
    DKIM *handle, const struct engine_sign_config *config, struct err *err)
{
	const char *at = strrchr(config->identity, '@');
	char buf[IDENTITY_MAX + 1];
	struct str text;

	str_init(&text, buf, sizeof(buf));
	for (const char *c = config->identity; *c != '\0'; c++) {
		if (*c < 0x21 || *c > 0x7e || *c == ';' || *c == '=' ||
		    (*c == '@' && c != at))
			str_addf(&text, "=%02X", (unsigned)(unsigned char)*c);
		else
			str_add_char(&text, *c);
	}
	if (at == NULL || text.truncated ||
	    !is_within(at + 1, config->domain) ||
	    dkim_set_signer(handle, (unsigned char *)buf) != DKIM_STAT_OK)
		return err_set(err, "the identity %s is not within %s",
		    config->identity, config->domain);
	return 0;
}

/* What the library keeps for all handles, for ours alone. */
static int
set_options(
    DKIM_LIB *library, const struct engine_sign_config *config, struct err *err)
{
	const char *names[OVERSIGN_MAX + 1] = { NULL };
	uint64_t now = (uint64_t)config->timestamp, life = 0;
	void *oversign = config->oversign_count == 0 ? NULL : names;

	if (config->timestamp <= 0 ||
	    (config->expires >= 0 && config->expires <= config->timestamp))
		return err_set(err, "a signature must end after it begins");
	if (config->expires >= 0)
		life = (uint64_t)(config->expires - config->timestamp);
	for (size_t i = 0; i < config->oversign_count; i++)
		names[i] = config->oversign[i];
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &now,
		sizeof(now)) != DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_SIGNATURETTL, &life,
		sizeof(life)) != DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS,
		oversign, sizeof(char **)) != DKIM_STAT_OK)
		return err_set(err, "libopendkim does not take an option");
	return 0;
}

static dkim_canon_t
canon_of(enum sigfield_canon canon)
{
	return canon == SIGFIELD_RELAXED ? DKIM_CANON_RELAXED
					 : DKIM_CANON_SIMPLE;
}

static DKIM *
new_handle(struct engine_sign *sign, const struct engine_sign_config *config,
    struct err *err)
{
	/* Not changed by the library, which has no const. */
	union {
		const char *ours;
		unsigned char *theirs;
	} text = { .ours = engine_key_text(config->key) };
	bool is_ed25519 =
	    engine_key_algorithm(config->key) == SIGFIELD_ED25519_SHA256;
	DKIM_STAT status;
	DKIM *handle;

	/* The library's Ed25519 signatures are broken with simple headers. */
	handle = dkim_sign(sign->library, (const unsigned char *)"sign",
	    &sign->memory, text.theirs, (const unsigned char *)config->selector,
	    (const unsigned char *)config->domain,
	    is_ed25519 ? DKIM_CANON_RELAXED : canon_of(config->header_canon),
	    canon_of(config->body_canon),
	    is_ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1,
	    &status);
	if (handle == NULL)
		err_set(err, "libopendkim cannot sign: %s",
		    dkim_getresultstr(status));
	return handle;
}

static int
feed(struct engine_sign *sign, const struct header_field *const *fields,
    size_t count, struct err *err)
{
	DKIM_STAT status = DKIM_STAT_OK;

	for (size_t i = 0; i < count && status == DKIM_STAT_OK; i++)
		status = engine_feed(sign->handle, fields[i]);
	if (status == DKIM_STAT_OK)
		status = dkim_eoh(sign->handle);
	if (status != DKIM_STAT_OK)
		return err_set(err, "libopendkim cannot sign the header: %s",
		    dkim_getresultstr(status));
	return 0;
}

struct engine_sign *
engine_sign_new(struct engine *engine, const struct engine_sign_config *config,
    const struct header_field *const *fields, size_t field_count,
    struct err *err)
{
	struct engine_sign *sign = xmem_calloc(1, sizeof(*sign));

	sign->engine = engine;
	sign->key = config->key;
	sign->timestamp = config->timestamp;
	if (check_fields(config, fields, field_count, err) == 0 &&
	    (sign->library = engine_library_take(engine, err)) != NULL &&
	    set_options(sign->library, config, err) == 0 &&
	    (sign->handle = new_handle(sign, config, err)) != NULL &&
	    (config->identity == NULL ||
		set_identity(sign->handle, config, err) == 0) &&
	    feed(sign, fields, field_count, err) == 0)
		return sign;
	engine_sign_free(&sign);
	return NULL;
}

void
engine_sign_body(struct engine_sign *sign, const void *bytes, size_t len)
{
	engine_tail_add(&sign->tail, bytes, len);
	if (!sign->has_failed &&
	    (engine_feed_body(sign->handle, bytes, len) != DKIM_STAT_OK ||
		sign->memory.is_exceeded))
		sign->has_failed = true;
}

/* Would anybody verify it? Names that the tables gave may be no domains. */
static int
check_value(const char *value, size_t len, int64_t now, struct err *err)
{
	const struct header_field field = { "DKIM-Signature", 14, value, len };
	struct arena *arena = arena_new();
	struct sigfield parsed;
	const char *reason;
	int status = 0;

	if (sigfield_parse(&field, now, 0, arena, &parsed, &reason) ==
	    RESULT_PERMERROR)
		status =
		    err_set(err, "the signature would be refused: %s", reason);
	arena_free(&arena);
	return status;
}

const char *
engine_sign_end(struct engine_sign *sign, struct err *err)
{
	const char *end = engine_tail_end(&sign->tail);
	unsigned char *text = NULL;
	size_t len = 0, kept = 0;
	DKIM_STAT status;

	engine_sign_body(sign, end, strlen(end));
	engine_keycache_begin(NULL, engine_key_parsed(sign->key));
	status = sign->has_failed ? DKIM_STAT_NORESOURCE
				  : dkim_eom(sign->handle, NULL);
	sign->is_lent = engine_keycache_end();
	if (status == DKIM_STAT_OK)
		status = dkim_getsighdr_d(
		    sign->handle, strlen(FIELD_START), &text, &len);
	if (sign->tail.has_stray) {
		err_set(err, "stray CR or LF in the body");
		return NULL;
	}
	if (sign->memory.is_exceeded) {
		err_set(err, "the message has too long a line");
		return NULL;
	}
	if (status != DKIM_STAT_OK) {
		const char *why = dkim_geterror(sign->handle);

		err_set(err, "libopendkim cannot sign: %s",
		    why != NULL ? why : dkim_getresultstr(status));
		return NULL;
	}
	sign->value = xmem_alloc(len + 1);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\r' && text[i] != '\0')
			sign->value[kept++] = (char)text[i];
	}
	sign->value[kept] = '\0';
	if (check_value(sign->value, kept, sign->timestamp, err) != 0)
		return NULL;
	return sign->value;
}

void
engine_sign_free(struct engine_sign **sign)
{
	if (*sign == NULL)
		return;
	if ((*sign)->handle != NULL)
		dkim_free((*sign)->handle);
	engine_memory_release(&(*sign)->memory);
	if ((*sign)->is_lent && (*sign)->engine->keeps_ed25519 &&
	    engine_key_algorithm((*sign)->key) == SIGFIELD_ED25519_SHA256)
		engine_key_drop((*sign)->key);
	engine_library_return((*sign)->engine, &(*sign)->library);
	xmem_free(&(*sign)->value);
	xmem_free(sign);
}
