/* SPDX-License-Identifier: ISC */
/*
 * options_int.h - what the rows of the table call, for options*.c alone
 *
 * Threads: start-up only.
 */
#ifndef POSTERN_DKIMD_OPTIONS_INT_H
#define POSTERN_DKIMD_OPTIONS_INT_H

#include "dkimd/options.h"

/* Where Postfix finds us when nothing is said. */
#define OPTIONS_LISTEN "inet:8891@localhost"

/* Each sets the option of ours that does what opendkim's does. They return 0
 * or -1 with err, as config_option's set. */
int options_set_socket(
    struct config *config, const char *value, struct err *err);
/* SocketMode, see options_set_socket. */
int options_set_umask(
    struct config *config, const char *value, struct err *err);
/* User and Group, see options_set_socket. */
int options_set_user_id(
    struct config *config, const char *value, struct err *err);
/* QuestionTimeout, see options_set_socket. */
int options_set_dns_timeout(
    struct config *config, const char *value, struct err *err);
/* TestPublicKeys, see options_set_socket. */
int options_set_test_keys(
    struct config *config, const char *value, struct err *err);
/* Nothing, see options_set_socket: refuses what cannot be. */
int options_set_algorithm(
    struct config *config, const char *value, struct err *err);

/* Does the path begin with "/"? As config_option's check, like the next. */
int options_check_absolute(const char *value, struct err *err);
/* Letters s and v. */
int options_check_mode(const char *value, struct err *err);
/* HEADER or HEADER/BODY. */
int options_check_canonicalization(const char *value, struct err *err);
/* See options_parse_minimum. */
int options_check_minimum(const char *value, struct err *err);
/* What can stand in Authentication-Results without quotes. */
int options_check_authserv_id(const char *value, struct err *err);

#endif
