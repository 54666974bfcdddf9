/* SPDX-License-Identifier: MIT */
/* Life of dst_entry (net/core/dst.c): references, and what a dead route does with packets. */
#include "core/dst.h"

void dst_release(struct dst_entry *dst)
{
	if (!dst)
		return;
	ASSERT(dst->refcnt > 0);
	if (--dst->refcnt == 0)
		dst->ops->destroy(dst);
}

int dst_discard(struct sk_buff *skb)
{
	kfree_skb_reason(skb, SKB_DROP_REASON_DEV_DELETED);
	return NET_RX_DROP;
}

int dst_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)net;
	(void)sk;
	return dst_discard(skb);
}

void dst_dev_put(struct dst_entry *dst, struct net_device *instead)
{
	struct net_device *old = dst->dev;

	dst->obsolete = true;
	dst->input = dst_discard;
	dst->output = dst_discard_out;
	if (instead)
		dev_hold(instead);
	dst->dev = instead;
	if (old)
		dev_put(old);
}
