/* SPDX-License-Identifier: MIT */
/*
 * Notifications of MSG_ZEROCOPY (net/core/skbuff.c: msg_zerocopy_*): each send has a number; when
 * the last packet with its bytes is gone, an entry of the error queue tells the range of numbers
 * that are done. Neighbouring ranges become one.
 *
 * Invariant: every one that was begun ends in a notification, or was never used.
 */
#include "core/errqueue.h"

/* [lo, lo + len - 1] behind what the entry tells already. False: it does not follow on. */
static bool notify_extend(struct sk_buff *skb, u32 lo, u32 len)
{
	struct sock_exterr *serr = skb_ext_err(skb);

	if ((u64)(serr->ee_data - serr->ee_info) + 1 + len > UINT32_MAX || lo != serr->ee_data + 1)
		return false;
	serr->ee_data += len;
	return true;
}

static void msg_zerocopy_complete(struct ubuf_info *ubuf)
{
	struct ubuf_info_msgzc *uarg = container_of(ubuf, struct ubuf_info_msgzc, ubuf);
	struct sk_buff *skb = uarg->skb, *tail;
	struct sock *sk = uarg->sk;
	struct sock_exterr *serr;

	if (uarg->len && !(sk->sk_flags & SOCK_DEAD)) {
		serr = skb_ext_err(skb);
		memset(serr, 0, sizeof(*serr));
		serr->ee_origin = SO_EE_ORIGIN_ZEROCOPY;
		serr->ee_info = uarg->id;
		serr->ee_data = uarg->id + uarg->len - 1;
		if (!uarg->zerocopy || uarg->ubuf.copied)
			serr->ee_code = SO_EE_CODE_ZEROCOPY_COPIED;
		tail = sk->sk_rare->error_queue.prev;
		if (!tail || skb_ext_err(tail)->ee_origin != SO_EE_ORIGIN_ZEROCOPY ||
		    skb_ext_err(tail)->ee_code != serr->ee_code ||
		    !notify_extend(tail, uarg->id, uarg->len)) {
			skb_set_owner_r(skb, sk);
			skb_queue_tail(&sock_rare_own(sk)->error_queue, skb);
			skb = NULL;
		}
		sk_error_report(sk);
	}
	if (skb)
		consume_skb(skb);
	mem_free(net_world(sk->net), MEM_MISC, uarg, sizeof(*uarg));
	sock_put(sk);
}

static struct ubuf_info_msgzc *msg_zerocopy_alloc(struct sock *sk)
{
	struct world *w = net_world(sk->net);
	struct ubuf_info_msgzc *uarg = mem_zalloc(w, MEM_MISC, sizeof(*uarg));

	if (!uarg)
		return NULL;
	uarg->skb = alloc_skb(w, 0);
	if (!uarg->skb) {
		mem_free(w, MEM_MISC, uarg, sizeof(*uarg));
		return NULL;
	}
	/* Its memory is the option memory's, not the receive buffer's. */
	uarg->skb->truesize = 0;
	uarg->skb->net = sk->net;
	uarg->ubuf = (struct ubuf_info){ .refs = 1, .complete = msg_zerocopy_complete };
	uarg->zerocopy = true;
	uarg->len = 1;
	uarg->id = sock_rare_own(sk)->zckey++;
	uarg->sk = sk;
	sock_hold(sk);
	return uarg;
}

struct ubuf_info_msgzc *msg_zerocopy_realloc(struct sock *sk, struct ubuf_info *ubuf)
{
	struct ubuf_info_msgzc *uarg;

	if (!ubuf)
		return msg_zerocopy_alloc(sk);
	uarg = container_of(ubuf, struct ubuf_info_msgzc, ubuf);
	if (uarg->len == UINT16_MAX - 1 || uarg->id + uarg->len != sk->sk_rare->zckey)
		return msg_zerocopy_alloc(sk);
	uarg->len++;
	sock_rare_own(sk)->zckey++;
	ubuf->refs++;
	return uarg;
}

void msg_zerocopy_end(struct msghdr *msg, bool sent)
{
	struct ubuf_info_msgzc *uarg = msg->uarg;

	if (!uarg)
		return;
	msg->uarg = NULL;
	if (!sent) {
		sock_rare_own(uarg->sk)->zckey--;
		uarg->len--;
	}
	ubuf_put(&uarg->ubuf);
}
