/* SPDX-License-Identifier: MIT */
/*
 * Congestion control behind its ops (tcp_cong.c, tcp_reno.c, tcp_cubic.c, tcp_dctcp.c).
 */
#ifndef TAPLINE_TCP_TCP_CONG_H
#define TAPLINE_TCP_TCP_CONG_H

#include "tcp/tcp.h"

enum tcp_ca_event {
	CA_EVENT_TX_START, /* first data after all was acknowledged */
	CA_EVENT_CWND_RESTART, /* after idle */
	CA_EVENT_COMPLETE_CWR,
	CA_EVENT_LOSS,
	CA_EVENT_ECN_NO_CE,
	CA_EVENT_ECN_IS_CE
};

struct ack_sample {
	u32 pkts_acked;
	s32 rtt_us;
	u32 in_flight;
};

/* What an ACK delivered (struct rate_sample). */
struct rate_sample {
	u64 prior_mstamp;
	u32 prior_delivered;
	s32 delivered, acked_sacked, losses;
	u32 prior_in_flight, last_end_seq;
	s64 interval_us;
	s64 rtt_us;
	bool is_app_limited, is_retrans, is_ack_delayed;
};

struct tcp_congestion_ops {
	const char *name;
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	/* May be NULL. */
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	void (*set_state)(struct sock *sk, u8 new_state);
	void (*cwnd_event)(struct sock *sk, enum tcp_ca_event ev);
	void (*in_ack_event)(struct sock *sk, u32 flags);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	/* Takes over cwnd altogether. */
	void (*cong_control)(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs);
	bool needs_ecn;
	/* TCP_CC_INFO: bytes written to info (16 at most). May be NULL. */
	u32 (*get_info)(const struct sock *sk, u8 *info);
};

extern const struct tcp_congestion_ops tcp_reno, tcp_cubic, tcp_dctcp;

/* net.ipv4.tcp_congestion_control by number and name: NULL, -1: there is none such. */
const char *tcp_ca_name(u32 index);
s32 tcp_ca_index(const char *name);

/* The namespace's choice; started by tcp_init_congestion_control when the connection stands. */
void tcp_assign_congestion_control(struct sock *sk);
void tcp_init_congestion_control(struct sock *sk);
/* The route names one (`ip route ... congctl`): it goes before the socket's. */
void tcp_ca_dst_init(struct sock *sk, const struct dst_entry *dst);
void tcp_cleanup_congestion_control(struct sock *sk);
/* TCP_CONGESTION: 0, -ENOENT. */
int tcp_set_congestion_control(struct sock *sk, const u8 *name, u32 len);
void tcp_set_ca_state(struct sock *sk, u8 ca_state);
void tcp_ca_event(struct sock *sk, enum tcp_ca_event event);
/* RFC 5681 3.1: what of `acked` is left when slow start ends. */
u32 tcp_slow_start(struct tcp_sock *tp, u32 acked);
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked);
bool tcp_is_cwnd_limited(const struct sock *sk);
u32 tcp_reno_ssthresh(struct sock *sk);
void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked);
u32 tcp_reno_undo_cwnd(struct sock *sk);
/* RFC 6928, within net and route settings. */
u32 tcp_init_cwnd(const struct tcp_sock *tp, const struct dst_entry *dst);

#endif
