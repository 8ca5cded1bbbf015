/* SPDX-License-Identifier: ISC */
/*
 * What happens when libspf2 calls its error handler, which by default ends
 * the process. SPF_dns_rr_new_init is replaced to provoke it.
 */
#include <netinet/in.h>

#include <dlfcn.h>
#include <unistd.h>

#include <spf2/spf.h>

#include "tests/unit/spfrig.h"

static bool broken;

SPF_dns_rr_t *
SPF_dns_rr_new_init(SPF_dns_server_t *dns, const char *domain, ns_type type,
    int ttl, SPF_dns_stat_t herrno)
{
	SPF_dns_rr_t *(*real)(
	    SPF_dns_server_t *, const char *, ns_type, int, SPF_dns_stat_t);

	if (broken)
		return NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "SPF_dns_rr_new_init");
	return real(dns, domain, type, ttl, herrno);
}

int
main(void)
{
	struct spfrig rig;

	spfrig_open(&rig, "example.org TXT v=spf1 a -all\n"
			  "example.org A 192.0.2.1");
	spfzone_check(&rig.zone, rig.guard, &rig.input, &rig.output);
	check_str("whole", spf_result_name(rig.output.result), "pass");
	broken = true;
	for (int i = 0; i < 3; i++) {
		spfzone_check(&rig.zone, rig.guard, &rig.input, &rig.output);
		check_str("an error of the library",
		    spf_result_name(rig.output.result), "temperror");
		check_contains(
		    "is told", rig.output.problem, "libspf2 gave up: ");
	}
	broken = false;
	spfzone_check(&rig.zone, rig.guard, &rig.input, &rig.output);
	check_str("whole again", spf_result_name(rig.output.result), "pass");
	spfrig_close(&rig);
	/* What the library held at its error is lost; leak checkers need not
	 * hear of it. */
	fflush(stdout);
	_exit(check_done());
}
