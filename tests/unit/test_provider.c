/* SPDX-License-Identifier: ISC */
#include "common/str.h"
#include "greylistd/provider.h"
#include "tests/unit/check.h"

static const struct {
	const char *record;
	const char *want; /* networks and questions; NULL = a fault */
} rows[] = {
	{ "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
	    "192.0.2.0/24 2001:db8::/32" },
	{ "v=spf1 ip4:192.0.2.1", "192.0.2.1/32" },
	{ "v=spf1 include:_spf.example.com ~all", "txt:_spf.example.com" },
	{ "v=spf1 a mx -all", "a:example.org/32/128 mx:example.org/32/128" },
	{ "v=spf1 a:out.example.com/28//64 mx:example.net/24 -all",
	    "a:out.example.com/28/64 mx:example.net/24/128" },
	{ "v=spf1 redirect=_spf.example.com", "txt:_spf.example.com" },
	{ "v=spf1 ?all redirect=_spf.example.com", "" },
	{ "v=spf1 -ip4:192.0.2.1 ~a ?mx ?include:example.com ip4:192.0.2.2",
	    "192.0.2.2/32" },
	{ "v=spf1 +all ip4:192.0.2.0/24", "" },
	{ "v=spf1 -all ip4:192.0.2.0/24 include:example.com", "" },
	{ "v=spf1 exists:%{i}.example.com ptr include:%{d}.example.com -all",
	    "" },
	{ "v=spf1 ip4:0.0.0.0/0 ip4:192.0.0.0/7 ip4:10.0.0.0/8 -all",
	    "10.0.0.0/8" },
	{ "v=spf1 ip6:::/0 ip6:2000::/19 ip6:2001:4000::/20 -all",
	    "2001:4000::/20" },
	{ "v=spf1 ip4:192.0.2.0/33 -all", NULL },
	{ "v=spf1 ip4:192.0.2.0/24 nonsense -all", NULL },
};

static void
on_step(void *arg, const struct provider_step *step)
{
	struct str *s = arg;

	if (s->len > 0)
		str_add_char(s, ' ');
	if (step->kind == PROVIDER_INCLUDE)
		str_addf(s, "txt:%s", step->domain);
	else
		str_addf(s, "%s:%s/%u/%u",
		    step->kind == PROVIDER_A ? "a" : "mx", step->domain,
		    step->cidr4, step->cidr6);
}

static void
check_limit(void)
{
	struct provider_nets nets = { 0 };
	struct ip_net net;

	(void)ip_net_parse("192.0.2.0/24", &net);
	for (size_t i = 0; i < PROVIDER_NETS_MAX + 5; i++)
		provider_add(&nets, &net);
	check_uint("bounded", nets.count, PROVIDER_NETS_MAX);
	provider_free_nets(&nets);
	check_uint("emptied", nets.count, 0);
}

int
main(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct provider_nets nets = { 0 };
		char text[1000], steps_text[1000], address[IP_TEXT_SIZE];
		struct str s, steps;
		bool is_sound;

		str_init(&s, text, sizeof(text));
		str_init(&steps, steps_text, sizeof(steps_text));
		is_sound = provider_read(rows[i].record, strlen(rows[i].record),
		    "example.org", &nets, on_step, &steps);
		check_bool(rows[i].record, is_sound, rows[i].want != NULL);
		for (size_t n = 0; n < nets.count; n++)
			str_addf(&s, "%s%s/%u", n > 0 ? " " : "",
			    ip_format(&nets.items[n].base, address),
			    nets.items[n].prefix);
		if (s.len > 0 && steps.len > 0)
			str_add_char(&s, ' ');
		str_add(&s, steps.text);
		check_str(rows[i].record, s.text,
		    rows[i].want != NULL ? rows[i].want : "");
		provider_free_nets(&nets);
	}
	check_limit();
	return check_done();
}
