/* SPDX-License-Identifier: ISC */
#include <fnmatch.h>
#include <string.h>

#include "common/str.h"

#include "greylistd/ctl_entry.h"

#define DIGEST_LEN 40
/* Rows read at a time. */
#define PAGE_ROWS 1000

static const char *const state_names[] = {
	[CTL_ENTRY_PENDING] = "pending",
	[CTL_ENTRY_READY] = "ready",
	[CTL_ENTRY_LATE] = "late",
	[CTL_ENTRY_PASSED] = "passed",
	[CTL_ENTRY_EXPIRED] = "expired",
};

bool
ctl_entry_is_digest(const char *key, size_t len)
{
	return len == DIGEST_LEN &&
	       strspn(key, "0123456789abcdef") >= DIGEST_LEN;
}

/* The length of the network part: up to the first "/", or behind the "/32" or
 * "/128" that LookupByHost writes. */
static size_t
network_len(const char *key, const char *end)
{
	const char *slash = memchr(key, '/', (size_t)(end - key));
	const char *next;
	size_t n;

	if (slash == NULL)
		return 0;
	next = memchr(slash + 1, '/', (size_t)(end - slash - 1));
	if (next != NULL) {
		n = (size_t)(next - slash - 1);
		if ((n == 2 && memcmp(slash + 1, "32", n) == 0) ||
		    (n == 3 && memcmp(slash + 1, "128", n) == 0)) {
			/* There must still be two parts behind it. */
			if (memchr(next + 1, '/', (size_t)(end - next - 1)) !=
			    NULL)
				return (size_t)(next - key);
		}
	}
	return (size_t)(slash - key);
}

bool
ctl_entry_split(const char *key, size_t len, struct ctl_entry_parts *parts_r)
{
	const char *end = key + len;
	const char *rest, *at, *slash = NULL;

	memset(parts_r, 0, sizeof(*parts_r));
	parts_r->network.text = parts_r->sender.text = parts_r->recipient.text =
	    "";
	parts_r->network.len = network_len(key, end);
	if (parts_r->network.len == 0)
		return false;
	rest = key + parts_r->network.len + 1;
	if (rest < end && *rest != '/') {
		at = memchr(rest, '@', (size_t)(end - rest));
		if (at != NULL)
			slash = memchr(at, '/', (size_t)(end - at));
	}
	if (slash == NULL && rest < end)
		slash = memchr(rest, '/', (size_t)(end - rest));
	if (slash == NULL) {
		parts_r->network.len = 0;
		return false;
	}
	parts_r->network.text = key;
	parts_r->sender.text = rest;
	parts_r->sender.len = (size_t)(slash - rest);
	parts_r->recipient.text = slash + 1;
	parts_r->recipient.len = (size_t)(end - slash - 1);
	return true;
}

enum ctl_entry_state
ctl_entry_state(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s)
{
	int64_t waited_s = greylist_age(now_s, entry->first);

	if (entry->passed != 0)
		return greylist_age(now_s, entry->last) > policy->max_age_s
			   ? CTL_ENTRY_EXPIRED
			   : CTL_ENTRY_PASSED;
	if (waited_s < policy->delay_s)
		return CTL_ENTRY_PENDING;
	return waited_s > policy->retry_window_s ? CTL_ENTRY_LATE
						 : CTL_ENTRY_READY;
}

const char *
ctl_entry_state_name(enum ctl_entry_state state)
{
	return state_names[state];
}

/* Prepares what an address is compared with. */
static void
fold(const char *text, bool sender, char out[static KEY_SIZE])
{
	if (text == NULL) {
		out[0] = '\0';
		return;
	}
	if (strcmp(text, "<>") == 0)
		text = "";
	if (sender && text[0] != '@' && strpbrk(text, "*?") == NULL) {
		key_fold_sender(text, KEY_FOLD_ALL, out);
		return;
	}
	strncpy(out, text, KEY_SIZE - 1);
	out[KEY_SIZE - 1] = '\0';
	str_lower(out, strlen(out));
}

/* When all of filter->net lies in one network of keys, its part of the key
 * narrows the search to neighbouring rows. */
static void
find_prefix(struct ctl_entry_filter *filter, const struct key_config *key)
{
	bool v4 = filter->net.base.family == IP_V4;
	unsigned prefix = v4 ? key->ipv4_prefix : key->ipv6_prefix;
	struct ip base = filter->net.base;
	char text[IP_TEXT_SIZE];
	struct str s;

	str_init(&s, filter->prefix, sizeof(filter->prefix));
	filter->one_network = !key->by_host && filter->net.prefix >= prefix;
	if (key->by_host && filter->net.prefix == ip_bits(base.family)) {
		str_add(&s, ip_format_plain(&base, text));
		str_add_char(&s, '/');
	}
	if (filter->one_network) {
		ip_mask(&base, prefix);
		str_add(&s, ip_format_plain(&base, text));
		str_add_char(&s, '/');
	}
}

int
ctl_entry_filter_init(struct ctl_entry_filter *filter,
    const struct key_config *key, struct err *err)
{
	bool searches = filter->network != NULL || filter->sender != NULL ||
			filter->recipient != NULL;

	filter->prefix[0] = '\0';
	filter->one_network = false;
	if (searches && key->privacy)
		return err_set(err,
		    "with Privacy the database holds digests "
		    "only, nothing can be searched by network or address");
	if (filter->pending && filter->passed)
		return err_set(err, "--pending and --passed exclude each "
				    "other");
	fold(filter->sender, true, filter->sender_fold);
	fold(filter->recipient, false, filter->recipient_fold);
	if (filter->network == NULL)
		return 0;
	if (!ip_net_parse(filter->network, &filter->net))
		return err_set(err,
		    "%s is no network; write 192.0.2.1, "
		    "192.0.2.0/24 or 2001:db8::/64",
		    filter->network);
	find_prefix(filter, key);
	return 0;
}

static bool
match_network(
    const struct ctl_entry_filter *filter, const struct ctl_entry_part *part)
{
	char text[IP_TEXT_SIZE + 8];
	struct ip ip;
	char *slash;

	if (filter->one_network)
		return part->len == strlen(filter->prefix) - 1 &&
		       memcmp(part->text, filter->prefix, part->len) == 0;
	if (part->len >= sizeof(text))
		return false;
	memcpy(text, part->text, part->len);
	text[part->len] = '\0';
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	return ip_parse(text, &ip) && ip_net_contains(&filter->net, &ip);
}

/* want: "" = the null sender, "@domain" = that domain, else all of it. */
static bool
match_address(const char *want, const struct ctl_entry_part *part)
{
	char text[CTL_ENTRY_KEY_SIZE];
	const char *at;

	if (part->len >= sizeof(text))
		return false;
	memcpy(text, part->text, part->len);
	text[part->len] = '\0';
	if (strpbrk(want, "*?") != NULL)
		return fnmatch(want, text, FNM_NOESCAPE) == 0;
	if (want[0] == '@') {
		at = strrchr(text, '@');
		return at != NULL && strcmp(at, want) == 0;
	}
	return strcmp(text, want) == 0;
}

bool
ctl_entry_filter_match(const struct ctl_entry_filter *filter, const char *key,
    size_t len, const struct greylist_entry *entry)
{
	struct ctl_entry_parts parts;

	if ((filter->pending && entry->passed != 0) ||
	    (filter->passed && entry->passed == 0))
		return false;
	if (filter->network == NULL && filter->sender == NULL &&
	    filter->recipient == NULL)
		return true;
	if (!ctl_entry_split(key, len, &parts))
		return false;
	return (filter->network == NULL ||
		   match_network(filter, &parts.network)) &&
	       (filter->sender == NULL ||
		   match_address(filter->sender_fold, &parts.sender)) &&
	       (filter->recipient == NULL ||
		   match_address(filter->recipient_fold, &parts.recipient));
}

/* Reads one page of rows; *rows_r counts them. */
static int
read_page(struct store_stmt *stmt, struct ctl_entry_walk *walk,
    const char *prefix, ctl_entry_fn *fn, void *arg, struct err *err)
{
	char after[CTL_ENTRY_KEY_SIZE];
	int rows = 0;

	memcpy(after, walk->after, strlen(walk->after) + 1);
	store_bind_text(stmt, 1, after, strlen(after));
	store_bind_int(stmt, 2, PAGE_ROWS);
	for (;;) {
		struct greylist_entry entry;
		const char *key;
		size_t len;

		switch (store_step(stmt, err)) {
		case STORE_FAILED:
			return -1;
		case STORE_DONE:
			walk->ended =
			    rows < PAGE_ROWS || strcmp(after, walk->after) == 0;
			return 0;
		case STORE_ROW:
			break;
		}
		rows++;
		key = store_column_text(stmt, 0, &len);
		if (strncmp(key, prefix, strlen(prefix)) != 0) {
			walk->ended = true;
			break;
		}
		/* Nothing of ours writes such a key. */
		if (len >= CTL_ENTRY_KEY_SIZE || strlen(key) != len)
			continue;
		memcpy(walk->after, key, len);
		walk->after[len] = '\0';
		entry.first = store_column_int(stmt, 1);
		entry.last = store_column_int(stmt, 2);
		entry.passed = store_column_int(stmt, 3);
		if (!fn(arg, walk->after, len, &entry))
			break;
	}
	store_reset(stmt);
	return 1;
}

int
ctl_entry_each(struct ctl *ctl, struct ctl_entry_walk *walk, const char *prefix,
    ctl_entry_fn *fn, void *arg, struct err *err)
{
	static struct store_stmt *stmt; /* one database per process */

	if (stmt == NULL)
		stmt = store_prepare(greystore_store(ctl->gs),
		    "SELECT key, first, last, passed FROM triplet "
		    "WHERE key > ?1 ORDER BY key LIMIT ?2",
		    err);
	if (stmt == NULL)
		return -1;
	if (walk->after[0] == '\0' && prefix[0] != '\0')
		memcpy(walk->after, prefix, strlen(prefix) + 1);
	while (!walk->ended) {
		int result = read_page(stmt, walk, prefix, fn, arg, err);

		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	return 0;
}

bool
ctl_entry_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		int high = -1, low = -1;

		if (*from == '%')
			high = str_hex_digit(from[1]);
		if (high >= 0)
			low = str_hex_digit(from[2]);
		if (low < 0) {
			*to++ = *from;
			continue;
		}
		if (high == 0 && low == 0)
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return true;
}
