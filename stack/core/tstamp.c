/* SPDX-License-Identifier: MIT */
/*
 * SO_TIMESTAMPING (net/core/sock.c, skbuff.c: __skb_tstamp_tx): a packet that carries the wish in
 * its shared info sends a copy of itself, or an empty one, to its socket's error queue at each
 * point it passes. A device with a clock tells later when the frame left (SKBTX_HW_TSTAMP).
 */
#include "core/errqueue.h"

#define SOF_TIMESTAMPING_TX_RECORD_MASK                                                            \
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
	return (u8)((tsflags & SOF_TIMESTAMPING_TX_HARDWARE ? SKBTX_HW_TSTAMP : 0) |
		    (tsflags & SOF_TIMESTAMPING_TX_SOFTWARE ? SKBTX_SW_TSTAMP : 0) |
		    (tsflags & SOF_TIMESTAMPING_TX_SCHED ? SKBTX_SCHED_TSTAMP : 0));
}

/* A stream has its own numbers: those of its octets. */
static int cmsg_opt_id(const struct sock *sk, struct sockcm_cookie *sockc, u32 id)
{
	if (sk->sk_type == SOCK_STREAM || !(sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	sockc->ts_opt_id = id;
	sockc->ts_opt_id_valid = true;
	return 0;
}

int __sock_cmsg_send(const struct sock *sk, struct sockcm_cookie *sockc, u32 type, const u8 *data,
		     u32 len)
{
	u32 v;

	if (len != 4)
		return -EINVAL;
	v = get_le32(data);
	switch (type) {
	case SO_MARK:
		sockc->mark = v;
		return 0;
	case SO_PRIORITY:
		sockc->priority = v;
		return 0;
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		if (v & ~(u32)SOF_TIMESTAMPING_TX_RECORD_MASK)
			return -EINVAL;
		sockc->tsflags &= ~(u32)SOF_TIMESTAMPING_TX_RECORD_MASK;
		sockc->tsflags |= v;
		return 0;
	case SCM_TS_OPT_ID:
		return cmsg_opt_id(sk, sockc, v);
	default:
		return -EINVAL;
	}
}

int sock_cmsg_send(const struct sock *sk, struct sockcm_cookie *sockc, const struct msghdr *msg)
{
	u32 offset = 0, level, type, len;
	const u8 *data;
	int err;

	while (next_cmsg(msg, &offset, &level, &type, &data, &len, &err)) {
		if (level != SOL_SOCKET)
			continue;
		err = __sock_cmsg_send(sk, sockc, type, data, len);
		if (err)
			return err;
	}
	return err;
}

u32 sock_tx_tskey(struct sock *sk, const struct sockcm_cookie *sockc)
{
	if (!(sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_ID))
		return 0;
	return sockc->ts_opt_id_valid ? sockc->ts_opt_id : sock_rare_own(sk)->tskey++;
}

void skb_setup_tx_timestamp(struct sk_buff *skb, struct sock *sk, const struct sockcm_cookie *sockc)
{
	u8 flags = sock_tx_timestamp(sockc->tsflags);

	if (!flags)
		return;
	skb_shinfo(skb)->tx_flags |= flags;
	skb_shinfo(skb)->tskey = sock_tx_tskey(sk, sockc);
}

static bool wants_opt_stats(const struct sock *sk)
{
	return sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_STATS && sk->prot->opt_stats;
}

/* The copy that the error queue gets: with the packet, with nothing, or with OPT_STATS. */
static struct sk_buff *tstamp_skb(struct sk_buff *orig, const struct sk_buff *ack, struct sock *sk,
				  bool acked)
{
	u32 tsflags = sk->sk_rare->tsflags;
	struct sk_buff *skb;

	if (tsflags & SOF_TIMESTAMPING_OPT_TSONLY && wants_opt_stats(sk))
		return sk->prot->opt_stats(sk, orig, ack);
	if (tsflags & SOF_TIMESTAMPING_OPT_TSONLY)
		return alloc_skb(orig->world, 0);
	skb = skb_clone(orig);
	if (!skb)
		return NULL;
	memset(skb->cb, 0, sizeof(skb->cb));
	/* For OPT_CMSG: by which device. What was acknowledged has no header any more. */
	skb->skb_iif = !acked && orig->dev ? orig->dev->ifindex : 0;
	return skb;
}

void __skb_tstamp_tx(struct sk_buff *orig, const struct sk_buff *ack, struct sock *sk, u32 tstype,
		     u64 hw)
{
	u32 tskey = skb_shinfo(orig)->tskey;
	struct sock_exterr *serr;
	struct sk_buff *skb;

	/* The device's stamp is on its way: one of the two is enough, or both are wanted. */
	if (!sk || (!hw && skb_shinfo(orig)->tx_flags & SKBTX_IN_PROGRESS &&
		    !(sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_TX_SWHW)))
		return;
	skb = tstamp_skb(orig, ack, sk, tstype == SCM_TSTAMP_ACK);
	if (!skb)
		return;
	skb->net = sk->net;
	skb->tstamp = hw ? 0 : skb->world->now;
	if (hw)
		skb_shinfo(skb)->hwtstamp = hw;
	serr = skb_ext_err(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee_errno = ENOMSG;
	serr->ee_origin = SO_EE_ORIGIN_TIMESTAMPING;
	serr->ee_info = tstype;
	serr->opt_stats = wants_opt_stats(sk);
	if (sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_ID)
		serr->ee_data = sk->sk_type == SOCK_STREAM ? tskey - sk->sk_rare->tskey : tskey;
	if (sock_queue_err_skb(sk, skb))
		kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_RCVBUFF);
}

void sock_exterr_bytes(const struct sock_exterr *serr, u8 b[16])
{
	put_le32(b, serr->ee_errno);
	b[4] = serr->ee_origin;
	b[5] = serr->ee_type;
	b[6] = serr->ee_code;
	b[7] = 0;
	put_le32(b + 8, serr->ee_info);
	put_le32(b + 12, serr->ee_data);
}

void sock_recv_err_timestamps(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb)
{
	u32 used = msg->control_used;

	sock_recv_timestamp(msg, sk, skb->tstamp, skb_shinfo(skb)->hwtstamp, true);
	if (skb_ext_err(skb)->opt_stats && msg->control_used != used)
		put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMPING_OPT_STATS, skb->data, skb->len);
}

s64 sock_recv_errqueue(struct sock *sk, struct msghdr *msg, u32 level, u32 type)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	u32 copied;
	u8 b[16];
	int err;

	if (!skb)
		return -EAGAIN;
	copied = min_u32(skb->len, msg->len);
	if (copied < skb->len)
		msg->out_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (!err) {
		sock_recv_err_timestamps(msg, sk, skb);
		sock_exterr_bytes(skb_ext_err(skb), b);
		put_cmsg(msg, level, type, b, sizeof(b));
		msg->out_flags |= MSG_ERRQUEUE;
	}
	consume_skb(skb);
	return err ? err : (s64)copied;
}
