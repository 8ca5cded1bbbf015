/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_print.h"

#define DAY_S 86400
#define DAYS_DEFAULT 7
#define DAYS_MAX 3650
#define TOP_COUNT 10
/* Delays are counted by the second; all from here on are one. */
#define DELAY_MAX (1 << 20)

struct network {
	char text[IP_TEXT_SIZE + 8];
	int64_t count;
	int64_t pending;
};

struct stats {
	struct ctl *ctl;
	int64_t days;
	int64_t counters[GREYSTORE_COUNTER_COUNT];
	int64_t states[CTL_ENTRY_EXPIRED + 1];
	int64_t triplets;
	int64_t clients;
	int64_t known_clients;
	int64_t rules;
	int64_t delays;  /* rows counted in delay */
	uint32_t *delay; /* DELAY_MAX + 1 seconds */
	struct network current;
	struct network top[TOP_COUNT]; /* the most first */
};

static const struct {
	int percent;
	const char *name;
} percentiles[] = {
	{ 50, "delay_p50" },
	{ 90, "delay_p90" },
	{ 99, "delay_p99" },
};

#define PERCENTILE_COUNT (sizeof(percentiles) / sizeof(percentiles[0]))

static const char *const state_texts[] = {
	[CTL_ENTRY_PENDING] = "waiting",
	[CTL_ENTRY_READY] = "may pass now, did not come back yet",
	[CTL_ENTRY_LATE] = "did not come back in time",
	[CTL_ENTRY_PASSED] = "known",
	[CTL_ENTRY_EXPIRED] = "not seen for the maximum age",
};

/* The keys of one network are neighbours, so that one counter serves all:
 * this puts it among the top when the next network begins. */
static void
close_network(struct stats *stats)
{
	size_t i = TOP_COUNT;

	while (i > 0 && stats->current.count > stats->top[i - 1].count)
		i--;
	if (i < TOP_COUNT) {
		memmove(&stats->top[i + 1], &stats->top[i],
		    (TOP_COUNT - 1 - i) * sizeof(stats->top[0]));
		stats->top[i] = stats->current;
	}
	memset(&stats->current, 0, sizeof(stats->current));
}

static void
count_network(
    struct stats *stats, const struct ctl_entry_part *network, bool pending)
{
	struct network *current = &stats->current;

	if (network->len >= sizeof(current->text))
		return;
	if (strlen(current->text) != network->len ||
	    memcmp(current->text, network->text, network->len) != 0) {
		close_network(stats);
		memcpy(current->text, network->text, network->len);
	}
	current->count++;
	current->pending += pending;
}

static bool
count_one(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct stats *stats = arg;
	struct ctl *ctl = stats->ctl;
	int64_t since = ctl->now_s - stats->days * DAY_S;
	struct ctl_entry_parts parts;

	stats->triplets++;
	stats->states[ctl_entry_state(&ctl->policy, entry, ctl->now_s)]++;
	if (entry->passed > GREYLIST_PASSED_UNKNOWN && entry->passed >= since &&
	    entry->passed >= entry->first) {
		int64_t delay = greylist_age(entry->passed, entry->first);

		stats->delay[delay < DELAY_MAX ? delay : DELAY_MAX]++;
		stats->delays++;
	}
	if (ctl_entry_split(key, len, &parts))
		count_network(stats, &parts.network, entry->passed == 0);
	return true;
}

/* The delay that percent of all rows do not exceed, or -1 without rows. */
static int64_t
percentile(const struct stats *stats, int percent)
{
	int64_t want = (stats->delays * percent + 99) / 100;
	int64_t seen = 0;

	if (stats->delays == 0)
		return -1;
	for (int64_t i = 0; i <= DELAY_MAX; i++) {
		seen += stats->delay[i];
		if (seen >= want)
			return i;
	}
	return DELAY_MAX;
}

static int
read_counters(struct stats *stats, struct err *err)
{
	struct store_stmt *stmt = store_prepare(greystore_store(stats->ctl->gs),
	    "SELECT name, sum(n) FROM counter WHERE day > ?1 "
	    "GROUP BY name",
	    err);
	enum store_step step;

	if (stmt == NULL)
		return -1;
	store_bind_int(stmt, 1, stats->ctl->now_s / DAY_S - stats->days);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const char *name = store_column_text(stmt, 0, NULL);

		for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++) {
			if (strcmp(name, greystore_counter_name(
					     (enum greystore_counter)i)) == 0)
				stats->counters[i] = store_column_int(stmt, 1);
		}
	}
	return step == STORE_DONE ? 0 : -1;
}

static int
read_sizes(struct stats *stats, struct err *err)
{
	struct ctl *ctl = stats->ctl;
	int64_t threshold = ctl->policy.client_threshold;
	struct store_stmt *stmt = store_prepare(greystore_store(ctl->gs),
	    "SELECT (SELECT count(*) FROM client), "
	    "(SELECT count(*) FROM client WHERE count >= ?1), "
	    "(SELECT count(*) FROM rule WHERE expires = 0 OR "
	    "expires > ?2)",
	    err);

	if (stmt == NULL)
		return -1;
	store_bind_int(stmt, 1, threshold > 0 ? threshold : INT64_MAX);
	store_bind_int(stmt, 2, ctl->now_s);
	if (store_step(stmt, err) != STORE_ROW)
		return -1;
	stats->clients = store_column_int(stmt, 0);
	stats->known_clients = store_column_int(stmt, 1);
	stats->rules = store_column_int(stmt, 2);
	store_reset(stmt);
	return 0;
}

static void
print_json(const struct stats *stats)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_int(&json, "days", stats->days);
	json_open(&json, "decisions", '{');
	for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++)
		json_int(&json,
		    greystore_counter_name((enum greystore_counter)i),
		    stats->counters[i]);
	json_close(&json);
	json_open(&json, "stored", '{');
	json_int(&json, "triplets", stats->triplets);
	for (int i = 0; i <= CTL_ENTRY_EXPIRED; i++)
		json_int(&json, ctl_entry_state_name((enum ctl_entry_state)i),
		    stats->states[i]);
	json_int(&json, "clients", stats->clients);
	json_int(&json, "known_clients", stats->known_clients);
	json_int(&json, "rules", stats->rules);
	json_close(&json);
	json_int(&json, "delays", stats->delays);
	for (size_t i = 0; i < PERCENTILE_COUNT; i++) {
		if (stats->delays == 0)
			json_null(&json, percentiles[i].name);
		else
			json_int(&json, percentiles[i].name,
			    percentile(stats, percentiles[i].percent));
	}
	json_open(&json, "top_networks", '[');
	for (int i = 0; i < TOP_COUNT && stats->top[i].count > 0; i++) {
		const struct network *network = &stats->top[i];

		json_open(&json, NULL, '{');
		json_text(
		    &json, "network", network->text, strlen(network->text));
		json_int(&json, "triplets", network->count);
		json_int(&json, "never_passed", network->pending);
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
}

static void
print_top(const struct stats *stats)
{
	static const struct ctl_print_column columns[] = {
		{ "network", "TOP NETWORKS", CTL_PRINT_TEXT },
		{ "triplets", "TRIPLETS", CTL_PRINT_NUMBER },
		{ "never_passed", "NEVER PASSED", CTL_PRINT_NUMBER },
	};
	struct ctl_print *print = ctl_print_new(
	    stdout, NULL, NULL, columns, sizeof(columns) / sizeof(columns[0]));

	for (int i = 0; i < TOP_COUNT && stats->top[i].count > 0; i++) {
		const struct network *network = &stats->top[i];

		ctl_print_text(print, network->text, strlen(network->text));
		ctl_print_int(print, network->count);
		ctl_print_int(print, network->pending);
	}
	ctl_print_end(&print);
}

static void
print_line(const char *text, int64_t value)
{
	printf("  %-38s %12" PRId64 "\n", text, value);
}

static void
print_people(const struct stats *stats)
{
	char buf[CTL_PRINT_TEXT_SIZE], name[32];

	printf("Decisions of the last %" PRId64 " days (UTC)\n", stats->days);
	for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++) {
		const char *from =
		    greystore_counter_name((enum greystore_counter)i);
		size_t n = 0;

		for (; from[n] != '\0' && n + 1 < sizeof(name); n++)
			name[n] = from[n] == '_' ? ' ' : from[n];
		name[n] = '\0';
		print_line(name, stats->counters[i]);
	}
	puts("\nStored");
	print_line("triplets", stats->triplets);
	for (int i = 0; i <= CTL_ENTRY_EXPIRED; i++)
		print_line(state_texts[i], stats->states[i]);
	print_line("clients counted", stats->clients);
	print_line("clients known as a whole", stats->known_clients);
	print_line("rules", stats->rules);
	puts("\nDelay until the first pass");
	print_line("triplets that passed in these days", stats->delays);
	for (size_t i = 0; i < PERCENTILE_COUNT; i++)
		printf("  %d %% within %38s\n", percentiles[i].percent,
		    ctl_print_span(
			percentile(stats, percentiles[i].percent), buf));
	if (stats->top[0].count > 0) {
		putchar('\n');
		print_top(stats);
	}
}

int
ctl_stats(struct ctl *ctl, int argc, char **argv)
{
	static struct ctl_entry_walk walk;
	const char *days_text = NULL;
	const struct ctl_option options[] = {
		{ "days", NULL, &days_text, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	struct stats stats = { .ctl = ctl, .days = DAYS_DEFAULT };
	struct err err;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0 ||
	    ctl_number("days", days_text, DAYS_MAX, &stats.days) != 0)
		return EX_USAGE;
	if (argc != 1)
		return ctl_fail(EX_USAGE, "stats takes no words");
	code = ctl_open(ctl, STORE_TOOL_READ);
	if (code != 0)
		return code;
	stats.delay = xmem_calloc(DELAY_MAX + 1, sizeof(*stats.delay));
	if (ctl_entry_each(ctl, &walk, "", count_one, &stats, &err) != 0 ||
	    read_counters(&stats, &err) != 0 || read_sizes(&stats, &err) != 0) {
		code = ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	} else {
		close_network(&stats);
		if (ctl->json)
			print_json(&stats);
		else
			print_people(&stats);
	}
	xmem_free(&stats.delay);
	return ctl_finish(code);
}
