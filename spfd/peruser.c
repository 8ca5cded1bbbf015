/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "spfd/peruser.h"

struct row {
	char *recipient; /* lower case */
	size_t policy;   /* index */
	unsigned line;
};

/* Lines with the same options share a policy. */
struct variant {
	char *text;
	struct policy *policy;
};

struct peruser {
	struct row *rows; /* sorted by recipient */
	size_t row_count;
	struct variant *variants;
	size_t variant_count;
};

/* What parsing needs on its way. */
struct parse {
	struct peruser *peruser;
	const char *base; /* the base configuration in file format */
	size_t base_len;
};

/* Sets "Name=value" in config. */
static int
apply_option(struct config *config, char *text, struct err *err)
{
	char *equals = strchr(text, '=');
	char *name;

	if (equals == NULL)
		return err_set(err, "\"%.80s\" is not Name=value", text);
	*equals = '\0';
	name = str_trim(text);
	if (config_find(config, name) != NULL && !policy_has_option(name))
		return err_set(err, "%.80s cannot be set per recipient", name);
	return config_set(config, name, str_trim(equals + 1), err);
}

/* Makes the policy of "Name=value|Name=value" over the base. */
static struct policy *
make_policy(const struct parse *parse, const char *text, struct err *err)
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	char *copy = xmem_strdup(text);
	char *rest = copy, *one;
	struct policy *policy = NULL;
	int r = config_parse(config, "base", parse->base, parse->base_len, err);

	while (r == 0 && (one = strsep(&rest, "|")) != NULL)
		r = apply_option(config, one, err);
	if (r == 0)
		r = options_check(config, err);
	if (r == 0)
		policy = policy_new(config_values(config));
	xmem_free(&copy);
	config_free(&config);
	return policy;
}

/* The index of the policy for these options, made if new; -1 with err. */
static ptrdiff_t
find_variant(const struct parse *parse, const char *text, struct err *err)
{
	struct peruser *p = parse->peruser;
	struct policy *policy;

	for (size_t i = 0; i < p->variant_count; i++)
		if (strcmp(p->variants[i].text, text) == 0)
			return (ptrdiff_t)i;
	policy = make_policy(parse, text, err);
	if (policy == NULL)
		return -1;
	p->variants = xmem_realloc(
	    p->variants, p->variant_count + 1, sizeof(*p->variants));
	p->variants[p->variant_count].text = xmem_strdup(text);
	p->variants[p->variant_count].policy = policy;
	return (ptrdiff_t)p->variant_count++;
}

static int
parse_line(
    const struct parse *parse, char *line, unsigned number, struct err *err)
{
	struct peruser *p = parse->peruser;
	char *options = strchr(line, ',');
	ptrdiff_t policy;
	char *recipient;

	if (options == NULL)
		return err_set(err, "no \",\" between recipient and options");
	*options++ = '\0';
	recipient = str_trim(line);
	if (recipient[0] == '\0')
		return err_set(err, "no recipient before the \",\"");
	policy = find_variant(parse, str_trim(options), err);
	if (policy < 0)
		return -1;
	str_lower(recipient, strlen(recipient));
	/* Room grows by doubling. */
	if ((p->row_count & (p->row_count - 1)) == 0)
		p->rows = xmem_realloc(p->rows,
		    p->row_count == 0 ? 1 : 2 * p->row_count, sizeof(*p->rows));
	p->rows[p->row_count++] = (struct row){
		.recipient = xmem_strdup(recipient),
		.policy = (size_t)policy,
		.line = number,
	};
	return 0;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->recipient, y->recipient);

	if (order != 0)
		return order;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Sorts the rows; of equal recipients the first line stays. */
static void
sort_rows(struct peruser *p)
{
	size_t kept = 0;

	if (p->row_count == 0)
		return;
	qsort(p->rows, p->row_count, sizeof(*p->rows), compare_rows);
	for (size_t i = 1; i < p->row_count; i++) {
		if (strcmp(p->rows[kept].recipient, p->rows[i].recipient) == 0)
			xmem_free(&p->rows[i].recipient);
		else
			p->rows[++kept] = p->rows[i];
	}
	p->row_count = kept + 1;
}

struct peruser *
peruser_parse(const char *name, const char *text, size_t len,
    const struct config *base, peruser_fault_fn *fault, void *arg)
{
	struct peruser *p = xmem_calloc(1, sizeof(*p));
	struct textfile *file = xmem_calloc(1, sizeof(*file));
	char *printed = NULL;
	size_t printed_len = 0;
	FILE *out = open_memstream(&printed, &printed_len);
	enum textfile_line kind;
	struct parse parse = { .peruser = p };
	char *line;

	if (out != NULL) {
		config_print(base, out);
		(void)fclose(out);
	}
	parse.base = printed == NULL ? "" : printed;
	parse.base_len = printed_len;
	file->text = text;
	file->len = len;
	while ((kind = textfile_next(file, &line)) != TEXTFILE_END) {
		struct err err;
		int r = 0;

		if (kind == TEXTFILE_BAD) {
			r = err_set(&err, "the line is too long or no text");
		} else {
			line[strcspn(line, "#")] = '\0';
			line = str_trim(line);
			if (line[0] != '\0')
				r = parse_line(
				    &parse, line, file->number, &err);
		}
		if (r != 0) {
			(void)err_prefix(&err, "%s:%u: ", name, file->number);
			fault(arg, err.text);
		}
	}
	sort_rows(p);
	free(printed);
	xmem_free(&file);
	return p;
}

struct peruser *
peruser_load(const char *path, const struct config *base,
    peruser_fault_fn *fault, void *arg, struct err *err)
{
	struct peruser *p = NULL;
	char *text = NULL;
	size_t len = 0;

	if (textfile_read(path, &text, &len, err) == TEXTFILE_OK)
		p = peruser_parse(path, text, len, base, fault, arg);
	else
		(void)err_prefix(err, "Per_User: ");
	xmem_free(&text);
	return p;
}

void
peruser_free(struct peruser **peruser)
{
	struct peruser *p = *peruser;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->row_count; i++)
		xmem_free(&p->rows[i].recipient);
	for (size_t i = 0; i < p->variant_count; i++) {
		xmem_free(&p->variants[i].text);
		policy_free(&p->variants[i].policy);
	}
	xmem_free(&p->rows);
	xmem_free(&p->variants);
	xmem_free(peruser);
}

static int
compare_recipient(const void *key, const void *row)
{
	return strcasecmp(key, ((const struct row *)row)->recipient);
}

const struct policy *
peruser_find(const struct peruser *peruser, const char *recipient)
{
	const struct row *row;

	if (peruser == NULL || peruser->row_count == 0)
		return NULL;
	row = bsearch(recipient, peruser->rows, peruser->row_count,
	    sizeof(*peruser->rows), compare_recipient);
	return row == NULL ? NULL : peruser->variants[row->policy].policy;
}
