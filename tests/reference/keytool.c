/* SPDX-License-Identifier: ISC */
/*
 * keytool - what our side makes of the same words, for t_keys.py
 *
 *     keytool [-a] [-h] [-p] [-4 PREFIX] [-6 PREFIX]
 *             reads lines ADDRESS TAB SENDER TAB RECIPIENT, writes the key
 *             and, after a TAB, the client's; -a folds all, else as postgrey
 *     keytool -i
 *             reads postgrey's keys, writes what an import makes of them
 *     keytool -c FILE
 *             reads lines NAME TAB ADDRESS, writes 1 for a listed client or 0
 *     keytool -r FILE
 *             the same for recipients, one a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "greylistd/key.h"
#include "greylistd/whitelist.h"

struct job {
	struct key_config key;
	enum key_folding folding;
	bool import;
	struct whitelist *clients;
	struct whitelist *recipients;
};

static void
warn(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

static struct whitelist *
load(enum whitelist_kind kind, char *path)
{
	struct whitelist_faults faults;

	return whitelist_load(kind, &path, 1, warn, NULL, &faults);
}

/* Cuts line at its next TAB and returns what is behind it. */
static char *
cut(char *line)
{
	char *tab = strchr(line, '\t');

	if (tab == NULL) {
		fprintf(stderr, "keytool: no TAB in \"%s\"\n", line);
		exit(1);
	}
	*tab = '\0';
	return tab + 1;
}

static void
do_line(const struct job *job, char *line)
{
	char key[KEY_SIZE], client[KEY_SIZE];
	char *second, *third;
	struct ip ip;

	if (job->import) {
		printf("%s\n",
		    key_refold(line, strlen(line), key) ? key : "refused");
		return;
	}
	if (job->recipients != NULL) {
		printf("%d\n", whitelist_has_recipient(job->recipients, line));
		return;
	}
	second = cut(line);
	if (job->clients != NULL) {
		printf("%d\n", whitelist_has_client(job->clients, line,
				   ip_parse(second, &ip) ? &ip : NULL));
		return;
	}
	third = cut(second);
	if (!ip_parse(line, &ip)) {
		printf("no address\n");
		return;
	}
	key_make(&job->key, job->folding, &ip, second, third, key);
	key_client(&job->key, &ip, client);
	printf("%s\t%s\n", key, client);
}

int
main(int argc, char **argv)
{
	struct job job = { .key = { false, 24, 64, false },
		.folding = KEY_FOLD_POSTGREY };
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int letter;

	while ((letter = getopt(argc, argv, "ahip4:6:c:r:")) != -1) {
		if (letter == 'a')
			job.folding = KEY_FOLD_ALL;
		else if (letter == 'h')
			job.key.by_host = true;
		else if (letter == 'i')
			job.import = true;
		else if (letter == 'p')
			job.key.privacy = true;
		else if (letter == '4')
			job.key.ipv4_prefix =
			    (unsigned)strtoul(optarg, NULL, 10);
		else if (letter == '6')
			job.key.ipv6_prefix =
			    (unsigned)strtoul(optarg, NULL, 10);
		else if (letter == 'c')
			job.clients = load(WHITELIST_CLIENTS, optarg);
		else if (letter == 'r')
			job.recipients = load(WHITELIST_RECIPIENTS, optarg);
		else
			return 64;
	}
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		do_line(&job, line);
	}
	free(line);
	whitelist_free(&job.clients);
	whitelist_free(&job.recipients);
	return 0;
}
