/* SPDX-License-Identifier: MIT */
/*
 * Requests: connections in SYN-RECEIVED that have no socket yet (include/net/request_sock.h,
 * inet_request_sock), and the queues of a listener. A request lies in ehash under its addresses and
 * ports from the SYN on (the SYN queue is not a list: it is the listener's requests in ehash,
 * counted in qlen); the third ACK makes a socket of it, which waits in the accept queue.
 *
 * Invariants: qlen is the number of the listener's requests in ehash, young that of those whose
 * SYN-ACK was not sent again; a request in ehash has its timer armed and holds its listener; one in
 * the accept queue holds its child.
 */
#ifndef TAPLINE_INET_REQUEST_SOCK_H
#define TAPLINE_INET_REQUEST_SOCK_H

#include "inet/inet_hashtables.h"
#include "kernel/timer.h"

struct request_sock;
struct inet_opts;
struct saved_syn;

/* One per family, as the host's hashinfo has them (struct request_sock_ops). */
struct request_sock_ops {
	u8 family;
	u32 obj_size;
	/* Sends the SYN-ACK again. 0 or -errno. */
	int (*rtx_syn_ack)(struct sock *sk, struct request_sock *req);
	/* Answers a segment that does not fit (RFC 9293 3.10.7.4). */
	void (*send_ack)(struct sock *sk, struct sk_buff *skb, struct request_sock *req);
	/* reason: enum sk_rst_reason. */
	void (*send_reset)(struct sock *sk, struct sk_buff *skb, u32 reason);
	/* May be NULL. */
	void (*destructor)(struct request_sock *req);
	/* The SYN-ACK timer fired. */
	void (*syn_ack_timeout)(struct request_sock *req);
};

/* What few requests have. */
struct reqsk_rare {
	struct inet_opts *opt; /* IP options of the SYN, to be sent back */
	struct saved_syn *saved_syn; /* tcp/: TCP_SAVE_SYN's */
};

/* A flood makes many: no field here is wider than it must be. */
struct request_sock {
	struct sock_common skc; /* first; skc_num is the local port */
	struct event rsk_timer;
	struct sock *rsk_listener; /* held */
	struct sock *sk; /* the child, once there is one: held */
	struct reqsk_rare *rsk_rare; /* reqsk_rare_get() to write; NULL: nothing of it */
	u16 mss; /* the peer's, from its SYN */
	u8 num_retrans; /* SYN-ACKs sent again */
	u8 num_timeout; /* timer runs, also those that sent none */
	u8 rsk_refcnt; /* two queues, a timer, a segment: never many */
	u8 syn_tos; /* for net.ipv4.tcp_reflect_tos */
	u8 snd_wscale : 4, rcv_wscale : 4;
	u8 tstamp_ok : 1, sack_ok : 1, wscale_ok : 1, ecn_ok : 1, acked : 1, no_srccheck : 1,
		syncookie : 1,
		tfo_listener : 1; /* of a fast open child whose SYN-ACK is not acknowledged */
	u32 timeout; /* jiffies to the first SYN-ACK retransmission; on rskq_rst: until when
			(jiffies) */
	u32 ir_mark;
	u32 ir_iif; /* the device that the SYN came by */
	u32 ts_recent; /* RFC 7323 TS.Recent */
	u32 ts_off; /* of our time stamps */
	u32 rsk_rcv_wnd, rsk_window_clamp; /* receive window offered in the SYN-ACK */
	u32 txhash; /* of what is sent for it */
};

struct tcp_fastopen_context;

/* What a listener has for fast open (struct fastopen_queue). */
struct fastopen_queue {
	struct request_sock *rskq_rst_head, *rskq_rst_tail; /* children that an RST ended */
	u32 qlen, max_qlen; /* max_qlen 0: no fast open */
	struct tcp_fastopen_context *ctx; /* tcp/: keys of its own; NULL: the namespace's */
};

/* A listener's queues (struct request_sock_queue). */
struct request_sock_queue {
	u32 qlen, young;
	u32 ack_backlog, max_ack_backlog; /* length of the accept queue; of listen() */
	u32 synflood_warned;
	u32 syncookie_stamp; /* the last SYN cookie: jiffies + 1; 0: none */
	u8 rskq_defer_accept; /* SYN-ACK timer runs, TCP_DEFER_ACCEPT */
	struct request_sock *rskq_accept_head, *rskq_accept_tail;
	struct fastopen_queue fastopenq;
};

/* Of all sockets that do not listen. */
extern const struct request_sock_queue reqsk_queue_none;

/* Behind it in the accept queue, or among those that an RST ended: skc_node is free there. */
static inline struct request_sock *reqsk_next(const struct request_sock *req)
{
	struct hlist_node *next = req->skc.skc_node.next;

	return next ? container_of(next, struct request_sock, skc.skc_node) : NULL;
}

/* Of its family. */
static inline const struct request_sock_ops *reqsk_ops(const struct request_sock *req)
{
	const struct inet_hashinfo *hi = inet_hashinfo_of(req->skc.skc_net);

	return req->skc.skc_family == AF_INET6 ? hi->rsk_ops_v6 : hi->rsk_ops;
}

/* The IP options of its SYN; NULL: none. */
static inline struct inet_opts *ireq_opt(const struct request_sock *req)
{
	return req->rsk_rare ? req->rsk_rare->opt : NULL;
}

/* The key is the caller's to fill in but for its family. refcnt 1. Holds the listener. NULL: no
 * memory. */
struct request_sock *inet_reqsk_alloc(u8 family, struct sock *listener);
/* Its own struct reqsk_rare, made at the first call: whose parts the destructor frees. NULL: no
 * memory. */
struct reqsk_rare *reqsk_rare_get(struct request_sock *req);
void reqsk_free(struct request_sock *req);
static inline void reqsk_hold(struct request_sock *req)
{
	ASSERT(req->rsk_refcnt < UINT8_MAX);
	req->rsk_refcnt++;
}
/* The last one frees it. */
void reqsk_put(struct request_sock *req);

/* The SYN-ACK timer, as mod_timer(). */
void reqsk_mod_timer(struct request_sock *req, u64 expires_jiffies);

static inline struct request_sock *inet_reqsk(struct sock_common *skc)
{
	return container_of(skc, struct request_sock, skc);
}

static inline bool reqsk_queue_empty(const struct request_sock_queue *q)
{
	return q->rskq_accept_head == NULL;
}

/* Into ehash and the SYN queue, the SYN-ACK timer at `timeout` jiffies. The table takes a reference
 * of its own. False: its key is there already. */
bool inet_csk_reqsk_queue_hash_add(struct sock *sk, struct request_sock *req, u32 timeout);
/* The request with its child to the end of the accept queue, which takes a reference of its own.
 * False: sk listens no more. */
bool inet_csk_reqsk_queue_add(struct sock *sk, struct request_sock *req, struct sock *child);
/* The child of a fast open has its handshake behind it, or is closed. reset: by an RST: counted for
 * `life` jiffies more. */
void reqsk_fastopen_remove(struct request_sock *req, bool reset, u32 life);
/* A child that nobody will accept: reset and gone. */
void inet_child_forget(struct sock *child);
/* Drops all requests of a namespace. */
void inet_reqsk_purge(struct inet_hashinfo *hi, const struct net *net);

/* Off the head of the accept queue: NULL when it is empty. */
struct request_sock *reqsk_queue_remove(struct request_sock_queue *q, struct sock *listener);

#endif
