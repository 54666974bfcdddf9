/* SPDX-License-Identifier: MIT */
/* Drop reasons; the list is drop_reasons.def. */
#ifndef TAPLINE_STACK_DROP_REASON_H
#define TAPLINE_STACK_DROP_REASON_H

#include "stack/types.h"

enum skb_drop_reason {
#define REASON(NAME, doc) SKB_DROP_REASON_##NAME,
#include "stack/drop_reasons.def"
#undef REASON
	SKB_DROP_REASON_COUNT
};

/* "NO_SOCKET"; NULL outside the enum. */
const char *drop_reason_name(u32 reason);
const char *drop_reason_doc(u32 reason);

#endif
