/* SPDX-License-Identifier: MIT */
/*
 * SO_TIMESTAMPING (net/core/sock.c, skbuff.c: __skb_tstamp_tx): a packet that carries the wish in
 * its shared info sends a copy of itself, or an empty one, to its socket's error queue at each
 * point it passes. The device here has no clock of its own: only software stamps are made.
 */
#include "core/errqueue.h"

#define TX_RECORD_MASK                                                                             \
	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | \
	 SOF_TIMESTAMPING_TX_ACK)

int sock_set_timestamping(struct sock *sk, u32 flags)
{
	struct sock_rare *rare;

	if (flags & ~(u32)SOF_TIMESTAMPING_MASK)
		return -EINVAL;
	if (flags & SOF_TIMESTAMPING_OPT_ID_TCP && !(flags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	if (flags & SOF_TIMESTAMPING_OPT_ID && !(sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_ID)) {
		int err = sk->prot->timestamping_key ? sk->prot->timestamping_key(sk, flags) : 0;

		if (err)
			return err;
		if (!sk->prot->timestamping_key)
			rare->tskey = 0;
	}
	if (flags & SOF_TIMESTAMPING_OPT_STATS && !(flags & SOF_TIMESTAMPING_OPT_TSONLY))
		return -EINVAL;
	/* The clock is one of the device's virtual ones, and no device has any. */
	if (flags & SOF_TIMESTAMPING_BIND_PHC)
		return sk->sk_bound_dev_if ? -EINVAL : -EOPNOTSUPP;
	rare->tsflags = flags;
	return 0;
}

u8 sock_tx_timestamp(u32 tsflags)
{
	return (u8)((tsflags & SOF_TIMESTAMPING_TX_SOFTWARE ? SKBTX_SW_TSTAMP : 0) |
		    (tsflags & SOF_TIMESTAMPING_TX_SCHED ? SKBTX_SCHED_TSTAMP : 0));
}

void __skb_tstamp_tx(struct sk_buff *orig, struct sock *sk, u32 tstype)
{
	struct sock_exterr *serr;
	struct sk_buff *skb;
	u32 tskey;

	if (!sk || !(sk->sk_rare->tsflags & TX_RECORD_MASK))
		return;
	tskey = skb_shinfo(orig)->tskey;
	if (sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_TSONLY)
		skb = alloc_skb(orig->world, 0);
	else
		skb = skb_clone(orig);
	if (!skb)
		return;
	skb->net = sk->net;
	skb->tstamp = skb->world->now;
	serr = skb_ext_err(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee_errno = ENOMSG;
	serr->ee_origin = SO_EE_ORIGIN_TIMESTAMPING;
	serr->ee_info = tstype;
	if (sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_ID)
		serr->ee_data = sk->sk_type == SOCK_STREAM ? tskey - sk->sk_rare->tskey : tskey;
	if (sock_queue_err_skb(sk, skb))
		kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_RCVBUFF);
}
