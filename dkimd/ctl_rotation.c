/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "common/xmem.h"

#include "dkimd/ctl_rotation.h"

/* Year, month and day with this between. */
static void
add_day(struct str *s, int64_t time_s, const char *between)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		str_addf(s, "%04d%s%02d%s%02d", tm.tm_year + 1900, between,
		    tm.tm_mon + 1, between, tm.tm_mday);
}

const char *
ctl_rotation_date(int64_t time_s, char buf[static CTL_ROTATION_DATE_SIZE])
{
	struct str s;

	str_init(&s, buf, CTL_ROTATION_DATE_SIZE);
	add_day(&s, time_s, "-");
	return buf;
}

void
ctl_rotation_selector(
    struct str *s, int64_t now, enum sigfield_algorithm algorithm)
{
	add_day(s, now, "");
	if (algorithm == SIGFIELD_ED25519_SHA256)
		str_add_char(s, 'e');
}

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* Where word stands last in text, no letter or digit before or behind it: in
 * front of the selector there is often the domain. */
static const char *
find_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if ((at == text || !is_word_char(at[-1])) &&
		    !is_word_char(at[len]))
			found = at;
	return found;
}

void
ctl_rotation_path(struct str *s, const char *old_path, const char *old_selector,
    const char *selector)
{
	const char *base = str_base(old_path);
	const char *word = find_word(base, old_selector);

	str_add_bytes(
	    s, old_path, (size_t)((word != NULL ? word : base) - old_path));
	str_add(s, selector);
	str_add(s, word != NULL ? word + strlen(old_selector) : ".private");
}

void
ctl_rotation_add_line(struct str *s, const struct ctl_rotation_line *line)
{
	char date[CTL_ROTATION_DATE_SIZE];

	str_addf(s, "%s\t%s:%s:%s:%s:%s", line->name, line->domain,
	    line->selector, line->path,
	    sigfield_algorithm_name(line->algorithm),
	    ctl_rotation_date(line->from, date));
}

char *
ctl_rotation_insert(const char *text, size_t len, unsigned after,
    const char *lines, size_t *len_r)
{
	size_t add = strlen(lines), at = 0;
	bool lacks_end;
	char *copy;

	while (after-- > 0 && at < len) {
		const char *end = memchr(text + at, '\n', len - at);

		at = end == NULL ? len : (size_t)(end - text) + 1;
	}
	lacks_end = at > 0 && text[at - 1] != '\n';
	*len_r = len + lacks_end + add;
	copy = xmem_alloc(*len_r + 1);
	if (at > 0)
		memcpy(copy, text, at);
	if (lacks_end)
		copy[at] = '\n';
	memcpy(copy + at + lacks_end, lines, add);
	if (len > at)
		memcpy(copy + at + lacks_end + add, text + at, len - at);
	copy[*len_r] = '\0';
	return copy;
}
