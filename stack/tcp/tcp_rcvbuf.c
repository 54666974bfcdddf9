/* SPDX-License-Identifier: MIT */
/*
 * The receive buffer: what it can take, how it grows with what the application reads (dynamic
 * right-sizing). Room in a full one: tcp_prune.c.
 *
 * Invariant: rcv_ssthresh <= window_clamp; a buffer that the user fixed (SO_RCVBUF) never grows.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_user.h"

static u32 sndbuf_per_mss(const struct tcp_sock *tp)
{
	u32 need = max_u32(tp->rx_opt.mss_clamp, tp->mss_cache) + MAX_TCP_HEADER + 320, size = 1;

	while (size < need)
		size *= 2;
	return size + 256;
}

/* Not while the user fixed it, memory is short, or the window is what holds the sender back. */
static bool tcp_should_expand_sndbuf(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return !(sk->sk_userlocks & SOCK_SNDBUF_LOCK) && !sk_under_memory_pressure(sk) &&
	       sk_memory_allocated(sk) < sk_prot_mem_limits(sk, 0) &&
	       tcp_packets_in_flight(tp) < tp->snd_cwnd;
}

/* Room for two windows, so that the next is there when the first is acknowledged. */
static void tcp_sndbuf_expand(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 segs = max_u32(max_u32(TCP_INIT_CWND, tp->snd_cwnd), tp->reordering + 1);
	u64 mem = 2ull * segs * sndbuf_per_mss(tp);

	if ((u64)sk->sk_sndbuf < mem)
		sk->sk_sndbuf = (s32)min_u64(mem, (u64)max_u32((u32)sk->net->sysctl.tcp_wmem_max,
							       SOCK_MIN_SNDBUF));
}

void tcp_check_space(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!sk->sk_nospace || !sk->socket)
		return;
	if (tcp_should_expand_sndbuf(sk)) {
		tcp_sndbuf_expand(sk);
		((struct tcp_sock *)(uintptr_t)tp)->snd_cwnd_stamp = tcp_jiffies32(sk);
	}
	sk_write_space(sk);
	if (!sk->sk_nospace)
		tcp_chrono_stop(sk, TCP_CHRONO_SNDBUF_LIMITED);
}

void tcp_init_buffer_space(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 app_win = (u32)sk->net->sysctl.tcp_app_win, maxwin;

	if (!(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		tcp_sndbuf_expand(sk);
	tcp_mstamp_refresh(tp);
	tp->rcvq_time = tcp_mstamp(tp);
	tp->rcvq_seq = tp->copied_seq;
	maxwin = tcp_full_space(sk);
	if (tp->window_clamp >= maxwin) {
		tp->window_clamp = maxwin;
		if (app_win && maxwin > 4u * tp->advmss)
			tp->window_clamp = max_u32(maxwin - (maxwin >> app_win), 4u * tp->advmss);
	}
	/* One segment stays in reserve. */
	if (app_win && tp->window_clamp > 2u * tp->advmss && tp->window_clamp + tp->advmss > maxwin)
		tp->window_clamp = max_u32(2u * tp->advmss, maxwin - tp->advmss);
	tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, tp->window_clamp);
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	tp->rcvq_space =
		min_u32(min_u32(tp->rcv_ssthresh, tp->rcv_wnd), TCP_INIT_CWND * tp->advmss);
}

void tcp_set_window_clamp(struct sock *sk, u32 val)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 old = tp->window_clamp;

	tp->window_clamp = max_u32(SOCK_MIN_RCVBUF / 2, val);
	if (tp->window_clamp < old)
		tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, tp->window_clamp);
	else if (tp->window_clamp > old)
		tp->rcv_ssthresh =
			max_u32(tp->rcv_ssthresh, min_u32(tp->rcv_wnd, tp->window_clamp));
}

/* What the window may grow by for a packet with this much overhead. */
static u32 grow_for(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 truesize = tcp_win_from_space(sk, skb->truesize) >> 1;
	u32 window = tcp_win_from_space(sk, (u32)sk->net->sysctl.tcp_rmem_max) >> 1;

	while (tp->rcv_ssthresh <= window) {
		if (truesize <= skb->len)
			return 2u * inet_csk(sk)->icsk_ack.rcv_mss;
		truesize >>= 1;
		window >>= 1;
	}
	return 0;
}

void tcp_adjust_rcv_ssthresh(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, 4u * tp->advmss);
}

void tcp_grow_window(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	s32 room = (s32)(min_u32(tp->window_clamp, tcp_space(sk)) - tp->rcv_ssthresh);
	u32 incr;

	if (room <= 0)
		return;
	if (sk_under_memory_pressure(sk)) {
		tcp_adjust_rcv_ssthresh(sk);
		return;
	}
	if (tcp_win_from_space(sk, skb->truesize) <= skb->len)
		incr = 2u * tp->advmss;
	else
		incr = grow_for(sk, skb);
	if (incr) {
		incr = max_u32(incr, 2 * skb->len);
		tp->rcv_ssthresh += min_u32((u32)room, incr);
		inet_csk(sk)->icsk_ack.quick |= 1;
	}
}

/* The reader took more than the last measure in one RTT: the sender may double its rate. */
static void tcp_rcvbuf_grow(struct sock *sk, u32 copied)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 rcvwin = copied << 1, rcvbuf;

	tp->rcvq_space = copied;
	if (!sk->net->sysctl.tcp_moderate_rcvbuf || sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		return;
	if (tp->loss->ooo_last_skb)
		rcvwin += TCP_SKB_CB(tp->loss->ooo_last_skb)->end_seq - tp->rcv_nxt;
	rcvbuf = min_u32(tcp_space_from_win(sk, rcvwin), (u32)sk->net->sysctl.tcp_rmem_max);
	if (rcvbuf > (u32)sk->sk_rcvbuf) {
		sk->sk_rcvbuf = (s32)rcvbuf;
		tp->window_clamp = tcp_win_from_space(sk, rcvbuf);
	}
}

void tcp_rcv_space_adjust(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 copied;

	tcp_mstamp_refresh(tp);
	if (!tp->rcv_rtt_us ||
	    tcp_stamp_us_delta(tcp_mstamp(tp), tp->rcvq_time) < tp->rcv_rtt_us >> 3)
		return;
	copied = tp->copied_seq - tp->rcvq_seq;
	if (copied > tp->rcvq_space)
		tcp_rcvbuf_grow(sk, copied);
	tp->rcvq_seq = tp->copied_seq;
	tp->rcvq_time = tcp_mstamp(tp);
}

/* More came than the buffer was made for. */
void tcp_clamp_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 rmem_max = (u32)sk->net->sysctl.tcp_rmem_max;

	inet_csk(sk)->icsk_ack.quick = 0;
	if ((u32)sk->sk_rcvbuf < rmem_max && !(sk->sk_userlocks & SOCK_RCVBUF_LOCK) &&
	    !sk_under_memory_pressure(sk) && sk_memory_allocated(sk) < sk_prot_mem_limits(sk, 0))
		sk->sk_rcvbuf =
			(s32)max_u32(min_u32(sk->sk_rmem_alloc, rmem_max), (u32)sk->sk_rcvbuf);
	if (sk->sk_rmem_alloc > (u32)sk->sk_rcvbuf)
		tp->rcv_ssthresh = min_u32(tp->window_clamp, 2u * tp->advmss);
}

void tcp_set_rcvlowat(struct sock *sk, struct sock_rare *rare)
{
	bool fixed = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	s32 room = fixed ? sk->sk_rcvbuf : sk->net->sysctl.tcp_rmem_max;
	u32 space;

	if (rare->rcvlowat > room >> 1)
		rare->rcvlowat = room >> 1 ? room >> 1 : 1;
	tcp_data_ready(sk);
	space = tcp_space_from_win(sk, (u32)rare->rcvlowat);
	if (fixed || space <= (u32)sk->sk_rcvbuf)
		return;
	sk->sk_rcvbuf = (s32)space;
	tcp_sk(sk)->window_clamp = (u32)rare->rcvlowat;
}
