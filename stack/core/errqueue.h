/* SPDX-License-Identifier: MIT */
/*
 * What a socket is told through its error queue besides errors (linux/errqueue.h): when a packet of
 * it was queued, sent, acknowledged (SO_TIMESTAMPING), and that the memory of a send with
 * MSG_ZEROCOPY is its own again.
 */
#ifndef TAPLINE_CORE_ERRQUEUE_H
#define TAPLINE_CORE_ERRQUEUE_H

#include "core/sock.h"

/* skb_shared_info.tx_flags */
#define SKBTX_SW_TSTAMP	   1u
#define SKBTX_SCHED_TSTAMP 2u
#define SKBTX_ANY_TSTAMP   (SKBTX_SW_TSTAMP | SKBTX_SCHED_TSTAMP)

/* ---- time stamps (tstamp.c) ---- */

/* SO_TIMESTAMPING: 0, -EINVAL. */
int sock_set_timestamping(struct sock *sk, u32 flags);
/* What the socket wants of a packet that it sends, for shinfo.tx_flags. */
u8 sock_tx_timestamp(u32 tsflags);
/* Tells the socket that skb has come to this point (SCM_TSTAMP_*). sk may be NULL. */
void __skb_tstamp_tx(struct sk_buff *skb, struct sock *sk, u32 tstype);
/* A driver gives the packet to its device. */
static inline void skb_tx_timestamp(struct sk_buff *skb)
{
	if (skb_shinfo(skb)->tx_flags & SKBTX_SW_TSTAMP)
		__skb_tstamp_tx(skb, skb->sk, SCM_TSTAMP_SND);
}

/* ---- MSG_ZEROCOPY (zerocopy.c) ---- */

/*
 * One notification: sends id .. id + len - 1, whose bytes are in packets that hold it. As bytes are
 * copied here in any case, it only stands for the time at which the kernel would let go of the
 * pages.
 */
struct ubuf_info_msgzc {
	struct ubuf_info ubuf; /* first */
	struct sock *sk; /* held */
	struct sk_buff *skb; /* the notification */
	u32 id, len;
	bool zerocopy; /* false: SO_EE_CODE_ZEROCOPY_COPIED */
};

/* Begins, or goes on with `uarg` (of the last packet queued; may be NULL). The caller gets a
 * reference; NULL: no memory. */
struct ubuf_info_msgzc *msg_zerocopy_realloc(struct sock *sk, struct ubuf_info *uarg);
/* The call is through: `sent`: it took something, else its number is free again. */
void msg_zerocopy_end(struct msghdr *msg, bool sent);

#endif
