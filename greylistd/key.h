/* SPDX-License-Identifier: ISC */
/*
 * key.h - what makes two attempts the same: network, sender, recipient
 *
 * The key is postgrey's, so that its databases carry over:
 *
 *     lower case of NET "/" SENDER "/" RECIPIENT
 *
 * NET is the client's network address without its length ("192.0.2.0",
 * "2001:db8:0:0:0:0:0:0"), or with LookupByHost the address and its full
 * length ("192.0.2.10/32"). SENDER is the sender with what changes from one
 * attempt to the next folded away; RECIPIENT is only lower-cased.
 *
 * With SPF NET is "spf:" and the sender's domain, see key_make_spf.
 *
 * Folding of the sender's local part, in this order:
 *   prvs=TAG=LOCAL, prvs=LOCAL=TAG (BATV)     -> LOCAL        postgrey
 *   prvs=LOCAL/TAG, btv1==TAG==LOCAL, msprvs1=TAG=LOCAL -> LOCAL  ours
 *   SRS0=HASH=TIME=DOMAIN=LOCAL               -> srs0=#=#=DOMAIN=LOCAL  ours
 *   SRS1=HASH=FORWARDER==HASH=TIME=...        -> srs1=#=FORWARDER==#=#=... ours
 *   from the first "+" on                     -> nothing      postgrey
 *   a decimal number that is a word of its own -> "#"         postgrey
 *   a hexadecimal word of 8 or more digits with at least one decimal digit
 *                                             -> "#"          ours
 *   a UUID                                    -> "#-#-#-#-#"  ours
 * The local part ends at the first "@"; without "@" nothing is folded. Ours
 * take no notice of case and are applied until nothing changes, so folding
 * twice gives the same as folding once (postgrey's alone does not promise
 * that).
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_KEY_H
#define POSTERN_GREYLISTD_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ip.h"

/* Room for a key with its NUL. A longer one is cut and ends in "/#" and 32
 * hex digits of the SHA-1 of the whole, so that no entry takes much room on
 * the disk. */
#define KEY_SIZE 520
/* Values of the request count up to this many bytes (postgrey cuts there). */
#define KEY_VALUE_MAX 512

enum key_folding {
	KEY_FOLD_ALL,      /* the whole list above */
	KEY_FOLD_POSTGREY, /* only what postgrey 1.37 does */
};

struct key_config {
	bool by_host;         /* LookupByHost */
	unsigned ipv4_prefix; /* 0..32 */
	unsigned ipv6_prefix; /* 0..128 */
	bool privacy;         /* store SHA-1 in hex instead of text */
};

/* Makes the key of a triplet. sender and recipient are hostile text. */
void key_make(const struct key_config *config, enum key_folding folding,
    const struct ip *client, const char *sender, const char *recipient,
    char key_r[static KEY_SIZE]);

/* The same where SPF passed for the sender's domain: "spf:DOMAIN" stands for
 * the network. Without with_local the sender's local part does not count. */
void key_make_spf(const struct key_config *config, bool with_local,
    const char *sender, const char *recipient, char key_r[static KEY_SIZE]);

/* The sender's domain, or NULL when it has none. */
const char *key_sender_domain(const char *sender);

/* Makes the auto-whitelist's key of a client: its address in plain form, or
 * with privacy the SHA-1 of it as postgrey writes it (IPv6 in upper case). */
void key_client(const struct key_config *config, const struct ip *client,
    char key_r[static KEY_SIZE]);

/* Folds sender (at most KEY_VALUE_MAX bytes count) into out, lower-cased. */
void key_fold_sender(
    const char *sender, enum key_folding folding, char out[static KEY_SIZE]);

/* Takes a key that postgrey wrote (text, no privacy) and folds its sender as
 * KEY_FOLD_ALL does; also brings its network part into our form: with
 * LookupByHost an IPv4-mapped address becomes IPv4. Returns false when it has
 * not the three parts (hashed keys), or is longer than postgrey's can be. For
 * imports. */
bool key_refold(const char *key, size_t len, char key_r[static KEY_SIZE]);

/* Writes the SHA-1 (FIPS 180-4) of len bytes as 40 lower-case hex digits. */
void key_sha1_hex(const char *bytes, size_t len, char hex_r[static 41]);

#endif
