/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/dataset.h"
#include "dkimd/hostlist.h"

struct host_net {
	struct ip_net net;
	bool is_not;
};

struct hostlist {
	struct dataset *texts; /* names are looked up in it */
	struct host_net *nets; /* the smaller ones first */
	size_t count;
};

static bool
has_host_bits(const char *address, const struct ip_net *net)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;
	struct str s;

	str_init(&s, text, sizeof(text));
	str_add_bytes(&s, address, strcspn(address, "/"));
	return ip_parse(text, &ip) && !ip_equal(&ip, &net->base);
}

/* "192.0.2.0/24", "[2001:db8::1]", "[2001:db8::]/32" without the brackets. */
static const char *
without_brackets(const char *text, char buf[static 128])
{
	const char *close = strchr(text, ']');
	struct str s;

	if (text[0] != '[' || close == NULL)
		return text;
	str_init(&s, buf, 128);
	str_add_bytes(&s, text + 1, (size_t)(close - text) - 1);
	str_add(&s, close + 1);
	return buf;
}

static bool
looks_like_address(const char *text)
{
	return strchr(text, '*') == NULL &&
	       (strchr(text, ':') != NULL ||
		   text[strspn(text, "0123456789./")] == '\0');
}

/* Adds entry when it is a network; names are found in the texts. */
static int
add_entry(struct hostlist *list, const struct dataset_entry *entry,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	const char *text = entry->key + (entry->key[0] == '!');
	struct host_net net = { .is_not = entry->key[0] == '!' };
	struct err doubt;
	char buf[128];

	text = without_brackets(text, buf);
	if (!ip_net_parse(text, &net.net)) {
		if (strpbrk(text, " \t") != NULL) {
			(void)err_set(&doubt,
			    "\"%.80s\" holds a blank; write commas between "
			    "hosts",
			    entry->key);
			(void)dataset_blame(list->texts, entry, &doubt);
			warn(arg, doubt.text);
			return 0;
		}
		if (!looks_like_address(text))
			return 0;
		(void)err_set(err,
		    "\"%.80s\" is no address or network; write 192.0.2.0/24, "
		    "2001:db8::/32, a host's name or .DOMAIN",
		    entry->key);
		return dataset_blame(list->texts, entry, err);
	}
	if (has_host_bits(text, &net.net)) {
		ip_format(&net.net.base, buf);
		(void)err_set(&doubt,
		    "\"%.80s\" has bits beyond its network; taken as %s/%u",
		    entry->key, buf, net.net.prefix);
		(void)dataset_blame(list->texts, entry, &doubt);
		warn(arg, doubt.text);
	}
	list->nets[list->count++] = net;
	return 0;
}

/* Smaller networks first, and "not" first among its like: the first that
 * matches decides. */
static int
compare(const void *a, const void *b)
{
	const struct host_net *x = a, *y = b;

	if (x->net.prefix != y->net.prefix)
		return x->net.prefix > y->net.prefix ? -1 : 1;
	return (int)y->is_not - (int)x->is_not;
}

struct hostlist *
hostlist_load(const char *text, const char *base,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	struct dataset *texts = dataset_load(text, base, DATASET_HOSTS, err);
	struct hostlist *list;

	if (texts == NULL)
		return NULL;
	list = xmem_calloc(1, sizeof(*list));
	list->texts = texts;
	list->nets = xmem_calloc(dataset_count(texts) + 1, sizeof(*list->nets));
	for (size_t i = 0; i < dataset_count(texts); i++)
		if (add_entry(list, dataset_at(texts, i), warn, arg, err) < 0) {
			hostlist_free(&list);
			return NULL;
		}
	qsort(list->nets, list->count, sizeof(*list->nets), compare);
	return list;
}

void
hostlist_free(struct hostlist **list)
{
	if (*list == NULL)
		return;
	dataset_free(&(*list)->texts);
	xmem_free(&(*list)->nets);
	xmem_free(list);
}

/* Is the pattern one for addresses? "10.*" would match 10.example.com too,
 * and anybody can have such a name. */
static bool
is_for_addresses(const char *pattern)
{
	return strchr(pattern, ':') != NULL ||
	       (strpbrk(pattern, "0123456789") != NULL &&
		   pattern[strspn(pattern, "0123456789.*")] == '\0');
}

/* What the patterns say: 1 in, 0 not in, -1 nothing. A "*" must not match the
 * "!" of a denial, so dataset_find is no help here. */
static int
ask_patterns(const struct hostlist *list, const char *name, bool is_address)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < dataset_count(list->texts); i++) {
		const char *pattern = dataset_at(list->texts, i)->key;
		bool is_not = pattern[0] == '!';

		if (!is_address && is_for_addresses(pattern + is_not))
			continue;
		if (dataset_wildcard(pattern + is_not, name, len, false))
			return is_not ? 0 : 1;
	}
	return -1;
}

/* The same for any list. */
static int
ask(const struct hostlist *list, const char *name)
{
	char denied[260];
	struct str s;

	if (dataset_has_patterns(list->texts))
		return ask_patterns(list, name, false);
	str_init(&s, denied, sizeof(denied));
	str_add_char(&s, '!');
	str_add(&s, name);
	if (!s.truncated && dataset_find(list->texts, denied) != NULL)
		return 0;
	return dataset_find(list->texts, name) != NULL ? 1 : -1;
}

static int
ask_names(const struct hostlist *list, const char *name)
{
	int answer = ask(list, name);

	for (name = strchr(name, '.'); answer < 0 && name != NULL;
	     name = strchr(name + 1, '.'))
		answer = ask(list, name);
	return answer;
}

bool
hostlist_has_name(const struct hostlist *list, const char *name)
{
	return list != NULL && name != NULL && name[0] != '\0' &&
	       ask_names(list, name) > 0;
}

bool
hostlist_has(const struct hostlist *list, const char *name, const struct ip *ip)
{
	static const struct ip local = { IP_V4, { 127, 0, 0, 1 } };
	char text[IP_TEXT_SIZE];
	int answer = -1;

	if (list == NULL)
		return false;
	if (name != NULL && name[0] != '\0')
		answer = ask_names(list, name);
	if (answer >= 0)
		return answer > 0;
	if (ip == NULL)
		ip = &local;
	for (size_t i = 0; i < list->count; i++)
		if (ip_net_contains(&list->nets[i].net, ip))
			return !list->nets[i].is_not;
	return dataset_has_patterns(list->texts) &&
	       ask_patterns(list, ip_format(ip, text), true) > 0;
}
