/* SPDX-License-Identifier: ISC */
/*
 * fuzz_key.c - keys from hostile senders and recipients
 *
 * Input: a byte of configuration, then SENDER NUL RECIPIENT; the whole is
 * also read as a key to import. Whatever it is: a key is bounded, in lower
 * case and the same for the same words, and folding twice changes nothing.
 */
#include <string.h>

#include "common/xmem.h"
#include "greylistd/key.h"

#include "tests/fuzz/must.h"

static void
check_stored(const char *key)
{
	must(strlen(key) < KEY_SIZE);
	for (; *key != '\0'; key++)
		must(*key < 'A' || *key > 'Z');
}

static void
try_folding(const char *sender)
{
	char postgrey[KEY_SIZE], all[KEY_SIZE], again[KEY_SIZE];

	key_fold_sender(sender, KEY_FOLD_POSTGREY, postgrey);
	check_stored(postgrey);
	must(strlen(postgrey) <= KEY_VALUE_MAX);
	key_fold_sender(sender, KEY_FOLD_ALL, all);
	check_stored(all);
	must(strlen(all) <= strnlen(sender, KEY_VALUE_MAX));
	key_fold_sender(all, KEY_FOLD_ALL, again);
	must(strcmp(all, again) == 0);
}

static void
try_keys(uint8_t options, const char *sender, const char *recipient)
{
	const struct key_config config = {
		.by_host = options & 1,
		.ipv4_prefix = options % 33,
		.ipv6_prefix = options % 129,
		.privacy = options & 2,
	};
	char key[KEY_SIZE], again[KEY_SIZE];
	struct ip ip;

	must(ip_parse(options & 4 ? "192.0.2.77" : "2001:DB8::ab:1", &ip));
	for (int folding = KEY_FOLD_ALL; folding <= KEY_FOLD_POSTGREY;
	     folding++) {
		key_make(&config, (enum key_folding)folding, &ip, sender,
		    recipient, key);
		key_make(&config, (enum key_folding)folding, &ip, sender,
		    recipient, again);
		check_stored(key);
		must(strcmp(key, again) == 0);
		if (config.privacy)
			must(strlen(key) == 40);
		else
			must(strchr(key, '/') != NULL);
	}
	key_client(&config, &ip, key);
	check_stored(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char key[KEY_SIZE];
	char *sender, *recipient;

	if (size == 0)
		return 0;
	/* A copy that ends with its NUL: reading on would be seen. */
	sender = xmem_strndup(
	    (const char *)data + 1, strnlen((const char *)data + 1, size - 1));
	recipient = strlen(sender) + 1 < size
			? xmem_strndup((const char *)data + 2 + strlen(sender),
			      strnlen((const char *)data + 2 + strlen(sender),
				  size - 2 - strlen(sender)))
			: xmem_strdup("r@example.org");
	try_folding(sender);
	try_keys(data[0], sender, recipient);
	if (key_refold((const char *)data, size, key))
		check_stored(key);
	xmem_free(&sender);
	xmem_free(&recipient);
	return 0;
}
