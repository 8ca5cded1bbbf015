/* SPDX-License-Identifier: ISC */
#include "common/xmem.h"

#include "greylistd/facts_memory.h"

#include "tests/unit/check.h"

static const struct facts_client mail = {
	.ip = { IP_V4, { 192, 0, 2, 1 } },
	.name = "mx.example.org",
	.reverse_name = "mx.example.org",
	.helo = "mx.example.org",
	.sender = "a@example.org",
};

static struct selection *
new_selection(void)
{
	struct selection *selection = xmem_calloc(1, sizeof(*selection));

	selection->holders = 1;
	return selection;
}

static void
test_borrowed(struct facts_memory *memory, struct selection *selection)
{
	struct facts_client ip = mail, name = mail, reverse = mail, helo = mail,
			    sender = mail, six = mail;
	const struct {
		const char *name;
		const char *instance;
		const struct facts_client *client;
		bool want;
	} rows[] = {
		{ "the same mail", "1a2b.5f.0", &mail, true },
		{ "another instance", "1a2b.5f.1", &mail, false },
		{ "none", "", &mail, false },
		{ "absent", NULL, &mail, false },
		{ "another address", "1a2b.5f.0", &ip, false },
		{ "another kind of address", "1a2b.5f.0", &six, false },
		{ "another name", "1a2b.5f.0", &name, false },
		{ "another name in DNS", "1a2b.5f.0", &reverse, false },
		{ "another HELO", "1a2b.5f.0", &helo, false },
		{ "another sender", "1a2b.5f.0", &sender, false },
	};

	ip.ip.bytes[3] = 2;
	six.ip.family = IP_V6;
	name.name = "unknown";
	reverse.reverse_name = "unknown";
	helo.helo = "other.example.org";
	sender.sender = "";
	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].name,
		    facts_memory_find(memory, rows[i].instance, rows[i].client,
			selection, 0) != NULL,
		    rows[i].want);
}

static void
test_none(struct facts_memory *memory, struct selection *selection)
{
	const struct facts facts = { .selection = selection };

	facts_memory_put(memory, "", &mail, &facts, 0);
	facts_memory_put(memory, NULL, &mail, &facts, 0);
	check_true("without an instance nothing is kept",
	    facts_memory_find(memory, "", &mail, selection, 0) == NULL);
	check_uint("nor held", selection->holders, 1);
}

int
main(void)
{
	struct facts_memory *memory = facts_memory_new();
	struct selection *selection = new_selection();
	struct selection *other = new_selection();
	const struct facts facts = {
		.selection = selection,
		.failures = 2,
		.has_name = FACTS_NO,
	};
	const struct facts *found;

	test_none(memory, selection);
	facts_memory_put(memory, "1a2b.5f.0", &mail, &facts, 0);
	check_uint("holds the selection", selection->holders, 2);
	test_borrowed(memory, selection);
	check_true("other settings",
	    facts_memory_find(memory, "1a2b.5f.0", &mail, other, 0) == NULL);
	found = facts_memory_find(
	    memory, "1a2b.5f.0", &mail, selection, FACTS_MEMORY_AGE_MS - 1);
	check_true("holds for a while", found != NULL);
	check_true("a copy",
	    found != NULL && found != &facts && found->failures == 2 &&
		found->has_name == FACTS_NO && found->selection == selection);
	check_true(
	    "but not for ever", facts_memory_find(memory, "1a2b.5f.0", &mail,
				    selection, FACTS_MEMORY_AGE_MS) == NULL);
	check_uint("and lets go", selection->holders, 1);
	facts_memory_put(memory, "1a2b.5f.0", &mail, &facts, 0);
	facts_memory_clear(memory);
	check_uint("cleared", selection->holders, 1);
	facts_memory_put(memory, "1a2b.5f.0", &mail, &facts, 0);
	facts_memory_free(&memory);
	check_uint("freed", selection->holders, 1);
	facts_memory_free(&memory);
	selection_release(&selection);
	selection_release(&other);
	return check_done();
}
