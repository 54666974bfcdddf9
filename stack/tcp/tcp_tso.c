/* SPDX-License-Identifier: MIT */
/*
 * Super-segments on the way out: how many segments a packet may stand for (tcp_tso_autosize), where
 * it is cut for windows and Nagle (tcp_mss_split_point), when it waits for more
 * (tcp_tso_should_defer), how it is filled up (tcp_grow_skb) (net/ipv4/tcp_output.c).
 *
 * Invariants: a packet of the write queue that leaves has at most sk_gso_max_segs segments and
 * gso_max_size bytes; its segments, the last one aside, have the MSS of the moment.
 */
#include "core/netdevice.h"
#include "tcp/tcp.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rtx_queue.h"

#define GSO_LEGACY_MAX_SIZE 65536u

/* What one packet may hold for the device it goes to (sk_setup_caps). */
static void gso_limits(const struct sock *sk, u32 *size, u32 *segs)
{
	const struct net_device *dev = sk->dst_cache ? sk->dst_cache->dev : NULL;

	*size = dev && dev->gso_max_size ? dev->gso_max_size : GSO_LEGACY_MAX_SIZE;
	*size -= min_u32(*size, MAX_TCP_HEADER + 1);
	*segs = dev && dev->gso_max_segs ? dev->gso_max_segs : GSO_MAX_SEGS;
}

u32 tcp_xmit_size_goal(struct sock *sk, u32 mss_now, bool large_allowed)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 size, segs;

	if (!large_allowed || sk->sk_gso_disabled)
		return mss_now;
	gso_limits(sk, &size, &segs);
	size = tcp_bound_to_half_wnd(tp, size);
	return max_u32(min_u32(size / mss_now, segs), 1) * mss_now;
}

/* As many bytes as go in 1/1024 s at the present rate, more on short paths. */
static u32 tcp_tso_autosize(const struct sock *sk, u32 mss_now, u32 min_segs, u32 gso_max_size)
{
	u64 bytes = sk->sk_pacing_rate >> sk->sk_pacing_shift;
	/* x86 shifts by the lower five bits. */
	u32 r = tcp_min_rtt(tcp_sk(sk)) >> ((u32)sk->net->sysctl.tcp_tso_rtt_log & 31);

	if (r < 32)
		bytes += gso_max_size >> r;
	bytes = min_u64(bytes, gso_max_size);
	return max_u32((u32)bytes / mss_now, min_segs);
}

u32 tcp_tso_segs(struct sock *sk, u32 mss_now)
{
	u32 size, segs;

	if (sk->sk_gso_disabled)
		return 1;
	gso_limits(sk, &size, &segs);
	return min_u32(tcp_tso_autosize(sk, mss_now, (u32)sk->net->sysctl.tcp_min_tso_segs, size),
		       segs);
}

bool tcp_minshall_check(const struct tcp_sock *tp)
{
	return after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
}

/* RFC 9293 3.7.4, of a part that is less than a segment. True: it waits. */
static bool nagle_check(bool partial, const struct tcp_sock *tp, u32 nonagle)
{
	return partial && (nonagle & TCP_NAGLE_CORK ||
			   (!nonagle && tp->packets_out && tcp_minshall_check(tp)));
}

u32 tcp_mss_split_point(const struct sock *sk, const struct sk_buff *skb, u32 mss_now, u32 max_segs,
			u32 nonagle)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 window = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq, max_len = mss_now * max_segs;
	u32 needed, partial;

	if (max_len <= window && skb != tcp_write_queue_tail(sk))
		return max_len;
	needed = min_u32(skb->len, window);
	if (max_len <= needed)
		return max_len;
	partial = needed % mss_now;
	return nagle_check(partial != 0, tp, nonagle) ? needed - partial : needed;
}

/* The ACK that would let more go is expected within this time at the most: it is waited for. */
static bool ack_is_near(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *head = tcp_rtx_queue_head(sk);
	u64 srtt_ns = (u64)tp->srtt_us * (NSEC_PER_USEC / 8), expected;

	if (!head)
		return false;
	expected = head->tstamp + srtt_ns;
	return (s64)(expected - tp->tcp_clock_cache - min_u64(srtt_ns >> 1, NSEC_PER_MSEC)) <= 0;
}

bool tcp_tso_should_defer(struct sock *sk, const struct sk_buff *skb, bool *is_cwnd_limited,
			  bool *is_rwnd_limited, u32 max_segs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 in_flight = tcp_packets_in_flight(tp), send_win, cong_win, limit;
	s32 divisor = sk->net->sysctl.tcp_tso_win_divisor;

	if (inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery)
		return false;
	/* Only while writes come one after the other. */
	if ((s64)(tp->tcp_clock_cache - tp->tcp_wstamp_ns - NSEC_PER_MSEC) > 0)
		return false;
	ASSERT(tcp_skb_pcount(skb) > 1);
	if (tp->snd_cwnd <= in_flight)
		return false; /* a loss probe goes past cwnd */
	send_win = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
	cong_win = (tp->snd_cwnd - in_flight) * tp->mss_cache;
	limit = min_u32(send_win, cong_win);
	if (limit >= max_segs * tp->mss_cache)
		return false;
	if (skb != tcp_write_queue_tail(sk) && limit >= skb->len)
		return false;
	if (divisor) {
		u32 chunk = (u32)min_u64(tp->snd_wnd, (u64)tp->snd_cwnd * tp->mss_cache);

		if (limit >= chunk / (u32)divisor)
			return false;
	} else if (limit > 3 * tp->mss_cache) {
		return false; /* tcp_max_tso_deferred_mss: an ACK for every other segment */
	}
	if (!ack_is_near(sk))
		return false;
	if (cong_win < send_win) {
		if (cong_win <= skb->len) {
			*is_cwnd_limited = true;
			return true;
		}
	} else if (send_win <= skb->len) {
		*is_rwnd_limited = true;
		return true;
	}
	/* Nothing can be added to it any more. */
	return !(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN || TCP_SKB_CB(skb)->eor);
}

/* `amount` bytes of the next packet are moved to the end of this one, to fill its segments. */
void tcp_grow_skb(struct sock *sk, struct sk_buff *skb, u32 amount)
{
	struct sk_buff *next = skb->next;
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb), *ncb;
	u32 n;

	if (!next || !tcp_skb_can_collapse(skb, next) || skb_cloned(skb) || skb_cloned(next) ||
	    skb_shinfo(skb)->ubuf || skb_shinfo(next)->ubuf)
		return;
	n = min_u32(amount, next->len);
	if (!n || tcp_skb_make_room(skb, n, n))
		return;
	ncb = TCP_SKB_CB(next);
	memcpy(skb_put(skb, n), next->data, n);
	skb_pull(next, n);
	skb->truesize += n;
	next->truesize -= n;
	cb->payload_csum = 0;
	ncb->payload_csum = 0;
	cb->end_seq += n;
	ncb->seq += n;
	if (next->len)
		return;
	/* Its FIN too. */
	cb->end_seq = ncb->end_seq;
	cb->eor = ncb->eor;
	cb->tcp_flags |= ncb->tcp_flags;
	skb_unlink(&sk->write_queue, next);
	tcp_wmem_free_skb(sk, next);
}
