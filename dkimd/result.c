/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "dkimd/result.h"

const char *
result_name(enum result result)
{
	switch (result) {
	case RESULT_NONE:
		return "none";
	case RESULT_PASS:
		return "pass";
	case RESULT_FAIL:
		return "fail";
	case RESULT_POLICY:
		return "policy";
	case RESULT_NEUTRAL:
		return "neutral";
	case RESULT_TEMPERROR:
		return "temperror";
	case RESULT_PERMERROR:
		return "permerror";
	}
	assert(!"no result");
	return "";
}
