/* SPDX-License-Identifier: ISC */
/*
 * testmilter - a daemon on common/milter that does what a message says
 *
 * It adds what it was told as fields of its own, on top and in this order:
 *
 *     X-Client     name, helo and address of the client
 *     X-Sender     <sender>, and SMTPUTF8
 *     X-Recipients <recipient>..., and CUT
 *     X-Header     number of fields, and CUT
 *     X-Body       bytes told, bytes seen
 *     X-Macros     queue id, host name, daemon name, login, {client_ptr}
 *
 * and obeys the fields named X-Do, in their order:
 *
 *     insert NAME VALUE   adds a field below those ("\n" in VALUE is one)
 *     remove NAME         removes all fields of this name
 *     remove-nth NAME N   removes the n-th, from 1
 *     nobody              wants no body
 *     progress N          says N times that it is at work
 *     wait                ... until it is told to reload
 *     late MS             takes so long
 *     reject, tempfail, discard, quarantine, with CODE ENHANCED TEXT
 *     forget              adds nothing
 *
 * A reload logs the figures. Threads: the hooks run on many.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/milter.h"
#include "common/milter_engine.h"
#include "common/sockset.h"
#include "common/str.h"
#include "common/xmem.h"

#define TEXT_SIZE 4096

struct options {
	struct daemon_config daemon;
	struct sockset_options sockets;
	int64_t max_sessions, max_messages, timeout_s;
	int64_t max_fields, max_field_bytes, max_recipients;
	bool wants_body;
};

struct state {
	struct options options;
	struct sockset *sockets;
	struct milter *milter;
	atomic_int reloads, begun, done;
};

/* What a message wants, in m->work. */
struct work {
	uint64_t seen;
	int reloads; /* when it came */
};

/* -------------------------------------------------------------- commands */

/* The value of an X-Do field without the space, or NULL. */
static const char *
command(const struct header_field *field)
{
	if (!str_equal_nocase(field->name, "X-Do"))
		return NULL;
	return field->value + strspn(field->value, " ");
}

/* Does the message say this word? */
static bool
says(const struct milter_message *m, const char *word)
{
	for (size_t i = 0; i < m->field_count; i++) {
		const char *text = command(&m->fields[i]);

		if (text != NULL && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

static void
pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

/* Waits for the next reload. */
static void
wait_for_reload(struct state *s, struct milter_message *m)
{
	const struct work *work = m->work;

	log_info("waiting for a reload");
	while (atomic_load(&s->reloads) == work->reloads) {
		if (!milter_progress(m)) {
			log_info("nobody waits any more");
			return;
		}
		pause_ms(20);
	}
}

static void
remove_all(struct milter_message *m, const char *name, size_t nth)
{
	size_t count = 0;

	for (size_t i = 0; i < m->field_count; i++) {
		const char *own = m->fields[i].name;
		size_t len = strcspn(own, " \t");

		if (len != strlen(name) || strncasecmp(own, name, len) != 0)
			continue;
		if (++count == nth || nth == 0)
			milter_remove(m, i);
	}
}

/* Splits text at the first blank. Returns what follows, "" at the end. */
static char *
split(char *text)
{
	char *blank = strchr(text, ' ');

	if (blank == NULL)
		return text + strlen(text);
	*blank = '\0';
	return blank + 1;
}

static void
insert(struct milter_message *m, char *name)
{
	char *value = split(name);
	char *to = value;

	for (const char *from = value; *from != '\0'; from++) {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	milter_insert(m, name, value);
}

/* Commands that decide. Returns whether word is one. */
static bool
decide(char *word, char *rest, struct milter_verdict *verdict)
{
	static const struct {
		const char *word;
		enum milter_action action;
	} rows[] = {
		{ "reject", MILTER_REJECT },
		{ "tempfail", MILTER_TEMPFAIL },
		{ "discard", MILTER_DISCARD },
		{ "quarantine", MILTER_QUARANTINE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(word, rows[i].word) != 0)
			continue;
		verdict->action = rows[i].action;
		if (rest[0] >= '0' && rest[0] <= '9') {
			verdict->code = rest;
			verdict->enhanced = split(rest);
			rest = split(rest + strlen(rest) + 1);
		}
		verdict->text = rest;
		return true;
	}
	return false;
}

static void
obey(struct state *s, struct milter_message *m, const char *text,
    struct milter_verdict *verdict)
{
	char *word = arena_strdup(m->arena, text);
	char *rest = split(word);

	if (decide(word, rest, verdict))
		return;
	if (strcmp(word, "insert") == 0)
		insert(m, rest);
	else if (strcmp(word, "remove") == 0)
		remove_all(m, rest, 0);
	else if (strcmp(word, "remove-nth") == 0) {
		char *nth = split(rest);

		remove_all(m, rest, strtoul(nth, NULL, 10));
	} else if (strcmp(word, "progress") == 0) {
		for (long i = strtol(rest, NULL, 10); i > 0; i--)
			(void)milter_progress(m);
	} else if (strcmp(word, "wait") == 0)
		wait_for_reload(s, m);
	else if (strcmp(word, "late") == 0)
		pause_ms(strtol(rest, NULL, 10));
}

/* ---------------------------------------------------------------- report */

static void
report_envelope(struct milter_message *m, struct str *s)
{
	char address[IP_TEXT_SIZE] = "none";

	if (m->client->has_address)
		(void)ip_format(&m->client->address, address);
	str_addf(s, "%s %s %s", m->client->name, m->client->helo, address);
	milter_insert(m, "X-Client", s->text);
	str_init(s, s->text, s->cap);
	str_addf(s, "<%s>%s", m->sender, m->is_smtputf8 ? " SMTPUTF8" : "");
	milter_insert(m, "X-Sender", s->text);
	str_init(s, s->text, s->cap);
	for (size_t i = 0; i < m->recipient_count; i++)
		str_addf(s, "<%s>", m->recipients[i]);
	str_add(s, m->recipients_cut ? " CUT" : "");
	milter_insert(m, "X-Recipients", s->text);
}

static void
report(struct milter_message *m)
{
	const struct work *work = m->work;
	const char *pointer = milter_macro(m, "{client_ptr}");
	char text[TEXT_SIZE];
	struct str s;

	str_init(&s, text, sizeof(text));
	report_envelope(m, &s);
	str_init(&s, text, sizeof(text));
	str_addf(&s, "%zu%s", m->field_count, m->header_cut ? " CUT" : "");
	milter_insert(m, "X-Header", text);
	str_init(&s, text, sizeof(text));
	str_addf(&s, "%llu %llu", (unsigned long long)m->body_bytes,
	    (unsigned long long)work->seen);
	milter_insert(m, "X-Body", text);
	str_init(&s, text, sizeof(text));
	str_addf(&s, "%s %s %s %s %s", m->queue_id, m->hostname, m->daemon_name,
	    m->auth_login[0] != '\0' ? m->auth_login : "-",
	    pointer != NULL ? pointer : "-");
	milter_insert(m, "X-Macros", text);
}

/* ----------------------------------------------------------------- hooks */

static enum milter_next
header_end(void *arg, struct milter_message *m)
{
	struct state *s = arg;
	struct work *work = arena_alloc(m->arena, sizeof(*work));

	atomic_fetch_add(&s->begun, 1);
	work->reloads = atomic_load(&s->reloads);
	m->work = work;
	return says(m, "nobody") ? MILTER_NO_BODY : MILTER_BODY;
}

static void
body(void *arg, struct milter_message *m, const void *bytes, size_t len)
{
	struct work *work = m->work;

	(void)arg;
	(void)bytes;
	work->seen += len;
}

static void
end(void *arg, struct milter_message *m, struct milter_verdict *verdict)
{
	if (!says(m, "forget"))
		report(m);
	for (size_t i = 0; i < m->field_count; i++) {
		const char *text = command(&m->fields[i]);

		if (text != NULL)
			obey(arg, m, text, verdict);
	}
}

static void
done(void *arg, struct milter_message *m)
{
	struct state *s = arg;

	(void)m;
	atomic_fetch_add(&s->done, 1);
}

/* ---------------------------------------------------------------- daemon */

#define FIELD(member) offsetof(struct options, member)
#define NUMBER(option, member, value)                                          \
	{                                                                      \
		.name = option, .type = CONFIG_INT, .offset = FIELD(member),   \
		.initial = value                                               \
	}

static const struct config_option table[] = {
	DAEMON_OPTIONS(struct options, daemon),
	SOCKSET_OPTIONS(struct options, sockets, NULL),
	NUMBER("MaxSessions", max_sessions, "1000"),
	NUMBER("MaxMessages", max_messages, "100"),
	NUMBER("Timeout", timeout_s, "300"),
	NUMBER("MaxFields", max_fields, "1000"),
	NUMBER("MaxFieldBytes", max_field_bytes, "1000000"),
	NUMBER("MaxRecipients", max_recipients, "100"),
	{ .name = "WantsBody",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(wants_body),
	    .initial = "yes" },
	CONFIG_END,
};

static void *
hook_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	struct state *s = xmem_calloc(1, sizeof(*s));
	const struct options *options = config_values(config);

	s->options = *options;
	s->sockets = sockset_open(&options->sockets, uid, gid, err);
	if (s->sockets == NULL)
		xmem_free(&s);
	return s;
}

static void *
hook_start(void *state, struct err *err)
{
	static const char *const macros[] = { "{client_ptr}" };
	struct state *s = state;
	const struct options *o = &s->options;
	const struct milter_config config = {
		.name = "testmilter",
		.fd = sockset_take(s->sockets),
		.max_sessions = o->max_sessions,
		.max_messages = o->max_messages,
		.timeout_s = o->timeout_s,
		.max_fields = (size_t)o->max_fields,
		.max_field_bytes = (size_t)o->max_field_bytes,
		.max_recipients = (size_t)o->max_recipients,
		.may_quarantine = true,
		.wants_body = o->wants_body,
		.macros = macros,
		.macro_count = 1,
	};
	const struct milter_hooks hooks = { header_end, body, end, done, s };

	s->milter = milter_new(&config, &hooks, err);
	return s->milter;
}

static int
hook_reload(void *state, const struct config *config, struct err *err)
{
	struct state *s = state;
	struct milter_stats stats;

	(void)config;
	(void)err;
	milter_stats(s->milter, &stats);
	log_info("sessions=%llu messages=%llu refused=%llu aborted=%llu"
		 " open=%lld under_way=%lld begun=%d done=%d reloads=%d",
	    (unsigned long long)stats.sessions,
	    (unsigned long long)stats.messages,
	    (unsigned long long)stats.refused,
	    (unsigned long long)stats.aborted, (long long)stats.open,
	    (long long)stats.under_way, atomic_load(&s->begun),
	    atomic_load(&s->done), atomic_load(&s->reloads) + 1);
	atomic_fetch_add(&s->reloads, 1);
	return 0;
}

static void
hook_close(void *state)
{
	struct state *s = state;

	log_info("closed: begun=%d done=%d", atomic_load(&s->begun),
	    atomic_load(&s->done));
	milter_free(&s->milter);
	sockset_free(&s->sockets);
	xmem_free(&s);
}

static const struct daemon_spec spec = {
	.name = "testmilter",
	.version = POSTERN_VERSION,
	.usage = "usage: testmilter --listen=SOCKET [--name=value]",
	.options = table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.args = { .letters = NULL },
	.engine = &milter_engine,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
