/* SPDX-License-Identifier: ISC */
/*
 * milter_engine.h - a milter as the engine of the skeleton
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_COMMON_MILTER_ENGINE_H
#define POSTERN_COMMON_MILTER_ENGINE_H

#include "common/daemon.h"

/* For struct daemon_spec; what its start hook returns must be a
 * struct milter. */
extern const struct daemon_engine milter_engine;

#endif
