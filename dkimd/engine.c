/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
/* The library's header wants bool and the BSD types. */
#include <opendkim/dkim.h>
#include <string.h>

#include "common/log.h"
#include "common/xmem.h"

#include "dkimd/engine_int.h"

static int
set_option(DKIM_LIB *library, dkim_opts_t option, void *value, size_t len)
{
	return dkim_options(library, DKIM_OP_SETOPT, option, value, len) ==
		       DKIM_STAT_OK
		   ? 0
		   : -1;
}

static DKIM_LIB *
new_library(struct err *err)
{
	unsigned flags =
	    DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
	/* Sizes of keys are the caller's to judge. */
	unsigned bits = 1;
	DKIM_LIB *library = dkim_init(engine_memory_alloc, engine_memory_free);

	if (library == NULL) {
		err_set(err, "libopendkim cannot start");
		return NULL;
	}
	if (set_option(library, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) != 0 ||
	    set_option(library, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) !=
		0 ||
	    !dkim_libfeature(library, DKIM_FEATURE_SHA256) ||
	    !dkim_libfeature(library, DKIM_FEATURE_ED25519)) {
		err_set(err, "libopendkim lacks SHA-256, Ed25519 or options");
		dkim_close(library);
		return NULL;
	}
	engine_verify_setup(library);
	return library;
}

struct engine *
engine_new(struct err *err)
{
	struct engine *engine = xmem_calloc(1, sizeof(*engine));

	engine->idle[0] = new_library(err);
	if (engine->idle[0] == NULL) {
		xmem_free(&engine);
		return NULL;
	}
	engine->idle_count = 1;
	engine->keycache = engine_keycache_new();
	pthread_mutex_init(&engine->lock, NULL);
	if (!engine_keycache_works())
		log_warn("libopendkim does not take parsed keys: signing and "
			 "verifying cost more time");
	if (engine_probe(engine, err) != 0)
		engine_free(&engine);
	return engine;
}

void
engine_free(struct engine **engine)
{
	if (*engine == NULL)
		return;
	for (size_t i = 0; i < (*engine)->idle_count; i++)
		dkim_close((*engine)->idle[i]);
	engine_keycache_free(&(*engine)->keycache);
	pthread_mutex_destroy(&(*engine)->lock);
	xmem_free(engine);
}

DKIM_LIB *
engine_library_take(struct engine *engine, struct err *err)
{
	DKIM_LIB *library = NULL;

	pthread_mutex_lock(&engine->lock);
	if (engine->idle_count > 0)
		library = engine->idle[--engine->idle_count];
	pthread_mutex_unlock(&engine->lock);
	return library != NULL ? library : new_library(err);
}

void
engine_library_return(struct engine *engine, DKIM_LIB **library)
{
	DKIM_LIB *spare = *library;

	if (spare == NULL)
		return;
	*library = NULL;
	pthread_mutex_lock(&engine->lock);
	if (engine->idle_count < ENGINE_IDLE_MAX) {
		engine->idle[engine->idle_count++] = spare;
		spare = NULL;
	}
	pthread_mutex_unlock(&engine->lock);
	if (spare != NULL)
		dkim_close(spare);
}

int
engine_feed(DKIM *handle, const struct header_field *field)
{
	size_t folds = 0, used;
	unsigned char *text;
	int status;

	for (size_t i = 0; i < field->value_len; i++)
		folds += field->value[i] == '\n';
	text = xmem_alloc(field->name_len + field->value_len + folds + 2);
	memcpy(text, field->name, field->name_len);
	used = field->name_len;
	text[used++] = ':';
	for (size_t i = 0; i < field->value_len; i++) {
		if (field->value[i] == '\n')
			text[used++] = '\r';
		text[used++] = (unsigned char)field->value[i];
	}
	text[used] = '\0';
	status = dkim_header(handle, text, used);
	xmem_free(&text);
	return status;
}

int
engine_feed_body(DKIM *handle, const void *bytes, size_t len)
{
	/* The library does not change them, though it does not say so. */
	union {
		const void *ours;
		unsigned char *theirs;
	} body = { .ours = bytes };

	return len == 0 ? DKIM_STAT_OK : dkim_body(handle, body.theirs, len);
}

/* Is there a CR or LF that is not one half of CRLF? A CR at the end waits
 * for the next piece. */
static bool
has_stray(const struct engine_tail *tail, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	if (tail->last == '\r' && bytes[0] != '\n')
		return true;
	for (const char *line = bytes; line < end;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *stop = lf != NULL ? lf : end;
		const char *cr = memchr(line, '\r', (size_t)(stop - line));

		if (cr != NULL && cr + 1 != stop)
			return true;
		if (lf != NULL && (lf > bytes ? lf[-1] : tail->last) != '\r')
			return true;
		line = stop + 1;
	}
	return false;
}

void
engine_tail_add(struct engine_tail *tail, const char *bytes, size_t len)
{
	char before = len > 1 ? bytes[len - 2] : tail->last;

	if (len == 0)
		return;
	tail->has_stray = tail->has_stray || has_stray(tail, bytes, len);
	tail->last = bytes[len - 1];
	tail->is_open = tail->last != '\n' || before != '\r';
}

const char *
engine_tail_end(const struct engine_tail *tail)
{
	if (!tail->is_open)
		return "";
	return tail->last == '\r' ? "\n" : "\r\n";
}
