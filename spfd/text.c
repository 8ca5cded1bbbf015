/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "spfd/text.h"

/* How much of a value is in a log line. */
#define LOG_VALUE_MAX 256
/* How much of a domain and of a problem is in a sentence. */
#define DOMAIN_MAX 253
#define PROBLEM_MAX 160
/* How much of a value of a template is taken over. */
#define VALUE_MAX 253

void
text_add_printable(struct str *s, const char *value, size_t max)
{
	size_t len = strnlen(value, max), plain = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] >= 0x20 && value[i] <= 0x7e)
			continue;
		str_add_bytes(s, value + plain, i - plain);
		str_add_char(s, '?');
		plain = i + 1;
	}
	str_add_bytes(s, value + plain, len - plain);
}

const char *
text_sentence(const struct finding *finding, const char *client,
    char out[static TEXT_SENTENCE_SIZE])
{
	static const struct {
		const char *before, *between, *after;
		bool client_first;
	} forms[] = {
		[SPF_CHECK_NONE] = { "", " has no SPF record", "", false },
		[SPF_CHECK_NEUTRAL] = { "", " does not say whether ",
		    " may send for it", false },
		[SPF_CHECK_PASS] = { "", " is allowed to send for ", "", true },
		[SPF_CHECK_FAIL] = { "", " is not allowed to send for ", "",
		    true },
		[SPF_CHECK_SOFTFAIL] = { "",
		    " is probably not allowed to send for ", "", true },
		[SPF_CHECK_TEMPERROR] = { "SPF Temporary Error: ", "", "",
		    false },
		[SPF_CHECK_PERMERROR] = { "SPF Permanent Error: ", "", "",
		    false },
	};
	const char *domain =
	    finding->domain[0] != '\0' ? finding->domain : "the name";
	bool is_none = finding->result == SPF_CHECK_NONE;
	bool client_first = forms[finding->result].client_first;
	struct str s;

	str_init(&s, out, TEXT_SENTENCE_SIZE);
	str_add(&s, forms[finding->result].before);
	text_add_printable(&s, client_first ? client : domain, DOMAIN_MAX);
	if (finding->result == SPF_CHECK_TEMPERROR ||
	    finding->result == SPF_CHECK_PERMERROR) {
		str_add(&s, ": ");
		text_add_printable(&s,
		    finding->problem[0] != '\0' ? finding->problem
						: "no details",
		    PROBLEM_MAX);
		return out;
	}
	str_add(&s, forms[finding->result].between);
	if (!is_none)
		text_add_printable(
		    &s, client_first ? domain : client, DOMAIN_MAX);
	str_add(&s, forms[finding->result].after);
	return out;
}

/* The sentence, and after a fail what the domain's owner says about it; that
 * these are not our words must be clear (RFC 7208 section 6.2). */
static void
add_spf(struct str *s, const struct text_values *values)
{
	const struct finding *finding = values->finding;
	char sentence[TEXT_SENTENCE_SIZE];

	str_add(s, text_sentence(finding, values->client, sentence));
	if (finding->result != SPF_CHECK_FAIL ||
	    finding->explanation[0] == '\0')
		return;
	str_add(s, "; ");
	text_add_printable(s, finding->domain, DOMAIN_MAX);
	str_add(s, " explains: ");
	text_add_printable(s, finding->explanation, VALUE_MAX);
}

enum field {
	FIELD_REJECTDEFER,
	FIELD_SPF,
	FIELD_URL,
	FIELD_RESULT,
	FIELD_IDENTITY,
	FIELD_DOMAIN,
	FIELD_PROBLEM,
	FIELD_MECHANISM,
	FIELD_EXPLANATION,
	FIELD_CLIENT,
	FIELD_HELO,
	FIELD_SENDER,
	FIELD_RECEIVER,
	FIELD_HOSTNAME,
	FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
	"rejectdefer",
	"spf",
	"url",
	"result",
	"identity",
	"domain",
	"problem",
	"mechanism",
	"explanation",
	"client",
	"helo",
	"sender",
	"receiver",
	"hostname",
};

static const char *
value_of(const struct text_values *values, enum field field)
{
	const struct finding *finding = values->finding;

	switch (field) {
	case FIELD_REJECTDEFER:
		return values->is_deferral ? "deferred" : "rejected";
	case FIELD_RESULT:
		return spf_result_name(finding->result);
	case FIELD_IDENTITY:
		return values->identity == SPF_CHECK_HELO ? "helo" : "mailfrom";
	case FIELD_DOMAIN:
		return finding->domain;
	case FIELD_PROBLEM:
		return finding->problem;
	case FIELD_MECHANISM:
		return finding->mechanism;
	case FIELD_EXPLANATION:
		return finding->explanation;
	case FIELD_CLIENT:
		return values->client;
	case FIELD_HELO:
		return values->helo;
	case FIELD_SENDER:
		return values->sender;
	case FIELD_RECEIVER:
		return values->receiver;
	case FIELD_HOSTNAME:
		return values->hostname;
	case FIELD_SPF:
	case FIELD_URL:
	case FIELD_COUNT:
		break;
	}
	return "";
}

/* The field whose name stands at text, up to "}"; *len_r is the length of
 * the name. */
static enum field
field_at(const char *text, size_t *len_r)
{
	*len_r = strcspn(text, "{}");
	if (text[*len_r] == '}')
		for (int i = 0; i < FIELD_COUNT; i++)
			if (strlen(field_names[i]) == *len_r &&
			    strncmp(field_names[i], text, *len_r) == 0)
				return (enum field)i;
	return FIELD_COUNT;
}

int
text_check_template(const char *template, struct err *err)
{
	for (const char *p = template; *p != '\0'; p++) {
		size_t len;

		if (*p != '{' && *p != '}')
			continue;
		if (p[1] == p[0]) {
			p++;
			continue;
		}
		if (*p == '}')
			return err_set(err, "\"}\" without \"{\"; write \"}}\" "
					    "for a brace");
		if (field_at(p + 1, &len) == FIELD_COUNT)
			return err_set(err,
			    "{%.*s} is unknown; there are "
			    "{rejectdefer} {spf} {url} {result} "
			    "{identity} {domain} {problem} {mechanism} "
			    "{explanation} {client} {helo} {sender} "
			    "{receiver} {hostname}",
			    (int)(len < 32 ? len : 32), p + 1);
		p += len + 1;
	}
	return 0;
}

static void
add_value(struct str *s, const char *value, bool in_url)
{
	if (in_url)
		str_add_escaped(
		    s, value, strnlen(value, VALUE_MAX), " \"#%&<>;?\\");
	else
		text_add_printable(s, value, VALUE_MAX);
}

/* Goes through the template; {url} is a template that is gone through in the
 * same way, but in it {url} and {spf} are empty. */
static void expand(struct str *s, const char *template,
    const struct text_values *values, bool in_url);

static void
add_field(struct str *s, enum field field, const struct text_values *values,
    bool in_url)
{
	if (field == FIELD_URL) {
		if (!in_url)
			expand(s, values->url, values, true);
	} else if (field == FIELD_SPF) {
		if (!in_url)
			add_spf(s, values);
	} else {
		add_value(s, value_of(values, field), in_url);
	}
}

static void
expand(struct str *s, const char *template, const struct text_values *values,
    bool in_url)
{
	for (const char *p = template; *p != '\0'; p++) {
		size_t len;
		enum field field;

		if (*p == '{' && p[1] != '{') {
			field = field_at(p + 1, &len);
			if (field != FIELD_COUNT) {
				add_field(s, field, values, in_url);
				p += len + 1;
				continue;
			}
		}
		if ((*p == '{' || *p == '}') && p[1] == p[0])
			p++;
		text_add_printable(s, p, 1);
	}
}

const char *
text_reply(const char *template, const struct text_values *values,
    char out[static TEXT_REPLY_SIZE])
{
	struct str s;

	str_init(&s, out, TEXT_REPLY_SIZE);
	expand(&s, template, values, false);
	return out;
}

static void
add_pair(struct str *s, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	str_add(s, ", ");
	str_add(s, name);
	str_add_char(s, '=');
	str_add_escaped(s, value, strnlen(value, LOG_VALUE_MAX), ",");
}

void
text_log(const struct text_event *event, char out[static TEXT_LOG_SIZE])
{
	const struct finding *finding = event->finding;
	struct str s;

	str_init(&s, out, TEXT_LOG_SIZE);
	if (event->queue_id != NULL && *event->queue_id != '\0') {
		str_add_escaped(&s, event->queue_id,
		    strnlen(event->queue_id, LOG_VALUE_MAX), ",");
		str_add(&s, ": ");
	}
	str_add(&s, "action=");
	str_add(&s, event->action);
	add_pair(&s, "reason", event->reason);
	if (finding != NULL) {
		str_add(&s, event->identity == SPF_CHECK_HELO
				? ", identity=helo, result="
				: ", identity=mailfrom, result=");
		str_add(&s, spf_result_name(finding->result));
		add_pair(&s, "domain", finding->domain);
		add_pair(&s, "mechanism", finding->mechanism);
		add_pair(&s, "problem", finding->problem);
		if (finding->lookups > 0)
			str_addf(&s, ", lookups=%u", finding->lookups);
	}
	add_pair(&s, "client_name", event->client_name);
	add_pair(&s, "client_address", event->client_address);
	add_pair(&s, "helo", event->helo);
	add_pair(&s, "sender", event->sender);
	add_pair(&s, "recipient", event->recipient);
}
