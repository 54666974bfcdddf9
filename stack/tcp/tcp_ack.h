/* SPDX-License-Identifier: MIT */
/*
 * What an ACK says: of the queue, of the round trip, of the rate (tcp_ack.c, tcp_rtt.c,
 * tcp_rate.c).
 */
#ifndef TAPLINE_TCP_TCP_ACK_H
#define TAPLINE_TCP_TCP_ACK_H

#include "tcp/tcp.h"
#include "tcp/tcp_cong.h"

/* ---- tcp_ack.c ---- */

#define FLAG_DATA		0x01 /* the segment has data */
#define FLAG_WIN_UPDATE		0x02
#define FLAG_DATA_ACKED		0x04
#define FLAG_RETRANS_DATA_ACKED 0x08
#define FLAG_SYN_ACKED		0x10
#define FLAG_DATA_SACKED	0x20
#define FLAG_ECE		0x40
#define FLAG_LOST_RETRANS	0x80
#define FLAG_SLOWPATH		0x100
#define FLAG_ORIG_SACK_ACKED	0x200
#define FLAG_SND_UNA_ADVANCED	0x400
#define FLAG_DSACKING_ACK	0x800
#define FLAG_SET_XMIT_TIMER	0x1000
#define FLAG_SACK_RENEGING	0x2000
#define FLAG_UPDATE_TS_RECENT	0x4000
#define FLAG_NO_CHALLENGE_ACK	0x8000
#define FLAG_ACK_MAYBE_DELAYED	0x10000
#define FLAG_DSACK_TLP		0x20000
#define FLAG_TS_PROGRESS	0x40000 /* TS.Recent moved on */
#define FLAG_ACKED		(FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_NOT_DUP		(FLAG_DATA | FLAG_WIN_UPDATE | FLAG_ACKED)
#define FLAG_CA_ALERT		(FLAG_DATA_SACKED | FLAG_ECE | FLAG_DSACKING_ACK)
#define FLAG_FORWARD_PROGRESS	(FLAG_ACKED | FLAG_DATA_SACKED)

/* What one SACK or ACK told, gathered on its way (struct tcp_sacktag_state). */
struct tcp_sacktag_state {
	u64 first_sackt, last_sackt; /* us: send times of the first and last segment newly SACKed */
	u32 reord; /* lowest segment SACKed out of order */
	u32 sack_delivered;
	u32 delivered_bytes; /* acknowledged or SACKed for the first time */
	u32 flag;
	u32 mss_now;
	struct rate_sample *rate;
};

/*
 * RFC 9293 3.10.7.4 fifth: the acknowledgement of a segment. > 0: acceptable, 0: old, < 0: not
 * acceptable (-enum sk_rst_reason); a challenge ACK was sent when one is due.
 */
int tcp_ack(struct sock *sk, const struct sk_buff *skb, u32 flag);
/* RFC 7323 4.3: TS.Recent. FLAG_TS_PROGRESS: it grew. */
u32 tcp_replace_ts_recent(struct tcp_sock *tp, u32 seq);
/* May the peer's window of this segment replace ours? RFC 9293 3.10.7.4: SND.WL1 and WL2. */
bool tcp_may_update_window(const struct tcp_sock *tp, u32 ack, u32 ack_seq, u32 nwin);
u32 tcp_ack_update_window(struct sock *sk, const struct sk_buff *skb, u32 ack, u32 ack_seq);
void tcp_fast_path_on(struct tcp_sock *tp);
void tcp_fast_path_check(struct sock *sk);
void tcp_rearm_rto(struct sock *sk);
void tcp_set_xmit_timer(struct sock *sk);

/* ---- tcp_rtt.c (RFC 6298) ---- */

void tcp_rtt_estimator(struct sock *sk, s64 mrtt_us);
void tcp_set_rto(struct sock *sk);
u32 __tcp_set_rto(const struct tcp_sock *tp);
u32 tcp_rto_min(const struct sock *sk);
u32 tcp_rto_min_us(const struct sock *sk);
void tcp_bound_rto(struct sock *sk);
bool tcp_ack_update_rtt(struct sock *sk, u32 flag, s64 seq_rtt_us, s64 sack_rtt_us, s64 ca_rtt_us,
			struct rate_sample *rs);
/* RTT of the handshake: from the SYN-ACK of the request to now. */
void tcp_synack_rtt_meas(struct sock *sk, struct request_sock *req);
/* What was measured says nothing of what comes. */
void tcp_rtt_min_reset(struct sock *sk);
void tcp_update_rtt_min(struct sock *sk, u32 rtt_us, u32 flag);
u32 tcp_min_rtt(const struct tcp_sock *tp);
void tcp_rcv_rtt_measure(struct tcp_sock *tp);
void tcp_rcv_rtt_measure_ts(struct sock *sk, const struct sk_buff *skb);

/* ---- tcp_rate.c ---- */

void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb);
void tcp_rate_skb_delivered(struct sock *sk, const struct sk_buff *skb, struct rate_sample *rs);
void tcp_rate_gen(struct sock *sk, u32 delivered, u32 lost, bool is_sack_reneg,
		  struct rate_sample *rs);
void tcp_rate_check_app_limited(struct sock *sk);

#endif
