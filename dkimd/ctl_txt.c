/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "dkimd/ctl_txt.h"

/* Of a string in a zone file; DNS allows 255. */
#define STRING_MAX 250

/* Quoted-printable of RFC 6376 section 2.11, blanks within left as they
 * are. */
static void
add_note(struct str *s, const char *note)
{
	size_t len = strlen(note);

	for (size_t i = 0; i < len; i++) {
		bool at_end = i == 0 || i + 1 == len;

		if (note[i] < ' ' || note[i] > '~' || note[i] == '=' ||
		    note[i] == ';' || (note[i] == ' ' && at_end))
			str_addf(s, "=%02X", (unsigned char)note[i]);
		else
			str_add_char(s, note[i]);
	}
}

void
ctl_txt_record(struct str *s, const struct ctl_txt *txt)
{
	str_add(s, "v=DKIM1; ");
	if (txt->note != NULL) {
		str_add(s, "n=");
		add_note(s, txt->note);
		str_add(s, "; ");
	}
	if (txt->hashes[0] != '\0')
		str_addf(s, "h=%s; ", txt->hashes);
	str_addf(s, "k=%s; ", txt->type);
	if (txt->is_test || txt->is_strict)
		str_addf(s, "t=%s; ",
		    !txt->is_strict ? "y"
		    : txt->is_test  ? "y:s"
				    : "s");
	if (txt->is_email)
		str_add(s, "s=email; ");
	str_addf(s, "p=%s", txt->key);
}

/* One string of a zone file. */
static void
add_string(struct str *s, const char *text, size_t len)
{
	str_add_char(s, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			str_add_char(s, '\\');
		str_add_char(s, text[i]);
	}
	str_add_char(s, '"');
}

void
ctl_txt_zone(struct str *s, const char *selector, const char *domain,
    bool is_absolute, const char *record)
{
	static const char key_tag[] = "; p=";
	const char *key = strstr(record, key_tag);
	/* The key begins a string of its own. */
	size_t head = key == NULL ? 0 : (size_t)(key - record) + 2;

	str_addf(s, "%s._domainkey", selector);
	if (is_absolute)
		str_addf(s, ".%s.", domain);
	str_add(s, "\tIN\tTXT\t( ");
	while (*record != '\0') {
		size_t len = head > 0 ? head : strlen(record);

		if (len > STRING_MAX)
			len = STRING_MAX;
		add_string(s, record, len);
		head -= head > 0 ? len : 0;
		record += len;
		str_add(s, *record != '\0' ? "\n\t  " : " )");
	}
	if (domain[0] != '\0')
		str_addf(s, "  ; ----- DKIM key %s for %s", selector, domain);
	str_add_char(s, '\n');
}

bool
ctl_txt_name_ok(const char *name, size_t max)
{
	size_t len = strlen(name);

	return len <= max && str_labels(name, len, true) > 0;
}

bool
ctl_txt_hashes_ok(const char *hashes)
{
	bool has_sha256 = false;

	for (;;) {
		size_t len = strcspn(hashes, ":");

		if (len == strlen("sha256") &&
		    strncmp(hashes, "sha256", len) == 0)
			has_sha256 = true;
		if (str_labels(hashes, len, true) != 1 ||
		    memchr(hashes, '_', len) != NULL)
			return false;
		if (hashes[len] == '\0')
			return has_sha256;
		hashes += len + 1;
	}
}
