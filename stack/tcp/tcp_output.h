/* SPDX-License-Identifier: MIT */
/*
 * Segments on their way out: size, pace, form (tcp_tso.c, tcp_pacing.c, tcp_output.c).
 */
#ifndef TAPLINE_TCP_TCP_OUTPUT_H
#define TAPLINE_TCP_TCP_OUTPUT_H

#include "lib/checksum.h"
#include "tcp/tcp.h"

/* ---- tcp_tso.c ---- */

/* Bytes that a packet of the write queue should take: a multiple of mss_now. */
u32 tcp_xmit_size_goal(struct sock *sk, u32 mss_now, bool large_allowed);
/* Segments that one packet may stand for at the present rate. */
u32 tcp_tso_segs(struct sock *sk, u32 mss_now);
/* Sets sk_pacing_rate from cwnd and RTT. */
void tcp_update_pacing_rate(struct sock *sk);
/* ---- tcp_pacing.c ---- */

void tcp_resume_timer(struct timer *t);
/* True: nothing may go yet; its timer is armed. */
bool tcp_pacing_check(struct sock *sk);
/* True: enough waits below already; it goes on when some of it was sent. factor: twice as much. */
bool tcp_small_queue_check(struct sock *sk, const struct sk_buff *skb, u32 factor);
/* True: a small write waits for the device, others may fill the packet up. */
bool tcp_should_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal);
/* None is armed after it. */
void tcp_clear_xmit_timers(struct sock *sk);
/* Is a packet that was less than a segment under way (Minshall)? */
bool tcp_minshall_check(const struct tcp_sock *tp);

/* ---- tcp_output.c ---- */

/* Active open (RFC 9293 3.10.1): SYN queued and sent. Addresses, ports, ISN (write_seq) are set.
 * 0 or -errno. */
int tcp_connect(struct sock *sk);
/* proto.connect behind its addresses and port: numbers of this connection (RFC 6528), then the SYN,
 * unless fast open waits for data. 0 or -errno. */
int tcp_open(struct sock *sk, const struct inet_addr *laddr, const struct inet_addr *faddr);
/* The rest of an opening that waited for data. 0 or -errno; the socket is in CLOSED then. */
int tcp_connect_deferred(struct sock *sk);
/* First numbers before the SYN: windows, MSS, header length. */
void tcp_connect_init(struct sock *sk);
/*
 * The SYN-ACK for a request, with its route dst (held by the caller; the packet takes a reference
 * of its own): data at the TCP header, header without checksum. NULL: no memory.
 */
struct sk_buff *tcp_make_synack(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
				const struct tcp_fastopen_cookie *foc);
/* rcv_wnd, window_clamp, rcv_wscale for a request (tcp_openreq_init_rwin). */
void tcp_openreq_init_rwin(struct request_sock *req, const struct sock *sk_listener,
			   const struct dst_entry *dst);
/* The same for a request that a cookie brought back: Linux counts in the MSS of the cookie. */
void tcp_cookie_init_rwin(struct request_sock *req, const struct sock *sk_listener,
			  const struct dst_entry *dst);
/* Window to offer at first out of `space` bytes, and its scale (RFC 7323 2). */
void tcp_select_initial_window(const struct sock *sk, u32 space, u32 mss, u32 *rcv_wnd,
			       u32 *window_clamp, bool wscale_ok, u8 *rcv_wscale, u32 init_rcv_wnd);
u32 tcp_sync_mss(struct sock *sk, u32 pmtu);
u32 tcp_mtu_to_mss(struct sock *sk, u32 pmtu);
/* The same without options (__tcp_mtu_to_mss). */
u32 tcp_mtu_to_mss_plain(const struct sock *sk, u32 pmtu);
u32 tcp_mss_to_mtu(struct sock *sk, u32 mss);
void tcp_mtup_init(struct sock *sk);
/* The probe is acknowledged: that is the size now. */
void tcp_mtup_probe_success(struct sock *sk);
/* A loss is found: of the probe alone? Then it was too large, and that is all. */
bool tcp_mtup_probe_lost(struct sock *sk);
/* Time-out after time-out (tcp_retries1): smaller segments, and the search (RFC 4821 7.7). */
void tcp_mtu_black_hole(struct sock *sk);
u32 tcp_current_mss(struct sock *sk);
u16 tcp_advertise_mss(struct sock *sk);
/* The MSS to announce on this route, within TCP_MAXSEG. */
u16 tcp_mss_clamp(const struct tcp_sock *tp, u16 mss);
u32 tcp_dst_advmss(const struct dst_entry *dst);
void tcp_initialize_advmss(struct sock *sk, const struct dst_entry *dst);
/* Sends what may be sent. */
void __tcp_push_pending_frames(struct sock *sk, u32 cur_mss, u32 nonagle);
void tcp_push_one(struct sock *sk, u32 mss_now);
void tcp_push_pending_frames(struct sock *sk);
bool tcp_write_xmit(struct sock *sk, u32 mss_now, u32 nonagle, int push_one);
/* Sends one segment: `clone`: skb stays in a queue. 0, > 0 (dropped below), or -errno. */
int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone);
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone, u32 rcv_nxt);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);
void tcp_xmit_retransmit_queue(struct sock *sk);
void tcp_send_ack(struct sock *sk);
/* The same for an earlier RCV.NXT (DCTCP): what is owed for later ones stays so. */
void __tcp_send_ack(struct sock *sk, u32 rcv_nxt, u16 flags);
/* With the feedback that AccECN has in a handshake: of the peer's SYN or SYN-ACK. */
void tcp_send_ack_reflect_ect(struct sock *sk);
void tcp_send_delayed_ack(struct sock *sk);
void tcp_send_fin(struct sock *sk);
void tcp_send_active_reset(struct sock *sk, enum sk_rst_reason reason);
/* SYN-ACK of a simultaneous open (RFC 9293 3.5 figure 7). 0 or -errno. */
int tcp_send_synack(struct sock *sk);
/* A segment with the sequence number SND.UNA - 1: probe or keepalive. */
int tcp_xmit_probe_skb(struct sock *sk, bool urgent, int mib);
int tcp_write_wakeup(struct sock *sk, int mib);
void tcp_send_probe0(struct sock *sk);
bool tcp_schedule_loss_probe(struct sock *sk, bool advancing_rto);
void tcp_send_loss_probe(struct sock *sk);
u32 __tcp_select_window(struct sock *sk);
/* Splits a segment of a queue at len. 0, -ENOMEM. */
enum tcp_queue { TCP_FRAG_IN_WRITE_QUEUE, TCP_FRAG_IN_RTX_QUEUE };
int tcp_fragment(struct sock *sk, enum tcp_queue queue, struct sk_buff *skb, u32 len, u32 mss_now);
/* A private data area for a segment of a queue: headers may be written again. 0, -ENOMEM. */
int tcp_skb_unclone(struct sk_buff *skb);
/* Takes the first len bytes, which are acknowledged, away. 0, -ENOMEM. */
int tcp_trim_head(struct sock *sk, struct sk_buff *skb, u32 len);
/* A segment without payload, headroom reserved, to be filled. */
struct sk_buff *tcp_stream_alloc_skb(struct sock *sk, u32 size);
void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb);
/* A copy for the device is charged to the socket until it was sent. */
void tcp_skb_set_owner_w(struct sock *sk, struct sk_buff *skb);
void tcp_wfree(struct sk_buff *skb);
/* Room for `need` bytes more at the end of a packet of a queue; when it must be moved, for `want`.
 * 0, -ENOMEM. */
int tcp_skb_make_room(struct sk_buff *skb, u32 need, u32 want);
/* Segments that it is at this MSS; set in the packet. */
u32 tcp_set_skb_tso_segs(struct sk_buff *skb, u32 mss_now);
/* RFC 9293 3.8.6.2.1: not more than half of the window of a peer with a small one. */
u32 tcp_bound_to_half_wnd(const struct tcp_sock *tp, u32 size);
void tcp_init_nondata_skb(struct sk_buff *skb, u32 seq, u16 flags);
/* RFC 5681 4.1: cwnd after idle time. */
void tcp_slow_start_after_idle_check(struct sock *sk);
void tcp_adjust_pcount(struct sock *sk, const struct sk_buff *skb, s32 decr);

/* What goes into a header besides the fixed part. */
struct tcp_out_options {
	u16 options; /* OPTION_* */
	u16 mss;
	u8 ws, num_sack_blocks;
	u8 auth_len; /* tcp_auth_sign() fills them: they come first */
	u8 num_accecn_fields;
	bool accecn_synack; /* of a SYN-ACK: counters are as they begin */
	u32 tsval, tsecr;
	const struct tcp_fastopen_cookie *fastopen_cookie;
};
#define OPTION_FAST_OPEN_COOKIE 256
#define OPTION_ACCECN		512
#define OPTION_SACK_ADVERTISE	1
#define OPTION_TS		2
#define OPTION_WSCALE		8
#define OPTION_MSS		16
/* Writes them behind the header at th (room is there). tp NULL: no SACK blocks. Bytes written. */
u32 tcp_options_write(u8 *th, struct tcp_sock *tp, const struct tcp_out_options *opts);
u32 tcp_established_options(struct sock *sk, const struct sk_buff *skb,
			    struct tcp_out_options *opts);

/* The checksum of a segment that is about to leave, pseudo header summed up: whole where the
 * payload's is known, else what the device or a copy completes. */
static inline void __tcp_send_check(struct sk_buff *skb, u32 psum)
{
	u8 *th = tcp_hdr(skb);

	if (TCP_SKB_CB(skb)->payload_csum) {
		store_be16(th + 16, 0);
		store_be16(th + 16,
			   csum_fold(csum_add(psum, csum_partial(th, tcp_doff(th), skb->csum))));
		skb->ip_summed = CHECKSUM_NONE;
		return;
	}
	store_be16(th + 16, csum_fold_raw(psum));
	skb->csum_start = (u16)(th - skb->head);
	skb->csum_offset = 16;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

#endif
