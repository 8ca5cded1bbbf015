/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/bench/text.h"
#include "tests/bench/triplet.h"

enum {
	SYLLABLES = 70,
	RECIPIENTS = 3000,
	RECIPIENT_DOMAINS = 40,
};

uint64_t
triplet_mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
	return n ^ (n >> 31);
}

/* A pronounceable word, another one for each n.  Its consonants are no
 * hexadecimal digits: nobody takes it for an identifier. */
static void
word(struct text *text, uint64_t n)
{
	char syllable[3] = "";

	do {
		syllable[0] = "ghjklmnprstvwz"[n % SYLLABLES / 5];
		syllable[1] = "aeiou"[n % 5];
		text_str(text, syllable);
		n /= SYLLABLES;
	} while (n > 0);
}

static void
make_client6(struct triplet *triplet, uint64_t random)
{
	struct text text;

	text_open(&text, triplet->network, sizeof(triplet->network));
	text_str(&text, "2001:db8:");
	text_hex(&text, 0x1000 + random % 0xf000);
	text_str(&text, ":");
	text_hex(&text, 0x1000 + (random >> 16) % 0xf000);

	text_open(&text, triplet->client, sizeof(triplet->client));
	text_str(&text, triplet->network);
	text_str(&text, "::");
	text_hex(&text, 1 + (random >> 32) % 0xfffe);

	text_open(&text, triplet->network + strlen(triplet->network),
	    sizeof(triplet->network) - strlen(triplet->network));
	text_str(&text, ":0:0:0:0");
}

static void
make_client4(struct triplet *triplet, uint64_t random)
{
	/* 10/8 has 65536 /24s, 100.64/10 16384, 198.18/15 512. */
	uint64_t n = random % (65536 + 16384 + 512);
	struct text text;

	text_open(&text, triplet->network, sizeof(triplet->network));
	if (n < 65536) {
		text_str(&text, "10.");
	} else if (n < 65536 + 16384) {
		text_str(&text, "100.");
		n = n - 65536 + (64 << 8);
	} else {
		text_str(&text, "198.");
		n = n - 65536 - 16384 + (18 << 8);
	}
	text_num(&text, n >> 8);
	text_str(&text, ".");
	text_num(&text, n & 255);
	text_str(&text, ".");

	text_open(&text, triplet->client, sizeof(triplet->client));
	text_str(&text, triplet->network);
	text_num(&text, 1 + (random >> 32) % 254);

	text_open(&text, triplet->network + strlen(triplet->network),
	    sizeof(triplet->network) - strlen(triplet->network));
	text_str(&text, "0");
}

/* Write the local part as sent or, when folded, as the key has it. */
static void
local_part(struct text *text, uint64_t index, uint64_t random, int folded)
{
	switch (random % 8) {
	case 0:
		text_str(text, "bounce-");
		if (folded)
			text_str(text, "#");
		else
			text_num(text, random >> 40);
		text_str(text, "-");
		word(text, index);
		break;
	case 1:
		word(text, index);
		if (!folded) {
			text_str(text, "+");
			word(text, random >> 48);
		}
		break;
	case 2:
	case 3:
		word(text, random >> 52);
		text_str(text, ".");
		word(text, index);
		break;
	default:
		word(text, index);
		break;
	}
}

static void
make_sender(struct triplet *triplet, const char *domain, uint64_t index,
    uint64_t random)
{
	char *out[2] = { triplet->sender, triplet->folded };
	struct text text;

	for (int folded = 0; folded < 2; folded++) {
		text_open(&text, out[folded], TRIPLET_TEXT);
		local_part(&text, index, random, folded);
		text_str(&text, "@");
		text_str(&text, domain);
	}
}

void
triplet_make(struct triplet *triplet, enum triplet_kind kind, uint64_t seed,
    uint64_t index)
{
	static const char *const tops[] = {
		[TRIPLET_KNOWN] = ".example.net",
		[TRIPLET_NEW] = ".example.com",
		[TRIPLET_FILLER] = ".example.org",
	};
	uint64_t salt = kind == TRIPLET_NEW ? seed : 0;
	uint64_t random = triplet_mix(triplet_mix(salt) + index);
	char domain[TRIPLET_TEXT / 2];
	struct text text;

	text_open(&text, domain, sizeof(domain));
	word(&text, random >> 44);
	if (salt > 0) {
		text_str(&text, "-");
		word(&text, salt);
	}
	text_str(&text, tops[kind]);
	make_sender(triplet, domain, index, random);

	text_open(&text, triplet->host, sizeof(triplet->host));
	if ((random >> 8) % 8 == 0) {
		text_str(&text, "unknown");
	} else {
		text_str(&text, "mail.");
		text_str(&text, domain);
	}
	text_open(&text, triplet->recipient, sizeof(triplet->recipient));
	word(&text, (random >> 12) % RECIPIENTS);
	text_str(&text, "@");
	word(&text, (random >> 12) % RECIPIENT_DOMAINS);
	text_str(&text, ".example");

	random = triplet_mix(random);
	if (random % 8 == 0)
		make_client6(triplet, random >> 3);
	else
		make_client4(triplet, random >> 3);
}

void
triplet_key(const struct triplet *triplet, char key[static TRIPLET_KEY])
{
	struct text text;

	/* Everything that triplet_make() writes is in lower case. */
	text_open(&text, key, TRIPLET_KEY);
	text_str(&text, triplet->network);
	text_str(&text, "/");
	text_str(&text, triplet->folded);
	text_str(&text, "/");
	text_str(&text, triplet->recipient);
}
