/* SPDX-License-Identifier: MIT */
/*
 * inet_connection_sock: what a connection needs above struct sock that is no business of the
 * byte stream itself: its place in the tables, accept queue, timers, RTO, delayed-ACK state,
 * congestion control's ops and private words, and the ops of its address family
 * (include/net/inet_connection_sock.h).
 *
 * Timers are lazy: stopping one, or moving it to a later time, touches no queue. icsk_pending,
 * icsk_ack.pending and the *_timeout fields tell what is really due; a timer that fires early
 * looks at them and goes back to sleep. They are taken out of the queue for good by
 * inet_csk_clear_xmit_timers(): after it none is armed.
 */
#ifndef TAPLINE_INET_INET_CONNECTION_SOCK_H
#define TAPLINE_INET_INET_CONNECTION_SOCK_H

#include "inet/inet_hashtables.h"
#include "inet/request_sock.h"
#include "kernel/timer_set.h"

struct tcp_congestion_ops;

/* icsk_pending: what the retransmit timer means when it fires. */
#define ICSK_TIME_RETRANS     1 /* retransmission timeout */
#define ICSK_TIME_PROBE0      3 /* zero window probe */
#define ICSK_TIME_LOSS_PROBE  5 /* tail loss probe (RFC 8985) */
#define ICSK_TIME_REO_TIMEOUT 6 /* RACK's reordering window ends */

/* icsk_ack.pending */
#define ICSK_ACK_SCHED	 1 /* an ACK is owed */
#define ICSK_ACK_TIMER	 2 /* the delayed-ACK timer runs for it */
#define ICSK_ACK_PUSHED	 4 /* a pushed segment came */
#define ICSK_ACK_PUSHED2 8 /* a second one */
#define ICSK_ACK_NOW	 16 /* send it at once, with the segment under way */
#define ICSK_ACK_NOMEM	 32 /* no memory for it: tell the sender not to wait */

/* The ways of one family (tcp_ipv4.c: ipv4_specific). All that TCP ever asks of IP. */
struct inet_connection_sock_af_ops {
	/* A segment of a connection, skb->data at the TCP header: routes and sends it. Takes skb.
	 * 0, NET_XMIT_CN or -errno. */
	int (*queue_xmit)(struct sock *sk, struct sk_buff *skb);
	/*
	 * Fills in the checksum field: as far as the device does the rest (CHECKSUM_PARTIAL), or
	 * whole when skb->csum holds the sum of the payload (TCP_SKB_CB payload_csum).
	 */
	void (*send_check)(struct sock *sk, struct sk_buff *skb);
	/* Makes sure that there is a route (sk->dst_cache). 0 or -errno. */
	int (*rebuild_header)(struct sock *sk);
	/* A SYN for a listener. Does not take skb. 0: go on (drop it silently), else: reset. */
	int (*conn_request)(struct sock *sk, struct sk_buff *skb);
	/* The third ACK: the child of a request. NULL: no room, or no memory. */
	struct sock *(*syn_recv_sock)(struct sock *sk, struct sk_buff *skb,
				      struct request_sock *req, struct dst_entry *dst,
				      struct request_sock *req_unhash, bool *own_req);
	/* Remembers the route a segment came by (may be NULL). */
	void (*sk_rx_dst_set)(struct sock *sk, const struct sk_buff *skb);
	/* A SYN-ACK or such without a full socket: as queue_xmit, route and addresses from req. */
	int (*send_synack)(struct sock *sk, struct sk_buff *skb, struct request_sock *req);
	int (*setsockopt)(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len);
	int (*getsockopt)(struct sock *sk, u32 level, u32 name, u8 *val, u32 len);
	/* recvmsg(MSG_ERRQUEUE): bytes, or -EAGAIN. */
	s64 (*recv_error)(struct sock *sk, struct msghdr *msg);
	u16 net_header_len; /* without options */
};

#define ICSK_CA_PRIV_WORDS 4

/* Slots of icsk_timers. */
enum icsk_timer {
	ICSK_TIMER_XMIT, /* retransmission, probes: icsk_pending */
	ICSK_TIMER_DELACK,
	ICSK_TIMER_KEEPALIVE /* sk_timer: keepalive, orphans in FIN-WAIT-2 */
};

struct inet_connection_sock {
	struct sock icsk_inet; /* first */
	struct sock_common icsk_common; /* key in the connection tables */
	struct inet_bind_owner icsk_bind; /* place in the bind tables */
	const struct tcp_congestion_ops *icsk_ca_ops;
	const struct inet_connection_sock_af_ops *icsk_af_ops;
	const struct request_sock_queue *icsk_accept_queue; /* inet_csk_queue() to write */
	struct timer_set icsk_timers; /* ICSK_TIMER_* */
	u32 icsk_timeout; /* jiffies: when icsk_pending is due */
	u32 icsk_keepalive_timeout; /* jiffies; 0: the timer is off */
	u32 icsk_rto, icsk_rto_min, icsk_rto_max, icsk_delack_max; /* jiffies */
	u32 icsk_pmtu_cookie; /* the path MTU that the MSS was made from */
	u32 icsk_probes_tstamp; /* ms: when probing of the zero window began; 0: it does not */
	u32 icsk_mtup_search_high; /* RFC 4821; the rest is TCP's (tcp_rare.mtup) */
	u16 icsk_ext_hdr_len; /* bytes of IP options */
	u8 icsk_ca_state; /* enum tcp_ca_state */
	u8 icsk_ca_initialized : 1, icsk_ca_setsockopt : 1, icsk_ca_dst_locked : 1,
		icsk_mtup_enabled : 1;
	u8 icsk_pending : 4; /* ICSK_TIME_*; 0: nothing */
	u8 icsk_retransmits; /* timeouts in a row */
	u8 icsk_backoff; /* doublings of the probe or retransmission interval */
	u8 icsk_syn_retries; /* TCP_SYNCNT; 0: the sysctl */
	u8 icsk_probes_out; /* keepalive or zero window probes not answered */
	struct {
		u8 pending; /* ICSK_ACK_* */
		u8 quick; /* quick ACKs left to send */
		u8 pingpong; /* >= inet_csk_in_pingpong: the session is interactive */
		u8 retry; /* delayed ACKs that could not be sent */
		u32 ato; /* jiffies: present delay */
		u32 timeout; /* jiffies: when a delayed ACK is due */
		u32 lrcvtime; /* jiffies: last data segment */
		u16 last_seg_size;
		u16 rcv_mss; /* guess of the peer's MSS */
	} icsk_ack;
	u64 icsk_ca_priv[ICSK_CA_PRIV_WORDS];
};

static inline struct inet_connection_sock *inet_csk(const struct sock *sk)
{
	return (struct inet_connection_sock *)(void *)(uintptr_t)(const void *)sk;
}

/* Its key in the connection tables. */
static inline struct sock_common *inet_skc(const struct sock *sk)
{
	return &inet_csk(sk)->icsk_common;
}

/* The full socket of an entry of ehash whose kind is SKC_SOCK, or of a listener. */
static inline struct sock *inet_sk_of(struct sock_common *skc)
{
	return &container_of(skc, struct inet_connection_sock, icsk_common)->icsk_inet;
}

static inline void *inet_csk_ca(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ca_priv;
}

/* The host's jiffies as the kernel's tcp_jiffies32. */
static inline u32 tcp_jiffies32(const struct sock *sk)
{
	return (u32)jiffies(sk->net->host);
}

/* ---- timers ---- */

/* Sets the timers up (unarmed), on the CPU that is running; fn: the event's, as in timer_set.h. */
void inet_csk_init_xmit_timers(struct sock *sk, event_fn fn);
/* None is armed or pending afterwards. */
void inet_csk_clear_xmit_timers(struct sock *sk);

/* One of the *_timeout fields as jiffies of 64 bits. */
static inline u64 inet_csk_jiffies(const struct sock *sk, u32 timeout)
{
	u64 now = jiffies(sk->net->host);

	return now + (u64)(s64)(s32)(timeout - (u32)now);
}

/* Is it in the future? */
static inline bool inet_csk_not_due(const struct sock *sk, u32 timeout)
{
	return (s32)(timeout - tcp_jiffies32(sk)) > 0;
}

/* Arms the timer for `wait` jiffies from now unless it is armed for that or earlier. */
static inline void inet_csk_timer_in(struct sock *sk, enum icsk_timer timer, u32 wait)
{
	struct timer_set *ts = &inet_csk(sk)->icsk_timers;

	if (ts->slot[timer].time > sk->net->host->world->now + wait * JIFFY_NS)
		timer_set_mod(ts, sk->net->host, timer, jiffies(sk->net->host) + wait);
}

/* The same for when a field says; it may be later than what is armed. */
static inline void inet_csk_timer_at(struct sock *sk, enum icsk_timer timer, u32 timeout)
{
	timer_set_mod(&inet_csk(sk)->icsk_timers, sk->net->host, timer,
		      inet_csk_jiffies(sk, timeout));
}

/* The socket whose timers' event it is. */
static inline struct sock *inet_csk_timer_sk(struct event *ev)
{
	return &container_of(ev, struct inet_connection_sock, icsk_timers.event)->icsk_inet;
}

/* On which its timers fire. */
static inline struct cpu *inet_csk_timer_cpu(const struct sock *sk)
{
	return host_cpu(sk->net->host, inet_skc(sk)->skc_timer_cpu);
}

static inline void inet_csk_reset_xmit_timer(struct sock *sk, u8 what, u32 when, u32 max_when)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_pending = (u32)what & 15;
	when = min_u32(when, max_when);
	icsk->icsk_timeout = tcp_jiffies32(sk) + when;
	inet_csk_timer_in(sk, ICSK_TIMER_XMIT, when);
}

static inline void inet_csk_clear_xmit_timer(struct sock *sk)
{
	inet_csk(sk)->icsk_pending = 0;
}

/* A delayed ACK is due in `when` jiffies, at most max_when. */
static inline void inet_csk_reset_delack_timer(struct sock *sk, u32 when, u32 max_when)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_ack.pending |= ICSK_ACK_TIMER;
	when = min_u32(when, max_when);
	icsk->icsk_ack.timeout = tcp_jiffies32(sk) + when;
	inet_csk_timer_in(sk, ICSK_TIMER_DELACK, when);
}

static inline void inet_csk_clear_delack_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_ack.pending = 0;
	icsk->icsk_ack.retry = 0;
}

/* Keepalive, or the life of an orphan in FIN-WAIT-2, in `len` jiffies. */
static inline void inet_csk_reset_keepalive_timer(struct sock *sk, u32 len)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	len = max_u32(len, 1);
	icsk->icsk_keepalive_timeout = max_u32(tcp_jiffies32(sk) + len, 1);
	inet_csk_timer_in(sk, ICSK_TIMER_KEEPALIVE, len);
}

static inline void inet_csk_delete_keepalive_timer(struct sock *sk)
{
	inet_csk(sk)->icsk_keepalive_timeout = 0;
}

/* ---- delayed ACK ---- */

#define TCP_PINGPONG_THRESH 1

static inline void inet_csk_enter_pingpong_mode(struct sock *sk)
{
	inet_csk(sk)->icsk_ack.pingpong = TCP_PINGPONG_THRESH;
}

static inline void inet_csk_exit_pingpong_mode(struct sock *sk)
{
	inet_csk(sk)->icsk_ack.pingpong = 0;
}

static inline bool inet_csk_in_pingpong_mode(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ack.pingpong >= TCP_PINGPONG_THRESH;
}

static inline void inet_csk_inc_pingpong_cnt(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ack.pingpong < 255)
		icsk->icsk_ack.pingpong++;
}

static inline bool inet_csk_ack_scheduled(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ack.pending & ICSK_ACK_SCHED;
}

static inline void inet_csk_schedule_ack(struct sock *sk)
{
	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED;
}

static inline void inet_csk_delack_init(struct sock *sk)
{
	memset(&inet_csk(sk)->icsk_ack, 0, sizeof(inet_csk(sk)->icsk_ack));
}

/* ---- listening, accepting, ending (inet_connection_sock.c) ---- */

/* Its own queues, made at the first call: those of sockets that never listened are empty and
 * shared. NULL: no memory. */
struct request_sock_queue *inet_csk_queue_get(struct sock *sk);
/* Of a socket that has them: a listener does. */
static inline struct request_sock_queue *inet_csk_queue(struct sock *sk)
{
	ASSERT(inet_csk(sk)->icsk_accept_queue != &reqsk_queue_none);
	return (struct request_sock_queue *)(uintptr_t)(const void *)inet_csk(sk)
		->icsk_accept_queue;
}

static inline bool sk_acceptq_is_full(const struct sock *sk)
{
	const struct request_sock_queue *q = inet_csk(sk)->icsk_accept_queue;

	return q->ack_backlog > q->max_ack_backlog;
}

static inline u32 inet_csk_reqsk_queue_len(const struct sock *sk)
{
	return inet_csk(sk)->icsk_accept_queue->qlen;
}

/* One more than listen() asked for has room, as in the accept queue. */
static inline bool inet_csk_reqsk_queue_is_full(const struct sock *sk)
{
	return inet_csk_reqsk_queue_len(sk) > inet_csk(sk)->icsk_accept_queue->max_ack_backlog;
}

/* Into LISTEN: binds (a port must be free still), enters the table. 0 or -errno. */
int inet_csk_listen_start(struct sock *sk);
/* proto.listen: the same with the accept queue's length; of a listener it is changed. */
int inet_csk_listen(struct sock *sk, u32 backlog);
/* Ends all children that nobody accepted; requests go when their timers find no listener. */
void inet_csk_listen_stop(struct sock *sk);
/* proto.accept: the oldest child; NULL with *err -EAGAIN (none yet) or -EINVAL (no listener). */
struct sock *inet_csk_accept(struct sock *sk, int *err);
/* A child of `sk` for the request, in SYN-RECV, with timers set up and empty queues. NULL: no
 * memory. */
struct sock *inet_csk_clone_lock(struct sock *sk, const struct request_sock *req);
/* A child that was never given to anyone: ready for tcp_done(). */
void inet_csk_prepare_forced_close(struct sock *sk);
/* The last step of a dead orphan: out of the tables, account of orphans, memory. */
void inet_csk_destroy_sock(struct sock *sk);
/* Ends a request whose SYN-ACK was refused or that is no more wanted. True: it was in the table. */
bool inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req);
/* The listener of a request closed: another of its SO_REUSEPORT group takes it over, if
 * tcp_migrate_req lets it. False: nobody does. */
bool reqsk_migrate(struct request_sock *req);
/* The request's child takes its place: into the accept queue. NULL: the listener is gone or full,
 * the child with it. */
struct sock *inet_csk_complete_hashdance(struct sock *sk, struct sock *child,
					 struct request_sock *req, bool own_req);

/* Sockets closed by their user that still talk, of this host (tcp_orphan_count). */
u32 inet_csk_orphan_count(const struct sock *sk);
void inet_csk_orphan_add(struct sock *sk, s32 n);

#endif
