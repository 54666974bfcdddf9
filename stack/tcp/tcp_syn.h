/* SPDX-License-Identifier: MIT */
/* What a family gives to tcp_conn_request() (struct tcp_request_sock_ops), and the request's side
 * of the handshake. */
#ifndef TAPLINE_TCP_TCP_SYN_H
#define TAPLINE_TCP_TCP_SYN_H

#include "tcp/tcp_fastopen.h"

struct tcp_request_sock_ops {
	struct request_sock_ops ops; /* first */
	u16 mss_clamp; /* for a SYN without an MSS option */
	/* Addresses, IP options. */
	void (*init_req)(struct request_sock *req, const struct sock *sk, struct sk_buff *skb);
	/* With a reference; NULL: no way back. */
	struct dst_entry *(*route_req)(const struct sock *sk, const struct request_sock *req);
	/* dst NULL: looks for it. Does not take dst. foc: may be NULL. 0 or -errno. */
	int (*send_synack)(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
			   const struct tcp_fastopen_cookie *foc);
};

static inline const struct tcp_request_sock_ops *tcp_rsk_ops(const struct request_sock *req)
{
	return (const struct tcp_request_sock_ops *)(const void *)reqsk_ops(req);
}

/* The SYN-ACK again: counted, and in the request. 0 or -errno. */
int tcp_rtx_synack(struct sock *sk, struct request_sock *req);
/* A SYN or child that the listener had to drop (ListenDrops). */
void tcp_listendrop(struct sock *sk);
/* Ports and device of a request, from a SYN or what came instead. */
void tcp_req_key(struct request_sock *req, const struct sock *sk, const struct sk_buff *skb);

/* ---- SYN cookies (tcp_syncookies.c) ---- */

/* The ISN that stands for a request, whose MSS is cut to one that it can tell. */
u32 tcp_cookie_init_sequence(struct sock *sk, struct request_sock *req);
/* Our time stamp in the SYN-ACK, without its offset: it holds what the ISN can not. */
u32 tcp_cookie_tsval(const struct request_sock *req);
/*
 * A segment for a listener that no request is there for. The listener itself: it is no cookie; the
 * child: it gets the segment; NULL: it was one, and there is no room or no memory.
 */
struct sock *tcp_cookie_check(const struct tcp_request_sock_ops *ops, struct sock *sk,
			      struct sk_buff *skb);

/* May sk, which connects, take the place of a TIME-WAIT socket? (inet_hashinfo.twsk_unique) It gets
 * the ISN and the time stamp that follow on. */
bool tcp_twsk_unique(struct sock *sk, struct inet_timewait_sock *tw, bool bound);
/* An ICMP error for a request: seq is that of the quoted SYN-ACK; abort: it can not be reached. */
void tcp_req_err(struct request_sock *req, u32 seq, bool abort);

/* Window announced in the SYN-ACK (unscaled there: RFC 7323 2.2). */
static inline u32 tcp_synack_window(const struct request_sock *req)
{
	return min_u32(req->rsk_rcv_wnd, 65535);
}

/* When the first SYN-ACK went, on the clock of tcp_clock_us(). */
static inline u64 tcp_synack_sent_us(const struct request_sock *req)
{
	u64 now = tcp_clock_us(req->skc.skc_net->host);

	return now - (u32)((u32)now - tcp_rsk(req)->snt_synack);
}

/* Jiffies to the next SYN-ACK (tcp_reqsk_timeout). */
u32 tcp_reqsk_timeout(const struct request_sock *req);

/* Our time stamp in segments of a request. */
static inline u32 tcp_rsk_tsval(const struct request_sock *req)
{
	return tcp_clock_ms(req->skc.skc_net->host) + req->ts_off;
}

static inline void tcp_segs_in(struct tcp_sock *tp, const struct sk_buff *skb)
{
	u32 segs = max_u32(1, skb_shinfo(skb)->gso_segs);

	tp->segs_in += segs;
	if (skb->len > tcp_doff(tcp_hdr(skb)))
		tp->data_segs_in += segs;
}

/* A segment's bytes [seq, end_seq) against the window [s_win, e_win) (tcp_in_window). */
static inline bool tcp_in_window(u32 seq, u32 end_seq, u32 s_win, u32 e_win)
{
	if (seq == s_win)
		return true;
	if (after(end_seq, s_win) && before(seq, e_win))
		return true;
	return seq == e_win && seq == end_seq;
}

#endif
