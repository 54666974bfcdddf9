/* SPDX-License-Identifier: MIT */
/*
 * Delivery rate (draft-cheng-iccrg-delivery-rate-estimation): each segment remembers how much had
 * been delivered when it left; its ACK tells how much since (net/ipv4/tcp_rate.c).
 */
#include "tcp/tcp.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"

void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	/* Nothing under way: the idle time before is no part of the rate. */
	if (!tp->packets_out) {
		tp->first_tx_mstamp = tcp_skb_timestamp_us(skb);
		tp->delivered_mstamp = tp->first_tx_mstamp;
	}
	cb->tx.first_tx_mstamp = tp->first_tx_mstamp;
	cb->tx.delivered_mstamp = tp->delivered_mstamp;
	cb->tx.delivered = tp->delivered;
	cb->tx.is_app_limited = tp->app_limited ? 1 : 0;
}

void tcp_rate_skb_delivered(struct sock *sk, const struct sk_buff *skb, struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u64 tx = tcp_skb_timestamp_us(skb);

	if (!cb->tx.delivered_mstamp)
		return;
	if (!rs->prior_delivered || tx > tp->first_tx_mstamp ||
	    (tx == tp->first_tx_mstamp && after(cb->end_seq, rs->last_end_seq))) {
		rs->prior_delivered = cb->tx.delivered;
		rs->prior_mstamp = cb->tx.delivered_mstamp;
		rs->is_app_limited = cb->tx.is_app_limited;
		rs->is_retrans = (cb->sacked & TCPCB_RETRANS) != 0;
		rs->last_end_seq = cb->end_seq;
		tp->first_tx_mstamp = tx;
		rs->interval_us = tcp_stamp_us_delta(tx, cb->tx.first_tx_mstamp);
	}
	/* SACKed ones are not counted again when they are acknowledged. */
	if (cb->sacked & TCPCB_SACKED_ACKED)
		cb->tx.delivered_mstamp = 0;
}

void tcp_rate_gen(struct sock *sk, u32 delivered, u32 lost, bool is_sack_reneg,
		  struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 snd_us, ack_us;

	if (tp->app_limited && after(tp->delivered, tp->app_limited))
		tp->app_limited = 0;
	if (delivered)
		tp->delivered_mstamp = tcp_mstamp(tp);
	rs->acked_sacked = (s32)delivered;
	rs->losses = (s32)lost;
	if (!rs->prior_mstamp || is_sack_reneg) {
		rs->delivered = -1;
		rs->interval_us = -1;
		return;
	}
	rs->delivered = (s32)(tp->delivered - rs->prior_delivered);
	snd_us = (u32)rs->interval_us;
	ack_us = tcp_stamp_us_delta(tcp_mstamp(tp), rs->prior_mstamp);
	rs->interval_us = max_u32(snd_us, ack_us);
	if (rs->interval_us < tcp_min_rtt(tp)) {
		rs->interval_us = -1;
		return;
	}
	if (!rs->is_app_limited || (u64)(u32)rs->delivered * tp->rate_interval_us >=
					   (u64)tp->rate_delivered * (u64)rs->interval_us) {
		tp->rate_delivered = (u32)rs->delivered;
		tp->rate_interval_us = (u32)rs->interval_us;
		tp->rate_app_limited = rs->is_app_limited;
	}
}

void tcp_rate_check_app_limited(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 limit;

	if (tp->write_seq - tp->snd_nxt >= tp->mss_cache)
		return;
	if (tcp_packets_in_flight(tp) >= tp->snd_cwnd || tp->lost_out > tp->retrans_out)
		return;
	limit = tp->delivered + tcp_packets_in_flight(tp);
	tp->app_limited = limit ? limit : 1;
}
