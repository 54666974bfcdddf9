/* SPDX-License-Identifier: MIT */
/*
 * Segments above RCV.NXT (tcp_ofo_queue.c).
 */
#ifndef TAPLINE_TCP_TCP_OFO_QUEUE_H
#define TAPLINE_TCP_TCP_OFO_QUEUE_H

#include "tcp/tcp.h"

/* Queues a segment; what others hold already is trimmed off or it is dropped. Takes skb. */
void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb);
/* rcv_nxt moved: what is in order now goes to the receive queue. */
void tcp_ofo_queue(struct sock *sk);
/* One of the queue, charged, is taken out and freed: dropped, or its bytes stand elsewhere. */
void tcp_ofo_drop(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason);
void tcp_ofo_consume(struct sock *sk, struct sk_buff *skb);
/* A charged segment that overlaps none. */
void tcp_ofo_add(struct sock *sk, struct sk_buff *skb);
/* tcp_prune.c. Drops the highest ones, never any for one that is higher still, until there is room
 * for in_skb. True: something went. */
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in_skb);
void tcp_ofo_queue_purge(struct sock *sk);
struct sk_buff *tcp_ofo_first(const struct sock *sk);
struct sk_buff *tcp_ofo_next(const struct sk_buff *skb);

#endif
