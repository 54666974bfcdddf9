/* SPDX-License-Identifier: MIT */
/*
 * Headers of segments that no connection's socket sends (tcp_reply.h; tcp_v4_send_reset,
 * tcp_v4_send_ack and their likes): ports of the segment that arrived turned round, numbers of what
 * it hit.
 *
 * Invariant: a reply to somebody that a key is known for is signed with it.
 */
#include "tcp/tcp_reply.h"

#include "inet/inet_hashtables.h"
#include "inet/inet_timewait_sock.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"

/* ---- keys ---- */

static struct tcp_ends incoming(const struct tcp_reply_to *to)
{
	return (struct tcp_ends){ .family = to->family, .saddr = &to->saddr, .daddr = &to->daddr };
}

static void take_md5(struct tcp_reply_to *to, const struct tcp_md5sig_key *key)
{
	to->key = (struct tcp_key){ .type = key ? TCP_KEY_MD5 : TCP_KEY_NONE, .md5_key = key };
}

static u32 reset_seq(const u8 *th)
{
	return tcp_flags(th) & TCPHDR_ACK ? tcp_ack_seq(th) : 0;
}

/* With the traffic key of what goes back, for these numbers of ours and the peer's. */
static void take_ao(struct tcp_reply_to *to, struct tcp_ao_key *key, u32 lisn, u32 risn)
{
	const u8 *th = tcp_hdr(to->skb);
	const struct tcp_ao_context ctx = {
		.ends = { .family = to->family, .saddr = &to->daddr, .daddr = &to->saddr },
		.sport = tcp_dest(th),
		.dport = tcp_source(th),
		.sisn = lisn,
		.disn = risn
	};

	to->key.type = TCP_KEY_AO;
	to->key.ao_key = key;
	to->key.keyid = key->sndid;
	tcp_ao_calc_traffic_key(key, to->key.traffic_key, &ctx);
}

/*
 * The listener has no connection: a SYN's sender has sent nothing but that, and will take the
 * number of the reset for ours; an ACK was checked with the numbers before those that it has.
 */
static bool listener_ao_key(struct tcp_reply_to *to, const struct tcp_ao_info *ao, const u8 *aoh)
{
	const u8 *th = tcp_hdr(to->skb);
	struct tcp_ao_key *key = tcp_ao_do_lookup(ao, &to->saddr, to->family, aoh[3], -1);
	bool syn = tcp_flags(th) & TCPHDR_SYN;

	if (!key)
		return false;
	if (syn)
		take_ao(to, key, reset_seq(th), tcp_seq(th));
	else
		take_ao(to, key, tcp_ack_seq(th) - 1, tcp_seq(th) - 1);
	to->key.rnext = key->rcvid;
	to->key.sne = syn ? 0 : tcp_ao_compute_sne(0, tcp_ack_seq(th) - 1, reset_seq(th));
	return true;
}

/* A connection's: `next`: its SND.UNA, seq: what is sent. */
static bool connection_ao_key(struct tcp_reply_to *to, struct tcp_ao_info *ao, const u8 *aoh,
			      u32 next, u32 seq)
{
	struct tcp_ao_key *key = tcp_ao_established_key(ao, aoh[3], -1);

	if (!key || !ao->rnext_key)
		return false;
	take_ao(to, key, ao->lisn, ao->risn);
	to->key.rnext = ao->rnext_key->rcvid;
	to->key.sne = tcp_ao_sne_of(&ao->snd, next, seq);
	return true;
}

/*
 * The active side may be what is lost: then a listener at the sender's port knows its key, and a
 * segment that is signed with it gets a signed answer; another gets none (RFC 2385 2.0).
 */
static bool listener_md5_key(struct tcp_reply_to *to, const u8 *hash)
{
	const struct tcp_ends ends = incoming(to);
	const u8 *th = tcp_hdr(to->skb);
	const struct sock *listener =
		__inet_lookup_listener(inet_hashinfo_of(to->net), to->net, NULL, 0, to->family,
				       &to->saddr, tcp_source(th), &to->daddr, tcp_source(th),
				       to->skb->dev ? to->skb->dev->ifindex : 0);

	take_md5(to, listener ? tcp_md5_do_lookup(listener, to->family, &to->saddr) : NULL);
	return to->key.type && tcp_inbound_md5_hash(listener, to->skb, &ends, hash) ==
				       SKB_DROP_REASON_NOT_SPECIFIED;
}

bool tcp_reply_reset_key(struct tcp_reply_to *to, const struct sock *sk,
			 const struct inet_timewait_sock *tw)
{
	const u8 *th = tcp_hdr(to->skb);
	struct tcp_ao_info *ao = sk ? tcp_ao_info_of(sk) : tw ? tcp_twsk_ao_info(tw) : NULL;
	struct tcp_auth_options opts;

	if (!tcp_parse_auth_options(to->net, th, &opts))
		return false;
	if (opts.ao && ao && sk && sk->sk_state == TCP_LISTEN)
		return listener_ao_key(to, ao, opts.ao);
	if (opts.ao && ao)
		return connection_ao_key(to, ao, opts.ao, sk ? tcp_sk(sk)->snd_una : tw->tw_snd_nxt,
					 reset_seq(th));
	/* RFC 5925 7.7: of a connection that is gone nobody knows the traffic key. */
	if (opts.ao && !(sk && to->net->sysctl.rfc_tcp_ao_accept))
		return false;
	if (sk)
		take_md5(to, tcp_md5_do_lookup(sk, to->family, &to->saddr));
	else if (opts.md5_hash)
		return listener_md5_key(to, opts.md5_hash);
	return true;
}

bool tcp_reply_timewait_key(struct tcp_reply_to *to, const struct inet_timewait_sock *tw)
{
	struct tcp_ao_info *ao = tcp_twsk_ao_info(tw);
	struct tcp_auth_options opts;

	if (!ao) {
		take_md5(to, tcp_twsk_md5_key(tw));
		return true;
	}
	return tcp_parse_auth_options(to->net, tcp_hdr(to->skb), &opts) && opts.ao &&
	       connection_ao_key(to, ao, opts.ao, tw->tw_snd_nxt, tw->tw_snd_nxt);
}

bool tcp_reply_request_key(struct tcp_reply_to *to, const struct sock *sk,
			   const struct request_sock *req)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	struct tcp_auth_options opts;
	struct tcp_ao_key *key;

	if (!treq->used_tcp_ao) {
		take_md5(to, tcp_md5_do_lookup(sk, to->family, &to->saddr));
		return true;
	}
	if (!ao || !tcp_parse_auth_options(to->net, tcp_hdr(to->skb), &opts) || !opts.ao)
		return false;
	key = tcp_ao_do_lookup(ao, &to->saddr, to->family, opts.ao[3], -1);
	if (!key)
		key = tcp_ao_do_lookup(ao, &to->saddr, to->family, -1, -1);
	if (!key)
		return false;
	take_ao(to, key, treq->snt_isn, treq->rcv_isn);
	to->key.rnext = opts.ao[2];
	to->key.sne = tcp_ao_compute_sne(0, treq->snt_isn, treq->snt_isn + 1);
	return true;
}

/* The option goes behind others. */
static void sign(struct tcp_reply *r, const struct tcp_reply_to *to)
{
	const struct tcp_ends ends = { .family = to->family,
				       .saddr = &to->daddr,
				       .daddr = &to->saddr };
	u32 at = r->len;

	r->len += tcp_key_len(&to->key);
	ASSERT(r->len <= sizeof(r->bytes));
	r->bytes[12] = (u8)(r->len / 4 << 4);
	tcp_key_sign(&to->key, r->bytes, r->len, at, &ends);
}

/* ---- resets ---- */

void tcp_reply_reset(const struct tcp_reply_to *to, u32 reason, struct tcp_reply *out)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(to->skb);
	const u8 *th = tcp_hdr(to->skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_RST };

	if (cb->tcp_flags & TCPHDR_ACK) {
		rep.seq = cb->ack_seq;
	} else {
		rep.flags |= TCPHDR_ACK;
		rep.ack_seq = cb->end_seq;
	}
	tcp_build(out->bytes, &rep);
	out->len = TCP_HLEN;
	trace(net_world(to->net), to->net->host, TRACE_TCP_SEND_RESET, rep.source, rep.dest, reason,
	      0);
	MIB_INC(to->net, TcpOutSegs);
	MIB_INC(to->net, TcpOutRsts);
	sign(out, to);
}

/* ---- ACKs ---- */

/* Numbers of an ACK; the time stamp option goes with it when tsecr is not 0. */
struct ack_arg {
	u32 seq, ack, win, tsval, tsecr;
};

static void build_ack(const struct tcp_reply_to *to, const struct ack_arg *a, struct tcp_reply *out)
{
	const u8 *th = tcp_hdr(to->skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_ACK,
			       .seq = a->seq,
			       .ack_seq = a->ack,
			       .window = (u16)a->win };

	if (a->tsecr) {
		rep.doff = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
		put_be32(out->bytes + TCP_HLEN, 0x0101080a); /* NOP NOP TS 10 */
		put_be32(out->bytes + TCP_HLEN + 4, a->tsval);
		put_be32(out->bytes + TCP_HLEN + 8, a->tsecr);
	}
	tcp_build(out->bytes, &rep);
	out->len = rep.doff;
	MIB_INC(to->net, TcpOutSegs);
	sign(out, to);
}

void tcp_reply_timewait(const struct tcp_reply_to *to, const struct inet_timewait_sock *tw,
			struct tcp_reply *out)
{
	const struct ack_arg a = { .seq = tw->tw_snd_nxt,
				   .ack = tw->tw_rcv_nxt,
				   .win = tw->tw_rcv_wnd >> tw->tw_rcv_wscale,
				   .tsval = tcp_clock_ms(to->net->host) + tw->tw_ts_offset,
				   .tsecr = tw->tw_ts_recent };

	build_ack(to, &a, out);
}

u32 tcp_reply_request_seq(const struct sock *sk, const struct request_sock *req)
{
	return sk->sk_state == TCP_LISTEN ? tcp_rsk(req)->snt_isn + 1 : tcp_sk(sk)->snd_nxt;
}

void tcp_reply_request(const struct tcp_reply_to *to, const struct request_sock *req, u32 seq,
		       struct tcp_reply *out)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct ack_arg a = { .seq = seq,
				   .ack = treq->rcv_nxt,
				   .win = tcp_synack_window(req) >> req->rcv_wscale,
				   .tsval = tcp_rsk_tsval(req),
				   .tsecr = req->ts_recent };

	build_ack(to, &a, out);
}

/* ---- packets ---- */

struct sk_buff *tcp_reply_skb(struct net *net, const struct tcp_reply *rep, u32 headroom,
			      struct dst_entry *dst)
{
	struct sk_buff *skb = alloc_skb(net_world(net), headroom + rep->len);

	if (!skb) {
		dst_release(dst);
		return NULL;
	}
	skb_reserve(skb, headroom);
	memcpy(skb_put(skb, rep->len), rep->bytes, rep->len);
	skb_reset_transport_header(skb);
	skb->net = net;
	skb_dst_set(skb, dst);
	TCP_SKB_CB(skb)->payload_csum = 0;
	return skb;
}
