/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_logline.h"

/* "Nov 21 10:43:12" */
#define CLASSIC_TIME_LEN 15

struct piece {
	const char *p;
	const char *end;
};

static const char *
find(const struct piece *in, const char *text)
{
	return in->p >= in->end ? NULL
				: memmem(in->p, (size_t)(in->end - in->p), text,
				      strlen(text));
}

static bool
skip(struct piece *in, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(in->end - in->p) < len || memcmp(in->p, text, len) != 0)
		return false;
	in->p += len;
	return true;
}

static bool
set(char *value, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len >= CTL_LOGLINE_VALUE_SIZE)
		return false;
	memcpy(value, from, len);
	value[len] = '\0';
	return true;
}

/* The rest of a value up to text, which is skipped. */
static bool
take(struct piece *in, const char *text, char *value)
{
	const char *end = find(in, text);

	if (end == NULL || !set(value, in->p, end))
		return false;
	in->p = end + strlen(text);
	return true;
}

/* The time that syslog or the journal put in front: fifteen characters, or
 * one word that begins with a year. */
static void
read_time(const struct piece *in, char time[40])
{
	size_t len = (size_t)(in->end - in->p);
	const char *blank = memchr(in->p, ' ', len);

	time[0] = '\0';
	if (len == 0)
		return;
	if (len > 10 && isdigit((unsigned char)in->p[0]) && in->p[4] == '-')
		len = blank != NULL ? (size_t)(blank - in->p) : 0;
	else if (len > CLASSIC_TIME_LEN && in->p[CLASSIC_TIME_LEN] == ' ' &&
		 in->p[CLASSIC_TIME_LEN - 3] == ':')
		len = CLASSIC_TIME_LEN;
	else
		len = 0;
	if (len >= 40)
		len = 39;
	memcpy(time, in->p, len);
	time[len] = '\0';
}

/* Moves to the message: behind the first "[PID]: ". A line without that has
 * no head, and neither has one where a "=" comes first: that is a message
 * already, and what looks like a head is a stranger's text. */
static void
skip_head(struct piece *in)
{
	struct piece rest = *in;
	const char *end;

	while ((end = find(&rest, "]: ")) != NULL) {
		const char *digit = end;

		while (digit > in->p && isdigit((unsigned char)digit[-1]))
			digit--;
		if (memchr(in->p, '=', (size_t)(end - in->p)) != NULL)
			return;
		if (digit < end && digit > in->p && digit[-1] == '[') {
			in->p = end + 3;
			return;
		}
		rest.p = end + 3;
	}
}

/* A queue id in front of the message, "NOQUEUE: " among them. */
static void
skip_queue_id(struct piece *in)
{
	const char *p = in->p;

	while (p < in->end && isalnum((unsigned char)*p))
		p++;
	if (p > in->p && in->end - p > 2 && p[0] == ':' && p[1] == ' ')
		in->p = p + 2;
}

static enum ctl_logline_kind
parse_refused(struct piece *in, struct ctl_logline *line)
{
	if (!take(in, "[", line->name) || !take(in, "]: 4", line->address))
		return CTL_LOGLINE_OTHER;
	in->p = find(in, "; from=<");
	if (in->p == NULL || !skip(in, "; from=<") ||
	    !take(in, "> to=<", line->sender))
		return CTL_LOGLINE_OTHER;
	if (!take(in, "> proto=", line->recipient) &&
	    !take(in, ">", line->recipient))
		return CTL_LOGLINE_OTHER;
	return CTL_LOGLINE_REFUSED;
}

/* One "name=value" of the policy server's line; unknown ones are skipped. */
static bool
read_field(const struct piece *field, struct ctl_logline *line)
{
	static const struct {
		const char *name;
		size_t offset;
	} names[] = {
		{ "client_name=", offsetof(struct ctl_logline, name) },
		{ "client_address=", offsetof(struct ctl_logline, address) },
		{ "sender=", offsetof(struct ctl_logline, sender) },
		{ "recipient=", offsetof(struct ctl_logline, recipient) },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct piece value = *field;
		char *to = (char *)line + names[i].offset;

		if (skip(&value, names[i].name))
			return set(to, value.p, value.end) &&
			       ctl_entry_unescape(to);
	}
	return true;
}

static bool
parse_fields(struct piece *in, struct ctl_logline *line)
{
	while (in->p < in->end) {
		const char *comma = find(in, ", ");
		const struct piece field = { in->p,
			comma != NULL ? comma : in->end };

		if (!read_field(&field, line))
			return false;
		in->p = comma != NULL ? comma + 2 : in->end;
	}
	return line->address[0] != '\0';
}

enum ctl_logline_kind
ctl_logline_parse(const char *line, size_t len, struct ctl_logline *line_r)
{
	struct piece in = { line, line + len };
	enum ctl_logline_kind kind = CTL_LOGLINE_OTHER;

	line_r->name[0] = line_r->address[0] = '\0';
	line_r->sender[0] = line_r->recipient[0] = '\0';
	line_r->time[0] = '\0';
	if (len == 0 || memchr(line, '\0', len) != NULL)
		return CTL_LOGLINE_OTHER;
	read_time(&in, line_r->time);
	skip_head(&in);
	skip_queue_id(&in);
	if (skip(&in, "reject: RCPT from "))
		return parse_refused(&in, line_r);
	if (skip(&in, "action=greylist, "))
		kind = CTL_LOGLINE_DEFERRED;
	else if (skip(&in, "action=pass, "))
		kind = CTL_LOGLINE_PASSED;
	if (kind != CTL_LOGLINE_OTHER && !parse_fields(&in, line_r))
		kind = CTL_LOGLINE_OTHER;
	return kind;
}
