/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "tests/bench/report.h"

enum { LATE_NS = 50 * 1000 * 1000 };

struct figures {
	double rps;
	double p50_us;
	double p90_us;
	double p99_us;
	double p999_us;
	double max_us;
	unsigned long long late; /* replies LATE_NS after the median */
	double user_us;          /* per request */
	double system_us;
};

static double
share_us(const struct hist *hist, double share)
{
	return (double)hist_share(hist, share) / 1e3;
}

static void
compute(const struct report *report, struct figures *out)
{
	const struct load_result *load = &report->load;
	double replies = load->replies > 0 ? (double)load->replies : 1;

	out->rps =
	    load->elapsed_s > 0 ? (double)load->replies / load->elapsed_s : 0;
	out->p50_us = share_us(&load->hist, 0.5);
	out->p90_us = share_us(&load->hist, 0.9);
	out->p99_us = share_us(&load->hist, 0.99);
	out->p999_us = share_us(&load->hist, 0.999);
	out->max_us = (double)load->hist.max_ns / 1e3;
	out->late =
	    hist_above(&load->hist, hist_share(&load->hist, 0.5) + LATE_NS);
	out->user_us =
	    (double)(report->after.user_us - report->before.user_us) / replies;
	out->system_us =
	    (double)(report->after.system_us - report->before.system_us) /
	    replies;
}

void
report_people(const struct report *report)
{
	const struct load_result *load = &report->load;
	struct figures f;

	compute(report, &f);
	printf("%s, %zu connections: %llu replies in %.2f s, %.0f/s\n",
	    report->target, report->connections,
	    (unsigned long long)load->replies, load->elapsed_s, f.rps);
	printf("latency ms: p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  "
	       "max %.3f (at %.2f s)\n",
	    f.p50_us / 1e3, f.p90_us / 1e3, f.p99_us / 1e3, f.p999_us / 1e3,
	    f.max_us / 1e3, load->worst_at_s);
	printf("50 ms later than the median: %llu; connected anew: %llu\n",
	    f.late, (unsigned long long)load->reconnects);
	if (report->idle > 0)
		printf("idle connections: %zu, answered at the end: %llu\n",
		    report->idle, (unsigned long long)report->idle_answered);
	printf("CPU us per request: generator %.1f", report->generator_us);
	if (report->has_server)
		printf(", server %.2f (%.2f user + %.2f system)",
		    f.user_us + f.system_us, f.user_us, f.system_us);
	printf("\n");
	if (report->has_server)
		printf("server memory MiB: resident %.1f, peak %.1f\n",
		    (double)report->after.rss_kib / 1024,
		    (double)report->after.peak_kib / 1024);
	printf("wrong replies: %llu, missing: %llu\n",
	    (unsigned long long)load->wrong, (unsigned long long)load->missing);
}

static void
print_server(const struct report *report, const struct figures *f)
{
	printf("\"cpu_us\":%.3f,\"user_us\":%.3f,\"system_us\":%.3f,"
	       "\"rss_kib\":%lld,\"peak_kib\":%lld,",
	    f->user_us + f->system_us, f->user_us, f->system_us,
	    (long long)report->after.rss_kib,
	    (long long)report->after.peak_kib);
}

void
report_json(const struct report *report)
{
	const struct load_result *load = &report->load;
	struct figures f;

	compute(report, &f);
	printf("{\"connections\":%zu,\"replies\":%llu,\"seconds\":%.3f,"
	       "\"rps\":%.1f,",
	    report->connections, (unsigned long long)load->replies,
	    load->elapsed_s, f.rps);
	printf("\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
	       "\"p999_us\":%.1f,\"max_us\":%.1f,\"max_at_s\":%.3f,"
	       "\"late\":%llu,",
	    f.p50_us, f.p90_us, f.p99_us, f.p999_us, f.max_us, load->worst_at_s,
	    f.late);
	if (report->has_server)
		print_server(report, &f);
	printf("\"generator_us\":%.3f,\"idle\":%zu,\"idle_answered\":%llu,"
	       "\"reconnects\":%llu,\"wrong\":%llu,\"missing\":%llu,"
	       "\"failures\":%llu}\n",
	    report->generator_us, report->idle,
	    (unsigned long long)report->idle_answered,
	    (unsigned long long)load->reconnects,
	    (unsigned long long)load->wrong, (unsigned long long)load->missing,
	    (unsigned long long)report->failures);
}
