/* SPDX-License-Identifier: ISC */
#include "greylistd/dnslist.h"
#include "tests/unit/check.h"

static const struct {
	const char *name;
	enum dnslist_kind kind;
	const char *value;
	const char *zone; /* NULL = refused */
	int64_t weight;
	const char *says; /* of the sentence when refused */
} values[] = {
	{ "zone alone", DNSLIST_BLACK, "zen.example.org", "zen.example.org", 2,
	    NULL },
	{ "case and dot at the end", DNSLIST_BLACK, "Zen.Example.ORG.",
	    "zen.example.org", 2, NULL },
	{ "weight", DNSLIST_BLACK, "zen.example.org 5", "zen.example.org", 5,
	    NULL },
	{ "weight 0: only looked at", DNSLIST_BLACK, "zen.example.org 0",
	    "zen.example.org", 0, NULL },
	{ "mask without weight", DNSLIST_BLACK, "zen.example.org 127.0.0.2",
	    "zen.example.org", 2, NULL },
	{ "weight and masks", DNSLIST_BLACK,
	    "zen.example.org\t3  127.0.0.2-3, 127.0.0.9", "zen.example.org", 3,
	    NULL },
	{ "whitelist", DNSLIST_WHITE, "list.example.org 127.0.*.1-3",
	    "list.example.org", 2, NULL },
	{ "no zone", DNSLIST_BLACK, "", NULL, 0, "is no zone" },
	{ "one label", DNSLIST_BLACK, "zen", NULL, 0, "is no zone" },
	{ "empty label", DNSLIST_BLACK, "zen..org", NULL, 0, "is no zone" },
	{ "weight too large", DNSLIST_BLACK, "zen.example.org 1001", NULL, 0,
	    "the weight \"1001\"" },
	{ "negative weight", DNSLIST_BLACK, "zen.example.org -1", NULL, 0,
	    "the weight \"-1\"" },
	{ "weight after mask", DNSLIST_BLACK, "zen.example.org 127.0.0.2 3",
	    NULL, 0, "\"3\" is no mask" },
	{ "whitelists have no weight", DNSLIST_WHITE, "list.example.org 3",
	    NULL, 0, "\"3\" is no mask" },
	{ "number above a byte", DNSLIST_BLACK, "a.example 127.0.0.256", NULL,
	    0, "is no mask" },
	{ "range the wrong way", DNSLIST_BLACK, "a.example 127.0.0.3-2", NULL,
	    0, "is no mask" },
	{ "three numbers", DNSLIST_BLACK, "a.example 127.0.0", NULL, 0,
	    "is no mask" },
	{ "five numbers", DNSLIST_BLACK, "a.example 127.0.0.1.2", NULL, 0,
	    "is no mask" },
	{ "outside 127.0.0.0/8", DNSLIST_BLACK, "a.example 10.0.0.2", NULL, 0,
	    "is no mask" },
	{ "anything at all", DNSLIST_BLACK, "a.example *.*.*.*", NULL, 0,
	    "is no mask" },
};

static const struct {
	const char *name;
	enum dnslist_kind kind;
	const char *value;
	uint8_t answer[4];
	enum dnslist_code want;
} codes[] = {
	{ "127.0.0.2", DNSLIST_BLACK, "a.example", { 127, 0, 0, 2 },
	    DNSLIST_LISTED },
	{ "127.0.0.255", DNSLIST_BLACK, "a.example", { 127, 0, 0, 255 },
	    DNSLIST_LISTED },
	{ "127.0.1.0", DNSLIST_BLACK, "a.example", { 127, 0, 1, 0 },
	    DNSLIST_LISTED },
	{ "127.3.0.0", DNSLIST_BLACK, "a.example", { 127, 3, 0, 0 },
	    DNSLIST_LISTED },
	{ "127.0.0.1 is no listing", DNSLIST_BLACK, "a.example",
	    { 127, 0, 0, 1 }, DNSLIST_UNLISTED },
	{ "a resolver's invention", DNSLIST_BLACK, "a.example",
	    { 192, 0, 2, 7 }, DNSLIST_UNLISTED },
	{ "refused", DNSLIST_BLACK, "a.example", { 127, 255, 255, 254 },
	    DNSLIST_REFUSED },
	{ "refused whatever the mask says", DNSLIST_BLACK,
	    "a.example 127.*.*.*", { 127, 255, 255, 252 }, DNSLIST_REFUSED },
	{ "inside the mask", DNSLIST_BLACK, "a.example 1 127.0.0.2-3",
	    { 127, 0, 0, 3 }, DNSLIST_LISTED },
	{ "above the mask", DNSLIST_BLACK, "a.example 1 127.0.0.2-3",
	    { 127, 0, 0, 4 }, DNSLIST_UNLISTED },
	{ "below the mask", DNSLIST_BLACK, "a.example 1 127.0.0.2-3",
	    { 127, 0, 0, 1 }, DNSLIST_UNLISTED },
	{ "the second mask", DNSLIST_BLACK,
	    "a.example 127.0.0.2-3,127.0.0.10-11", { 127, 0, 0, 10 },
	    DNSLIST_LISTED },
	{ "between the masks", DNSLIST_BLACK,
	    "a.example 127.0.0.2-3,127.0.0.10-11", { 127, 0, 0, 5 },
	    DNSLIST_UNLISTED },
	{ "whitelist, low trust", DNSLIST_WHITE, "a.example", { 127, 0, 5, 1 },
	    DNSLIST_LISTED },
	{ "whitelist, no trust", DNSLIST_WHITE, "a.example", { 127, 0, 5, 0 },
	    DNSLIST_UNLISTED },
	{ "whitelist, over the limit", DNSLIST_WHITE, "a.example",
	    { 127, 0, 0, 255 }, DNSLIST_UNLISTED },
};

static const struct {
	const char *address;
	const char *want;
} names[] = {
	{ "192.0.2.17", "17.2.0.192.bl.example" },
	{ "::ffff:192.0.2.17", "17.2.0.192.bl.example" },
	{ "2001:db8::1f", "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			  "8.b.d.0.1.0.0.2.bl.example" },
};

int
main(void)
{
	struct dnslist list;
	struct err err;
	struct ip ip;
	char name[DNSLIST_NAME_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(values); i++) {
		int result =
		    dnslist_parse(values[i].value, values[i].kind, &list, &err);

		check_int(
		    values[i].name, result, values[i].zone != NULL ? 0 : -1);
		if (values[i].zone == NULL) {
			check_contains(
			    values[i].name, err.text, values[i].says);
			continue;
		}
		check_str(values[i].name, list.zone, values[i].zone);
		check_int(values[i].name, list.weight, values[i].weight);
	}
	for (size_t i = 0; i < CHECK_COUNT(codes); i++) {
		check_int(codes[i].name,
		    dnslist_parse(codes[i].value, codes[i].kind, &list, &err),
		    0);
		check_int(codes[i].name, dnslist_judge(&list, codes[i].answer),
		    codes[i].want);
	}
	(void)dnslist_parse("bl.example", DNSLIST_BLACK, &list, &err);
	for (size_t i = 0; i < CHECK_COUNT(names); i++) {
		check_true(names[i].address, ip_parse(names[i].address, &ip));
		check_str(names[i].address, dnslist_name(&list, &ip, name),
		    names[i].want);
	}
	return check_done();
}
