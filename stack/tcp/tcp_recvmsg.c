/* SPDX-License-Identifier: MIT */
/*
 * Receiving (tcp_recvmsg, RFC 9293 3.10.3): bytes from the receive queue to the user, urgent data
 * besides, and the window updates that follow.
 *
 * Invariant: copied_seq moves over bytes that the user got, never over others but an urgent byte
 * that is not inline and the FIN.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_user.h"

/* RFC 9293 3.8.6.2.2: an ACK when reading opened the window a lot, or one is owed. */
void tcp_cleanup_rbuf(struct sock *sk, u32 copied)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	bool ack = false;

	if (inet_csk_ack_scheduled(sk)) {
		u8 pending = icsk->icsk_ack.pending;

		ack = tp->rcv_nxt - tp->rcv_wup > icsk->icsk_ack.rcv_mss ||
		      (copied &&
		       (pending & ICSK_ACK_PUSHED2 ||
			(pending & ICSK_ACK_PUSHED && !inet_csk_in_pingpong_mode(sk))) &&
		       !sk->sk_rmem_alloc);
	}
	if (copied && !ack && !(sk->sk_shutdown & RCV_SHUTDOWN)) {
		u32 now = tcp_receive_window(tp);

		if (2 * (u64)now <= tp->window_clamp) {
			u32 window = __tcp_select_window(sk);

			ack = window && window >= 2 * now;
		}
	}
	if (ack)
		tcp_send_ack(sk);
}

/* The urgent byte (MSG_OOB). */
static s64 recv_urg(struct sock *sk, struct msghdr *msg)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_flags & SOCK_URGINLINE || !tp->urg_data || tp->urg_data == TCP_URG_READ)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !(sk->sk_flags & SOCK_DONE))
		return -ENOTCONN;
	if (tp->urg_data & TCP_URG_VALID) {
		u8 byte = (u8)tp->urg_data;

		if (!(msg->flags & MSG_PEEK))
			tp->urg_data = TCP_URG_READ;
		msg->out_flags |= MSG_OOB;
		if (!msg->len) {
			msg->out_flags |= MSG_TRUNC;
			return 0;
		}
		if (!(msg->flags & MSG_TRUNC))
			msg->data[0] = byte;
		return 1;
	}
	if (sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	return -EAGAIN;
}

static void eat(struct sock *sk, struct sk_buff *skb)
{
	skb_unlink(&sk->receive_queue, skb);
	consume_skb(skb);
}

/* The packet that holds seq; *offset of it. NULL: none; *fin: a FIN stands there. */
static struct sk_buff *find_skb(const struct sock *sk, u32 seq, u32 *offset, bool *fin)
{
	*fin = false;
	for (struct sk_buff *skb = sk->receive_queue.next; skb; skb = skb->next) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		*offset = seq - cb->seq - (cb->tcp_flags & TCPHDR_SYN ? 1 : 0);
		if (*offset < skb->len)
			return skb;
		if (cb->tcp_flags & TCPHDR_FIN) {
			*fin = true;
			return skb;
		}
	}
	return NULL;
}

/* There is nothing (more) to read now. True: the call ends with *ret; false: it waits. */
static bool nothing_left(struct sock *sk, const struct msghdr *msg, u32 target, s64 *ret)
{
	*ret = msg->done;
	if (msg->done >= target)
		return true;
	if (msg->done)
		return sk->sk_err || sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN;
	if (sk->sk_flags & SOCK_DONE)
		return true;
	if (sk->sk_err) {
		*ret = sock_error(sk);
		return true;
	}
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	if (sk->sk_state == TCP_CLOSE) {
		*ret = -ENOTCONN;
		return true;
	}
	return false;
}

/* How far to read in this packet: up to an urgent byte, or over it. False: skip, nothing to copy.
 */
static bool limit_by_urgent(const struct sock *sk, u32 *seq, u32 *offset, u32 *used)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 urg_offset = tp->urg_seq - *seq;

	if (!tp->urg_data || urg_offset >= *used)
		return true;
	if (urg_offset) {
		*used = urg_offset;
		return true;
	}
	if (sk->sk_flags & SOCK_URGINLINE)
		return true;
	++*seq;
	++*offset;
	--*used;
	return *used != 0;
}

static void moved(struct sock *sk, const struct msghdr *msg, u32 seq, u32 used)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (msg->flags & MSG_PEEK) {
		if (sk->sk_rare->peek_off >= 0)
			sock_rare_own(sk)->peek_off += (s32)used;
		return;
	}
	tp->copied_seq = seq;
	sk_peek_offset_bwd(sk, (s32)used);
	tcp_rcv_space_adjust(sk);
	if (tp->urg_data && after(tp->copied_seq, tp->urg_seq)) {
		tp->urg_data = 0;
		tcp_fast_path_check(sk);
	}
}

/* Copies what is there. True: stop (an urgent byte, the FIN); false: the queue is at its end. */
static bool copy_queue(struct sock *sk, struct msghdr *msg, u32 *seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool peek = msg->flags & MSG_PEEK, fin;

	do {
		u32 offset, used;
		struct sk_buff *skb;

		if (tp->urg_data && tp->urg_seq == *seq && (msg->done || msg->splice))
			return true;
		skb = find_skb(sk, *seq, &offset, &fin);
		if (!skb)
			return false;
		if (fin) {
			++*seq;
			if (!peek) {
				tp->copied_seq = *seq;
				eat(sk, skb);
			}
			return true;
		}
		used = min_u32(skb->len - offset, msg->len - msg->done);
		if (limit_by_urgent(sk, seq, &offset, &used)) {
			if (!(msg->flags & MSG_TRUNC))
				skb_copy_bits(skb, offset, msg->data + msg->done, used);
			if (used && TCP_SKB_CB(skb)->has_rxtstamp)
				msg->rx_tstamp = skb->tstamp;
			*seq += used;
			msg->done += used;
		}
		moved(sk, msg, *seq, used);
		if (used + offset < skb->len)
			continue;
		fin = TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN;
		if (fin)
			++*seq;
		if (!peek) {
			tp->copied_seq = *seq;
			eat(sk, skb);
		}
		if (fin)
			return true;
	} while (msg->done < msg->len);
	return true;
}

/* What is left, never 0 when the end is still to be read (tcp_inq_hint). */
static void put_inq(struct sock *sk, struct msghdr *msg)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 inq = tp->rcv_nxt - tp->copied_seq;
	u8 value[4];

	if (!tp->recvmsg_inq)
		return;
	if (!inq && sk->sk_flags & SOCK_DONE)
		inq = 1;
	put_le32(value, inq);
	put_cmsg(msg, SOL_TCP, TCP_CM_INQ, value, 4);
}

s64 tcp_recvmsg(struct sock *sk, struct msghdr *msg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = tp->copied_seq, before_step = msg->done, target;
	s64 ret;

	if (msg->flags & MSG_ERRQUEUE)
		return inet_csk(sk)->icsk_af_ops->recv_error(sk, msg);
	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (msg->flags & MSG_OOB)
		return recv_urg(sk, msg);
	if (msg->flags & MSG_PEEK)
		seq += sk->sk_rare->peek_off >= 0 ? (u32)sk->sk_rare->peek_off : msg->done;
	target =
		msg->flags & MSG_WAITALL ? msg->len : min_u32((u32)sk->sk_rare->rcvlowat, msg->len);
	target = max_u32(target, 1);
	if (copy_queue(sk, msg, &seq)) {
		ret = msg->done;
	} else if (!nothing_left(sk, msg, target, &ret)) {
		tcp_cleanup_rbuf(sk, msg->done - before_step);
		return -EAGAIN;
	}
	tcp_cleanup_rbuf(sk, msg->flags & MSG_PEEK ? 0 : msg->done - before_step);
	if (ret >= 0) {
		if (msg->rx_tstamp)
			sock_recv_timestamp(msg, sk, msg->rx_tstamp, 0, false);
		put_inq(sk, msg);
	}
	return ret;
}
