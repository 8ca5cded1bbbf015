/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/xmem.h"

#include "greylistd/dnslist_checks.h"

#define POINTS 4

struct question {
	struct check *check;
	struct dns_question *asked; /* NULL: answered or never asked */
	enum dnslist_point *answer; /* into check's points */
};

/* One list. */
struct check {
	struct check *next;
	struct dnslist_points points;
	struct question questions[POINTS];
	unsigned open;
	enum dnslist_health health;
	int64_t due_ms; /* monotonic */
	struct dnslist list;
};

struct dnslist_checks {
	struct dns *dns;
	struct check *first;
};

enum dnslist_health
dnslist_checks_judge(const struct dnslist_points *points)
{
	const enum dnslist_point of[POINTS] = { points->listed4,
		points->listed6, points->unlisted4, points->unlisted6 };
	bool is_unknown = false, is_refused = false;

	if (points->unlisted4 == DNSLIST_POINT_LISTED ||
	    points->unlisted6 == DNSLIST_POINT_LISTED)
		return DNSLIST_HEALTH_EVERYBODY;
	for (size_t i = 0; i < POINTS; i++) {
		is_unknown |= of[i] == DNSLIST_POINT_UNKNOWN;
		is_refused |= of[i] == DNSLIST_POINT_REFUSED;
	}
	if (is_refused)
		return DNSLIST_HEALTH_REFUSES;
	if (is_unknown)
		return DNSLIST_HEALTH_UNKNOWN;
	/* A list may be for one kind of addresses only. */
	return points->listed4 == DNSLIST_POINT_LISTED ||
		       points->listed6 == DNSLIST_POINT_LISTED
		   ? DNSLIST_HEALTH_SOUND
		   : DNSLIST_HEALTH_EMPTY;
}

struct dnslist_checks *
dnslist_checks_new(struct dns *dns)
{
	struct dnslist_checks *checks = xmem_calloc(1, sizeof(*checks));

	checks->dns = dns;
	return checks;
}

static void
free_all(struct check *first)
{
	struct check *check;

	while ((check = first) != NULL) {
		first = check->next;
		for (size_t i = 0; i < POINTS; i++)
			dns_cancel(&check->questions[i].asked);
		xmem_free(&check);
	}
}

void
dnslist_checks_free(struct dnslist_checks **checks)
{
	if (*checks != NULL)
		free_all((*checks)->first);
	xmem_free(checks);
}

static struct check **
find(struct check **list, const char *zone)
{
	while (*list != NULL && strcmp((*list)->list.zone, zone) != 0)
		list = &(*list)->next;
	return list;
}

/* Puts the list into the set, once; what old has of it is taken over. */
static void
add(struct dnslist_checks *checks, struct check **old,
    const struct dnslist *list)
{
	struct check **place = find(old, list->zone), *check = *place;

	if (*find(&checks->first, list->zone) != NULL)
		return;
	if (check != NULL) {
		*place = check->next;
	} else {
		check = xmem_calloc(1, sizeof(*check));
		check->list = *list;
	}
	check->due_ms = 0;
	check->next = checks->first;
	checks->first = check;
}

void
dnslist_checks_configure(
    struct dnslist_checks *checks, const struct selection *selection)
{
	struct check *old = checks->first;

	checks->first = NULL;
	if (selection->tests_lists) {
		for (size_t i = 0; i < selection->black_count; i++)
			add(checks, &old, &selection->black[i]);
		for (size_t i = 0; i < selection->white_count; i++)
			add(checks, &old, &selection->white[i]);
	}
	free_all(old);
}

/* Once for each change for the worse, and when all is well again. */
static void
log_change(const struct check *check, enum dnslist_health before)
{
	const char *zone = check->list.zone;

	switch (check->health) {
	case DNSLIST_HEALTH_EVERYBODY:
		log_warn("warning: %s lists 127.0.0.1, so it may list "
			 "everybody; it is ignored until it does so no more",
		    zone);
		break;
	case DNSLIST_HEALTH_EMPTY:
		log_warn("warning: %s does not list 127.0.0.2, as each list "
			 "should; is it still alive?",
		    zone);
		break;
	case DNSLIST_HEALTH_REFUSES:
		log_warn("warning: %s refuses to answer us; it lists nobody "
			 "then",
		    zone);
		break;
	case DNSLIST_HEALTH_SOUND:
		if (before != DNSLIST_HEALTH_UNKNOWN)
			log_info("%s is a sound list again", zone);
		break;
	case DNSLIST_HEALTH_UNKNOWN:
		break;
	}
}

static void
finish(struct check *check)
{
	enum dnslist_health before = check->health;
	enum dnslist_health health = dnslist_checks_judge(&check->points);
	int64_t wait_s = health == DNSLIST_HEALTH_SOUND
			     ? DNSLIST_CHECKS_EVERY_S
			     : DNSLIST_CHECKS_AGAIN_S;

	check->due_ms = now_mono_ms() + wait_s * 1000;
	if (health == DNSLIST_HEALTH_UNKNOWN || health == before)
		return;
	check->health = health;
	log_change(check, before);
}

static enum dnslist_point
read_answer(const struct dns_answer *answer)
{
	static const struct dnslist all = {
		.masks = { { { 127, 0, 0, 0 }, { 127, 255, 255, 255 } } },
		.mask_count = 1,
	};
	enum dnslist_point point = DNSLIST_POINT_UNLISTED;

	if (answer->status == DNS_TEMPORARY || answer->status == DNS_BOGUS)
		return DNSLIST_POINT_UNKNOWN;
	for (size_t i = 0; i < answer->count; i++) {
		uint8_t bytes[4];

		if (answer->records[i].len != sizeof(bytes))
			continue;
		memcpy(bytes, answer->records[i].data, sizeof(bytes));
		switch (dnslist_judge(&all, bytes)) {
		case DNSLIST_LISTED:
			return DNSLIST_POINT_LISTED;
		case DNSLIST_REFUSED:
			point = DNSLIST_POINT_REFUSED;
			break;
		case DNSLIST_UNLISTED:
			break;
		}
	}
	return point;
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct question *q = arg;

	q->asked = NULL;
	*q->answer = read_answer(answer);
	if (--q->check->open == 0)
		finish(q->check);
}

static void
ask(struct dns *dns, struct check *check)
{
	struct dnslist_points *points = &check->points;
	const struct {
		struct ip ip;
		enum dnslist_point *answer;
	} of[POINTS] = {
		{ { IP_V4, { 127, 0, 0, 2 } }, &points->listed4 },
		{ { IP_V4, { 127, 0, 0, 1 } }, &points->unlisted4 },
		{ { IP_V6, { [10] = 255, 255, 127, 0, 0, 2 } },
		    &points->listed6 },
		{ { IP_V6, { [10] = 255, 255, 127, 0, 0, 1 } },
		    &points->unlisted6 },
	};
	char name[DNSLIST_NAME_SIZE];

	check->open = POINTS;
	for (size_t i = 0; i < POINTS; i++) {
		struct question *q = &check->questions[i];

		q->check = check;
		q->answer = of[i].answer;
		q->asked =
		    dns_ask(dns, dnslist_name(&check->list, &of[i].ip, name),
			DNSPACKET_A, on_answer, q);
	}
}

void
dnslist_checks_tick(void *arg)
{
	struct dnslist_checks *checks = arg;
	int64_t now_ms = now_mono_ms();

	for (struct check *c = checks->first; c != NULL; c = c->next)
		if (c->open == 0 && now_ms >= c->due_ms)
			ask(checks->dns, c);
}

bool
dnslist_checks_ignores(const struct dnslist_checks *checks, const char *zone)
{
	if (checks == NULL)
		return false;
	for (const struct check *c = checks->first; c != NULL; c = c->next)
		if (strcmp(c->list.zone, zone) == 0)
			return c->health == DNSLIST_HEALTH_EVERYBODY;
	return false;
}
