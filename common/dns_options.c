/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/dns_int.h"
#include "common/dns_options.h"
#include "common/str.h"
#include "common/xmem.h"

static const char separators[] = ", \t";

/* What the pointers of config point to. */
struct kept {
	struct dns_config config; /* first: it stands for all */
	char **nameservers;
	char *trust_anchor_file;
};

/* The next word of *text, which is moved behind it; its length, 0 at the
 * end. */
static size_t
next_word(const char **text, const char **word_r)
{
	size_t len;

	*word_r = *text + strspn(*text, separators);
	len = strcspn(*word_r, separators);
	*text = *word_r + len;
	return len;
}

int
dns_options_check_servers(const char *value, struct err *err)
{
	char server[DNS_CONFIG_SERVER_SIZE];
	const char *word;
	struct str s;
	size_t len;

	while ((len = next_word(&value, &word)) > 0) {
		str_init(&s, server, sizeof(server));
		str_add_bytes(&s, word, len);
		if (s.truncated || !dns_config_is_server(server))
			return err_set(err,
			    "\"%.*s\" is no name server; "
			    "write ADDRESS or ADDRESS@PORT",
			    (int)(len < 80 ? len : 80), word);
	}
	return 0;
}

static void
add_servers(struct kept *kept, const char *text)
{
	size_t count = kept->config.nameserver_count;
	const char *word;
	size_t len;

	while ((len = next_word(&text, &word)) > 0) {
		kept->nameservers = xmem_realloc(
		    kept->nameservers, count + 1, sizeof(*kept->nameservers));
		kept->nameservers[count++] = xmem_strndup(word, len);
	}
	kept->config.nameserver_count = count;
}

struct dns_config *
dns_options_config(const struct dns_options *options)
{
	struct kept *kept = xmem_calloc(1, sizeof(*kept));

	for (size_t i = 0; i < options->nameservers.count; i++)
		add_servers(kept, options->nameservers.items[i]);
	kept->trust_anchor_file = xmem_strdup(options->trust_anchor_file);
	kept->config.nameservers = kept->nameservers;
	kept->config.trust_anchor_file = kept->trust_anchor_file;
	kept->config.question_timeout_ms = options->question_timeout_s * 1000;
	kept->config.cache_bytes = options->cache_bytes;
	return &kept->config;
}

bool
dns_options_equal(const struct dns_config *a, const struct dns_config *b)
{
	if (a->nameserver_count != b->nameserver_count ||
	    a->question_timeout_ms != b->question_timeout_ms ||
	    a->cache_bytes != b->cache_bytes ||
	    strcmp(a->trust_anchor_file, b->trust_anchor_file) != 0)
		return false;
	for (size_t i = 0; i < a->nameserver_count; i++)
		if (strcmp(a->nameservers[i], b->nameservers[i]) != 0)
			return false;
	return true;
}

void
dns_options_free(struct dns_config **config)
{
	struct kept *kept = (struct kept *)*config;

	*config = NULL;
	if (kept == NULL)
		return;
	for (size_t i = 0; i < kept->config.nameserver_count; i++)
		xmem_free(&kept->nameservers[i]);
	xmem_free(&kept->nameservers);
	xmem_free(&kept->trust_anchor_file);
	xmem_free(&kept);
}
