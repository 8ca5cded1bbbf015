/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>

#include "common/arena.h"
#include "common/spfguard.h"
#include "common/spfledger.h"
#include "common/str.h"
#include "common/xmem.h"

/* The library's own limits stay out of the way: it counts per record. */
#define LIBRARY_TERMS_MAX 100
#define LIBRARY_MX_MAX 100
/* Whom the library takes the mail to be from: target 0. */
#define START "postmaster@t0.invalid"
/* Which bit of the first byte veils the loopback network, see veil(). */
#define VEIL 0x40

struct spfguard {
	SPF_dns_server_t dns; /* dns.hook = the struct run */
	SPF_server_t *server;
};

/* One evaluation. */
struct run {
	struct spfguard *guard;
	struct spfledger ledger;
	uint8_t veil; /* to flip in the first byte of addresses */
	jmp_buf escape;
	char complaint[128];
};

/* The library's error handler has no argument to tell whose error it is. */
static _Thread_local struct run *current;
static pthread_once_t handlers_once = PTHREAD_ONCE_INIT;

/* The library calls this where it would abort(). It must not return. */
static void on_error(const char *file, int line, const char *message)
    __attribute__((noreturn));

static void
on_error(const char *file, int line, const char *message)
{
	if (current == NULL)
		abort();
	snprintf(current->complaint, sizeof(current->complaint), "%s:%d: %s",
	    file, line, message);
	longjmp(current->escape, 1);
}

static void
on_message(const char *file, int line, const char *message)
{
	(void)file;
	(void)line;
	(void)message;
}

static void
set_handlers(void)
{
	SPF_error_handler = on_error;
	SPF_warning_handler = on_message;
	SPF_info_handler = on_message;
	SPF_debug_handler = on_message;
}

/* "t7.invalid", "t7m2.invalid": whom the library asks for. Only names of ours
 * come here. */
static bool
parse_name(const char *name, const struct spfledger *ledger, size_t *number_r,
    size_t *member_r)
{
	char *end;

	*member_r = SIZE_MAX;
	if (name[0] != 't')
		return false;
	*number_r = strtoul(name + 1, &end, 10);
	if (*end == 'm')
		*member_r = strtoul(end + 1, &end, 10);
	return strcmp(end, ".invalid") == 0 && *number_r < ledger->target_count;
}

static const struct spfledger_target *
target_of(const struct run *run, size_t number)
{
	return &run->ledger.targets[number];
}

static SPF_dns_rr_t *
new_answer(struct run *run, const char *name, ns_type type, bool found)
{
	int status = found                                   ? NETDB_SUCCESS
		     : run->ledger.stop == SPFLEDGER_GOES_ON ? NO_DATA
							     : TRY_AGAIN;

	return SPF_dns_rr_new_init(&run->guard->dns, name, type, 0, status);
}

/* The library lets 127.0.0.0/8 and ::1 pass whatever the record says. A bit
 * that is flipped in all addresses changes no comparison but that one. */
static void
veil(const struct run *run, uint8_t *address)
{
	address[0] ^= run->veil;
}

static SPF_dns_rr_t *
answer_addresses(struct run *run, const char *name, ns_type type,
    struct spfledger_reply reply)
{
	SPF_dns_rr_t *rr = new_answer(run, name, type, reply.found);
	size_t size = type == ns_t_a ? 4 : 16;

	if (rr == NULL)
		return NULL;
	for (size_t i = 0; i < reply.count; i++) {
		const void *address =
		    reply.addresses == NULL
			? (const void *)run->ledger.input->ip.bytes
			: (const void *)reply.addresses[i].data;

		if (reply.addresses != NULL && reply.addresses[i].len != size)
			continue;
		if (SPF_dns_rr_buf_realloc(rr, rr->num_rr,
			sizeof(SPF_dns_rr_data_t)) != SPF_E_SUCCESS)
			break;
		memcpy(rr->rr[rr->num_rr], address, size);
		veil(run, (uint8_t *)rr->rr[rr->num_rr]);
		rr->num_rr++;
	}
	if (rr->num_rr == 0 && reply.found)
		rr->herrno = NO_DATA;
	return rr;
}

/* The hosts of an mx get names of ours as well. */
static SPF_dns_rr_t *
answer_members(struct run *run, const char *name, size_t number)
{
	size_t count = spfledger_members(&run->ledger, number);
	SPF_dns_rr_t *rr = new_answer(run, name, ns_t_mx, count > 0);

	if (rr == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		char member[64];

		snprintf(member, sizeof(member), "t%zum%zu.invalid", number, i);
		if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, sizeof(member)) !=
		    SPF_E_SUCCESS)
			break;
		memcpy(rr->rr[rr->num_rr++]->mx, member, sizeof(member));
	}
	return rr;
}

/* The library's only way to DNS. NULL would be an error; so would be a name
 * that it did not get from here. */
static SPF_dns_rr_t *
lookup(SPF_dns_server_t *dns, const char *name, ns_type type, int should_cache)
{
	struct run *run = dns->hook;
	struct spfledger *ledger = &run->ledger;
	size_t number, member;

	(void)should_cache;
	if (ledger->stop != SPFLEDGER_GOES_ON ||
	    !parse_name(name, ledger, &number, &member) ||
	    target_of(run, number)->term == NULL)
		return new_answer(run, name, type, false);
	if (type == ns_t_mx)
		return answer_members(run, name, number);
	if (type != ns_t_a && type != ns_t_aaaa)
		return new_answer(run, name, type, false);
	if (member == SIZE_MAX)
		return answer_addresses(
		    run, name, type, spfledger_addresses(ledger, number));
	if (member >= target_of(run, number)->member_count)
		return new_answer(run, name, type, false);
	return answer_addresses(
	    run, name, type, spfledger_member(ledger, number, member));
}

/* The library's only way to records. */
static SPF_errcode_t
get_record(SPF_server_t *server, SPF_request_t *request,
    SPF_response_t *response, SPF_record_t **record_r)
{
	struct run *run = server->resolver->hook;
	const char *text = NULL;
	size_t number, member;

	*record_r = NULL;
	if (parse_name(request->cur_dom, &run->ledger, &number, &member))
		text = spfledger_record(&run->ledger, number);
	if (text != NULL)
		return SPF_record_compile(server, response, record_r, text);
	response->result = SPF_RESULT_PERMERROR;
	response->reason = SPF_REASON_FAILURE;
	response->err = SPF_E_NOT_SPF;
	return SPF_response_add_error(response, SPF_E_NOT_SPF, "stopped");
}

/* Explanations are ours (spfledger_explain). */
static SPF_errcode_t
get_explanation(
    SPF_server_t *server, const char *domain, char **buf, size_t *len)
{
	(void)server;
	(void)domain;
	if (*buf != NULL && *len > 0)
		(*buf)[0] = '\0';
	return SPF_E_SUCCESS;
}

struct spfguard *
spfguard_new(struct err *err)
{
	struct spfguard *guard = xmem_calloc(1, sizeof(*guard));

	pthread_once(&handlers_once, set_handlers);
	guard->dns.name = "guard";
	guard->dns.lookup = lookup;
	guard->dns.get_spf = get_record;
	guard->dns.get_exp = get_explanation;
	guard->server = SPF_server_new_dns(&guard->dns, 0);
	if (guard->server == NULL) {
		err_set(err, "libspf2 cannot be started");
		xmem_free(&guard);
		return NULL;
	}
	SPF_server_set_max_dns_mech(guard->server, LIBRARY_TERMS_MAX);
	SPF_server_set_max_dns_mx(guard->server, LIBRARY_MX_MAX);
	return guard;
}

void
spfguard_free(struct spfguard **guard)
{
	if (*guard == NULL)
		return;
	SPF_server_free((*guard)->server);
	xmem_free(guard);
}

static SPF_request_t *
new_request(struct run *run)
{
	SPF_request_t *request = SPF_request_new(run->guard->server);
	const struct ip *ip = &run->ledger.input->ip;
	uint8_t bytes[sizeof(ip->bytes)];

	if (request == NULL)
		return NULL;
	memcpy(bytes, ip->bytes, sizeof(bytes));
	veil(run, bytes);
	if (ip->family == IP_V4) {
		struct in_addr address;

		memcpy(&address, bytes, sizeof(address));
		SPF_request_set_ipv4(request, address);
	} else {
		struct in6_addr address;

		memcpy(&address, bytes, sizeof(address));
		SPF_request_set_ipv6(request, address);
	}
	SPF_request_set_env_from(request, START);
	return request;
}

/* Lets the library evaluate. Returns false when it gave up; its memory of
 * this evaluation is then lost, for nobody knows what state it is in. */
static bool
evaluate(struct run *run, SPF_result_t *result_r)
{
	SPF_response_t *response = NULL;
	SPF_request_t *request;

	*result_r = SPF_RESULT_INVALID;
	if (setjmp(run->escape) != 0) {
		current = NULL;
		return false;
	}
	current = run;
	request = new_request(run);
	if (request != NULL) {
		SPF_request_query_mailfrom(request, &response);
		if (response != NULL) {
			*result_r = SPF_response_result(response);
			SPF_response_free(response);
		}
		SPF_request_free(request);
	}
	current = NULL;
	return true;
}

static enum spf_result
translate(SPF_result_t result)
{
	switch (result) {
	case SPF_RESULT_NEUTRAL:
		return SPF_CHECK_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_CHECK_PASS;
	case SPF_RESULT_FAIL:
		return SPF_CHECK_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_CHECK_SOFTFAIL;
	case SPF_RESULT_NONE:
		return SPF_CHECK_NONE;
	case SPF_RESULT_TEMPERROR:
		return SPF_CHECK_TEMPERROR;
	case SPF_RESULT_INVALID:
	case SPF_RESULT_PERMERROR:
		break;
	}
	return SPF_CHECK_PERMERROR;
}

static void
set_mechanism(struct spfguard_output *output, const struct spfrecord_term *term)
{
	struct spfrecord_text source;
	struct str s;

	str_init(&s, output->mechanism, sizeof(output->mechanism));
	if (term == NULL) {
		str_add(&s, "default");
		return;
	}
	source = term->source;
	if (strchr("+-~?", *source.start) != NULL) {
		source.start++;
		source.len--;
	}
	str_add_escaped(&s, source.start, source.len, "");
}

/* The library finished: do the books say the same? */
static void
conclude(struct run *run, SPF_result_t verdict, struct spfguard_output *output)
{
	const struct spfrecord_term *term;

	output->result = translate(verdict);
	if (spfledger_result(&run->ledger, &term) != output->result) {
		snprintf(output->problem, sizeof(output->problem),
		    "the evaluator says %s, its books do not",
		    spf_result_name(output->result));
		output->result = SPF_CHECK_TEMPERROR;
		return;
	}
	set_mechanism(output, term);
	if (output->result == SPF_CHECK_FAIL)
		spfledger_explain(&run->ledger, output->explanation);
}

static bool
check(struct run *run, struct spfguard_output *output)
{
	struct spfledger *ledger = &run->ledger;
	SPF_result_t verdict;

	if (!evaluate(run, &verdict)) {
		output->result = SPF_CHECK_TEMPERROR;
		snprintf(output->problem, sizeof(output->problem),
		    "libspf2 gave up: %s", run->complaint);
		return true;
	}
	if (ledger->stop == SPFLEDGER_GOES_ON)
		conclude(run, verdict, output);
	switch (ledger->stop) {
	case SPFLEDGER_GOES_ON:
		return true;
	case SPFLEDGER_MISSING:
		return false;
	case SPFLEDGER_NONE:
		output->result = SPF_CHECK_NONE;
		return true;
	case SPFLEDGER_TEMPERROR:
		output->result = SPF_CHECK_TEMPERROR;
		break;
	case SPFLEDGER_PERMERROR:
		output->result = SPF_CHECK_PERMERROR;
		break;
	}
	snprintf(
	    output->problem, sizeof(output->problem), "%s", ledger->problem);
	return true;
}

bool
spfguard_check(struct spfguard *guard, const struct spfguard_input *input,
    struct spfanswers *answers, struct spfguard_output *output_r)
{
	struct arena *arena = arena_new();
	struct run *run = xmem_calloc(1, sizeof(*run));
	bool finished;

	memset(output_r, 0, sizeof(*output_r));
	run->guard = guard;
	run->veil = input->ip.family == IP_V4
			? input->ip.bytes[0] == 127 ? VEIL : 0
		    : input->ip.bytes[0] == 0 ? VEIL
					      : 0;
	spfledger_init(&run->ledger, input, answers, arena);
	guard->dns.hook = run;
	finished = check(run, output_r);
	guard->dns.hook = NULL;
	output_r->lookups = run->ledger.lookups < SPFGUARD_LOOKUPS_MAX
				? run->ledger.lookups
				: SPFGUARD_LOOKUPS_MAX;
	output_r->void_lookups = run->ledger.void_lookups;
	output_r->uses = *run->ledger.uses;
	if (finished)
		spfledger_trace(&run->ledger, output_r);
	xmem_free(&run);
	arena_free(&arena);
	return finished;
}
