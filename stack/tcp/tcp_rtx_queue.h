/* SPDX-License-Identifier: MIT */
/*
 * What was sent and not acknowledged (tcp_rtx_queue.c).
 */
#ifndef TAPLINE_TCP_TCP_RTX_QUEUE_H
#define TAPLINE_TCP_TCP_RTX_QUEUE_H

#include "tcp/tcp.h"

/* Behind all others: its seq is not below their ends. */
void tcp_rtx_queue_insert(struct sock *sk, struct sk_buff *skb);
/* A piece split off: anywhere. */
void tcp_rtx_queue_insert_split(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_queue_unlink(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_queue_unlink_and_free(struct sock *sk, struct sk_buff *skb);
struct sk_buff *tcp_rtx_queue_head(const struct sock *sk);
struct sk_buff *tcp_rtx_queue_tail(const struct sock *sk);
struct sk_buff *tcp_rtx_queue_next(const struct sk_buff *skb);
struct sk_buff *tcp_rtx_queue_prev(const struct sk_buff *skb);
/* The segment that holds seq, else the first above it; NULL: none. */
struct sk_buff *tcp_rtx_queue_find(const struct sock *sk, u32 seq);
void tcp_rtx_queue_purge(struct sock *sk);

#endif
