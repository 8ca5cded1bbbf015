/* SPDX-License-Identifier: ISC */
/*
 * json.h - writes JSON (RFC 8259), whatever the texts hold
 *
 * Valid UTF-8 stays as it is, except for control characters and those that
 * reorder text, which become \uXXXX; a byte that belongs to no valid sequence
 * becomes "%XX". An object within an array stands on one line, so that long
 * lists can be read and cut.
 *
 * Threads: one struct belongs to one thread.
 */
#ifndef POSTERN_COMMON_JSON_H
#define POSTERN_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

struct json {
	FILE *out;
	unsigned depth;
	char close[JSON_DEPTH];
	bool some[JSON_DEPTH]; /* does it have an element already? */
};

/* Starts writing to out. */
void json_init(struct json *json, FILE *out);

/* Opens an object ('{') or array ('['); name is its name within an object,
 * NULL within an array and at the top. */
void json_open(struct json *json, const char *name, char bracket);

/* Closes what was opened last; after the outermost a line end follows. */
void json_close(struct json *json);

/* Writes a text of len hostile bytes. */
void json_text(
    struct json *json, const char *name, const char *bytes, size_t len);
/* Writes an integer. */
void json_int(struct json *json, const char *name, int64_t value);
/* Writes true or false. */
void json_bool(struct json *json, const char *name, bool value);
/* Writes null. */
void json_null(struct json *json, const char *name);

#endif
