/* SPDX-License-Identifier: ISC */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "common/regex.h"
#include "common/xmem.h"

/* Steps from one starting point. A list pattern on a host name needs some
 * dozens; at this many a runaway one has cost about a millisecond. */
#define MATCH_LIMIT 20000
/* Steps of a whole match: the library counts anew at each starting point, of
 * which there are as many as bytes. */
#define TOTAL_LIMIT 100000
/* But so many each, in lines of a log as well. */
#define MATCH_LIMIT_MIN 100
/* Nested points to come back to. */
#define DEPTH_LIMIT 2000
/* What those may take, in KiB. The library keeps it for the next match, so
 * every pattern of a list may come to hold this much. */
#define HEAP_LIMIT_KIB 256

/* There is no JIT: it wants memory that is writable and executable, which
 * the sandbox of a mail daemon should not allow. */
struct regex {
	pcre2_code *code;
	pcre2_match_data *data; /* reused by every match */
	pcre2_match_context *limits;
};

static int
compile(struct regex *regex, const char *pattern, bool nocase, struct err *err)
{
	/* Patterns are for bytes: one that turns UTF on by itself would fail
	 * on hostile subjects that are not UTF-8. */
	uint32_t options = PCRE2_NEVER_UTF | (nocase ? PCRE2_CASELESS : 0);
	PCRE2_UCHAR text[128];
	PCRE2_SIZE offset;
	int errnum;

	regex->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
	    options, &errnum, &offset, NULL);
	if (regex->code != NULL)
		return 0;
	if (pcre2_get_error_message(errnum, text, sizeof(text)) < 0)
		return err_set(err, "error %d at offset %zu", errnum, offset);
	return err_set(err, "%s at offset %zu", (const char *)text, offset);
}

struct regex *
regex_new(const char *pattern, bool nocase, struct err *err)
{
	struct regex *regex = xmem_calloc(1, sizeof(*regex));

	if (compile(regex, pattern, nocase, err) != 0)
		goto out;
	/* One pair: whether it matched, not where. */
	regex->data = pcre2_match_data_create(1, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	if (regex->data == NULL || regex->limits == NULL) {
		err_set(err, "out of memory");
		goto out;
	}
	pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
	return regex;
out:
	regex_free(&regex);
	return NULL;
}

void
regex_free(struct regex **regex)
{
	if (*regex == NULL)
		return;
	pcre2_match_context_free((*regex)->limits);
	pcre2_match_data_free((*regex)->data);
	pcre2_code_free((*regex)->code);
	xmem_free(regex);
}

enum regex_result
regex_match(const struct regex *regex, const char *subject, size_t len)
{
	size_t limit = TOTAL_LIMIT / (len + 1);
	int rc;

	if (limit > MATCH_LIMIT)
		limit = MATCH_LIMIT;
	if (limit < MATCH_LIMIT_MIN)
		limit = MATCH_LIMIT_MIN;
	pcre2_set_match_limit(regex->limits, (uint32_t)limit);
	rc = pcre2_match(regex->code, (PCRE2_SPTR)subject, len, 0, 0,
	    regex->data, regex->limits);
	/* 0: more groups than the one pair has room for. */
	if (rc >= 0)
		return REGEX_MATCH;
	return rc == PCRE2_ERROR_NOMATCH ? REGEX_NO_MATCH : REGEX_LIMIT;
}
