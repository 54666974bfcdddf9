/* SPDX-License-Identifier: MIT */
/*
 * Names of constants in packetdrill scripts, with the numbers that Linux on x86-64 gives them.
 */
#ifndef TAPLINE_PACKETDRILL_SYMBOLS_H
#define TAPLINE_PACKETDRILL_SYMBOLS_H

#include "packetdrill/script.h"

struct pd_symbol {
	const char *name;
	s64 value;
};

/* A constant of socket calls ("SO_REUSEADDR"). */
bool pd_symbol_find(const char *name, size_t len, s64 *value);

/* A constant that %{ }% blocks know beyond those ("TCPI_OPT_SACK", "TCP_CA_Open"). */
bool pd_symbol_find_info(const char *name, size_t len, s64 *value);

/* An errno by name; 0 when there is no such one. */
int pd_errno_by_name(const char *name, size_t len);

/* The name of a call's constant or of an error that a word is near to; NULL: of none. */
const char *pd_symbol_near(const char *name);
/* The same of the names that only %{ }% blocks know. */
const char *pd_info_near(const char *name);
/* Name of an errno, "E?" when it has none. */
const char *pd_errno_name(int number);

/* ICMP types and codes by packetdrill's names ("unreachable", "frag_needed"). */
bool pd_icmp_type(bool v6, const char *name, size_t len, u8 *type);
/* The nearest code of this type, or type (-1); NULL: none is near. */
const char *pd_icmp_near(bool v6, int type, const char *name);
bool pd_icmp_code(bool v6, u8 type, const char *name, size_t len, u8 *code);

#endif
