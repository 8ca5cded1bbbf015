/* SPDX-License-Identifier: ISC */
/*
 * filldb - fill greylistd's database with plausible entries
 *
 * The daemon makes the file and its tables; it must not be running.  The
 * entries come in the order of their keys, in one transaction without a
 * journal, and the indexes are made anew afterwards: ten million take less
 * than a minute.  A file that grew in service has its pages two thirds full
 * instead, and is that much larger.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/text.h"
#include "tests/bench/triplet.h"

enum {
	DAY_S = 86400,
	MAX_AGE_S = 35 * DAY_S, /* the daemon's defaults */
	RETRY_WINDOW_S = 2 * DAY_S,
	NETWORKS4 = 65536 + 16384 + 512,
	NETWORKS6 = 8192,
	NETWORKS = NETWORKS4 + NETWORKS6,
	MAX_INDEXES = 8,
};

static const char usage[] =
    "usage: filldb [options] DATABASE\n"
    "  -n N  entries to add (1000000)\n"
    "  -e P  percentage of them that has expired (0)\n"
    "  -u P  percentage of them that has never passed (30)\n"
    "  -k N  also the N triplets that polload takes as known (5000)\n"
    "  -p    print \"key first last\" of all instead; no DATABASE\n";

struct network {
	char text[32];
};

struct row {
	char key[TRIPLET_KEY];
	int64_t first_s;
	int64_t last_s;
	int64_t passed_s; /* 0: never */
};

struct options {
	const char *path;
	uint64_t count;
	uint64_t known;
	unsigned int expired_percent;
	unsigned int pending_percent;
	bool print;
};

struct fill {
	const struct options *options;
	int64_t now_s;
	struct network *network; /* sorted */
	sqlite3 *db;
	sqlite3_stmt *insert;
};

static int
compare_networks(const void *a, const void *b)
{
	const struct network *left = a;
	const struct network *right = b;

	return strcmp(left->text, right->text);
}

/* The networks that triplet_make() uses, of IPv6 every so many. */
static void
make_networks(struct network *network)
{
	static const struct {
		unsigned int top, first, count;
	} blocks[] = {
		{ 10, 0, 256 },
		{ 100, 64, 64 },
		{ 198, 18, 2 },
	};
	struct network *at = network;

	for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
		for (unsigned int n = 0; n < blocks[b].count * 256; n++, at++)
			snprintf(at->text, sizeof(at->text), "%u.%u.%u.0",
			    blocks[b].top, blocks[b].first + n / 256, n % 256);
	}
	for (unsigned int n = 0; n < NETWORKS6; n++, at++)
		snprintf(at->text, sizeof(at->text), "2001:db8:%x:%x:0:0:0:0",
		    0x1000 + 7 * n, 0x1000 + n);
	qsort(network, NETWORKS, sizeof(*network), compare_networks);
}

static void
make_filler(const struct fill *fill, uint64_t index, struct row *row)
{
	const struct options *options = fill->options;
	uint64_t random = triplet_mix(~index);
	bool expired = random % 100 < options->expired_percent;
	bool pending = (random >> 8) % 100 < options->pending_percent;
	int64_t life_s = pending ? RETRY_WINDOW_S : MAX_AGE_S;
	int64_t span_s = expired ? 30 * DAY_S : life_s - DAY_S;
	int64_t age_s = (int64_t)((random >> 16) % (uint64_t)span_s);
	struct triplet triplet;
	struct text text;

	triplet_make(&triplet, TRIPLET_FILLER, 0, index);
	text_open(&text, triplet.network, sizeof(triplet.network));
	text_str(&text, fill->network[index * NETWORKS / options->count].text);
	triplet_key(&triplet, row->key);
	if (expired)
		age_s += life_s + DAY_S;
	row->last_s = fill->now_s - age_s;
	row->first_s = row->last_s;
	row->passed_s = 0;
	if (!pending) {
		row->first_s -= (int64_t)((random >> 20) % (90 * DAY_S)) + 600;
		row->passed_s = row->first_s + 600;
	}
}

static void
make_known(const struct fill *fill, uint64_t index, struct row *row)
{
	struct triplet triplet;

	triplet_make(&triplet, TRIPLET_KNOWN, 0, index);
	triplet_key(&triplet, row->key);
	row->last_s =
	    fill->now_s - 7200 - (int64_t)(triplet_mix(index) % (2 * DAY_S));
	row->first_s = row->last_s - 10 * DAY_S;
	row->passed_s = row->first_s + 600;
}

static void
die(sqlite3 *db, const char *what)
{
	fprintf(stderr, "filldb: %s: %s\n", what,
	    db == NULL ? "failed" : sqlite3_errmsg(db));
	exit(1);
}

static void
run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(db, sql);
}

static void
put_row(struct fill *fill, const struct row *row)
{
	if (fill->options->print) {
		printf("%s %lld %lld\n", row->key, (long long)row->first_s,
		    (long long)row->last_s);
		return;
	}
	sqlite3_bind_text(fill->insert, 1, row->key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(fill->insert, 2, row->first_s);
	sqlite3_bind_int64(fill->insert, 3, row->last_s);
	sqlite3_bind_int64(fill->insert, 4, row->passed_s);
	if (sqlite3_step(fill->insert) != SQLITE_DONE)
		die(fill->db, "insert");
	sqlite3_reset(fill->insert);
}

static void
put_rows(struct fill *fill)
{
	struct row row;

	for (uint64_t i = 0; i < fill->options->count; i++) {
		make_filler(fill, i, &row);
		put_row(fill, &row);
	}
	for (uint64_t i = 0; i < fill->options->known; i++) {
		make_known(fill, i, &row);
		put_row(fill, &row);
	}
}

/* Drop the indexes of table triplet; sql[] gets what makes each anew, NULL
 * ends it. */
static void
drop_indexes(sqlite3 *db, char *sql[static MAX_INDEXES + 1])
{
	char *drop[MAX_INDEXES];
	sqlite3_stmt *stmt;
	size_t n = 0;

	if (sqlite3_prepare_v2(db,
		"SELECT sql, name FROM sqlite_master "
		"WHERE type = 'index' AND tbl_name = 'triplet' "
		"AND sql IS NOT NULL",
		-1, &stmt, NULL) != SQLITE_OK)
		die(db, "indexes");
	while (n < MAX_INDEXES && sqlite3_step(stmt) == SQLITE_ROW) {
		sql[n] = sqlite3_mprintf("%s", sqlite3_column_text(stmt, 0));
		drop[n] = sqlite3_mprintf(
		    "DROP INDEX \"%w\"", sqlite3_column_text(stmt, 1));
		n++;
	}
	sqlite3_finalize(stmt);
	sql[n] = NULL;
	while (n > 0) {
		run_sql(db, drop[--n]);
		sqlite3_free(drop[n]);
	}
}

static void
fill_database(struct fill *fill)
{
	char *index_sql[MAX_INDEXES + 1];
	sqlite3 *db;

	if (sqlite3_open_v2(fill->options->path, &fill->db,
		SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		die(fill->db, fill->options->path);
	db = fill->db;
	run_sql(db,
	    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
	    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -262144");
	run_sql(db, "BEGIN");
	drop_indexes(db, index_sql);
	if (sqlite3_prepare_v2(db,
		"INSERT OR REPLACE INTO triplet "
		"(key, first, last, passed) VALUES (?, ?, ?, ?)",
		-1, &fill->insert, NULL) != SQLITE_OK)
		die(db, "triplet");
	put_rows(fill);
	sqlite3_finalize(fill->insert);
	for (size_t i = 0; index_sql[i] != NULL; i++) {
		run_sql(db, index_sql[i]);
		sqlite3_free(index_sql[i]);
	}
	run_sql(db, "INSERT OR REPLACE INTO meta (name, value) "
		    "SELECT 'triplets', count(*) FROM triplet");
	run_sql(db, "COMMIT");
	run_sql(db, "PRAGMA locking_mode = NORMAL; "
		    "PRAGMA journal_mode = WAL");
	if (sqlite3_close(db) != SQLITE_OK)
		die(db, "close");
}

static void
parse(struct options *options, int argc, char **argv)
{
	int letter;

	*options = (struct options){
		.count = 1000000,
		.known = 5000,
		.pending_percent = 30,
	};
	while ((letter = getopt(argc, argv, "n:e:u:k:p")) != -1) {
		unsigned long n =
		    optarg == NULL ? 0 : strtoul(optarg, NULL, 10);

		switch (letter) {
		case 'n':
			options->count = n;
			break;
		case 'e':
			options->expired_percent = (unsigned int)n;
			break;
		case 'u':
			options->pending_percent = (unsigned int)n;
			break;
		case 'k':
			options->known = n;
			break;
		case 'p':
			options->print = true;
			break;
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (optind + (options->print ? 0 : 1) != argc) {
		fputs(usage, stderr);
		exit(64);
	}
	options->path = argv[optind];
}

int
main(int argc, char **argv)
{
	struct options options;
	struct fill fill = { .options = &options, .now_s = time(NULL) };

	parse(&options, argc, argv);
	fill.network = calloc(NETWORKS, sizeof(*fill.network));
	if (fill.network == NULL)
		die(NULL, "memory");
	make_networks(fill.network);
	if (options.print)
		put_rows(&fill);
	else
		fill_database(&fill);
	free(fill.network);
	return 0;
}
