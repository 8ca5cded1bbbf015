/* SPDX-License-Identifier: ISC */
/*
 * fuzz_spfd.c - whatever names, records and requests hold: headers, replies
 * and log lines are one bounded line of printable ASCII, with their quotes
 * and comments closed; any text is a Per_User file.
 *
 * Input: a byte that chooses, then texts with a NUL byte between them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

#include "spfd/header.h"
#include "spfd/lists.h"
#include "spfd/options.h"
#include "spfd/peruser.h"
#include "spfd/text.h"

#include "tests/fuzz/must.h"

#define TEXTS 10

static void
check_line(const char *text, size_t size)
{
	assert(strlen(text) < size);
	for (; *text != '\0'; text++)
		assert(*text >= 0x20 && *text <= 0x7e);
}

/* Comments and quoted strings of a header end where they should. */
static void
check_header(const char *text)
{
	bool in_quotes = false;
	int depth = 0;

	check_line(text, HEADER_SIZE);
	for (; *text != '\0'; text++) {
		if (*text == '\\' && (in_quotes || depth > 0)) {
			text++;
			assert(*text != '\0');
		} else if (*text == '"' && depth == 0) {
			in_quotes = !in_quotes;
		} else if (*text == '(' && !in_quotes) {
			depth++;
		} else if (*text == ')' && !in_quotes) {
			depth--;
		}
		assert(depth == 0 || depth == 1);
	}
	assert(!in_quotes && depth == 0);
}

static void
try_headers(const struct header_facts *facts, uint8_t choice)
{
	char out[HEADER_SIZE];
	enum findings_bypass bypass = (enum findings_bypass)(choice % 7);

	header_received_spf(facts, out);
	check_header(out);
	assert(strstr(out, " identity=") != NULL);
	header_authres(facts, out);
	check_header(out);
	header_bypass(facts, bypass, out);
	check_header(out);
	header_bypass_authres(facts, bypass, out);
	check_header(out);
}

static void
try_texts(const struct finding *finding, char *const *texts)
{
	const struct text_values values = {
		.finding = finding,
		.client = "2001:db8::1",
		.helo = texts[4],
		.sender = texts[5],
		.receiver = texts[6],
		.hostname = "mx.example",
		.url = texts[8],
	};
	const struct text_event event = {
		.queue_id = texts[7],
		.action = "reject",
		.finding = finding,
		.client_name = texts[4],
		.client_address = texts[6],
		.helo = texts[4],
		.sender = texts[5],
		.recipient = texts[6],
	};
	char reply[TEXT_REPLY_SIZE], log[TEXT_LOG_SIZE];
	struct err err;

	text_reply(texts[7], &values, reply);
	check_line(reply, sizeof(reply));
	(void)text_check_template(texts[7], &err);
	text_log(&event, log);
	check_line(log, sizeof(log));
}

static void
try_lists(char *text, const char *name)
{
	struct config_list texts = { &text, 1 };
	struct lists_names names = lists_names(&texts);
	struct lists_nets nets = lists_nets(&texts);
	struct err err;

	if (lists_has_name(&names, name))
		assert(lists_covers_name(&names, name));
	(void)lists_check_names(text, &err);
	(void)lists_check_nets(text, &err);
	lists_free_names(&names);
	lists_free_nets(&nets);
}

static void
ignore_fault(void *arg, const char *text)
{
	(void)arg;
	assert(text[0] != '\0');
}

static void
try_peruser(const char *text, size_t len)
{
	static struct config *base;
	struct peruser *p;

	if (base == NULL)
		base = config_new(options_table, sizeof(struct options));
	p = peruser_parse("file", text, len, base, ignore_fault, NULL);
	assert(p != NULL);
	(void)peruser_find(p, "joe@example.com");
	peruser_free(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy, *at, *texts[TEXTS];
	struct finding finding;
	uint8_t choice;

	if (size < 1)
		return 0;
	choice = data[0];
	copy = calloc(size + TEXTS, 1);
	memcpy(copy, data + 1, size - 1);
	at = copy;
	for (size_t i = 0; i < TEXTS; i++) {
		texts[i] = at;
		if (at < copy + size)
			at += strlen(at) + 1;
	}
	finding = (struct finding){ .is_known = true,
		.result = (enum spf_result)(choice % 7),
		.domain = texts[0],
		.mechanism = texts[1],
		.problem = texts[2],
		.explanation = texts[3],
		.lookups = choice };
	try_headers(
	    &(struct header_facts){ .finding = &finding,
		.identity = choice & 0x80 ? SPF_CHECK_HELO : SPF_CHECK_MAILFROM,
		.client = "2001:db8::1",
		.helo = texts[4],
		.sender = texts[5],
		.receiver = texts[6],
		.hostname = texts[9],
		.authserv_id = "id.example" },
	    choice);
	try_texts(&finding, texts);
	try_lists(texts[8], texts[4]);
	if (choice & 0x40)
		try_peruser((const char *)data + 1, size - 1);
	free(copy);
	return 0;
}
