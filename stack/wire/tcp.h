/* SPDX-License-Identifier: MIT */
/* The TCP header (RFC 9293 3.1) and its options (RFC 9293 3.2, RFC 7323, RFC 2018) as bytes. */
#ifndef TAPLINE_WIRE_TCP_H
#define TAPLINE_WIRE_TCP_H

#include "lib/bytes.h"

#define TCP_HLEN     20u
#define TCP_HLEN_MAX 60u

#define TCPHDR_FIN 0x01
#define TCPHDR_SYN 0x02
#define TCPHDR_RST 0x04
#define TCPHDR_PSH 0x08
#define TCPHDR_ACK 0x10
#define TCPHDR_URG 0x20
#define TCPHDR_ECE 0x40
#define TCPHDR_CWR 0x80

#define TCPOPT_EOL	 0
#define TCPOPT_NOP	 1
#define TCPOPT_MSS	 2
#define TCPOPT_WINDOW	 3
#define TCPOPT_SACK_PERM 4
#define TCPOPT_SACK	 5
#define TCPOPT_TIMESTAMP 8
#define TCPOPT_MD5SIG	 19
#define TCPOPT_AO	 29
#define TCPOPT_FASTOPEN	 34
#define TCPOPT_EXP	 254

#define TCPOLEN_MSS 4u

static inline u16 tcp_source(const u8 *p)
{
	return get_be16(p);
}
static inline u16 tcp_dest(const u8 *p)
{
	return get_be16(p + 2);
}
static inline u32 tcp_seq(const u8 *p)
{
	return get_be32(p + 4);
}
static inline u32 tcp_ack_seq(const u8 *p)
{
	return get_be32(p + 8);
}
/* Header length in bytes. */
static inline u32 tcp_doff(const u8 *p)
{
	return (p[12] >> 4) * 4u;
}
static inline u8 tcp_flags(const u8 *p)
{
	return p[13];
}
static inline u16 tcp_window(const u8 *p)
{
	return get_be16(p + 14);
}
static inline be16 tcp_check(const u8 *p)
{
	return load_be16(p + 16);
}
static inline u16 tcp_urg_ptr(const u8 *p)
{
	return get_be16(p + 18);
}

struct tcp_hdr {
	u16 source, dest;
	u32 seq, ack_seq;
	u8 doff; /* in bytes */
	u8 res; /* the four bits behind the offset (RFC 9293 3.1, AE of RFC 9768 the lowest) */
	u8 flags; /* TCPHDR_* */
	u16 window;
	be16 check;
	u16 urg_ptr;
};

/* False: fewer than 20 bytes, an offset below 20, or one past len. */
bool tcp_parse(const u8 *p, u32 len, struct tcp_hdr *h);
/* 20 bytes at p. */
void tcp_build(u8 *p, const struct tcp_hdr *h);

/*
 * Walks options: reads the one at `offset` of `len` option bytes. Returns the offset of the next,
 * 0 at the end. *optlen: 1 for EOL and NOP; 0 when it is malformed (length below 2 or past the end:
 * the rest is not to be looked at).
 */
u32 tcp_option_next(const u8 *options, u32 len, u32 offset, u8 *kind, u32 *optlen);

#endif
