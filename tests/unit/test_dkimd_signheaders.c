/* SPDX-License-Identifier: ISC */
#include "common/str.h"
#include "tests/unit/check.h"

#include "dkimd/signheaders.h"

static struct signheaders *
make(const char *sign, const char *omit, const char *oversign, struct err *err)
{
	const char *texts[3] = { sign, omit, oversign };
	struct dataset *sets[3] = { NULL, NULL, NULL };
	struct signheaders *lists;

	for (size_t i = 0; i < 3; i++)
		if (texts[i] != NULL)
			sets[i] = dataset_load(texts[i], "", 0, err);
	lists = signheaders_new(sets[0], sets[1], sets[2], err);
	for (size_t i = 0; i < 3; i++)
		dataset_free(&sets[i]);
	return lists;
}

static const char *
print_oversign(const struct signheaders *lists)
{
	static char buf[512];
	const char *const *names;
	size_t count = signheaders_oversign(lists, &names);
	struct str s;

	str_init(&s, buf, sizeof(buf));
	for (size_t i = 0; i < count; i++)
		str_addf(&s, "%s%s", i > 0 ? " " : "", names[i]);
	return buf;
}

#define DEFAULT_OVERSIGN                                                       \
	"From Reply-To Subject Date Message-ID To Cc MIME-Version "            \
	"Content-Type Content-Transfer-Encoding"

static void
test_lists(void)
{
	static const struct {
		const char *name;
		const char *sign, *omit, *oversign;
		const char *chosen; /* of the message below */
		const char *more;
	} rows[] = {
		{ "default", NULL, NULL, NULL,
		    "from subject To SUBJECT list-id ", DEFAULT_OVERSIGN },
		{ "few", "subject", NULL, "From", "from subject SUBJECT ",
		    "From" },
		{ "From is always signed", "To", "From,To", ".", "from ", "" },
		{ "omitted", NULL, "*,+Subject", "From", "from To list-id ",
		    "From" },
		{ "From is not omitted", "To", "From", NULL,
		    "from subject To SUBJECT ", DEFAULT_OVERSIGN },
		{ "omit nothing", "Received,Bcc", ".", ".",
		    "Received from bcc ", "" },
		{ "not omitted", "Bcc,Received", "*,-Bcc", ".", "from bcc ",
		    "" },
		{ "only deltas", "+X-One", NULL, "-Date,+X-One",
		    "from subject X-one To SUBJECT list-id ",
		    "From Reply-To Subject Message-ID To Cc MIME-Version "
		    "Content-Type Content-Transfer-Encoding X-One" },
		{ "a default less", "*,-Subject", NULL, "From",
		    "from To list-id ", "From" },
		{ "never itself", "DKIM-Signature", ".", ".", "from ", "" },
		{ "oversigned is signed", "To", NULL, "From,Subject",
		    "from subject To SUBJECT ", "From Subject" },
		{ "twice", "To,to", NULL, "From,from", "from To ", "From" },
	};
	static const char *const message[] = { "Received", "from", "subject",
		"X-one", "To", "SUBJECT", "bcc", "DKIM-Signature", "list-id",
		"Frommage" };
	struct header_field fields[CHECK_COUNT(message)];
	const struct header_field *chosen[CHECK_COUNT(message)];

	for (size_t i = 0; i < CHECK_COUNT(message); i++)
		fields[i] = (struct header_field){ message[i],
			strlen(message[i]), " x", 2 };
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct signheaders *lists =
		    make(rows[i].sign, rows[i].omit, rows[i].oversign, &err);
		char got[256];
		struct str s;
		size_t count;

		str_init(&s, got, sizeof(got));
		count = signheaders_choose(
		    lists, fields, CHECK_COUNT(message), chosen);
		for (size_t j = 0; j < count; j++)
			str_addf(&s, "%s ", chosen[j]->name);
		check_str(rows[i].name, got, rows[i].chosen);
		check_str(rows[i].name, print_oversign(lists), rows[i].more);
		signheaders_free(&lists);
	}
}

static void
test_faults(void)
{
	static const char *const texts[] = { "From,Sub ject", "a:b", "*,+a:b",
		"\303\274" };
	char many[4096];
	struct str s;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(texts); i++) {
		check_true(texts[i], make(texts[i], NULL, NULL, &err) == NULL);
		check_contains(
		    texts[i], err.text, " is no name of a header field");
	}
	str_init(&s, many, sizeof(many));
	for (int i = 0; i < 300; i++)
		str_addf(&s, "X-%d,", i);
	check_true("too many", make(many, NULL, NULL, &err) == NULL);
	check_contains("too many", err.text, "more than 200 names");
	check_true("too many", make(NULL, NULL, many, &err) == NULL);
}

int
main(void)
{
	test_lists();
	test_faults();
	return check_done();
}
