/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT sockets (net/ipv4/inet_timewait_sock.c): what is left of a connection that closed
 * first, so that old segments of it find no new one (RFC 9293 3.6.1). Small, as there are many.
 *
 * Invariants: one that exists is in ehash, has its timer armed and keeps its place in the bind
 * tables; hashinfo->tw_count is their number and stays within net.ipv4.tcp_max_tw_buckets.
 */
#ifndef TAPLINE_INET_INET_TIMEWAIT_SOCK_H
#define TAPLINE_INET_INET_TIMEWAIT_SOCK_H

#include "inet/inet_hashtables.h"
#include "kernel/timer.h"

/* Length of TIME-WAIT, in jiffies: 60 s (RFC 9293 3.6.1 wants 2 MSL; Linux's MSL is 30 s). */
#define TCP_TIMEWAIT_LEN (60u * HZ)

struct inet_timewait_sock {
	struct sock_common tw_common; /* first */
	struct inet_bind_owner tw_bind;
	struct event tw_timer;
	u32 tw_mark, tw_priority;
	u8 tw_substate; /* TCP_TIME_WAIT or TCP_FIN_WAIT2 */
	u8 tw_rcv_wscale;
	u8 tw_tos;
	u8 tw_reuse : 1, tw_reuseport : 1, tw_transparent : 1, tw_connect_bind : 1;
	u8 tw_extra; /* bytes of TCP's keys behind it; 0: none */
	/* TCP's own (struct tcp_timewait_sock). */
	u32 tw_rcv_nxt, tw_snd_nxt; /* as they were; in FIN-WAIT-2 rcv_nxt waits for the FIN */
	u32 tw_rcv_wnd;
	u32 tw_ts_offset; /* of our time stamps */
	u32 tw_ts_recent; /* RFC 7323 TS.Recent */
	u32 tw_last_oow_ack_time; /* jiffies of the last answer to a segment out of window */
	u32 tw_ts_recent_stamp; /* s; 0: no time stamps */
	u32 tw_entry_stamp; /* ms, when it was made */
	/* Behind it: of IPv6 struct inet6_key, and tw_extra bytes. */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct inet_timewait_sock) <= 176, "a block of 176");

static inline struct inet_timewait_sock *inet_twsk(struct sock_common *skc)
{
	return container_of(skc, struct inet_timewait_sock, tw_common);
}

#define INET_TWSK_EXTRA_MAX 255u

/* Bytes of IPv6's addresses behind it. */
static inline size_t inet_twsk_key_size(const struct inet_timewait_sock *tw)
{
	return tw->tw_common.skc_family == AF_INET6 ? sizeof(struct inet6_key) : 0;
}

static inline void *inet_twsk_extra(const struct inet_timewait_sock *tw)
{
	return (u8 *)(uintptr_t)(const void *)(tw + 1) + inet_twsk_key_size(tw);
}

/* With key and place in the bind tables of sk. NULL: tcp_max_tw_buckets is reached, or no memory.
 * extra: zeroed bytes behind it, which hashinfo->twsk_destructor looks after. */
struct inet_timewait_sock *inet_twsk_alloc(struct sock *sk, u8 substate, u32 extra);
/* Takes sk's place in ehash and arms the timer (jiffies). */
void inet_twsk_hashdance_schedule(struct inet_timewait_sock *tw, struct sock *sk, u32 timeo);
/* The timer starts anew. */
void inet_twsk_reschedule(struct inet_timewait_sock *tw, u32 timeo);
/* Ends it: out of all tables, gone. */
void inet_twsk_deschedule_put(struct inet_timewait_sock *tw);
/* Ends all of a namespace. */
void inet_twsk_purge(struct inet_hashinfo *hi, const struct net *net);

#endif
