/* SPDX-License-Identifier: MIT */
/*
 * TCP MD5 signatures (RFC 2385; TCP_MD5SIG, TCP_MD5SIG_EXT): a digest over addresses, header, data
 * and a key that both ends know, in every segment of a connection with a peer for which a key is
 * set. Segments without it, or with a wrong one, are dropped.
 */
#ifndef TAPLINE_TCP_TCP_MD5_H
#define TAPLINE_TCP_TCP_MD5_H

#include "tcp/tcp_auth.h"

#define TCP_MD5SIG_MAXKEYLEN 80u

struct tcp_md5sig_key {
	struct list_head node;
	u8 keylen, family, prefixlen;
	struct inet_addr addr; /* of peers */
	u8 key[TCP_MD5SIG_MAXKEYLEN];
};

/* TCP_MD5SIG or TCP_MD5SIG_EXT (ext). 0 or -errno. */
int tcp_parse_md5_keys(struct sock *sk, bool ext, const u8 *val, u32 len);
/* The key with the longest prefix; NULL: none. */
const struct tcp_md5sig_key *tcp_md5_do_lookup(const struct sock *sk, u8 family,
					       const struct inet_addr *addr);
/* Of the connection's peer. */
static inline const struct tcp_md5sig_key *tcp_md5_lookup(const struct sock *sk)
{
	struct inet_addr daddr;

	if (!tcp_sk(sk)->rare->auth)
		return NULL;
	daddr = skc_daddr(inet_skc(sk));
	return tcp_md5_do_lookup(sk, inet_skc(sk)->skc_family, &daddr);
}
/* A child's, for its peer alone. 0, -ENOMEM. */
int tcp_md5_key_copy(struct net *net, struct tcp_auth *auth, const struct inet_addr *addr,
		     const struct tcp_md5sig_key *key);
/* All of them go. */
void tcp_md5_clear(struct net *net, struct tcp_auth *auth);

/* The option, aligned by NOPs in front, and its digest at th + at of a segment of len bytes, which
 * is linear. */
void tcp_md5_sign(u8 *th, u32 len, u32 at, const struct tcp_ends *ends,
		  const struct tcp_md5sig_key *key);
/* A segment for sk; hash: the digest that it has, or NULL. NOT_SPECIFIED: fine, else what it is to
 * be dropped for (counted). */
enum skb_drop_reason tcp_inbound_md5_hash(const struct sock *sk, const struct sk_buff *skb,
					  const struct tcp_ends *ends, const u8 *hash);

#endif
