/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include <libmilter/mfapi.h>

#include "common/milter_int.h"
#include "common/xmem.h"

/* The work of a message: its first member. */
static struct milter_work *
work_of(struct milter_message *m)
{
	return (struct milter_work *)(void *)m;
}

void
milter_insert(struct milter_message *m, const char *name, const char *value)
{
	struct milter_edits *e = &work_of(m)->edits;
	struct header_field *field;

	assert(name[0] != '\0' && strpbrk(name, ": \t\r\n") == NULL);
	if (e->insert_count == e->insert_cap) {
		e->insert_cap = 2 * e->insert_cap + 4;
		e->inserts = xmem_realloc(
		    e->inserts, e->insert_cap, sizeof(*e->inserts));
	}
	field = &e->inserts[e->insert_count++];
	field->name = arena_strdup(m->arena, name);
	field->name_len = strlen(name);
	field->value = arena_strdup(m->arena, value);
	field->value_len = strlen(value);
}

void
milter_remove(struct milter_message *m, size_t i)
{
	struct milter_edits *e = &work_of(m)->edits;

	assert(i < m->field_count);
	if (e->removed == NULL)
		e->removed = xmem_calloc(m->field_count, sizeof(*e->removed));
	if (!e->removed[i])
		e->removed_count++;
	e->removed[i] = true;
}

size_t
milter_edit_count(const struct milter_message *m)
{
	const struct milter_work *work = (const void *)m;

	return work->edits.removed_count + work->edits.insert_count;
}

/* A field's name as the MTA counts it: blanks before the colon are not part
 * of it (RFC 5322 section 4.5). */
static size_t
bare_len(const struct header_field *field)
{
	size_t len = field->name_len;

	while (len > 0 &&
	       (field->name[len - 1] == ' ' || field->name[len - 1] == '\t'))
		len--;
	return len;
}

/* A name of which fields are removed, and how many came so far. */
struct tally {
	const char *name;
	size_t len;
	int count;
};

/* The tally of field's name among count ones, or NULL. */
static struct tally *
find(struct tally *tallies, size_t count, const struct header_field *field)
{
	size_t len = bare_len(field);

	for (size_t i = 0; i < count; i++)
		if (tallies[i].len == len &&
		    strncasecmp(tallies[i].name, field->name, len) == 0)
			return &tallies[i];
	return NULL;
}

/* The names of the removed fields, each once. Returns how many. */
static size_t
names_of(struct arena *arena, const struct milter_message *m,
    const struct milter_edits *edits, struct tally **tallies_r)
{
	struct tally *tallies =
	    arena_alloc(arena, edits->removed_count * sizeof(*tallies));
	size_t count = 0;

	for (size_t i = 0; i < m->field_count; i++) {
		const struct header_field *field = &m->fields[i];

		if (!edits->removed[i] || find(tallies, count, field) != NULL)
			continue;
		tallies[count].len = bare_len(field);
		tallies[count].name =
		    arena_strndup(arena, field->name, tallies[count].len);
		count++;
	}
	*tallies_r = tallies;
	return count;
}

/* Removals into steps, which has room for them. Filled from its end, so the
 * last field comes first. */
static void
plan_removals(struct arena *arena, const struct milter_message *m,
    const struct milter_edits *edits, struct milter_step *steps)
{
	struct milter_step *step = steps + edits->removed_count;
	struct tally *tallies;
	size_t count = names_of(arena, m, edits, &tallies);

	for (size_t i = 0; i < m->field_count; i++) {
		struct tally *tally = find(tallies, count, &m->fields[i]);

		if (tally == NULL)
			continue;
		tally->count++;
		if (!edits->removed[i])
			continue;
		step--;
		step->is_removal = true;
		step->nth = tally->count;
		step->name = tally->name;
	}
	assert(step == steps);
}

size_t
milter_edit_plan(struct arena *arena, const struct milter_message *m,
    const struct milter_edits *edits, struct milter_step **steps_r)
{
	size_t count = edits->removed_count + edits->insert_count;
	struct milter_step *steps =
	    arena_alloc(arena, count * sizeof(*steps) + 1);

	if (edits->removed_count > 0)
		plan_removals(arena, m, edits, steps);
	for (size_t i = 0; i < edits->insert_count; i++) {
		struct milter_step *step = &steps[count - 1 - i];

		step->name = edits->inserts[i].name;
		step->value = edits->inserts[i].value;
	}
	*steps_r = steps;
	return count;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* Copies the fold that begins at *value, where a line end stands: one line
 * end, and the blanks of the line that goes on (a signature may cover them).
 * Lines of blanks between go: they may pass for the header's end. */
static char *
copy_fold(char *to, const char **value)
{
	const char *at = *value;
	const char *blanks = at;

	for (; is_line_end(*at) || is_blank(*at); at++)
		if (is_line_end(*at))
			blanks = at + 1;
	*to++ = '\n';
	if (blanks == at)
		*to++ = '\t';
	while (blanks < at)
		*to++ = *blanks++;
	*value = at;
	return to;
}

const char *
milter_edit_value(struct arena *arena, const char *prefix, const char *value)
{
	/* A line end becomes two characters at most. */
	char *text = arena_alloc(arena, strlen(prefix) + 2 * strlen(value) + 1);
	char *to = text;

	while (*prefix != '\0')
		*to++ = *prefix++;
	while (is_blank(*value) || is_line_end(*value))
		value++;
	while (*value != '\0') {
		unsigned char c = (unsigned char)*value;

		if (is_line_end(*value)) {
			to = copy_fold(to, &value);
			continue;
		}
		*to++ = (c < ' ' && c != '\t') || c == 0x7f ? '?' : *value;
		value++;
	}
	while (to > text && (is_blank(to[-1]) || to[-1] == '\n'))
		to--;
	*to = '\0';
	return text;
}

int
milter_edit_send(struct milter_work *work)
{
	struct milter_session *s = work->session;
	struct arena *arena = work->message.arena;
	const char *prefix = s->has_leading_space ? " " : "";
	struct milter_step *steps;
	size_t count =
	    milter_edit_plan(arena, &work->message, &work->edits, &steps);

	for (size_t i = 0; i < count; i++) {
		/* libmilter does not change what it is given. */
		char *name = (char *)(uintptr_t)steps[i].name;
		const char *value;
		int status;

		if (steps[i].is_removal) {
			status =
			    smfi_chgheader(s->ctx, name, steps[i].nth, NULL);
		} else {
			value =
			    milter_edit_value(arena, prefix, steps[i].value);
			status = smfi_insheader(
			    s->ctx, 0, name, (char *)(uintptr_t)value);
		}
		if (status != MI_SUCCESS)
			return -1;
	}
	return 0;
}
