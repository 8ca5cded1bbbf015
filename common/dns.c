/* SPDX-License-Identifier: ISC */
/*
 * libunbound answers a cached name before ub_resolve_event returns, and calls
 * back from deep inside itself. So its answer is only taken down there; our
 * caller is called back from the loop, before it blocks, and may ask, cancel
 * and finish as it likes.
 *
 * What libunbound works on cannot be taken back from it. A question that was
 * cancelled or timed out lets go of its lookup, which goes on alone until
 * libunbound is done with it; so we know how many there are and can bound
 * them.
 */
#include <assert.h>
#include <ev.h>
#include <unbound.h>
#include <unbound-event.h>

#include "common/arena.h"
#include "common/dns.h"
#include "common/dns_int.h"
#include "common/str.h"
#include "common/xmem.h"

#define CLASS_IN 1
#define RCODE_NO_NAME 3
/* What libunbound calls its findings. */
#define FINDING_BOGUS 1
#define FINDING_SECURE 2
/* As many lookups libunbound may have under way; it takes some 10 KiB for
 * each whose server is dead. */
#define LOOKUPS_MAX 20000

/* One ub_resolve_event. */
struct lookup {
	struct dns *dns;
	struct dns_context *context;
	struct dns_question *question; /* NULL: nobody waits any more */
	struct lookup *prev, *next;
};

struct dns_question {
	struct dns *dns;
	struct queue *queue; /* where it is */
	struct dns_question *prev, *next;
	struct lookup *lookup; /* NULL when it is answered */
	dns_callback *callback;
	void *arg;
	enum dnspacket_type type;
	struct ev_timer timer;
	struct dns_answer answer;
};

struct queue {
	struct dns_question *head, *tail;
};

struct dns {
	struct ev_loop *loop;
	struct dns_context *contexts; /* the first is asked */
	struct dns_config_log log;
	double timeout_s;
	struct queue asked;
	struct queue answered; /* to be called back */
	struct queue calling;  /* in this round */
	struct lookup *lookups;
	size_t lookup_count;
	struct arena *arena; /* of answered ones' records; or NULL */
	/* Active while there is somebody to call back. */
	struct ev_prepare deliver;
	struct ev_idle awake;
	struct dns_stats stats;
	bool is_calling;
	bool has_idle; /* an old context has answered its last */
};

static void
push(struct queue *queue, struct dns_question *q)
{
	q->queue = queue;
	q->next = NULL;
	q->prev = queue->tail;
	if (queue->tail != NULL)
		queue->tail->next = q;
	else
		queue->head = q;
	queue->tail = q;
}

static void
take_out(struct dns_question *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		q->queue->head = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		q->queue->tail = q->prev;
}

static struct lookup *
new_lookup(struct dns_question *q)
{
	struct lookup *lookup = xmem_calloc(1, sizeof(*lookup));
	struct dns *dns = q->dns;

	lookup->dns = dns;
	lookup->context = dns->contexts;
	lookup->context->lookup_count++;
	lookup->question = q;
	lookup->next = dns->lookups;
	if (dns->lookups != NULL)
		dns->lookups->prev = lookup;
	dns->lookups = lookup;
	dns->lookup_count++;
	return lookup;
}

/* on_deliver comes before the loop blocks. */
static void
wake(struct dns *dns)
{
	if (!ev_is_active(&dns->deliver)) {
		ev_prepare_start(dns->loop, &dns->deliver);
		ev_idle_start(dns->loop, &dns->awake);
	}
}

static void
free_lookup(struct lookup *lookup)
{
	struct dns *dns = lookup->dns;

	if (lookup->prev != NULL)
		lookup->prev->next = lookup->next;
	else
		dns->lookups = lookup->next;
	if (lookup->next != NULL)
		lookup->next->prev = lookup->prev;
	dns->lookup_count--;
	/* At the very end they have outlived it. */
	if (dns->contexts != NULL && --lookup->context->lookup_count == 0 &&
	    lookup->context != dns->contexts) {
		dns->has_idle = true;
		wake(dns);
	}
	xmem_free(&lookup);
}

/* Takes the question out of wherever it is and frees it. */
static void
free_question(struct dns_question *q)
{
	take_out(q);
	ev_timer_stop(q->dns->loop, &q->timer);
	if (q->lookup != NULL)
		q->lookup->question = NULL;
	xmem_free(&q);
}

/* The answer is there; its callback comes with on_deliver. */
static void
set_answered(struct dns_question *q)
{
	struct dns *dns = q->dns;

	ev_timer_stop(dns->loop, &q->timer);
	if (q->lookup != NULL)
		q->lookup->question = NULL;
	q->lookup = NULL;
	take_out(q);
	push(&dns->answered, q);
	wake(dns);
}

static void
set_failed(struct dns_question *q, enum dns_status status)
{
	q->answer = (struct dns_answer){ .status = status };
	set_answered(q);
}

static void
read_packet(struct dns_question *q, const void *packet, size_t len)
{
	struct dnspacket_answer parsed;
	struct dns *dns = q->dns;

	if (dns->arena == NULL)
		dns->arena = arena_new();
	parsed = dnspacket_parse(packet, len, q->type, dns->arena);
	q->answer.ttl = parsed.ttl;
	q->answer.count = parsed.count;
	q->answer.records = parsed.records;
	switch (parsed.status) {
	case DNSPACKET_FOUND:
		q->answer.status = DNS_FOUND;
		break;
	case DNSPACKET_NO_DATA:
		q->answer.status = DNS_NO_DATA;
		break;
	case DNSPACKET_NO_NAME:
		q->answer.status = DNS_NO_NAME;
		break;
	case DNSPACKET_FAILED:
		q->answer.status = DNS_TEMPORARY;
		break;
	}
}

/* libunbound's answer. Nobody is called back from here. */
static void
on_result(void *arg, int rcode, void *packet, int len, int finding, char *why,
    int was_ratelimited)
{
	struct lookup *lookup = arg;
	struct dns_question *q = lookup->question;

	(void)why;
	(void)was_ratelimited;
	if (q == NULL) {
		free_lookup(lookup);
		return;
	}
	if (finding == FINDING_BOGUS) {
		set_failed(q, DNS_BOGUS);
	} else if ((rcode == 0 || rcode == RCODE_NO_NAME) && packet != NULL &&
		   len > 0) {
		q->answer.secure = finding == FINDING_SECURE;
		read_packet(q, packet, (size_t)len);
		set_answered(q);
	} else {
		set_failed(q, DNS_TEMPORARY);
	}
	free_lookup(lookup);
}

static void
on_timeout(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	struct dns_question *q = timer->data;

	(void)loop;
	(void)revents;
	q->dns->stats.timeouts++;
	set_failed(q, DNS_TEMPORARY);
}

static void
count(struct dns_stats *stats, enum dns_status status)
{
	stats->open--;
	switch (status) {
	case DNS_FOUND:
		stats->found++;
		break;
	case DNS_NO_DATA:
		stats->no_data++;
		break;
	case DNS_NO_NAME:
		stats->no_name++;
		break;
	case DNS_TEMPORARY:
		stats->temporary++;
		break;
	case DNS_BOGUS:
		stats->bogus++;
		break;
	}
}

static void
call_back(struct dns_question *q)
{
	struct dns_answer answer = q->answer;
	dns_callback *callback = q->callback;
	void *arg = q->arg;

	count(&q->dns->stats, answer.status);
	free_question(q);
	callback(arg, &answer);
}

/* Runs before the loop blocks, and before replies of the turn go out. What
 * is asked in a callback and answered from the cache waits for the next turn,
 * so that a long chain of such questions does not keep others waiting. */
static void
on_deliver(struct ev_loop *loop, struct ev_prepare *deliver, int revents)
{
	struct dns *dns = deliver->data;
	struct arena *arena = dns->arena;
	struct dns_question *q;

	(void)revents;
	assert(!dns->is_calling);
	dns->is_calling = true;
	dns->arena = NULL;
	while ((q = dns->answered.head) != NULL) {
		take_out(q);
		push(&dns->calling, q);
	}
	while (dns->calling.head != NULL)
		call_back(dns->calling.head);
	dns->is_calling = false;
	arena_free(&arena);
	if (dns->has_idle)
		dns_context_free_idle(dns->contexts, &dns->log);
	dns->has_idle = false;
	if (dns->answered.head == NULL) {
		ev_prepare_stop(loop, &dns->deliver);
		ev_idle_stop(loop, &dns->awake);
	}
}

/* Being active is all it does: the loop does not block. */
static void
on_awake(struct ev_loop *loop, struct ev_idle *awake, int revents)
{
	(void)loop;
	(void)awake;
	(void)revents;
}

struct dns *
dns_new(const struct dns_config *config, struct ev_loop *loop, struct err *err)
{
	struct dns *dns = xmem_calloc(1, sizeof(*dns));

	assert(config->question_timeout_ms > 0);
	dns->loop = loop;
	dns->timeout_s = (double)config->question_timeout_ms / 1000;
	ev_prepare_init(&dns->deliver, on_deliver);
	ev_set_priority(&dns->deliver, EV_MAXPRI);
	ev_idle_init(&dns->awake, on_awake);
	dns->deliver.data = dns;
	dns_config_log_open(&dns->log);
	if (dns_context_open(&dns->contexts, config, loop, &dns->log, err) < 0)
		dns_free(&dns);
	return dns;
}

int
dns_configure(struct dns *dns, const struct dns_config *config, struct err *err)
{
	assert(config->question_timeout_ms > 0);
	if (dns_context_open(
		&dns->contexts, config, dns->loop, &dns->log, err) < 0)
		return -1;
	dns->timeout_s = (double)config->question_timeout_ms / 1000;
	dns->has_idle = true;
	wake(dns);
	return 0;
}

void
dns_free(struct dns **dns_p)
{
	struct dns *dns = *dns_p;

	if (dns == NULL)
		return;
	assert(!dns->is_calling);
	*dns_p = NULL;
	while (dns->asked.head != NULL)
		free_question(dns->asked.head);
	while (dns->answered.head != NULL)
		free_question(dns->answered.head);
	dns_context_free_all(&dns->contexts);
	/* Those that libunbound did not tell us about while it ended. */
	while (dns->lookups != NULL)
		free_lookup(dns->lookups);
	ev_prepare_stop(dns->loop, &dns->deliver);
	ev_idle_stop(dns->loop, &dns->awake);
	dns_config_log_close(&dns->log);
	arena_free(&dns->arena);
	xmem_free(&dns);
}

struct ev_loop *
dns_loop(const struct dns *dns)
{
	return dns->loop;
}

static void
look_up(struct dns_question *q, const char *name)
{
	char text[DNSPACKET_NAME_SIZE];
	struct dns *dns = q->dns;
	struct lookup *lookup;
	int status;

	if (!dnspacket_name_ok(name) || !dnspacket_escape(name, text)) {
		set_failed(q, DNS_NO_NAME);
		return;
	}
	if (dns->lookup_count >= LOOKUPS_MAX) {
		set_failed(q, DNS_TEMPORARY);
		return;
	}
	ev_timer_start(dns->loop, &q->timer);
	lookup = new_lookup(q);
	q->lookup = lookup;
	status = ub_resolve_event(dns->contexts->ctx, text, (int)q->type,
	    CLASS_IN, lookup, on_result, NULL);
	if (status != 0 && q->lookup == lookup) {
		set_failed(q, DNS_TEMPORARY);
		free_lookup(lookup);
	}
}

struct dns_question *
dns_ask(struct dns *dns, const char *name, enum dnspacket_type type,
    dns_callback *callback, void *arg)
{
	struct dns_question *q = xmem_calloc(1, sizeof(*q));

	q->dns = dns;
	q->callback = callback;
	q->arg = arg;
	q->type = type;
	ev_timer_init(&q->timer, on_timeout, dns->timeout_s, 0);
	q->timer.data = q;
	push(&dns->asked, q);
	dns->stats.questions++;
	dns->stats.open++;
	look_up(q, name);
	return q;
}

bool
dns_take(struct dns_question **question, struct dns_answer *answer_r)
{
	struct dns_question *q = *question;

	if (q->queue != &q->dns->answered)
		return false;
	*answer_r = q->answer;
	count(&q->dns->stats, q->answer.status);
	free_question(q);
	*question = NULL;
	return true;
}

void
dns_cancel(struct dns_question **question)
{
	struct dns_question *q = *question;

	*question = NULL;
	if (q == NULL)
		return;
	q->dns->stats.open--;
	free_question(q);
}

const struct dns_stats *
dns_stats(const struct dns *dns)
{
	return &dns->stats;
}
