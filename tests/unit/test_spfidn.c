/* SPDX-License-Identifier: ISC */
#include "common/spfidn.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

int
main(void)
{
	static const struct {
		const char *name, *domain, *want;
	} rows[] = {
		{ "ASCII", "Example.org", "Example.org" },
		{ "a dot at the end", "example.org.", "example.org" },
		{ "nothing", "", "" },
		{ "odd ASCII stays", "a%b c.org", "a%b c.org" },
		{ "U-label", "b\303\274cher.example", "xn--bcher-kva.example" },
		{ "in capitals", "B\303\234CHER.Example",
		    "xn--bcher-kva.example" },
		{ "not composed", "bu\314\210cher.example",
		    "xn--bcher-kva.example" },
		{ "sharp s stays", "stra\303\237e.de", "xn--strae-oqa.de" },
		{ "ideographic dots", "\344\276\213\343\200\202\344\276\213.jp",
		    "xn--fsq.xn--fsq.jp" },
		{ "A-label", "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "underscore beside it", "_spf.\303\251.org",
		    "_spf.xn--9ca.org" },
		{ "no UTF-8", "\377\376.org", NULL },
		{ "overlong UTF-8", "\300\257.org", NULL },
		{ "half a character", "\303", NULL },
		{ "unassigned", "\364\217\277\277.org", NULL },
		{ "right to left with digits first", "1\327\220.org", NULL },
	};
	char *long_name = xmem_alloc(60001), out[SPFIDN_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		bool good = spfidn_to_ascii(rows[i].domain, out);

		check_bool(rows[i].name, good, rows[i].want != NULL);
		check_str(rows[i].name, out, good ? rows[i].want : "");
	}
	memset(long_name, 'a', 60000);
	long_name[60000] = '\0';
	check_false("long ASCII", spfidn_to_ascii(long_name, out));
	for (size_t i = 0; i < 60000; i += 2)
		memcpy(long_name + i, "\303\251", 2);
	check_false("long UTF-8", spfidn_to_ascii(long_name, out));
	long_name[1000] = '\0';
	check_false("label of 500", spfidn_to_ascii(long_name, out));
	long_name[40] = '\0';
	check_true("label of 20", spfidn_to_ascii(long_name, out));
	xmem_free(&long_name);
	return check_done();
}
