/* SPDX-License-Identifier: ISC */
/*
 * tagtext.h - "tag=value; tag=value", parsed strictly
 *
 * The form of a DKIM-Signature field and of a key record:
 *
 *     list  = tag *( ";" tag ) [ ";" ]
 *     tag   = [FWS] name [FWS] "=" [FWS] value [FWS]
 *     name  = ALPHA *( ALPHA / DIGIT / "_" )
 *     value = printable characters but ";", blanks between them
 *
 * A name that stands there twice spoils the whole list. A fold is "\n" or
 * "\r\n" and a blank.
 *
 * Sources: RFC 6376 section 3.2.
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_TAGTEXT_H
#define POSTERN_DKIMD_TAGTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* More tags are an error: thirteen are known. */
#define TAGTEXT_TAGS_MAX 40

/* A piece of the parsed text, not NUL-terminated. */
struct tagtext_piece {
	const char *start;
	size_t len;
};

struct tagtext_tag {
	struct tagtext_piece name;  /* as written: case matters */
	struct tagtext_piece value; /* no blanks at its ends, perhaps within */
	bool is_ascii;              /* the value; else it has 8-bit bytes */
};

struct tagtext {
	struct tagtext_tag tags[TAGTEXT_TAGS_MAX];
	size_t count;
};

/* Parses len bytes; the pieces in *list_r point into text. Returns false with
 * *reason_r, a static text, when it is no such list; the tags in front of the
 * fault are in *list_r then. Names are ASCII, values may have 8-bit bytes. */
bool tagtext_parse(const char *text, size_t len, struct tagtext *list_r,
    const char **reason_r);

/* The tag of that name, or NULL. */
const struct tagtext_tag *tagtext_find(
    const struct tagtext *list, const char *name);

/* Are the bytes of piece those of text? */
bool tagtext_is(struct tagtext_piece piece, const char *text);

/* The same without regard to ASCII case. */
bool tagtext_is_nocase(struct tagtext_piece piece, const char *text);

/* Copies piece without its blanks and folds, NUL-terminated. Returns the
 * length, or cap when it does not fit into cap bytes (buf is "" then). */
size_t tagtext_squeeze(struct tagtext_piece piece, char *buf, size_t cap);

/* Takes the next entry of a list with colons ("a : b") off the front of
 * *rest; blanks around it do not count, an entry may be empty. Returns false
 * when there is none left; a list has one entry at least. Begin with the
 * tag's value, and end when it says so:
 *
 *     struct tagtext_piece rest = tag->value, entry;
 *     while (tagtext_next(&rest, &entry))
 */
bool tagtext_next(struct tagtext_piece *rest, struct tagtext_piece *entry_r);

#endif
