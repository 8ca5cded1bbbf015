/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/options.h"
#include "spfd/peruser.h"

static char faults[2000];

static void
on_fault(void *arg, const char *text)
{
	size_t len = strlen(faults);

	(void)arg;
	snprintf(faults + len, sizeof(faults) - len, "%s\n", text);
}

static const char text[] =
    "# comment\n"
    "\n"
    "joe@example.com,HELO_reject=False|Mail_From_reject=False\n"
    "  Jane@Example.COM , TestOnly = 0 | Header_Type = AR  # more\n"
    "joe@example.com,Mail_From_reject=Softfail\n"
    "twin@example.com,HELO_reject=False|Mail_From_reject=False\n"
    "list@example.com,Reject_Not_Pass_Domains=a.example,b.example\n"
    "none@example.com,skip_addresses=\n"
    "bad1@example.com\n"
    ",TestOnly=0\n"
    "bad2@example.com,TestOnly\n"
    "bad3@example.com,TestOnly=7\n"
    "bad4@example.com,Listen=stdio\n"
    "bad5@example.com,Whitelist=x\n"
    "bad6@example.com,Moo=1\n"
    "bad7@example.com,\n"
    "last@example.com,No_Mail=True";

static const char want_faults[] =
    "f:9: no \",\" between recipient and options\n"
    "f:10: no recipient before the \",\"\n"
    "f:11: \"TestOnly\" is not Name=value\n"
    "f:12: TestOnly: 7 is not within 0 and 1\n"
    "f:13: Listen cannot be set per recipient\n"
    "f:14: Whitelist: \"x\" is no address or network; write 192.0.2.0/24, "
    "2001:db8::/32\n"
    "f:15: unknown option \"Moo\"; the nearest known is Mock\n"
    "f:16: \"\" is not Name=value\n";

static void
test_file(const struct config *base)
{
	struct peruser *p =
	    peruser_parse("f", text, strlen(text), base, on_fault, NULL);
	const struct policy *joe = peruser_find(p, "joe@example.com");
	const struct policy *jane = peruser_find(p, "jane@EXAMPLE.com");
	const struct policy *one;
	struct ip local;

	check_str("faults", faults, want_faults);
	if (!check_true("joe", joe != NULL) ||
	    !check_true("jane", jane != NULL))
		return;
	check_int("the first line counts", joe->verdict.mailfrom_reject,
	    VERDICT_ON_NOTHING);
	check_true("the rest is the base", joe->verdict.permerror_reject);
	check_true("a list of the base",
	    lists_has_name(&joe->not_pass, "base.example"));
	check_true("same options, same policy",
	    peruser_find(p, "twin@example.com") == joe);
	check_true("TestOnly", jane->verdict.test_only);
	check_int("Header_Type", jane->header_type, OPTIONS_HEADER_AR);
	check_int("untouched", jane->verdict.mailfrom_reject, VERDICT_ON_FAIL);
	one = peruser_find(p, "list@example.com");
	check_true("commas",
	    one != NULL && lists_has_name(&one->not_pass, "b.example"));
	one = peruser_find(p, "none@example.com");
	check_true("an emptied list", one != NULL &&
					  ip_parse("127.0.0.1", &local) &&
					  !lists_has_ip(&one->skip, &local));
	check_true(
	    "the last line", peruser_find(p, "last@example.com") != NULL);
	check_true("unknown", peruser_find(p, "x@example.com") == NULL);
	check_true("left out", peruser_find(p, "bad3@example.com") == NULL);
	check_true("empty", peruser_find(p, "") == NULL);
	peruser_free(&p);
	peruser_free(&p);
}

int
main(void)
{
	static const char base_text[] =
	    "PermError_reject yes\n"
	    "Reject_Not_Pass_Domains base.example\n";
	struct config *base = config_new(options_table, sizeof(struct options));
	struct peruser *p;
	struct err err;

	check_int("base",
	    config_parse(base, "base", base_text, strlen(base_text), &err), 0);
	test_file(base);
	p = peruser_parse("f", "", 0, base, on_fault, NULL);
	check_true("empty file", peruser_find(p, "a@b") == NULL);
	peruser_free(&p);
	p = peruser_load("/nonexistent/file", base, on_fault, NULL, &err);
	check_true("no file", p == NULL);
	check_contains("no file", err.text, "Per_User: ");
	check_true("no table", peruser_find(NULL, "a@b") == NULL);
	config_free(&base);
	return check_done();
}
