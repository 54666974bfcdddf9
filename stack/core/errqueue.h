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
#define SKBTX_HW_TSTAMP	   4u
#define SKBTX_IN_PROGRESS  8u /* the device is going to stamp it */
#define SKBTX_ANY_TSTAMP   (SKBTX_SW_TSTAMP | SKBTX_SCHED_TSTAMP | SKBTX_HW_TSTAMP)

/* ---- time stamps (tstamp.c) ---- */

/* SO_TIMESTAMPING: 0, -EINVAL. */
int sock_set_timestamping(struct sock *sk, u32 flags);
/* What the socket wants of a packet that it sends, for shinfo.tx_flags. */
u8 sock_tx_timestamp(u32 tsflags);
/* Of one send: the options of the socket, as its control messages change them (sockcm_cookie). */
struct sockcm_cookie {
	u32 mark, priority;
	u32 tsflags;
	u32 ts_opt_id;
	bool ts_opt_id_valid;
};
static inline struct sockcm_cookie sockcm_init(const struct sock *sk)
{
	return (struct sockcm_cookie){ .mark = sk->sk_mark,
				       .priority = sk->sk_priority,
				       .tsflags = sk->sk_rare->tsflags };
}
/* A control message of SOL_SOCKET. 0 or -EINVAL. */
int __sock_cmsg_send(const struct sock *sk, struct sockcm_cookie *sockc, u32 type, const u8 *data,
		     u32 len);
/* The same for all of a call; those of other levels are not looked at. */
int sock_cmsg_send(const struct sock *sk, struct sockcm_cookie *sockc, const struct msghdr *msg);
/* The number of the next packet that is to be stamped (OPT_ID); 0 without. */
u32 sock_tx_tskey(struct sock *sk, const struct sockcm_cookie *sockc);
/* Both, for a packet that is sent whole (skb_setup_tx_timestamp). */
void skb_setup_tx_timestamp(struct sk_buff *skb, struct sock *sk,
			    const struct sockcm_cookie *sockc);
/* Tells the socket that skb has come to this point (SCM_TSTAMP_*). hw: ns of the device's clock, 0:
 * it is a software stamp. ack: the segment that acknowledged it; NULL: none. sk may be NULL. */
void __skb_tstamp_tx(struct sk_buff *skb, const struct sk_buff *ack, struct sock *sk, u32 tstype,
		     u64 hw);
/* Time stamps of an entry, and what came with them. */
void sock_recv_err_timestamps(struct msghdr *msg, const struct sock *sk, struct sk_buff *skb);
/* struct sock_extended_err. */
void sock_exterr_bytes(const struct sock_exterr *serr, u8 b[16]);
/* recvmsg with MSG_ERRQUEUE of families that have nothing to add (sock_recv_errqueue). */
s64 sock_recv_errqueue(struct sock *sk, struct msghdr *msg, u32 level, u32 type);
/* A driver gives the packet to its device. */
static inline void skb_tx_timestamp(struct sk_buff *skb)
{
	if (skb_shinfo(skb)->tx_flags & SKBTX_SW_TSTAMP)
		__skb_tstamp_tx(skb, NULL, skb->sk, SCM_TSTAMP_SND, 0);
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
