/* SPDX-License-Identifier: ISC */
/*
 * sender.h - what stays of a sender from one attempt to the next
 *
 * The forms that are folded, and into what, are listed in key.h.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_SENDER_H
#define POSTERN_GREYLISTD_SENDER_H

#include <stddef.h>

#include "greylistd/key.h"

/* Folds the len bytes of sender (at most KEY_VALUE_MAX) into out, which has
 * room for as many: not NUL-terminated, lower case. Returns how many it
 * became, never more than len. */
size_t sender_fold(
    const char *sender, size_t len, enum key_folding folding, char *out);

#endif
