/* SPDX-License-Identifier: MIT */
/* ARP packets for IPv4 over 6-byte link addresses (RFC 826) as bytes. */
#ifndef TAPLINE_WIRE_ARP_H
#define TAPLINE_WIRE_ARP_H

#include "lib/bytes.h"

#define ARP_HLEN      28u /* with 6-byte and 4-byte addresses */
#define ARPOP_REQUEST 1
#define ARPOP_REPLY   2

struct arp_hdr {
	u16 hrd, pro; /* hardware type, EtherType */
	u8 hln, pln;
	u16 op;
	u8 sha[6], tha[6];
	be32 spa, tpa;
};

/* Fields are only read, not judged. False: fewer than 28 bytes, or address lengths that are not 6
 * and 4 (then the fixed part is filled in when it is there). */
bool arp_parse(const u8 *p, u32 len, struct arp_hdr *h);
/* Writes 28 bytes. */
void arp_build(u8 *p, const struct arp_hdr *h);

#endif
