/* SPDX-License-Identifier: MIT */
/*
 * Control messages of every socket (net/core/scm.c, put_cmsg), in the layout of Linux x86-64, and
 * those of SOL_SOCKET that come with a packet.
 *
 * Invariant: what is put never goes beyond the caller's room; what is cut is told by MSG_CTRUNC.
 */
#include "core/errqueue.h"
#include "core/sock.h"

#define CMSG_HDR 16u /* sizeof(struct cmsghdr) */

static u32 cmsg_align(u32 len)
{
	return (len + 7u) & ~7u;
}

void put_cmsg(struct msghdr *msg, u32 level, u32 type, const u8 *data, u32 len)
{
	u32 room = msg->control_len - msg->control_used;
	u32 cmlen = CMSG_HDR + len;
	u32 space = CMSG_HDR + cmsg_align(len);
	u8 *p;

	if (!msg->control || room < CMSG_HDR) {
		msg->out_flags |= MSG_CTRUNC;
		return;
	}
	p = msg->control + msg->control_used;
	if (room < cmlen) {
		msg->out_flags |= MSG_CTRUNC;
		cmlen = room;
	}
	space = min_u32(space, room);
	memset(p, 0, space);
	put_le64(p, cmlen);
	put_le32(p + 8, level);
	put_le32(p + 12, type);
	memcpy(p + CMSG_HDR, data, cmlen - CMSG_HDR);
	msg->control_used += space;
}

bool next_cmsg(const struct msghdr *msg, u32 *offset, u32 *level, u32 *type, const u8 **data,
	       u32 *len, int *err)
{
	u32 room = *offset < msg->control_len ? msg->control_len - *offset : 0;
	const u8 *p = msg->control + *offset;
	u64 cmlen;

	*err = 0;
	if (!msg->control || room < CMSG_HDR)
		return false;
	cmlen = get_le64(p);
	if (cmlen < CMSG_HDR || cmlen > room) {
		*err = -EINVAL;
		return false;
	}
	*level = get_le32(p + 8);
	*type = get_le32(p + 12);
	*data = p + CMSG_HDR;
	*len = (u32)cmlen - CMSG_HDR;
	*offset += cmsg_align((u32)cmlen);
	return true;
}

static void put_timestamp(struct msghdr *msg, const struct sock *sk, u64 ns)
{
	bool nano = (sk->sk_flags & SOCK_RCVTSTAMPNS) != 0;
	u64 rest = ns % NSEC_PER_SEC;
	u8 b[16];

	put_le64(b, ns / NSEC_PER_SEC);
	put_le64(b + 8, nano ? rest : rest / NSEC_PER_USEC);
	put_cmsg(msg, SOL_SOCKET,
		 sk->sk_flags & SOCK_TSTAMP_NEW ? nano ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMP_NEW :
		 nano				? SO_TIMESTAMPNS :
						  SO_TIMESTAMP,
		 b, sizeof(b));
}

/* struct scm_timestamping: the software stamp, a legacy one, the raw one of hardware. */
static void put_timestamping(struct msghdr *msg, const struct sock *sk, u64 ns, u64 hw)
{
	u8 b[48] = { 0 };

	put_le64(b, ns / NSEC_PER_SEC);
	put_le64(b + 8, ns % NSEC_PER_SEC);
	put_le64(b + 32, hw / NSEC_PER_SEC);
	put_le64(b + 40, hw % NSEC_PER_SEC);
	put_cmsg(msg, SOL_SOCKET,
		 sk->sk_flags & SOCK_TSTAMP_NEW ? SO_TIMESTAMPING_NEW : SCM_TIMESTAMPING, b,
		 sizeof(b));
}

void sock_recv_timestamp(struct msghdr *msg, const struct sock *sk, u64 tstamp, u64 hw,
			 bool err_queue)
{
	u32 tsflags = sk->sk_rare->tsflags;
	bool sw = tstamp != 0;

	/* Stamping was switched on after it came: the kernel takes the present time. */
	if (sk->sk_flags & SOCK_TIMESTAMP)
		put_timestamp(msg, sk, tstamp ? tstamp : net_world(sk->net)->now);
	if (!(tsflags & SOF_TIMESTAMPING_SOFTWARE) ||
	    !(tsflags & SOF_TIMESTAMPING_RX_SOFTWARE || err_queue ||
	      !(tsflags & SOF_TIMESTAMPING_OPT_RX_FILTER)))
		tstamp = 0;
	/* An entry of the error queue is the stamp of one clock. */
	if (!(tsflags & SOF_TIMESTAMPING_RAW_HARDWARE) || (err_queue && sw) ||
	    !(tsflags & SOF_TIMESTAMPING_RX_HARDWARE || err_queue ||
	      !(tsflags & SOF_TIMESTAMPING_OPT_RX_FILTER)))
		hw = 0;
	if (tstamp || hw)
		put_timestamping(msg, sk, tstamp, hw);
}

static void put_number(struct msghdr *msg, u32 type, u32 v)
{
	u8 b[4];

	put_le32(b, v);
	put_cmsg(msg, SOL_SOCKET, type, b, sizeof(b));
}

#define CMSG_FLAGS (SOCK_TIMESTAMP | SOCK_RXQ_OVFL | SOCK_RCVMARK | SOCK_RCVPRIORITY)

void sock_recv_cmsgs(struct msghdr *msg, struct sock *sk, const struct sk_buff *skb)
{
	u32 drops;

	if (!(sk->sk_flags & CMSG_FLAGS) && !sk->sk_rare->tsflags)
		return;
	sock_recv_timestamp(msg, sk, skb->tstamp, skb_shinfo(skb)->hwtstamp, false);
	memcpy(&drops, skb->cb + SOCK_CB_DROPCOUNT, sizeof(drops));
	if (sk->sk_flags & SOCK_RXQ_OVFL && drops)
		put_number(msg, SO_RXQ_OVFL, drops);
	if (sk->sk_flags & SOCK_RCVMARK)
		put_number(msg, SO_MARK, skb->mark);
	if (sk->sk_flags & SOCK_RCVPRIORITY)
		put_number(msg, SO_PRIORITY, skb->priority);
}
