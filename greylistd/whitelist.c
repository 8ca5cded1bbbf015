/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"
#include "greylistd/netmap.h"
#include "greylistd/rcptmap.h"
#include "greylistd/regexset.h"
#include "greylistd/whitelist.h"

/* No host name is longer (RFC 1035 section 2.3.4). */
#define NAME_MAX_LEN 255
/* Room for "FILE line N: what". */
#define WARNING_SIZE (ERR_TEXT_SIZE + 300)

struct whitelist {
	enum whitelist_kind kind;
	struct regexset *regexes;
	struct namemap *names; /* clients */
	struct netmap *nets;   /* clients */
	struct rcptmap *recipients;
	size_t count;
};

/* Where warnings go and faults are counted. */
struct reader {
	const char *name;
	whitelist_warn_fn *warn;
	void *arg;
	struct whitelist_faults *faults;
};

struct whitelist *
whitelist_new(enum whitelist_kind kind)
{
	struct whitelist *list = xmem_calloc(1, sizeof(*list));

	list->kind = kind;
	list->regexes = regexset_new();
	list->names = namemap_new();
	list->nets = netmap_new();
	list->recipients = rcptmap_new();
	return list;
}

void
whitelist_free(struct whitelist **list)
{
	if (*list == NULL)
		return;
	regexset_free(&(*list)->regexes);
	namemap_free(&(*list)->names);
	netmap_free(&(*list)->nets);
	rcptmap_free(&(*list)->recipients);
	xmem_free(list);
}

size_t
whitelist_count(const struct whitelist *list)
{
	return list->count;
}

/* An address or network: text has only digits, dots and a slash, or at least
 * one colon. */
static int
add_net(struct whitelist *list, const char *text, struct err *err)
{
	char full[64];
	struct ip_net net;
	size_t dots = str_count(text, '.');
	int len;

	if (strchr(text, ':') == NULL && strchr(text, '/') == NULL && dots == 2)
		len = snprintf(full, sizeof(full), "%s.0/24", text);
	else if (strchr(text, ':') == NULL && strchr(text, '/') == NULL &&
		 dots == 1)
		len = snprintf(full, sizeof(full), "%s.0.0/16", text);
	else
		len = snprintf(full, sizeof(full), "%s", text);
	if (len < 0 || (size_t)len >= sizeof(full) || !ip_net_parse(full, &net))
		return err_set(
		    err, "doesn't look like an address: \"%s\"", text);
	netmap_put(list->nets, &net, list);
	return 0;
}

static int
add_name(struct whitelist *list, char *text, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len;

	while (*text == '.')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == '.')
		text[--len] = '\0';
	if (len == 0 || len > NAME_MAX_LEN ||
	    text[strspn(text, allowed)] != '\0')
		return err_set(
		    err, "doesn't look like a hostname: \"%s\"", text);
	str_lower(text, len);
	namemap_put(list->names, text, len, list);
	return 0;
}

static int
add_client(struct whitelist *list, char *text, struct err *err)
{
	if (text[strspn(text, "0123456789./")] == '\0' ||
	    str_count(text, ':') >= 2)
		return add_net(list, text, err);
	return add_name(list, text, err);
}

/* Adds the pattern in line, without a comment and not empty. */
static int
add_pattern(struct whitelist *list, const struct reader *reader, char *line,
    struct err *err)
{
	size_t len = strlen(line);

	if (len > 2 && *line == '/' && line[len - 1] == '/' &&
	    line[strcspn(line, " \t\r\v\f")] == '\0') {
		line[len - 1] = '\0';
		if (regexset_add(list->regexes, line + 1, err) == 0)
			return 0;
		reader->faults->regexes++;
		return -1;
	}
	if (list->kind == WHITELIST_CLIENTS)
		return add_client(list, line, err);
	return rcptmap_put(list->recipients, line, list, NULL, err);
}

static void
warn_line(const struct reader *reader, unsigned number, const char *what)
{
	char text[WARNING_SIZE];
	struct str s;

	reader->faults->lines++;
	if (reader->warn == NULL)
		return;
	str_init(&s, text, sizeof(text));
	str_addf(&s, "%s line %u: %s", reader->name, number, what);
	reader->warn(reader->arg, text);
}

void
whitelist_parse(struct whitelist *list, const char *name, const char *text,
    size_t len, whitelist_warn_fn *warn, void *arg,
    struct whitelist_faults *faults_io)
{
	const struct reader reader = { name, warn, arg, faults_io };
	struct textfile file = { .text = text, .len = len };
	enum textfile_line kind;
	struct err err;
	char *line;

	while ((kind = textfile_next(&file, &line)) != TEXTFILE_END) {
		if (kind == TEXTFILE_BAD) {
			warn_line(
			    &reader, file.number, "too long, or not text");
			continue;
		}
		line[strcspn(line, "#")] = '\0';
		line = str_trim(line);
		if (*line == '\0')
			continue;
		if (add_pattern(list, &reader, line, &err) == 0)
			list->count++;
		else
			warn_line(&reader, file.number, err.text);
	}
}

static bool
is_local_twin(const char *path)
{
	static const char end[] = ".local";
	size_t len = strlen(path);

	return len >= sizeof(end) - 1 &&
	       strcmp(path + len - (sizeof(end) - 1), end) == 0;
}

struct whitelist *
whitelist_load(enum whitelist_kind kind, char *const *files, size_t count,
    whitelist_warn_fn *warn, void *arg, struct whitelist_faults *faults_r)
{
	struct whitelist *list = whitelist_new(kind);

	*faults_r = (struct whitelist_faults){ 0 };
	for (size_t i = 0; i < count; i++) {
		enum textfile_result result;
		char *text = NULL;
		size_t len = 0;
		struct err err;

		result = textfile_read(files[i], &text, &len, &err);
		if (result == TEXTFILE_OK) {
			whitelist_parse(
			    list, files[i], text, len, warn, arg, faults_r);
		} else if (result == TEXTFILE_FAILED ||
			   !is_local_twin(files[i])) {
			faults_r->files++;
			faults_r->unreadable += result == TEXTFILE_FAILED;
			if (warn != NULL)
				warn(arg, err.text);
		}
		xmem_free(&text);
	}
	return list;
}

bool
whitelist_has_client(
    const struct whitelist *list, const char *name, const struct ip *ip)
{
	char lower[NAME_MAX_LEN + 1];
	size_t len = strlen(name);

	if (ip != NULL && netmap_find(list->nets, ip, NULL, NULL) != NULL)
		return true;
	if (len <= NAME_MAX_LEN && len > 0 && strcmp(name, "unknown") != 0) {
		size_t end = len;

		memcpy(lower, name, len);
		str_lower(lower, len);
		while (end > 0 && lower[end - 1] == '.')
			end--;
		if (namemap_suffix(list->names, lower, end, NULL, NULL) != NULL)
			return true;
	}
	return regexset_matches(list->regexes, name, len);
}

bool
whitelist_has_recipient(const struct whitelist *list, const char *recipient)
{
	return rcptmap_find(list->recipients, recipient) != NULL ||
	       regexset_matches(list->regexes, recipient, strlen(recipient));
}
