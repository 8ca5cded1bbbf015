/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "greylistd/reply.h"

/* How much of a value is in a log line. */
#define LOG_VALUE_MAX 256
/* How much of the recipient's domain is in a reply: no domain is longer. */
#define DOMAIN_MAX 255

/* What one escape of a template stands for, the first time it appears. */
struct escape {
	char letter;
	const char *value;
};

/* Writes template with each of the count escapes put in where it appears for
 * the first time; further ones stay as they are. */
static void
expand(struct str *s, const char *template, const struct escape *escapes,
    size_t count)
{
	unsigned used = 0;
	size_t i;

	for (const char *p = template; *p != '\0'; p++) {
		for (i = 0; *p == '%' && i < count; i++)
			if (p[1] == escapes[i].letter && !(used & 1U << i))
				break;
		if (*p != '%' || i == count) {
			str_add_char(s, *p);
			continue;
		}
		used |= 1U << i;
		str_add(s, escapes[i].value);
		p++;
	}
}

/* Texts come from the configuration and the request; a line end among them
 * would be the end of the reply. */
static void
make_one_line(struct str *s)
{
	for (size_t i = 0; i < s->len; i++)
		if ((unsigned char)s->text[i] < 0x20 || s->text[i] == 0x7f)
			s->text[i] = ' ';
}

static void
add_number(struct str *s, char *buf, size_t cap, int64_t number)
{
	str_init(s, buf, cap);
	str_addf(s, "%" PRId64, number);
}

void
reply_greylist(const char *action, const char *text, int64_t left_s,
    const char *recipient, bool enhanced, char out[static REPLY_SIZE])
{
	char left[32], domain[3 * DOMAIN_MAX + 1];
	const char *at = strrchr(recipient, '@');
	struct escape escapes[] = { { 's', left }, { 'r', domain } };
	struct str s;

	add_number(&s, left, sizeof(left), left_s);
	str_init(&s, domain, sizeof(domain));
	at = at == NULL ? recipient : at + 1;
	/* It is put into a URL and sent to a stranger. */
	str_add_escaped(&s, at, strnlen(at, DOMAIN_MAX), " \"%<>\\");

	str_init(&s, out, REPLY_SIZE);
	str_add(&s, action);
	str_add_char(&s, ' ');
	if (enhanced && !(*text >= '0' && *text <= '9'))
		str_add(&s, "4.2.0 ");
	expand(&s, text, escapes, sizeof(escapes) / sizeof(*escapes));
	make_one_line(&s);
}

void
reply_header(const struct reply_header *header, char out[static REPLY_SIZE])
{
	char waited[32], date[64];
	struct escape escapes[] = {
		{ 't', waited },
		{ 'v', header->version },
		{ 'h', header->hostname },
		{ 'd', date },
	};
	time_t now = (time_t)header->now_s;
	struct tm tm;
	struct str s;

	add_number(&s, waited, sizeof(waited), header->waited_s);
	if (localtime_r(&now, &tm) == NULL ||
	    strftime(date, sizeof(date), "%a, %d %b %Y %T %Z", &tm) == 0)
		date[0] = '\0';
	str_init(&s, out, REPLY_SIZE);
	str_add(&s, "PREPEND ");
	expand(
	    &s, header->template, escapes, sizeof(escapes) / sizeof(*escapes));
	make_one_line(&s);
}

static void
add_value(struct str *s, const char *name, const char *value)
{
	char escaped[LOG_VALUE_MAX + 1];
	struct str e;

	if (value == NULL || *value == '\0')
		return;
	str_init(&e, escaped, sizeof(escaped));
	str_add_escaped(&e, value, strnlen(value, LOG_VALUE_MAX), ",");
	str_add(s, ", ");
	str_add(s, name);
	str_add_char(s, '=');
	str_add(s, escaped);
}

void
reply_log(const struct reply_event *event, char out[static REPLY_LOG_SIZE])
{
	struct str s;

	str_init(&s, out, REPLY_LOG_SIZE);
	if (event->queue_id != NULL && *event->queue_id != '\0') {
		str_add_escaped(&s, event->queue_id,
		    strnlen(event->queue_id, LOG_VALUE_MAX), ",");
		str_add(&s, ": ");
	}
	str_add(&s, "action=");
	str_add(&s, event->action);
	str_add(&s, ", reason=");
	str_add(&s, event->reason);
	if (event->delay_s >= 0)
		str_addf(&s, ", delay=%" PRId64, event->delay_s);
	add_value(&s, "client_name", event->client_name);
	add_value(&s, "client_address", event->client_address);
	add_value(&s, "sender", event->sender);
	add_value(&s, "recipient", event->recipient);
	add_value(&s, "rule", event->comment);
	add_value(&s, "suspicious", event->suspicious);
}
