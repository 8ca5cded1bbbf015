/* SPDX-License-Identifier: ISC */
#include "common/spf.h"

const char *
spf_result_name(enum spf_result result)
{
	static const char *const names[] = {
		[SPF_CHECK_NONE] = "none",
		[SPF_CHECK_NEUTRAL] = "neutral",
		[SPF_CHECK_PASS] = "pass",
		[SPF_CHECK_FAIL] = "fail",
		[SPF_CHECK_SOFTFAIL] = "softfail",
		[SPF_CHECK_TEMPERROR] = "temperror",
		[SPF_CHECK_PERMERROR] = "permerror",
	};

	return names[result];
}
