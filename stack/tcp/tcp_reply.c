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

/* ---- keys ---- */

const struct tcp_md5sig_key *tcp_reply_key(const struct sock *sk, const struct tcp_reply_to *to)
{
	return sk ? tcp_md5_do_lookup(sk, to->family, &to->saddr) : NULL;
}

bool tcp_reply_listener_key(struct tcp_reply_to *to, u32 dif)
{
	const u8 *th = tcp_hdr(to->skb);
	const struct sock *listener;

	if (tcp_doff(th) < TCP_HLEN + TCPOLEN_MD5SIG)
		return true;
	listener =
		__inet_lookup_listener(inet_hashinfo_of(to->net), to->net, to->family, &to->saddr,
				       tcp_source(th), &to->daddr, tcp_dest(th), dif);
	to->key = listener ? tcp_reply_key(listener, to) : NULL;
	return !to->key || tcp_inbound_md5_hash(listener, to->skb, to->family, &to->saddr,
						&to->daddr) == SKB_DROP_REASON_NOT_SPECIFIED;
}

/* The option goes in front of others behind the header. */
static void sign(struct tcp_reply *r, const struct tcp_reply_to *to)
{
	u8 *options = r->bytes + TCP_HLEN;

	if (!to->key)
		return;
	memmove(options + TCPOLEN_MD5SIG_ALIGNED, options, r->len - TCP_HLEN);
	tcp_md5_write(options);
	r->len += TCPOLEN_MD5SIG_ALIGNED;
	r->bytes[12] = (u8)(r->len / 4 << 4);
	tcp_md5_sign(r->bytes, r->len, to->family, &to->daddr, &to->saddr, to->key);
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

void tcp_reply_request(const struct tcp_reply_to *to, const struct request_sock *req,
		       struct tcp_reply *out)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct ack_arg a = { .seq = treq->snt_isn + 1,
				   .ack = treq->rcv_nxt,
				   .win = tcp_synack_window(req) >> req->rcv_wscale,
				   .tsval = tcp_rsk_tsval(req),
				   .tsecr = req->ts_recent };

	build_ack(to, &a, out);
}
