/* SPDX-License-Identifier: MIT */
/* The tables behind symbols.h, a file each. */
#ifndef TAPLINE_PACKETDRILL_SYMBOL_TABLES_H
#define TAPLINE_PACKETDRILL_SYMBOL_TABLES_H

#include "packetdrill/symbols.h"

/* All sorted by name. */
extern const struct pd_symbol pd_call_symbols[];
extern const size_t pd_call_symbol_count;
extern const struct pd_symbol pd_info_symbols[];
extern const size_t pd_info_symbol_count;
extern const struct pd_symbol pd_errno_symbols[];
extern const size_t pd_errno_symbol_count;

struct pd_icmp_symbol {
	bool v6;
	s16 type; /* of a code: the type that it belongs to; of a type: -1 */
	const char *name;
	u8 value;
};

extern const struct pd_icmp_symbol pd_icmp_symbols[];
extern const size_t pd_icmp_symbol_count;

#endif
