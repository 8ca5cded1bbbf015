/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "spfd/lists.h"

/* Room for an element: no name and no network is longer. */
#define ELEMENT_SIZE 256

static const char separators[] = ", \t";

/* Takes the next element off *text_io into element; false at the end. A
 * longer one is cut, and is neither name nor network then. "None" is how
 * policyd-spf's manual writes an empty list. */
static bool
next_element(const char **text_io, char element[static ELEMENT_SIZE])
{
	struct str s;
	size_t len;

	do {
		const char *text = *text_io + strspn(*text_io, separators);

		len = strcspn(text, separators);
		str_init(&s, element, ELEMENT_SIZE);
		str_add_bytes(&s, text, len);
		*text_io = text + len;
	} while (str_equal_nocase(element, "None"));
	return len > 0;
}

/* A name without the dot at its end. */
static size_t
name_length(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

int
lists_check_nets(const char *text, struct err *err)
{
	char element[ELEMENT_SIZE];
	struct ip_net net;

	while (next_element(&text, element))
		if (!ip_net_parse(element, &net))
			return err_set(err,
			    "\"%.80s\" is no address or "
			    "network; write 192.0.2.0/24, 2001:db8::/32",
			    element);
	return 0;
}

int
lists_check_names(const char *text, struct err *err)
{
	char element[ELEMENT_SIZE];

	while (next_element(&text, element))
		if (str_labels(element, name_length(element), false) == 0)
			return err_set(
			    err, "\"%.80s\" is no domain name", element);
	return 0;
}

static int
add_line(struct config *config, const char *option, char *line, struct err *err)
{
	char element[ELEMENT_SIZE];
	const char *rest = line;

	line[strcspn(line, "#")] = '\0';
	while (next_element(&rest, element))
		if (config_set(config, option, element, err) != 0)
			return -1;
	return 0;
}

int
lists_read_file(struct config *config, const char *option, const char *path,
    struct err *err)
{
	struct textfile *file;
	enum textfile_line kind;
	char *text, *line;
	size_t len;
	int r = 0;

	if (textfile_read(path, &text, &len, err) != TEXTFILE_OK)
		return -1;
	file = xmem_calloc(1, sizeof(*file));
	file->text = text;
	file->len = len;
	while (r == 0 && (kind = textfile_next(file, &line)) != TEXTFILE_END) {
		if (kind == TEXTFILE_LINE)
			r = add_line(config, option, line, err);
		else
			r = err_set(err, "the line is too long or no text");
		if (r != 0)
			(void)err_prefix(err, "%s:%u: ", path, file->number);
	}
	xmem_free(&file);
	xmem_free(&text);
	return r;
}

struct lists_nets
lists_nets(const struct config_list *texts)
{
	struct lists_nets nets = { 0 };
	char element[ELEMENT_SIZE];

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];

		while (next_element(&text, element)) {
			nets.items = xmem_realloc(
			    nets.items, nets.count + 1, sizeof(*nets.items));
			if (ip_net_parse(element, &nets.items[nets.count]))
				nets.count++;
		}
	}
	return nets;
}

struct lists_names
lists_names(const struct config_list *texts)
{
	struct lists_names names = { 0 };
	char element[ELEMENT_SIZE];

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];

		while (next_element(&text, element)) {
			size_t len = name_length(element);

			names.items = xmem_realloc(
			    names.items, names.count + 1, sizeof(*names.items));
			str_lower(element, len);
			names.items[names.count++] = xmem_strndup(element, len);
		}
	}
	return names;
}

void
lists_free_nets(struct lists_nets *nets)
{
	xmem_free(&nets->items);
	nets->count = 0;
}

void
lists_free_names(struct lists_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		xmem_free(&names->items[i]);
	xmem_free(&names->items);
	names->count = 0;
}

bool
lists_has_ip(const struct lists_nets *nets, const struct ip *ip)
{
	for (size_t i = 0; i < nets->count; i++)
		if (ip_net_contains(&nets->items[i], ip))
			return true;
	return false;
}

bool
lists_has_name(const struct lists_names *names, const char *name)
{
	size_t len = name_length(name);

	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->items[i]) == len &&
		    strncasecmp(names->items[i], name, len) == 0)
			return true;
	return false;
}

bool
lists_covers_name(const struct lists_names *names, const char *name)
{
	size_t len = name_length(name);

	for (size_t i = 0; i < names->count; i++) {
		size_t own = strlen(names->items[i]);

		if (own <= len &&
		    strncasecmp(names->items[i], name + len - own, own) == 0 &&
		    (own == len || name[len - own - 1] == '.'))
			return true;
	}
	return false;
}
