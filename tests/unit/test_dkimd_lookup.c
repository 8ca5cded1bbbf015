/* SPDX-License-Identifier: ISC */
/*
 * A name server runs in a thread of its own. It counts what it is asked and
 * waits for its cue before it answers, so that all questions of a message can
 * be seen at once. DNSSEC and CNAMEs are in tests/fault/t_dkim_dns.py.
 */
#include <stdlib.h>

#include "common/log.h"
#include "common/now.h"

#include "dkimd/lookup.h"

#include "tests/unit/check.h"
#include "tests/unit/dnspeer.h"

#define KEY "v=DKIM1; k=ed25519; p=DzwNKE389SbQn20NoZo4LTH1a0yQeb/siZP7t8JbQxE="
#define LATER INT64_MAX

struct server {
	struct dnspeer peer;
	int asked;    /* questions seen */
	int wait_for; /* answers begin when so many were */
};

/* What the first label says is in the zone; "|" between two records. */
static const struct {
	const char *label, *text;
} zone[] = {
	{ "good", KEY },
	{ "joined", "v=DKIM1; k=ed25519; p=DzwNKE389SbQn20NoZo4LT"
		    "^H1a0yQeb/siZP7t8JbQxE=" },
	{ "beside", "v=spf1 -all|" KEY "|google-site-verification=x" },
	{ "twice", KEY "|" KEY "; t=s" },
	{ "revoked", "v=DKIM1; p=" },
	{ "broken", "v=DKIM1; p=***" },
	{ "brokentoo", KEY "|v=DKIM1; p=***" },
	{ "other", "v=spf1 -all" },
	{ "others", "hello|v=spf1 -all" },
	{ "spaces", "v=DKIM1; h=sha1; p=x" },
};

/* Appends the TXT records of texts ("|" between them, "^" between the strings
 * of one). Returns how many. */
static uint8_t
add_records(uint8_t *packet, size_t *size, const char *texts)
{
	static const uint8_t head[] = { 0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60,
		0 };
	uint8_t count = 0;

	for (;;) {
		size_t len = strcspn(texts, "|"), at = *size + sizeof(head) + 1;
		size_t from = 0;

		memcpy(packet + *size, head, sizeof(head));
		while (from < len) {
			size_t piece = strcspn(texts + from, "|^");

			packet[at++] = (uint8_t)piece;
			memcpy(packet + at, texts + from, piece);
			at += piece;
			from += piece + 1;
		}
		packet[*size + sizeof(head)] =
		    (uint8_t)(at - *size - sizeof(head) - 1);
		*size = at;
		count++;
		if (texts[len] == '\0')
			return count;
		texts += len + 1;
	}
}

static void
answer(struct server *s, uint8_t *packet, size_t len,
    const struct sockaddr_in *peer)
{
	const char *label = (const char *)packet + 13;
	size_t label_len = packet[12], size = dnspeer_question_end(packet, len),
	       i;

	packet[2] = 0x81;
	packet[3] = 0x83;
	memset(packet + 6, 0, 6);
	if (strncmp(label, "fail", 4) == 0)
		packet[3] = 0x82;
	if (strncmp(label, "empty", 5) == 0)
		packet[3] = 0x80;
	for (i = 0; i < CHECK_COUNT(zone); i++) {
		if (strlen(zone[i].label) != label_len ||
		    memcmp(zone[i].label, label, label_len) != 0)
			continue;
		packet[3] = 0x80;
		packet[7] = add_records(packet, &size, zone[i].text);
	}
	(void)sendto(s->peer.fd, packet, size, 0, (const struct sockaddr *)peer,
	    sizeof(*peer));
}

/* An empty packet ends it. Questions with "silent" get no answer. */
static void *
serve(void *arg)
{
	enum { HELD_MAX = 16 };
	struct server *s = arg;
	struct sockaddr_in peers[HELD_MAX];
	uint8_t packets[HELD_MAX][1500];
	size_t lens[HELD_MAX];
	size_t held = 0;

	for (;;) {
		socklen_t peer_len = sizeof(peers[0]);
		ssize_t len = recvfrom(s->peer.fd, packets[held], 512, 0,
		    (struct sockaddr *)&peers[held], &peer_len);

		if (len <= 13)
			break;
		pthread_mutex_lock(&s->peer.mutex);
		s->asked++;
		lens[held] = (size_t)len;
		if (memcmp(packets[held] + 13, "silent", 6) != 0)
			held++;
		if (s->asked >= s->wait_for || held == HELD_MAX) {
			while (held > 0) {
				held--;
				answer(
				    s, packets[held], lens[held], &peers[held]);
			}
		}
		pthread_cond_signal(&s->peer.seen);
		pthread_mutex_unlock(&s->peer.mutex);
	}
	return NULL;
}

static void
start_server(struct server *s)
{
	memset(s, 0, sizeof(*s));
	dnspeer_start(&s->peer, serve, s);
}

static void
stop_server(struct server *s)
{
	dnspeer_stop(&s->peer);
}

/* From now on answers begin when count questions were seen. */
static void
hold(struct server *s, int count)
{
	pthread_mutex_lock(&s->peer.mutex);
	s->asked = 0;
	s->wait_for = count;
	pthread_mutex_unlock(&s->peer.mutex);
}

static int
asked(struct server *s)
{
	int count;

	pthread_mutex_lock(&s->peer.mutex);
	count = s->asked;
	pthread_mutex_unlock(&s->peer.mutex);
	return count;
}

static struct dns_thread *
new_thread(const struct server *s)
{
	char *servers[] = { strdup(s->peer.address) };
	struct dns_config config = {
		.nameservers = servers,
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = 60000,
		.cache_bytes = 1 << 20,
	};
	struct err err = { "" };
	struct dns_thread *thread = dns_thread_new(&config, &err);

	check_str("a thread", err.text, "");
	free(servers[0]);
	return thread;
}

/* Result, what DNS said, reason, and which kind of key there is. */
static const char *
render(const struct lookup_answer *a)
{
	static const char *const dnssec[] = {
		[OUTCOME_UNKNOWN] = "unknown",
		[OUTCOME_INSECURE] = "insecure",
		[OUTCOME_SECURE] = "secure",
		[OUTCOME_BOGUS] = "bogus",
	};
	static char buf[200];

	snprintf(buf, sizeof(buf), "%s%s %s: %s%s", result_name(a->result),
	    a->not_found ? " not-found" : "", dnssec[a->dnssec], a->reason,
	    a->key == NULL                      ? ""
	    : a->key->type == KEYRECORD_ED25519 ? "ed25519"
						: "rsa");
	return buf;
}

static void
test_answers(struct server *s)
{
	static const struct {
		const char *selector, *want;
	} rows[] = {
		{ "good", "none insecure: ed25519" },
		{ "joined", "none insecure: ed25519" },
		{ "beside", "none insecure: ed25519" },
		{ "twice", "permerror insecure: multiple keys found" },
		{ "brokentoo", "permerror insecure: multiple keys found" },
		{ "revoked", "permerror insecure: key revoked" },
		{ "broken", "permerror insecure: unable to apply public key" },
		{ "other", "permerror insecure: unknown key version" },
		{ "others", "permerror insecure: *" },
		{ "spaces", "permerror insecure: signature-key hash mismatch" },
		{ "missing",
		    "permerror not-found insecure: key not found in DNS" },
		{ "empty",
		    "permerror not-found insecure: key not found in DNS" },
		{ "fail", "temperror unknown: key retrieval failed" },
		{ "a..b",
		    "permerror not-found insecure: key not found in DNS" },
	};
	struct dns_thread *dns = new_thread(s);
	struct lookup_source *source = lookup_source_dns(dns, true);
	size_t i;

	hold(s, 0);
	for (i = 0; i < CHECK_COUNT(rows); i++) {
		struct lookup_question question = { rows[i].selector,
			"example.org" };
		struct lookup *lookup = lookup_start(source, &question, 1);
		const char *got;

		check_true("answered", lookup_wait(lookup, LATER));
		got = render(lookup_answer(lookup, 0));
		/* Which of several is first, is up to the resolver. */
		if (strchr(rows[i].want, '*') != NULL)
			check_contains(rows[i].selector, got, "permerror ins");
		else
			check_str(rows[i].selector, got, rows[i].want);
		lookup_free(&lookup);
		check_true("set to NULL", lookup == NULL);
		lookup_free(&lookup);
	}
	lookup_source_free(&source);
	source = lookup_source_dns(dns, false);
	for (i = 0; i < 2; i++) {
		struct lookup_question question = { i == 0 ? "good" : "missing",
			"example.org" };
		struct lookup *lookup = lookup_start(source, &question, 1);

		check_true("answered", lookup_wait(lookup, LATER));
		check_int("without anchors", lookup_answer(lookup, 0)->dnssec,
		    OUTCOME_UNKNOWN);
		lookup_free(&lookup);
	}
	lookup_source_free(&source);
	lookup_source_free(&source);
	dns_thread_free(&dns);
}

/* None is answered before all were asked, and each only once. */
static void
test_side_by_side(struct server *s)
{
	static const struct lookup_question questions[] = {
		{ "good", "a.example" },
		{ "good", "b.example" },
		{ "GOOD", "A.example" },
		{ "revoked", "a.example" },
		{ "good", "a.example" },
		{ "missing", "a.example" },
		{ "good.a", "example" },
		{ "joined", "c.example" },
	};
	static const char *const want[] = {
		"none unknown: ed25519",
		"none unknown: ed25519",
		"none unknown: ed25519",
		"permerror unknown: key revoked",
		"none unknown: ed25519",
		"permerror not-found unknown: key not found in DNS",
		"none unknown: ed25519",
		"none unknown: ed25519",
	};
	struct dns_thread *dns = new_thread(s);
	struct lookup_source *source = lookup_source_dns(dns, false);
	struct lookup *lookup;
	size_t i;

	hold(s, 6);
	lookup = lookup_start(source, questions, CHECK_COUNT(questions));
	check_true("all answered", lookup_wait(lookup, LATER));
	for (i = 0; i < CHECK_COUNT(questions); i++)
		check_str(questions[i].selector,
		    render(lookup_answer(lookup, i)), want[i]);
	check_true("equal names share a key",
	    lookup_answer(lookup, 0)->key == lookup_answer(lookup, 4)->key);
	check_true("others do not",
	    lookup_answer(lookup, 0)->key != lookup_answer(lookup, 1)->key);
	check_int("asked", asked(s), 6);
	lookup_free(&lookup);
	lookup_source_free(&source);
	dns_thread_free(&dns);
}

/* One never comes; and one is given up while it is under way. */
static void
test_time(struct server *s)
{
	static const struct lookup_question questions[] = {
		{ "silent", "example.org" },
		{ "good", "example.org" },
	};
	struct dns_thread *dns = new_thread(s);
	struct lookup_source *source = lookup_source_dns(dns, false);
	struct lookup *lookup, *good;

	hold(s, 0);
	lookup = lookup_start(source, questions, 2);
	good = lookup_start(source, questions + 1, 1);
	check_true("the second", lookup_wait(good, LATER));
	check_false("not the first", lookup_wait(lookup, 0));
	check_false("nor later", lookup_wait(lookup, now_mono_us() + 10000));
	check_str("time is up", render(lookup_answer(lookup, 0)),
	    "temperror unknown: key retrieval timed out");
	check_str("for good", render(lookup_answer(lookup, 0)),
	    "temperror unknown: key retrieval timed out");
	check_str("the other is there", render(lookup_answer(lookup, 1)),
	    "none unknown: ed25519");
	check_true("settled", lookup_wait(lookup, 0));
	lookup_free(&lookup);
	lookup_free(&good);
	lookup = lookup_start(source, questions, 2);
	lookup_free(&lookup);
	lookup_source_free(&source);
	dns_thread_free(&dns);
}

static void
write_file(char *path, size_t cap, const char *text, size_t len)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	snprintf(path, cap, "%s/test_lookup.XXXXXX",
	    folder != NULL ? folder : P_tmpdir);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, len) < 0)
		abort();
	close(fd);
}

static void
test_file(void)
{
	static const char text[] =
	    "# keys of tests\n\n"
	    "good._domainkey.Example.org\t" KEY "\n"
	    "  two._domainkey.example.org v=spf1 -all\r\n"
	    "two._domainkey.example.org   " KEY "  \n"
	    "gone._domainkey.example.org p=";
	static const struct lookup_question questions[] = {
		{ "good", "example.org" },
		{ "two", "example.org" },
		{ "gone", "example.org" },
		{ "missing", "example.org" },
	};
	static const char *const want[] = {
		"none unknown: ed25519",
		"none unknown: ed25519",
		"permerror unknown: key revoked",
		"permerror not-found unknown: key not found in DNS",
	};
	struct lookup_source *source;
	struct lookup *lookup;
	struct err err = { "" };
	char path[200];
	size_t i;

	write_file(path, sizeof(path), text, sizeof(text) - 1);
	source = lookup_source_file(path, &err);
	check_str("a file", err.text, "");
	unlink(path);
	lookup = lookup_start(source, questions, CHECK_COUNT(questions));
	check_true("at once", lookup_wait(lookup, 0));
	for (i = 0; i < CHECK_COUNT(questions); i++)
		check_str(questions[i].selector,
		    render(lookup_answer(lookup, i)), want[i]);
	lookup_free(&lookup);
	lookup_source_free(&source);
}

static void
test_bad_file(void)
{
	static const struct {
		const char *name, *text, *want;
		size_t len;
	} rows[] = {
		{ "no text", "a b\nc\n", ":2: write a name, a blank", 6 },
		{ "a NUL", "a b\0c\n", ":1: line too long, or a NUL", 6 },
	};
	struct err err;
	char path[200];
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		write_file(path, sizeof(path), rows[i].text, rows[i].len);
		check_true(
		    rows[i].name, lookup_source_file(path, &err) == NULL);
		check_contains(rows[i].name, err.text, rows[i].want);
		unlink(path);
	}
	check_true("no file", lookup_source_file(path, &err) == NULL);
	check_contains("no file", err.text, "No such file");
}

/* Names longer than any buffer. */
static void
test_long_name(void)
{
	static char longest[20000];
	struct lookup_question question = { longest, longest };
	struct lookup_source *source = lookup_source_dns(NULL, false);
	struct lookup *lookup;

	memset(longest, 'a', sizeof(longest) - 1);
	lookup = lookup_start(source, &question, 1);
	check_str("a long name", render(lookup_answer(lookup, 0)),
	    "permerror not-found unknown: key not found in DNS");
	lookup_free(&lookup);
	lookup_source_free(&source);
}

int
main(void)
{
	struct server server;

	log_open("test_dkimd_lookup", LOG_SINK_STDERR, 0);
	/* What is waited for may never come. */
	alarm(300);
	start_server(&server);
	test_answers(&server);
	test_side_by_side(&server);
	test_time(&server);
	stop_server(&server);
	test_file();
	test_bad_file();
	test_long_name();
	return check_done();
}
