/* SPDX-License-Identifier: ISC */
/*
 * spfidn.h - internationalised domains as DNS knows them (RFC 8616)
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_SPFIDN_H
#define POSTERN_COMMON_SPFIDN_H

#include <stdbool.h>

/* Room for a domain and its NUL. */
#define SPFIDN_SIZE 256

/* Writes domain with A-labels in place of U-labels (UTF-8), without a dot at
 * the end. One of plain ASCII stays as it is. Returns false, and out is "",
 * when it cannot be converted or is too long. */
bool spfidn_to_ascii(const char *domain, char out[static SPFIDN_SIZE]);

#endif
