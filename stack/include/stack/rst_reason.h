/* SPDX-License-Identifier: MIT */
/* Reset reasons; the list is rst_reasons.def. */
#ifndef TAPLINE_STACK_RST_REASON_H
#define TAPLINE_STACK_RST_REASON_H

#include "stack/types.h"

enum sk_rst_reason {
#define RST_REASON(NAME, doc) SK_RST_REASON_##NAME,
#include "stack/rst_reasons.def"
#undef RST_REASON
	SK_RST_REASON_COUNT
};

/* "NO_SOCKET"; NULL outside the enum. */
const char *rst_reason_name(u32 reason);
const char *rst_reason_doc(u32 reason);

#endif
