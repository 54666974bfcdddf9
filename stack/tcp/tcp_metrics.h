/* SPDX-License-Identifier: MIT */
/*
 * What connections to an address taught, for the next one (net/ipv4/tcp_metrics.c; RFC 9040 calls
 * it temporal sharing): RTT, its deviation, ssthresh, cwnd, reordering, and fast open's MSS and
 * cookie.
 */
#ifndef TAPLINE_TCP_TCP_METRICS_H
#define TAPLINE_TCP_TCP_METRICS_H

#include "tcp/tcp_fastopen.h"

enum tcp_metric_index {
	TCP_METRIC_RTT, /* us, scaled by 8 */
	TCP_METRIC_RTTVAR, /* us, scaled by 4 */
	TCP_METRIC_SSTHRESH,
	TCP_METRIC_CWND,
	TCP_METRIC_REORDERING,
	TCP_METRIC_COUNT
};

struct tcp_fastopen_metrics {
	u16 mss;
	u16 syn_loss : 10, /* SYNs with data that got lost, in a row */
		try_exp : 2; /* 1: ask in the experimental option next time; 2: that was tried */
	u64 last_syn_loss; /* jiffies */
	struct tcp_fastopen_cookie cookie;
};

struct tcp_metrics_block {
	struct hlist_node node;
	const struct net *net;
	struct inet_addr saddr, daddr;
	u16 family;
	u64 stamp; /* jiffies: last set */
	u32 lock; /* bits of metrics that the route fixed */
	u32 vals[TCP_METRIC_COUNT];
	struct tcp_fastopen_metrics fastopen;
};

/* The connection ends in order: what it learned is kept. */
void tcp_update_metrics(struct sock *sk);
/* A connection stands: first numbers from the cache (RFC 6298 5.7 without). */
void tcp_init_metrics(struct sock *sk);
/* Did a connection with this peer ever measure an RTT? */
bool tcp_peer_is_proven(const struct request_sock *req);
void tcp_fastopen_cache_get(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie);
void tcp_fastopen_cache_set(struct sock *sk, u16 mss, const struct tcp_fastopen_cookie *cookie,
			    bool syn_lost, u16 try_exp);
/* `ip tcp_metrics flush`: of one peer (NULL: all) of the namespace. How many went. */
u32 tcp_metrics_flush(struct net *net, u16 family, const struct inet_addr *daddr);
/* The n-th entry of the namespace; NULL: there are not so many. */
const struct tcp_metrics_block *tcp_metrics_get(const struct net *net, u32 n);
/* The end of the host: the table itself. */
void tcp_metrics_exit(struct host *h);

#endif
