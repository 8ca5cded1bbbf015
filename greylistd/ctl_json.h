/* SPDX-License-Identifier: ISC */
/*
 * ctl_json.h - writes JSON (RFC 8259), whatever the texts hold
 *
 * Valid UTF-8 stays as it is, except for control characters and those that
 * reorder text, which become \uXXXX; a byte that belongs to no valid sequence
 * becomes "%XX". An object within an array stands on one line, so that long
 * lists can be read and cut.
 *
 * Threads: one struct belongs to one thread.
 */
#ifndef POSTERN_GREYLISTD_CTL_JSON_H
#define POSTERN_GREYLISTD_CTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CTL_JSON_DEPTH 8

struct ctl_json {
	FILE *out;
	unsigned depth;
	char close[CTL_JSON_DEPTH];
	bool some[CTL_JSON_DEPTH];	/* does it have an element already? */
};

/* Starts writing to out. */
void ctl_json_init(struct ctl_json *json, FILE *out);

/* Opens an object ('{') or array ('['); name is its name within an object,
 * NULL within an array and at the top. */
void ctl_json_open(struct ctl_json *json, const char *name, char bracket);

/* Closes what was opened last; after the outermost a line end follows. */
void ctl_json_close(struct ctl_json *json);

/* Writes a text of len hostile bytes. */
void ctl_json_text(struct ctl_json *json, const char *name,
	const char *bytes, size_t len);
/* Writes an integer. */
void ctl_json_int(struct ctl_json *json, const char *name, int64_t value);
/* Writes true or false. */
void ctl_json_bool(struct ctl_json *json, const char *name, bool value);
/* Writes null. */
void ctl_json_null(struct ctl_json *json, const char *name);

#endif
