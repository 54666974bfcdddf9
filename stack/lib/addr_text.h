/* SPDX-License-Identifier: MIT */
/* Addresses as text: dotted quads, and IPv6 as RFC 4291 2.2 reads and RFC 5952 writes it. */
#ifndef TAPLINE_LIB_ADDR_TEXT_H
#define TAPLINE_LIB_ADDR_TEXT_H

#include "stack/types.h"

#define ADDR_TEXT_MAX 40u /* bytes of any address with its NUL */

/* Four bytes of "192.0.2.1" (all four numbers, decimal). False: it is none. */
bool ip4_from_text(const char *s, u8 addr[4]);
/* Sixteen bytes of "2001:db8::1", also with a dotted quad at its end. False: it is none. */
bool ip6_from_text(const char *s, u8 addr[16]);
void ip4_to_text(const u8 addr[4], char out[ADDR_TEXT_MAX]);
void ip6_to_text(const u8 addr[16], char out[ADDR_TEXT_MAX]);

#endif
