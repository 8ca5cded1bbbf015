/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <libmilter/mfapi.h>

#include "common/milter_int.h"
#include "common/str.h"

void
milter_reply_text(char *buf, size_t cap, const char *text, bool percent)
{
	struct str s;

	str_init(&s, buf, cap);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\r' || c == '\n' || c == '\t')
			c = ' ';
		else if (c < ' ' || c > '~')
			c = '?';
		/* Half of a pair would be worse than none. */
		if (s.len + 2 >= s.cap)
			break;
		if (percent && c == '%')
			str_add_char(&s, '%');
		str_add_char(&s, (char)c);
	}
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Three digits of this class (RFC 5321 section 4.2). */
static bool
is_code(const char *text, char class)
{
	return text != NULL && strlen(text) == 3 && text[0] == class &&
	       text[1] >= '0' && text[1] <= '5' && is_digit(text[2]);
}

/* One to three digits at *text, which moves behind them. */
static bool
skip_number(const char **text)
{
	size_t len = 0;

	while (len < 3 && is_digit((*text)[len]))
		len++;
	*text += len;
	return len > 0;
}

/* class "." subject "." detail (RFC 3463 section 2). */
static bool
is_enhanced(const char *text, char class)
{
	if (text == NULL || text[0] != class || text[1] != '.')
		return false;
	text += 2;
	return skip_number(&text) && *text++ == '.' && skip_number(&text) &&
	       *text == '\0';
}

void
milter_reply_make(
    const struct milter_verdict *verdict, struct milter_reply *reply_r)
{
	bool is_reject = verdict->action == MILTER_REJECT;
	char class = is_reject ? '5' : '4';
	const char *code = is_reject ? "550" : "451";
	const char *enhanced = is_reject ? "5.7.1" : "4.7.1";
	const char *text = verdict->text;
	struct str s;

	if (is_code(verdict->code, class))
		code = verdict->code;
	if (is_enhanced(verdict->enhanced, class))
		enhanced = verdict->enhanced;
	if (text == NULL || text[0] == '\0')
		text = is_reject ? "Message rejected"
				 : "Service unavailable - try again later";
	str_init(&s, reply_r->code, sizeof(reply_r->code));
	str_add(&s, code);
	str_init(&s, reply_r->enhanced, sizeof(reply_r->enhanced));
	str_add(&s, enhanced);
	milter_reply_text(reply_r->text, sizeof(reply_r->text), text, true);
}

/* libmilter's own reply goes out when it does not take ours. */
static int
refuse(struct smfi_str *ctx, const struct milter_verdict *verdict)
{
	struct milter_reply reply;

	milter_reply_make(verdict, &reply);
	(void)smfi_setreply(ctx, reply.code, reply.enhanced, reply.text);
	return verdict->action == MILTER_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

int
milter_reply_defer(struct smfi_str *ctx, const char *text)
{
	const struct milter_verdict verdict = {
		.action = MILTER_TEMPFAIL,
		.code = "451",
		.enhanced = "4.3.2",
		.text = text,
	};

	return refuse(ctx, &verdict);
}

static int
quarantine(struct smfi_str *ctx, const char *text)
{
	char reason[MILTER_TEXT_SIZE];

	milter_reply_text(reason, sizeof(reason),
	    text == NULL || text[0] == '\0' ? "quarantined" : text, false);
	return smfi_quarantine(ctx, reason) == MI_SUCCESS ? 0 : -1;
}

int
milter_reply_send(
    struct milter_work *work, const struct milter_verdict *verdict)
{
	static const char broken[] = "The mail server does not take our edits";
	struct smfi_str *ctx = work->session->ctx;

	switch (verdict->action) {
	case MILTER_REJECT:
	case MILTER_TEMPFAIL:
		return refuse(ctx, verdict);
	case MILTER_DISCARD:
		return SMFIS_DISCARD;
	case MILTER_ACCEPT:
	case MILTER_QUARANTINE:
		break;
	}
	/* Half an edit is none: a forged field might have stayed. */
	if (milter_edit_send(work) < 0)
		return milter_reply_defer(ctx, broken);
	if (verdict->action == MILTER_QUARANTINE &&
	    quarantine(ctx, verdict->text) < 0)
		return milter_reply_defer(ctx, broken);
	return SMFIS_CONTINUE;
}
