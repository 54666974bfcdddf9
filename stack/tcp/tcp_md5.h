/* SPDX-License-Identifier: MIT */
/*
 * TCP MD5 signatures (RFC 2385; TCP_MD5SIG, TCP_MD5SIG_EXT): a digest over addresses, header, data
 * and a key that both ends know, in every segment of a connection with a peer for which a key is
 * set. Segments without it, or with a wrong one, are dropped.
 */
#ifndef TAPLINE_TCP_TCP_MD5_H
#define TAPLINE_TCP_TCP_MD5_H

#include "tcp/tcp.h"

#define TCP_MD5SIG_MAXKEYLEN   80u
#define TCPOLEN_MD5SIG	       18u
#define TCPOLEN_MD5SIG_ALIGNED 20u

struct tcp_md5sig_key {
	struct list_head node;
	u8 keylen, family, prefixlen;
	struct inet_addr addr; /* of peers */
	u8 key[TCP_MD5SIG_MAXKEYLEN];
};

_Static_assert(sizeof(struct tcp_md5sig_key) <= INET_TWSK_KEY_ROOM, "a TIME-WAIT socket keeps it");

/* The keys of a socket. */
struct tcp_md5sig_info {
	struct list_head keys;
};

/* TCP_MD5SIG or TCP_MD5SIG_EXT (ext). 0 or -errno. */
int tcp_parse_md5_keys(struct sock *sk, bool ext, const u8 *val, u32 len);
/* The key with the longest prefix; NULL: none. */
const struct tcp_md5sig_key *tcp_md5_do_lookup(const struct sock *sk, u8 family,
					       const struct inet_addr *addr);
/* Of the connection's peer. */
static inline const struct tcp_md5sig_key *tcp_md5_lookup(const struct sock *sk)
{
	const struct sock_common *skc = inet_skc(sk);

	if (!tcp_sk(sk)->rare->md5sig_info)
		return NULL;
	return tcp_md5_do_lookup(sk, (u8)skc->skc_family, &skc->skc_daddr);
}
/* What a TIME-WAIT socket answers with; NULL: unsigned. */
static inline const struct tcp_md5sig_key *tcp_twsk_md5_key(const struct inet_timewait_sock *tw)
{
	return tw->tw_has_key ? (const struct tcp_md5sig_key *)(const void *)(tw + 1) : NULL;
}
/* The child takes over its peer's key. */
void tcp_md5_inherit(const struct sock *sk, struct sock *child);
void tcp_md5_destroy(struct sock *sk);

/* NOP NOP and the option without its digest; the next byte. */
u8 *tcp_md5_write(u8 *p);
/* The digest of a segment whose header (with an aligned option first) is at th, len bytes with the
 * data linear behind: into the option. */
void tcp_md5_sign(u8 *th, u32 len, u8 family, const struct inet_addr *saddr,
		  const struct inet_addr *daddr, const struct tcp_md5sig_key *key);
/* A segment from saddr for sk. NOT_SPECIFIED: fine, else what it is to be dropped for (counted). */
enum skb_drop_reason tcp_inbound_md5_hash(const struct sock *sk, const struct sk_buff *skb,
					  u8 family, const struct inet_addr *saddr,
					  const struct inet_addr *daddr);

#endif
