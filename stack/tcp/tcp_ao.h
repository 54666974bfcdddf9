/* SPDX-License-Identifier: MIT */
/*
 * TCP-AO, the TCP authentication option (RFC 5925, RFC 5926; net/ipv4/tcp_ao.c): a socket's master
 * key tuples (MKT, struct tcp_ao_key), the traffic keys that each connection derives from them, and
 * the MAC of every segment over a sequence number of 64 bits.
 *
 * Invariants: current_key and rnext_key are in the list or NULL; a connection that stands has both,
 * and every key's traffic keys are those of its numbers (lisn, risn); the keys of a connection all
 * fit its peer.
 */
#ifndef TAPLINE_TCP_TCP_AO_H
#define TAPLINE_TCP_TCP_AO_H

#include "tcp/tcp_auth.h"

#define TCP_AO_MAXKEYLEN	80u
#define TCP_AO_KEYF_IFINDEX	1u
#define TCP_AO_KEYF_EXCLUDE_OPT 2u

/* RFC 5926 3: MAC and key derivation go together. */
enum tcp_ao_alg { TCP_AO_HMAC_SHA1, TCP_AO_AES_128_CMAC };

/* A master key tuple (RFC 5925 3.1). */
struct tcp_ao_key {
	struct list_head node;
	struct inet_addr addr; /* of peers */
	u8 family, prefixlen;
	u8 sndid, rcvid, maclen, keyflags;
	u8 alg; /* enum tcp_ao_alg */
	u8 keylen;
	u8 key[TCP_AO_MAXKEYLEN];
	u8 snd_other[TCP_AO_MAX_TRAFFIC_KEY_LEN]; /* Send_other_traffic_key */
	u8 rcv_other[TCP_AO_MAX_TRAFFIC_KEY_LEN]; /* Receive_other_traffic_key */
	u64 pkt_good, pkt_bad;
};

struct tcp_ao_counters {
	u64 pkt_good, pkt_bad, key_not_found, ao_required, dropped_icmp;
};

/*
 * The extension (RFC 5925 6.2) of a number that only grows: SND.UNA or RCV.NXT as it was when it
 * was last looked at, which is at every segment that is signed or checked: it can not have moved
 * half its space since.
 */
struct tcp_ao_sne {
	u32 sne, seq;
};

struct tcp_ao_info {
	struct list_head keys; /* youngest first */
	struct tcp_ao_key *current_key, *rnext_key; /* RFC 5925 3.3; of listeners NULL */
	struct tcp_ao_counters counters;
	struct tcp_ao_sne snd, rcv;
	u32 lisn, risn; /* local and remote initial sequence numbers */
	u32 refcnt; /* a socket and the TIME-WAIT socket that it became */
	bool ao_required, accept_icmps;
};

/* RFC 5926 3.1: what a traffic key is of. */
struct tcp_ao_context {
	struct tcp_ends ends;
	u16 sport, dport;
	u32 sisn, disn;
};

/* ---- tcp_ao_mac.c ---- */

u32 tcp_ao_digest_size(const struct tcp_ao_key *mkt);
/* RFC 5926 3.1.1.2: a master key for AES-CMAC that is not 16 bytes long becomes one that is. */
void tcp_ao_set_master_key(struct tcp_ao_key *mkt, const u8 *key, u32 len);
void tcp_ao_calc_traffic_key(const struct tcp_ao_key *mkt, u8 *traffic_key,
			     const struct tcp_ao_context *ctx);
/* What a MAC is over besides key and addresses. */
struct tcp_ao_segment {
	const u8 *th; /* linear up to its end of options */
	const u8 *mac_at; /* in there */
	u32 len; /* with data */
	u32 sne;
	struct tcp_ends ends;
};
/* The MAC, tcp_ao_digest_size() bytes, of a segment whose data lies behind the header (skb NULL) or
 * in skb. */
void tcp_ao_hash(const struct tcp_ao_key *mkt, const u8 *traffic_key,
		 const struct tcp_ao_segment *seg, const struct sk_buff *skb, u8 *mac);

/* ---- tcp_ao_key.c ---- */

static inline u32 tcp_ao_len(const struct tcp_ao_key *key)
{
	return TCP_AO_HDR_LEN + key->maclen;
}
static inline u32 tcp_ao_len_aligned(const struct tcp_ao_key *key)
{
	return (tcp_ao_len(key) + 3) & ~3u;
}

struct tcp_ao_info *tcp_ao_info_of(const struct sock *sk);
struct tcp_ao_info *tcp_ao_alloc_info(struct net *net);
void tcp_ao_put_info(struct net *net, struct tcp_ao_info **ao);
/* Does the key fit? ids < 0: any. */
bool tcp_ao_key_matches(const struct tcp_ao_key *key, const struct inet_addr *addr, u8 family,
			u8 prefix, s32 sndid, s32 rcvid);
/* Of a peer. */
struct tcp_ao_key *tcp_ao_do_lookup(const struct tcp_ao_info *ao, const struct inet_addr *addr,
				    u8 family, s32 sndid, s32 rcvid);
/* The same of a connection, all of whose keys fit its peer. */
struct tcp_ao_key *tcp_ao_established_key(const struct tcp_ao_info *ao, s32 sndid, s32 rcvid);
void tcp_ao_delete(struct net *net, struct tcp_ao_info *ao, struct tcp_ao_key *key);
/* Is a signed segment from there wanted? count: and this one was not. */
bool tcp_ao_required(struct sock *sk, const struct inet_addr *addr, u8 family, bool count);
/* The connection's traffic key for what it sends or receives. */
void tcp_ao_calc_key_sk(const struct tcp_ao_key *key, u8 *traffic_key, const struct sock *sk,
			u32 lisn, u32 risn, bool send);
/* Both of every key, from the numbers of the connection. */
void tcp_ao_cache_traffic_keys(const struct sock *sk, struct tcp_ao_info *ao);
/* A request's traffic key for what it sends. */
void tcp_ao_calc_key_rsk(const struct tcp_ao_key *key, u8 *traffic_key,
			 const struct request_sock *req);

/* ---- tcp_ao.c ---- */

/* tcp_ao_compute_sne: of seq, when that of next_seq is next_sne. */
u32 tcp_ao_compute_sne(u32 next_sne, u32 next_seq, u32 seq);
/* Of seq; `next` is where SND.UNA or RCV.NXT stands now. */
u32 tcp_ao_sne_of(struct tcp_ao_sne *s, u32 next, u32 seq);

/* The opening, actively: what of the keys is for the peer. The SYN's number stands. */
void tcp_ao_connect_init(struct sock *sk);
/* The peer's number is known, and so are all traffic keys. */
void tcp_ao_synsent_syn(struct sock *sk, u32 risn);
/* Of a child. *out NULL: it began without TCP-AO. */
int tcp_ao_copy_all_matching(const struct sock *sk, const struct request_sock *req,
			     struct tcp_ao_info **out);
/* A SYN (or the ACK that brings back a cookie) for a listener: does the connection begin with
 * TCP-AO, and with which keys? */
void tcp_ao_request(const struct sock *sk, struct request_sock *req, const struct sk_buff *skb,
		    bool cookie);

/* What a segment of sk is signed with. */
void tcp_ao_transmit_key(struct sock *sk, const u8 *th, struct tcp_key *key);
enum skb_drop_reason tcp_inbound_ao_hash(struct sock *sk, const struct request_sock *req,
					 const struct sk_buff *skb, const struct tcp_ends *ends,
					 const u8 *aoh);
/* The same of a segment for a TIME-WAIT socket. */
enum skb_drop_reason tcp_inbound_ao_timewait(const struct inet_timewait_sock *tw,
					     const struct sk_buff *skb,
					     const struct tcp_ends *ends);
/* RFC 5925 7.8: an ICMP error about a connection that is not to be believed (counted). */
bool tcp_ao_ignore_icmp(struct sock_common *skc, u8 type, u8 code);

/* ---- tcp_ao_sockopt.c ---- */

int tcp_ao_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len);
/* Bytes, or -errno. */
int tcp_ao_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len);

#endif
