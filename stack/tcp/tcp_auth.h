/* SPDX-License-Identifier: MIT */
/*
 * What signs and checks a connection's segments: TCP MD5 signatures (tcp_md5.h, RFC 2385) or TCP-AO
 * (tcp_ao.h, RFC 5925), never both (RFC 5925 2.2). Keys hang on one pointer of the socket, made
 * when the first is set. struct tcp_key is what one segment is signed with (Linux has the same).
 *
 * Invariant: a socket without keys (auth NULL) sends no signed segment.
 */
#ifndef TAPLINE_TCP_TCP_AUTH_H
#define TAPLINE_TCP_TCP_AUTH_H

#include "lib/crypto/sha1.h"
#include "tcp/tcp.h"

#define TCPOLEN_MD5SIG		   18u
#define TCPOLEN_MD5SIG_ALIGNED	   20u
#define TCP_AO_HDR_LEN		   4u /* kind, length, KeyID, RNextKeyID */
#define TCP_AO_MAX_TRAFFIC_KEY_LEN SHA1_DIGEST_SIZE

struct tcp_md5sig_key;
struct tcp_ao_info;
struct tcp_ao_key;

/* The keys of a socket. */
struct tcp_auth {
	struct list_head md5_keys;
	struct tcp_ao_info *ao_info; /* NULL: no TCP-AO; a reference */
};

enum tcp_key_type { TCP_KEY_NONE, TCP_KEY_MD5, TCP_KEY_AO };

/* What a segment is signed with. */
struct tcp_key {
	u8 type; /* enum tcp_key_type */
	u8 keyid, rnext; /* TCP-AO: as they go into the option */
	u8 pad; /* behind a MAC that ends within a word: TCPOPT_NOP or TCPOPT_EOL */
	u32 sne; /* TCP-AO: sequence number extension of the segment */
	const struct tcp_md5sig_key *md5_key;
	struct tcp_ao_key *ao_key;
	u8 traffic_key[TCP_AO_MAX_TRAFFIC_KEY_LEN];
};

/* Addresses of a segment. */
struct tcp_ends {
	u8 family;
	const struct inet_addr *saddr, *daddr;
};

/* The options of a segment that sign it. NULL: not there. */
struct tcp_auth_options {
	const u8 *md5_hash;
	const u8 *ao; /* at its kind */
};

/* The first `bits` of two addresses. */
bool inet_addr_prefix_equal(const struct inet_addr *a, const struct inet_addr *b, u32 bits);
u32 inet_addr_bits(u8 family);
/* The pseudo header (RFC 9293 3.1) of a segment of len bytes, at most 40 bytes. Its length. */
u32 tcp_pseudo_header(u8 *p, const struct tcp_ends *ends, u32 len);

/* A sockaddr_storage of an option; an IPv4 address in IPv6 clothes is taken out of them. False: no
 * such family. */
bool tcp_sockopt_addr(const u8 *val, struct inet_addr *addr, u8 *family);
/* Made if there is none. NULL: no memory. */
struct tcp_auth *tcp_auth_get(struct sock *sk);
/* Those of a child, for the request's peer: NULL in *auth: none. 0; -EKEYREJECTED: the connection
 * began with TCP-AO and the listener knows no key for it any more; -ENOMEM. */
int tcp_auth_inherit(const struct sock *sk, const struct request_sock *req, struct tcp_auth **auth);
void tcp_auth_free(struct net *net, struct tcp_auth **auth);
/* Bytes in the header of every segment of the connection, with padding. */
u32 tcp_auth_len(const struct sock *sk);
u32 tcp_key_len(const struct tcp_key *key);

/* Before the SYN: a peer with keys of both kinds is refused, and one that TCP-AO keys are set for,
 * but none that fits. 0 or -EKEYREJECTED. */
int tcp_auth_connect(struct sock *sk);
/* The SYN-ACK's. False: the key that the SYN asked for is gone: nothing is sent. */
bool tcp_auth_synack_key(const struct sock *sk, const struct request_sock *req,
			 struct tcp_key *key);
/* Option and digest at `at` of the segment of len bytes at th, which is linear; all else stands,
 * the checksum does not count. */
void tcp_key_sign(const struct tcp_key *key, u8 *th, u32 len, u32 at, const struct tcp_ends *ends);
/* A segment of sk that has room of tcp_auth_len() first of its options. */
void tcp_auth_sign(struct sock *sk, struct sk_buff *skb);

/* tcp_do_parse_auth_options: false: malformed, or signed twice. */
bool tcp_parse_auth_options(const struct net *net, const u8 *th, struct tcp_auth_options *out);
/* A segment for sk, of a request of it (or NULL). NOT_SPECIFIED: fine, else what it is to be
 * dropped for (counted). */
enum skb_drop_reason tcp_inbound_hash(struct sock *sk, const struct request_sock *req,
				      const struct sk_buff *skb, const struct tcp_ends *ends);

/* Bytes that the TIME-WAIT socket of sk needs behind itself; 0: no keys. */
u32 tcp_twsk_auth_size(const struct sock *sk);
void tcp_twsk_auth_init(struct inet_timewait_sock *tw, const struct sock *sk);
void tcp_twsk_destructor(struct inet_timewait_sock *tw);
const struct tcp_md5sig_key *tcp_twsk_md5_key(const struct inet_timewait_sock *tw);
struct tcp_ao_info *tcp_twsk_ao_info(const struct inet_timewait_sock *tw);

#endif
