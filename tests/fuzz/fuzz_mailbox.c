/* SPDX-License-Identifier: ISC */
/*
 * fuzz_mailbox.c - From fields as strangers write them
 *
 * Input: the value of a field. What is understood means the same when it is
 * written plainly, one by one and as a list; what is not has a sentence.
 */
#include <assert.h>
#include <string.h>

#include "common/mailbox.h"
#include "common/str.h"
#include "common/xmem.h"

#include "tests/fuzz/must.h"

/* Room for all mailboxes of a list, every character escaped. */
#define PLAIN_MAX                                                              \
	(MAILBOX_COUNT_MAX * (2 * MAILBOX_LOCAL_MAX + MAILBOX_DOMAIN_MAX + 8))

static void
add_plain(struct str *s, const struct mailbox *mailbox)
{
	str_add_char(s, '"');
	for (const char *c = mailbox->local; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			str_add_char(s, '\\');
		str_add_char(s, *c);
	}
	str_add(s, "\"@");
	str_add(s, mailbox->domain);
}

static void
check_same(const struct mailbox *a, const struct mailbox *b)
{
	assert(strcmp(a->local, b->local) == 0);
	assert(strcmp(a->domain, b->domain) == 0);
}

static void
check_one(const struct mailbox *mailbox, struct arena *arena)
{
	char text[2 * MAILBOX_LOCAL_MAX + MAILBOX_DOMAIN_MAX + 8];
	size_t len = strlen(mailbox->domain);
	struct mailbox again, *list;
	struct err err;
	struct str s;

	assert(strlen(mailbox->local) <= MAILBOX_LOCAL_MAX);
	assert(len > 0 && len <= MAILBOX_DOMAIN_MAX);
	assert(mailbox->domain[0] == '[' ||
	       strcspn(mailbox->domain, " \t\n\"(),:;<>@[\\]") == len);
	str_init(&s, text, sizeof(text));
	add_plain(&s, mailbox);
	assert(mailbox_parse_list(text, s.len, arena, &list, &err) == 1);
	check_same(mailbox, list);
	/* Envelopes have no tabs, which quotes may hold in a header. */
	if (strchr(text, '\t') == NULL) {
		assert(mailbox_parse_address(text, arena, &again, &err) == 0);
		check_same(mailbox, &again);
	}
}

static void
check_list(const struct mailbox *list, int count, struct arena *arena)
{
	char *text = xmem_alloc(PLAIN_MAX);
	struct mailbox *again = NULL;
	struct err err;
	struct str s;

	str_init(&s, text, PLAIN_MAX);
	for (int i = 0; i < count; i++) {
		str_add(&s, i % 2 == 0 ? ",x <" : ",\n <");
		add_plain(&s, &list[i]);
		str_add(&s, ">");
	}
	assert(mailbox_parse_list(text, s.len, arena, &again, &err) == count);
	for (int i = 0; i < count; i++)
		check_same(&list[i], &again[i]);
	xmem_free(&text);
}

/* The bytes as an envelope address. */
static void
check_envelope(const char *bytes, size_t size, struct arena *arena)
{
	char *text = xmem_strndup(bytes, strnlen(bytes, size));
	struct mailbox mailbox;
	struct err err = { "" };

	if (mailbox_parse_address(text, arena, &mailbox, &err) == 0)
		check_one(&mailbox, arena);
	else
		assert(err.text[0] != '\0');
	xmem_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	/* A copy of that size and no NUL: reading on would be seen. */
	char *text = xmem_alloc(size);
	struct mailbox *list = NULL;
	struct err err = { "" };
	int count;

	if (size > 0)
		memcpy(text, data, size);
	count = mailbox_parse_list(text, size, arena, &list, &err);
	assert(count >= -1 && count <= MAILBOX_COUNT_MAX);
	assert(count >= 0 || err.text[0] != '\0');
	for (int i = 0; i < count; i++)
		check_one(&list[i], arena);
	if (count > 0)
		check_list(list, count, arena);
	if (size > 0)
		check_envelope(text, size, arena);
	xmem_free(&text);
	arena_free(&arena);
	return 0;
}
