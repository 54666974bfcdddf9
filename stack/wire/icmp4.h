/* SPDX-License-Identifier: MIT */
/* ICMP messages (RFC 792, RFC 1191, RFC 4884's length field apart) as bytes. */
#ifndef TAPLINE_WIRE_ICMP4_H
#define TAPLINE_WIRE_ICMP4_H

#include "lib/bytes.h"

#define ICMP4_HLEN 8u

#define ICMP_ECHOREPLY	    0
#define ICMP_DEST_UNREACH   3
#define ICMP_SOURCE_QUENCH  4
#define ICMP_REDIRECT	    5
#define ICMP_ECHO	    8
#define ICMP_TIME_EXCEEDED  11
#define ICMP_PARAMETERPROB  12
#define ICMP_TIMESTAMP	    13
#define ICMP_TIMESTAMPREPLY 14
#define ICMP_INFO_REQUEST   15
#define ICMP_INFO_REPLY	    16
#define ICMP_ADDRESS	    17
#define ICMP_ADDRESSREPLY   18
#define NR_ICMP_TYPES	    18

#define ICMP_NET_UNREACH    0
#define ICMP_HOST_UNREACH   1
#define ICMP_PROT_UNREACH   2
#define ICMP_PORT_UNREACH   3
#define ICMP_FRAG_NEEDED    4
#define ICMP_SR_FAILED	    5
#define ICMP_NET_UNKNOWN    6
#define ICMP_HOST_UNKNOWN   7
#define ICMP_HOST_ISOLATED  8
#define ICMP_NET_ANO	    9
#define ICMP_HOST_ANO	    10
#define ICMP_NET_UNR_TOS    11
#define ICMP_HOST_UNR_TOS   12
#define ICMP_PKT_FILTERED   13
#define ICMP_PREC_VIOLATION 14
#define ICMP_PREC_CUTOFF    15
#define NR_ICMP_UNREACH	    15

#define ICMP_REDIR_NET	   0
#define ICMP_REDIR_HOST	   1
#define ICMP_REDIR_NETTOS  2
#define ICMP_REDIR_HOSTTOS 3

#define ICMP_EXC_TTL	  0
#define ICMP_EXC_FRAGTIME 1

struct icmp4_hdr {
	u8 type, code;
	be16 check;
	u32 rest; /* second word in host order: id << 16 | sequence, gateway, pointer << 24, MTU */
};

static inline u8 icmp4_type(const u8 *p)
{
	return p[0];
}
static inline u8 icmp4_code(const u8 *p)
{
	return p[1];
}
/* Second word, host order. */
static inline u32 icmp4_rest(const u8 *p)
{
	return get_be32(p + 4);
}
static inline u16 icmp4_id(const u8 *p)
{
	return get_be16(p + 4);
}
static inline u16 icmp4_sequence(const u8 *p)
{
	return get_be16(p + 6);
}
/* Next-hop MTU of a fragmentation needed (RFC 1191 4). */
static inline u16 icmp4_mtu(const u8 *p)
{
	return get_be16(p + 6);
}
/* Types that report an error about another packet. Unknown types count as errors: nothing must be
 * sent about them either (RFC 1122 3.2.2). */
bool icmp4_is_error(u8 type);
/* False: fewer than 8 bytes. */
bool icmp4_parse(const u8 *p, u32 len, struct icmp4_hdr *h);
void icmp4_build(u8 *p, const struct icmp4_hdr *h);

#endif
