/* SPDX-License-Identifier: MIT */
/*
 * What sockets of whole packets share (net/core/datagram.c): taking a packet off the receive queue
 * or peeking at it, copying it to the reader with the checksum in the same pass, poll.
 *
 * Invariant: a call that returns no packet has changed nothing but sk_err.
 */
#include "core/sock.h"
#include "lib/checksum.h"

static struct sk_buff *try_recv_from_queue(struct sk_buff_head *q, u32 flags, s32 *off)
{
	u32 skip = flags & MSG_PEEK && *off >= 0 ? (u32)*off : 0;
	bool peek_at_off = flags & MSG_PEEK && *off >= 0;

	for (struct sk_buff *skb = skb_peek(q); skb; skb = skb->next) {
		if (flags & MSG_PEEK) {
			if (peek_at_off && skip >= skb->len && (skip || skb->peeked)) {
				skip -= skb->len;
				continue;
			}
			if (!skb->len)
				skb->peeked = 1;
			skb_get(skb);
		} else {
			skb_unlink(q, skb);
		}
		*off = (s32)skip;
		return skb;
	}
	return NULL;
}

struct sk_buff *__skb_recv_datagram(struct sock *sk, u32 flags, s32 *off, int *err)
{
	struct sk_buff *skb;

	/* sk_err goes before data that is already there, as in the kernel. */
	*err = sock_error(sk);
	if (*err)
		return NULL;
	skb = try_recv_from_queue(&sk->receive_queue, flags, off);
	if (skb)
		return skb;
	/* Only a call that may wait looks at shutdown (__skb_wait_for_more_packets). */
	*err = sk->sk_shutdown & RCV_SHUTDOWN && !(flags & MSG_DONTWAIT) ? 0 : -EAGAIN;
	return NULL;
}

struct sk_buff *skb_recv_datagram(struct sock *sk, u32 flags, int *err)
{
	s32 off = -1;

	return __skb_recv_datagram(sk, flags, &off, err);
}

int skb_copy_datagram_msg(const struct sk_buff *skb, u32 offset, struct msghdr *msg, u32 len)
{
	if (!len)
		return 0;
	if (!skb_copy_bits(skb, offset, msg->data + msg->done, len))
		return -EFAULT;
	return 0;
}

int skb_copy_and_csum_datagram_msg(struct sk_buff *skb, u32 offset, struct msghdr *msg)
{
	u32 chunk = skb->len - offset;
	u32 sum = skb->csum;

	ASSERT(msg->len - msg->done >= chunk);
	if (chunk && !skb_copy_and_csum_bits(skb, offset, msg->data + msg->done, chunk, &sum))
		return -EFAULT;
	return csum_fold(sum) ? -EINVAL : 0;
}

bool sk_queue_drop_skb(struct sk_buff_head *q, struct sk_buff *skb)
{
	for (struct sk_buff *s = skb_peek(q); s; s = s->next)
		if (s == skb) {
			skb_unlink(q, skb);
			return true;
		}
	return false;
}

u32 datagram_poll(struct sock *sk)
{
	u32 mask = 0;

	if (sk->sk_err || !skb_queue_empty(&sk->sk_rare->error_queue))
		mask |= POLLERR | (sk->sk_flags & SOCK_SELECT_ERR_QUEUE ? POLLPRI : 0);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (sk->sk_shutdown == SHUTDOWN_MASK)
		mask |= POLLHUP;
	if (!skb_queue_empty(&sk->receive_queue))
		mask |= POLLIN | POLLRDNORM;
	if (sock_writeable(sk))
		mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
	else
		sk->sk_nospace = true;
	return mask;
}
