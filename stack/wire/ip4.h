/* SPDX-License-Identifier: MIT */
/*
 * The IPv4 header (RFC 791 3.1) and its options as bytes. Accessors read one field of a header that
 * lies at p and is long enough; ip4_parse checks that first.
 */
#ifndef TAPLINE_WIRE_IP4_H
#define TAPLINE_WIRE_IP4_H

#include "lib/bytes.h"

#define IP4_HLEN     20u
#define IP4_HLEN_MAX 60u

#define IP4_DF	   0x4000u
#define IP4_MF	   0x2000u
#define IP4_CE	   0x8000u /* the reserved bit */
#define IP4_OFFSET 0x1fffu

/* Option types with their copied flag (RFC 791 3.1, RFC 2113). */
#define IPOPT_END	0
#define IPOPT_NOOP	1
#define IPOPT_RR	7
#define IPOPT_TIMESTAMP 68
#define IPOPT_SEC	130
#define IPOPT_LSRR	131
#define IPOPT_CIPSO	134
#define IPOPT_SID	136
#define IPOPT_SSRR	137
#define IPOPT_RA	148
#define IPOPT_COPY	0x80

#define IPOPT_TS_TSONLY	   0
#define IPOPT_TS_TSANDADDR 1
#define IPOPT_TS_PRESPEC   3

/* The ECN field (RFC 3168 5). */
#define INET_ECN_NOT_ECT 0
#define INET_ECN_ECT_1	 1
#define INET_ECN_ECT_0	 2
#define INET_ECN_CE	 3
#define INET_ECN_MASK	 3

static inline u32 ip4_version(const u8 *p)
{
	return p[0] >> 4;
}
/* Header length in bytes. */
static inline u32 ip4_ihl(const u8 *p)
{
	return (p[0] & 15u) * 4u;
}
static inline u8 ip4_tos(const u8 *p)
{
	return p[1];
}
static inline u32 ip4_tot_len(const u8 *p)
{
	return get_be16(p + 2);
}
static inline u16 ip4_id(const u8 *p)
{
	return get_be16(p + 4);
}
/* Flags and offset: IP4_DF | IP4_MF | units of 8 bytes. */
static inline u16 ip4_frag(const u8 *p)
{
	return get_be16(p + 6);
}
static inline bool ip4_is_fragment(const u8 *p)
{
	return (ip4_frag(p) & (IP4_MF | IP4_OFFSET)) != 0;
}
static inline u8 ip4_ttl(const u8 *p)
{
	return p[8];
}
static inline u8 ip4_protocol(const u8 *p)
{
	return p[9];
}
static inline be16 ip4_check(const u8 *p)
{
	return load_be16(p + 10);
}
static inline be32 ip4_saddr(const u8 *p)
{
	return load_be32(p + 12);
}
static inline be32 ip4_daddr(const u8 *p)
{
	return load_be32(p + 16);
}

static inline void ip4_set_tos(u8 *p, u8 tos)
{
	p[1] = tos;
}
static inline void ip4_set_ttl(u8 *p, u8 ttl)
{
	p[8] = ttl;
}
static inline void ip4_set_tot_len(u8 *p, u32 len)
{
	put_be16(p + 2, (u16)len);
}
static inline void ip4_set_id(u8 *p, u16 id)
{
	put_be16(p + 4, id);
}
static inline void ip4_set_frag(u8 *p, u16 frag)
{
	put_be16(p + 6, frag);
}
static inline void ip4_set_check(u8 *p, be16 check)
{
	store_be16(p + 10, check);
}
static inline void ip4_set_saddr(u8 *p, be32 addr)
{
	store_be32(p + 12, addr);
}
static inline void ip4_set_daddr(u8 *p, be32 addr)
{
	store_be32(p + 16, addr);
}
/* Computes the checksum over the header as it now stands. */
void ip4_send_check(u8 *p);
/* One less, the checksum set right (RFC 1141). Returns the new TTL. */
u8 ip4_decrease_ttl(u8 *p);

struct ip4_hdr {
	u8 ihl; /* in bytes */
	u8 tos;
	u16 tot_len;
	u16 id;
	u16 frag; /* IP4_DF | IP4_MF | offset / 8 */
	u8 ttl, protocol;
	be16 check;
	be32 saddr, daddr;
};

enum ip4_parse_result {
	IP4_OK,
	IP4_SHORT, /* fewer bytes than the header says */
	IP4_VERSION, /* version not 4, or IHL below 5 */
	IP4_CSUM,
	IP4_LENGTH, /* total length below the header's or past len */
};
/* Reads and checks a header in len bytes at p. `h` is filled unless IP4_SHORT or IP4_VERSION. */
enum ip4_parse_result ip4_parse(const u8 *p, u32 len, struct ip4_hdr *h);
/* Writes 20 bytes at p (h->ihl / 4 into the first), check included as given. */
void ip4_build(u8 *p, const struct ip4_hdr *h);

/*
 * Walks options: reads the one at `offset` of `len` option bytes. Returns the offset of the next,
 * or 0 at the end (END or all used), with *type and *optlen set (1 for NOOP and END). Malformed
 * ones (length below 2 or past the end): 0 with *optlen 0.
 */
u32 ip4_option_next(const u8 *options, u32 len, u32 offset, u8 *type, u32 *optlen);

#endif
