/* SPDX-License-Identifier: MIT */
/* Names of reset reasons (stack/rst_reason.h). */
#include "stack/rst_reason.h"

static const char *const names[] = {
#define RST_REASON(NAME, doc) #NAME,
#include "stack/rst_reasons.def"
#undef RST_REASON
};

static const char *const docs[] = {
#define RST_REASON(NAME, doc) doc,
#include "stack/rst_reasons.def"
#undef RST_REASON
};

const char *rst_reason_name(u32 reason)
{
	return reason < SK_RST_REASON_COUNT ? names[reason] : NULL;
}

const char *rst_reason_doc(u32 reason)
{
	return reason < SK_RST_REASON_COUNT ? docs[reason] : NULL;
}
