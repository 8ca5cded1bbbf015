/* SPDX-License-Identifier: ISC */
/*
 * The resolver and its loop belong to one thread. Inquiries cross to it and
 * back in queues under one mutex, and an ev_async wakes the loop.
 *
 * Each inquiry is in one of three queues, or in none once it is answered. An
 * asker who drops one that the loop works on puts it into the third, and the
 * loop frees it: so neither ever touches what the other may free. What all
 * share outlives its owner until the last inquiry is dropped.
 */
#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "common/dns_thread.h"
#include "common/now.h"
#include "common/xmem.h"

/* libunbound validates on this stack. */
#define STACK_BYTES (1024 * 1024)
/* Inquiries taken up before the loop looks at its sockets again. */
#define TURN_MAX 256

struct queue {
	struct dns_inquiry *head, *tail;
};

struct dns_inquiry {
	struct dns_thread *thread;
	struct queue *queue; /* where it is; NULL: answered */
	struct dns_inquiry *prev, *next;
	pthread_cond_t answered;
	struct dns_answer answer;
	void *memory;                  /* of the answer */
	struct dns_question *question; /* the loop's alone */
	enum dnspacket_type type;
	char name[];
};

struct dns_thread {
	pthread_t thread;
	struct ev_loop *loop;
	struct ev_async wake;
	struct dns *dns;

	pthread_mutex_t mutex; /* for what follows, and all inquiries */
	struct queue posted;   /* for the loop to ask */
	struct queue asked;    /* the loop works on it */
	struct queue dropped;  /* for the loop to cancel and free */
	size_t users;          /* the owner and all inquiries */
	bool is_stopping;
};

static void
push(struct queue *queue, struct dns_inquiry *inquiry)
{
	inquiry->queue = queue;
	inquiry->next = NULL;
	inquiry->prev = queue->tail;
	if (queue->tail != NULL)
		queue->tail->next = inquiry;
	else
		queue->head = inquiry;
	queue->tail = inquiry;
}

static void
take_out(struct dns_inquiry *inquiry)
{
	struct queue *queue = inquiry->queue;

	if (inquiry->prev != NULL)
		inquiry->prev->next = inquiry->next;
	else
		queue->head = inquiry->next;
	if (inquiry->next != NULL)
		inquiry->next->prev = inquiry->prev;
	else
		queue->tail = inquiry->prev;
	inquiry->queue = NULL;
}

/* Unlocks the mutex for a user who goes; the last one frees it. */
static void
leave(struct dns_thread *thread)
{
	bool is_last = --thread->users == 0;

	pthread_mutex_unlock(&thread->mutex);
	if (!is_last)
		return;
	pthread_mutex_destroy(&thread->mutex);
	xmem_free(&thread);
}

/* To be called with the mutex, by which it is unlocked. */
static void
free_and_leave(struct dns_inquiry *inquiry)
{
	struct dns_thread *thread = inquiry->thread;

	if (inquiry->queue != NULL)
		take_out(inquiry);
	pthread_cond_destroy(&inquiry->answered);
	xmem_free(&inquiry->memory);
	xmem_free(&inquiry);
	leave(thread);
}

/* With the mutex. */
static void
set_answered(struct dns_inquiry *inquiry, const struct dns_answer *answer)
{
	take_out(inquiry);
	inquiry->answer = *answer;
	pthread_cond_broadcast(&inquiry->answered);
}

/* Makes *copy_r a copy whose records are in one block, which is returned. */
static void *
copy_answer(const struct dns_answer *answer, struct dns_answer *copy_r)
{
	struct dnspacket_record *records;
	size_t size = 0, i;
	char *data;

	*copy_r = *answer;
	copy_r->records = NULL;
	if (answer->count == 0)
		return NULL;
	for (i = 0; i < answer->count; i++)
		size += sizeof(*records) + answer->records[i].len + 1;
	records = xmem_alloc(size);
	data = (char *)(records + answer->count);
	for (i = 0; i < answer->count; i++) {
		records[i] = answer->records[i];
		records[i].data = data;
		/* With the NUL behind it. */
		memcpy(data, answer->records[i].data, records[i].len + 1);
		data += records[i].len + 1;
	}
	copy_r->records = records;
	return records;
}

/* The loop has an answer. Nobody but the loop frees the inquiry until it is
 * answered; afterwards its asker may. */
static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct dns_inquiry *inquiry = arg;
	struct dns_thread *thread = inquiry->thread;
	struct dns_answer copy;

	inquiry->question = NULL;
	inquiry->memory = copy_answer(answer, &copy);
	pthread_mutex_lock(&thread->mutex);
	if (inquiry->queue == &thread->asked)
		set_answered(inquiry, &copy);
	pthread_mutex_unlock(&thread->mutex);
}

static void
look_up(struct dns *dns, struct dns_inquiry *inquiry)
{
	struct dns_answer answer;

	inquiry->question =
	    dns_ask(dns, inquiry->name, inquiry->type, on_answer, inquiry);
	if (dns_take(&inquiry->question, &answer))
		on_answer(inquiry, &answer);
}

static void
look_up_posted(struct dns_thread *thread)
{
	struct dns_inquiry *inquiry;
	int left = TURN_MAX;

	pthread_mutex_lock(&thread->mutex);
	while ((inquiry = thread->posted.head) != NULL && left-- > 0) {
		take_out(inquiry);
		push(&thread->asked, inquiry);
		pthread_mutex_unlock(&thread->mutex);
		look_up(thread->dns, inquiry);
		pthread_mutex_lock(&thread->mutex);
	}
	if (inquiry != NULL)
		ev_async_send(thread->loop, &thread->wake);
	pthread_mutex_unlock(&thread->mutex);
}

static void
cancel_dropped(struct dns_thread *thread)
{
	struct dns_inquiry *inquiry;

	for (;;) {
		pthread_mutex_lock(&thread->mutex);
		inquiry = thread->dropped.head;
		if (inquiry == NULL)
			break;
		dns_cancel(&inquiry->question);
		free_and_leave(inquiry);
	}
	pthread_mutex_unlock(&thread->mutex);
}

static void
on_wake(struct ev_loop *loop, struct ev_async *wake, int revents)
{
	struct dns_thread *thread = wake->data;
	bool is_stopping;

	(void)revents;
	look_up_posted(thread);
	cancel_dropped(thread);
	pthread_mutex_lock(&thread->mutex);
	is_stopping = thread->is_stopping;
	pthread_mutex_unlock(&thread->mutex);
	if (is_stopping)
		ev_break(loop, EVBREAK_ALL);
}

static void *
run(void *arg)
{
	struct dns_thread *thread = arg;

	ev_run(thread->loop, 0);
	return NULL;
}

/* Signals are the main thread's business. */
static int
start(struct dns_thread *thread, struct err *err)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int errnum;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	errnum = pthread_create(&thread->thread, &attr, run, thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (errnum != 0)
		return err_set_errno(err, errnum, "cannot start a thread");
	return 0;
}

/* The thread has ended, or never began. */
static void
close_and_leave(struct dns_thread *thread)
{
	static const struct dns_answer none = { .status = DNS_TEMPORARY };
	struct dns_inquiry *inquiry;

	pthread_mutex_lock(&thread->mutex);
	while (thread->posted.head != NULL)
		set_answered(thread->posted.head, &none);
	while ((inquiry = thread->asked.head) != NULL) {
		dns_cancel(&inquiry->question);
		set_answered(inquiry, &none);
	}
	pthread_mutex_unlock(&thread->mutex);
	/* From here on none is left that could be dropped to the loop. */
	cancel_dropped(thread);
	dns_free(&thread->dns);
	if (thread->loop != NULL) {
		ev_async_stop(thread->loop, &thread->wake);
		ev_loop_destroy(thread->loop);
	}
	pthread_mutex_lock(&thread->mutex);
	leave(thread);
}

struct dns_thread *
dns_thread_new(const struct dns_config *config, struct err *err)
{
	const unsigned flags =
	    EVFLAG_NOENV | EVFLAG_NOINOTIFY | EVFLAG_NOSIGMASK;
	struct dns_thread *thread = xmem_calloc(1, sizeof(*thread));

	thread->users = 1;
	pthread_mutex_init(&thread->mutex, NULL);
	thread->loop = ev_loop_new(flags | EVBACKEND_EPOLL);
	if (thread->loop == NULL)
		thread->loop = ev_loop_new(flags | EVBACKEND_POLL);
	if (thread->loop == NULL) {
		err_set(err, "cannot make an event loop");
		goto fail;
	}
	ev_async_init(&thread->wake, on_wake);
	thread->wake.data = thread;
	ev_async_start(thread->loop, &thread->wake);
	thread->dns = dns_new(config, thread->loop, err);
	if (thread->dns == NULL || start(thread, err) < 0)
		goto fail;
	return thread;
fail:
	close_and_leave(thread);
	return NULL;
}

void
dns_thread_free(struct dns_thread **thread_p)
{
	struct dns_thread *thread = *thread_p;

	*thread_p = NULL;
	if (thread == NULL)
		return;
	pthread_mutex_lock(&thread->mutex);
	thread->is_stopping = true;
	ev_async_send(thread->loop, &thread->wake);
	pthread_mutex_unlock(&thread->mutex);
	pthread_join(thread->thread, NULL);
	close_and_leave(thread);
}

struct dns_inquiry *
dns_thread_ask(
    struct dns_thread *thread, const char *name, enum dnspacket_type type)
{
	size_t size = strlen(name) + 1;
	struct dns_inquiry *inquiry = xmem_calloc(1, sizeof(*inquiry) + size);
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&inquiry->answered, &attr);
	pthread_condattr_destroy(&attr);
	inquiry->thread = thread;
	inquiry->type = type;
	memcpy(inquiry->name, name, size);
	pthread_mutex_lock(&thread->mutex);
	thread->users++;
	push(&thread->posted, inquiry);
	ev_async_send(thread->loop, &thread->wake);
	pthread_mutex_unlock(&thread->mutex);
	return inquiry;
}

const struct dns_answer *
dns_thread_wait(struct dns_inquiry *inquiry, int64_t deadline_us)
{
	struct dns_thread *thread = inquiry->thread;
	const int64_t second = 1000000;
	struct timespec deadline;
	bool is_there;

	if (deadline_us < 0)
		deadline_us = 0;
	deadline.tv_sec = deadline_us / second;
	deadline.tv_nsec = deadline_us % second * 1000;
	pthread_mutex_lock(&thread->mutex);
	while (
	    inquiry->queue != NULL && pthread_cond_timedwait(&inquiry->answered,
					  &thread->mutex, &deadline) == 0)
		continue;
	is_there = inquiry->queue == NULL;
	pthread_mutex_unlock(&thread->mutex);
	return is_there ? &inquiry->answer : NULL;
}

void
dns_thread_drop(struct dns_inquiry **inquiry_p)
{
	struct dns_inquiry *inquiry = *inquiry_p;
	struct dns_thread *thread;

	*inquiry_p = NULL;
	if (inquiry == NULL)
		return;
	thread = inquiry->thread;
	pthread_mutex_lock(&thread->mutex);
	if (inquiry->queue != &thread->asked) {
		free_and_leave(inquiry);
		return;
	}
	take_out(inquiry);
	push(&thread->dropped, inquiry);
	ev_async_send(thread->loop, &thread->wake);
	pthread_mutex_unlock(&thread->mutex);
}
