/* SPDX-License-Identifier: ISC */
/*
 * The input is a stream as a policy client sends it. However it is cut into
 * pieces, the same requests come out; all values lie inside their request and
 * are what a search line by line finds; a reply made of a value is one
 * well-formed line again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/policyproto.h"

#include "tests/fuzz/must.h"

/* A copy of exactly what is there, so that a step outside is seen. */
static char *
copy_of(const char *bytes, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, size);
	return copy;
}

static void
check_reply(const char *action)
{
	char reply[256];
	size_t cap = 16 + strlen(action) % (sizeof(reply) - 16);
	size_t len = policyproto_format(reply, cap, action);
	size_t scanned = 0, size = 0;
	struct policyproto_request request;

	assert(len <= cap);
	assert(policyproto_find_end(reply, len, &scanned, &size) ==
	       POLICYPROTO_COMPLETE);
	assert(size == len);
	assert(memcmp(reply, "action=", strlen("action=")) == 0);
	assert(policyproto_parse(reply, size, &request));
	assert(request.attr_count == 1 && request.garbage_count == 0);
}

/* Where the value of the last line called name begins, or -1. */
static ptrdiff_t
find_value(const char *bytes, size_t size, const char *name)
{
	size_t name_len = strlen(name);
	ptrdiff_t found = -1;

	for (size_t at = 0; at + name_len < size; at++) {
		if (at > 0 && bytes[at - 1] != '\n')
			continue;
		if (memcmp(bytes + at, name, name_len) == 0 &&
		    bytes[at + name_len] == '=')
			found = (ptrdiff_t)(at + name_len + 1);
	}
	return found;
}

static void
check_inside(const char *buf, size_t size, const char *text)
{
	assert(text >= buf && text < buf + size);
	assert(memchr(text, '\0', (size_t)(buf + size - text)) != NULL);
	assert(strchr(text, '\n') == NULL);
}

static void
check_request(const char *bytes, size_t size)
{
	struct policyproto_request request;
	char *buf = copy_of(bytes, size);
	bool is_whole = policyproto_parse(buf, size, &request);
	unsigned lines = request.attr_count + request.garbage_count;

	assert(lines <= POLICYPROTO_ATTRS_MAX);
	assert(is_whole || lines == POLICYPROTO_ATTRS_MAX);
	assert((request.garbage != NULL) == (request.garbage_count > 0));
	if (request.garbage != NULL) {
		check_inside(buf, size, request.garbage);
		assert(strchr(request.garbage, '=') == NULL);
	}
	for (int i = 0; i < POLICYPROTO_ATTR_COUNT; i++) {
		const char *value = request.attr[i];
		ptrdiff_t want = find_value(bytes, size,
		    policyproto_attr_name((enum policyproto_attr)i));

		assert(!is_whole || (value == NULL ? -1 : value - buf) == want);
		if (value != NULL) {
			check_inside(buf, size, value);
			check_reply(value);
		}
	}
	free(buf);
}

/* Looks for the first request of the len bytes, which arrive in pieces of
 * step bytes. Returns the last status. */
static enum policyproto_status
find_end(const char *bytes, size_t len, size_t step, size_t *size_r)
{
	enum policyproto_status status = POLICYPROTO_INCOMPLETE;
	size_t have = 0, scanned = 0;

	while (have < len && status == POLICYPROTO_INCOMPLETE) {
		char *buf;

		have = len - have > step ? have + step : len;
		buf = copy_of(bytes, have);
		status = policyproto_find_end(buf, have, &scanned, size_r);
		assert(scanned <= have);
		assert(status != POLICYPROTO_COMPLETE || *size_r <= have);
		free(buf);
	}
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step, len, want = 0, got = 0;
	const char *bytes;

	if (size < 1)
		return 0;
	/* The first byte says how finely the stream is cut; too finely, a
	 * large input takes too long to be useful. */
	bytes = (const char *)data + 1;
	len = size - 1;
	step = 1 + data[0] % 64;
	if (step < len / 256)
		step = len / 256;
	while (len > 0) {
		enum policyproto_status status =
		    find_end(bytes, len, len, &want);

		assert(find_end(bytes, len, step, &got) == status);
		if (status != POLICYPROTO_COMPLETE)
			break;
		assert(got == want && want <= POLICYPROTO_REQUEST_MAX);
		check_request(bytes, want);
		bytes += want;
		len -= want;
	}
	return 0;
}
