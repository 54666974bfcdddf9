/* SPDX-License-Identifier: MIT */
/*
 * The part of a connection to which something was lost, came twice or out of order (struct
 * tcp_loss): made when that happens for the first time.
 *
 * When there is no memory for it TCP does what it does without memory for a packet: a segment out
 * of order is dropped, no SACK block is told or heard, a retransmission or a probe is tried again
 * later, cwnd is cut by a later ACK.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_rtx_queue.h"

#include "kernel/mem.h"

const struct tcp_loss tcp_loss_none = { .undo_retrans = -1,
					.compressed_ack_timer.event.time = TIME_NEVER };

static void loss_init(struct sock *sk, struct tcp_loss *loss)
{
	*loss = tcp_loss_none;
	loss->sk = sk;
	loss->highest_sack = tcp_rtx_queue_head(sk);
	timer_setup(&loss->compressed_ack_timer, inet_csk_timer_cpu(sk), tcp_compressed_ack_timer);
}

struct tcp_loss *tcp_loss_get(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss;

	if (tcp_loss_seen(tp))
		return tcp_loss_own(tp);
	loss = mem_alloc(net_world(sk->net), MEM_TCP_LOSS, sizeof(*loss));
	if (!loss)
		return NULL;
	loss_init(sk, loss);
	tp->loss = loss;
	return loss;
}

void tcp_loss_free(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_loss_seen(tp))
		return;
	ASSERT(!tp->loss->ooo_last_skb && !timer_pending(&tp->loss->compressed_ack_timer));
	mem_free(net_world(sk->net), MEM_TCP_LOSS, tcp_loss_own(tp), sizeof(*tp->loss));
	tp->loss = &tcp_loss_none;
}

void tcp_loss_reset(struct sock *sk)
{
	u32 rehash = tcp_sk(sk)->loss->timeout_rehash;
	struct tcp_loss *loss;

	if (!rehash) {
		tcp_loss_free(sk);
		return;
	}
	loss = tcp_loss_own(tcp_sk(sk));
	ASSERT(!loss->ooo_last_skb && !timer_pending(&loss->compressed_ack_timer));
	loss_init(sk, loss);
	loss->timeout_rehash = rehash;
}
