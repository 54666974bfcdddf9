/* SPDX-License-Identifier: MIT */
/*
 * TCP's calls of the user: birth of a socket, sending, poll, ioctl (net/ipv4/tcp.c). Receiving is
 * in tcp_recvmsg.c, the end in tcp_close.c, options in tcp_sockopt.c.
 *
 * Invariants: a step takes whole what it counts in msg->done; write_seq is where the next byte
 * goes; a sender that found no room is woken by tcp_write_space().
 */
#include "core/errqueue.h"
#include "tcp/tcp.h"

#include "lib/checksum.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_user.h"

const struct sock_calls tcp_calls = {
	.data_ready = sock_def_readable,
	.write_space = tcp_write_space,
	.state_change = sock_def_wakeup,
	.error_report = sock_def_error_report,
};

void tcp_init_sock(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;

	tcp_init_xmit_timers(sk);
	icsk->icsk_accept_queue = &reqsk_queue_none;
	tp->rare = &tcp_rare_default;
	tp->loss = &tcp_loss_none;
	list_init(&tp->tsorted_sent_queue);
	icsk->icsk_rto = TCP_TIMEOUT_INIT;
	icsk->icsk_rto_max = (u32)sysctl->tcp_rto_max_ms;
	icsk->icsk_rto_min = max_u32((u32)sysctl->tcp_rto_min_us / 1000, 1);
	icsk->icsk_delack_max = TCP_DELACK_MAX;
	tp->mdev_us = TCP_TIMEOUT_INIT * 1000;
	for (u32 i = 0; i < 3; i++) {
		tp->rtt_min.s[i][0] = tcp_jiffies32(sk);
		tp->rtt_min.s[i][1] = UINT32_MAX;
	}
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->app_limited = UINT32_MAX;
	tp->rate_app_limited = 1;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->snd_cwnd_clamp = UINT32_MAX;
	tp->mss_cache = TCP_MSS_DEFAULT;
	tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT;
	tp->reordering = (u32)sysctl->tcp_reordering;
	tp->rack.reo_wnd_steps = 1;
	tp->scaling_ratio = 128;
	tcp_assign_congestion_control(sk);
	sk->sk_sndbuf = (s32)max_u32((u32)sysctl->tcp_wmem_default, SOCK_MIN_SNDBUF);
	sk->sk_rcvbuf = (s32)max_u32((u32)sysctl->tcp_rmem_default, SOCK_MIN_RCVBUF);
}

/* ---- room to write ---- */

bool tcp_stream_memory_free(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 lowat = tp->rare->options.notsent_lowat ? tp->rare->options.notsent_lowat :
						      (u32)sk->net->sysctl.tcp_notsent_lowat;

	return sk->sk_wmem_queued < (u32)sk->sk_sndbuf && tp->write_seq - tp->snd_nxt < lowat;
}

static bool is_writeable(const struct sock *sk)
{
	/* A third must be free, so that a writer is not woken for every segment. */
	return (s32)((u32)sk->sk_sndbuf - sk->sk_wmem_queued) >= (s32)(sk->sk_wmem_queued >> 1) &&
	       tcp_stream_memory_free(sk);
}

void tcp_write_space(struct sock *sk)
{
	if (!sk->socket || !is_writeable(sk))
		return;
	sk->sk_nospace = false;
	if (waitqueue_active(&sk->wq))
		wake_up_poll(&sk->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
}

/* ---- what limits the sender (TCP_INFO) ---- */

static void chrono_set(struct tcp_sock *tp, u8 next)
{
	u32 now = tcp_jiffies32(&tp->inet_conn.icsk_inet);

	if (tp->chrono_type > TCP_CHRONO_UNSPEC)
		tp->chrono_stat[tp->chrono_type - 1] += now - tp->chrono_start;
	tp->chrono_start = now;
	tp->chrono_type = (u32)next & 3;
}

void tcp_chrono_start(struct sock *sk, enum tcp_chrono type)
{
	struct tcp_sock *tp = tcp_sk(sk);

	/* The higher reason wins. */
	if (type > tp->chrono_type)
		chrono_set(tp, (u8)type);
}

void tcp_chrono_stop(struct sock *sk, enum tcp_chrono type)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_rtx_and_write_queues_empty(sk))
		chrono_set(tp, TCP_CHRONO_UNSPEC);
	else if (type == tp->chrono_type && type != TCP_CHRONO_BUSY)
		chrono_set(tp, TCP_CHRONO_BUSY);
}

/* ---- sending ---- */

u32 tcp_send_mss(struct sock *sk, u32 *size_goal, u32 flags)
{
	u32 mss = tcp_current_mss(sk);

	*size_goal = tcp_xmit_size_goal(sk, mss, !(flags & MSG_OOB));
	return mss;
}

static void mark_push(struct tcp_sock *tp, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_PSH;
	tp->pushed_seq = tp->write_seq;
}

/* Half of the peer's window without a PSH: it may wait for one. */
static bool forced_push(const struct tcp_sock *tp)
{
	return after(tp->write_seq, tp->pushed_seq + (tp->max_window >> 1));
}

void tcp_push(struct sock *sk, u32 flags, u32 mss_now, u32 nonagle, u32 size_goal)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb)
		return;
	if (!(flags & MSG_MORE) || forced_push(tp))
		mark_push(tp, skb);
	if (flags & MSG_OOB)
		tp->snd_up = tp->write_seq;
	if (tcp_should_autocork(sk, skb, size_goal))
		return;
	if (flags & MSG_MORE)
		nonagle = TCP_NAGLE_CORK;
	__tcp_push_pending_frames(sk, mss_now, nonagle);
}

/* A new last packet of the write queue, for `size` bytes at first. */
static struct sk_buff *new_segment(struct sock *sk, u32 size)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_stream_alloc_skb(sk, size);
	struct tcp_skb_cb *cb;
	bool hw_csum = sk->dst_cache && sk->dst_cache->dev &&
		       sk->dst_cache->dev->features & NETIF_F_HW_CSUM;

	if (!skb)
		return NULL;
	cb = TCP_SKB_CB(skb);
	cb->seq = tp->write_seq;
	cb->end_seq = tp->write_seq;
	cb->tcp_flags = TCPHDR_ACK;
	cb->payload_csum = !hw_csum;
	tcp_skb_pcount_set(skb, 1);
	tcp_mstamp_refresh(tp);
	if (tcp_write_queue_empty(sk))
		tcp_chrono_start(sk, TCP_CHRONO_BUSY);
	tcp_queue_skb(sk, skb);
	if (tp->nonagle & TCP_NAGLE_PUSH)
		tp->nonagle &= (~TCP_NAGLE_PUSH) & 15;
	tcp_slow_start_after_idle_check(sk);
	return skb;
}

/* Bytes that the last packet can still take; 0: a new one is needed. */
static u32 room_in_tail(const struct sk_buff *skb, u32 size_goal, const struct ubuf_info *ubuf)
{
	if (!skb || (ubuf && skb_shinfo(skb)->ubuf && skb_shinfo(skb)->ubuf != ubuf) ||
	    TCP_SKB_CB(skb)->eor || skb_cloned(skb) || skb->len >= size_goal)
		return 0;
	return size_goal - skb->len;
}

/* The one pass over the user's bytes: copied, and summed while they are one segment. */
static void append(struct sock *sk, struct sk_buff *skb, const u8 *from, u32 n, u32 mss_now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 at = skb->len;
	u8 *to = skb_put(skb, n);

	if (at + n > mss_now)
		TCP_SKB_CB(skb)->payload_csum = 0;
	if (TCP_SKB_CB(skb)->payload_csum)
		skb->csum = csum_block_add(skb->csum, csum_partial_copy(to, from, n, 0), at);
	else
		memcpy(to, from, n);
	skb->truesize += n;
	sk_wmem_queued_add(sk, (s32)n);
	tp->write_seq += n;
	TCP_SKB_CB(skb)->end_seq += n;
}

/* 0, or -errno when nothing can be sent (any more). -EAGAIN: not yet. */
static int may_send(struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED && sk->sk_state != TCP_CLOSE_WAIT &&
	    !tcp_passive_fastopen(sk)) {
		if (sk->sk_err)
			return sock_error(sk);
		if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
			return -EAGAIN;
		return -EPIPE;
	}
	if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN) {
		int err = sock_error(sk);

		return err ? err : -EPIPE;
	}
	return 0;
}

/* After a full segment: is it to go out at once? */
static void push_full(struct sock *sk, struct sk_buff *skb, u32 mss_now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (forced_push(tp)) {
		mark_push(tp, skb);
		__tcp_push_pending_frames(sk, mss_now, TCP_NAGLE_PUSH);
	} else if (skb == tcp_send_head(sk)) {
		tcp_push_one(sk, mss_now);
	}
}

/* MSG_ZEROCOPY: each iovec is a page of its own, of which a packet holds so many. Bytes that the
 * tail takes; 0: it is full of them. */
static u32 zerocopy_room(struct tcp_sock *tp, struct sk_buff *skb, const struct msghdr *msg,
			 u32 room)
{
	u32 in_piece = msg->piece - msg->done % msg->piece;

	if (room && TCP_SKB_CB(skb)->zc_frags >= MAX_SKB_FRAGS) {
		mark_push(tp, skb);
		return 0;
	}
	return min_u32(room, in_piece);
}

/* A last packet that got no byte goes again. */
static void tcp_remove_empty_skb(struct sock *sk)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb || TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq)
		return;
	skb_unlink(&sk->write_queue, skb);
	if (tcp_write_queue_empty(sk))
		tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
	tcp_wmem_free_skb(sk, skb);
}

/* How many of `copy` bytes memory allows. With little queued some always may, or nothing would ever
 * move. */
static u32 tcp_wmem_schedule(struct sock *sk, u32 copy)
{
	u32 least = (u32)sk->net->sysctl.tcp_wmem_min, forward = sk_forward_alloc(sk), n;

	if (sk_wmem_schedule(sk, copy))
		return copy;
	if (least > sk->sk_wmem_queued) {
		n = min_u32(least - sk->sk_wmem_queued, copy);
		if (n > forward)
			forward += sk_mem_pages(n - forward) << SK_MEM_SHIFT;
	}
	return min_u32(copy, forward);
}

/* May there be one more packet? The first always. */
static bool may_add_segment(struct sock *sk)
{
	return tcp_stream_memory_free(sk) &&
	       (tcp_rtx_and_write_queues_empty(sk) || sk_wmem_schedule(sk, TCP_SKB_OVERHEAD));
}

/* The packet that takes the next bytes, and how many: the last one, or a new one. 0, -EAGAIN: no
 * room, -ENOBUFS. */
static int next_tail(struct sock *sk, const struct msghdr *msg, u32 mss_now, u32 size_goal,
		     struct sk_buff **tail, u32 *room)
{
	struct ubuf_info *ubuf = msg->uarg && msg->uarg->zerocopy ? &msg->uarg->ubuf : NULL;
	struct sk_buff *skb = tcp_write_queue_tail(sk);
	u32 left = msg->len - msg->done, n = room_in_tail(skb, size_goal, ubuf);
	bool pieces = ubuf && msg->piece;

	if (n && pieces)
		n = zerocopy_room(tcp_sk(sk), skb, msg, n);
	/* It grows by doubling: a stream of small writes copies each byte twice. */
	if (n && tcp_skb_make_room(skb, min_u32(n, left), min_u32(n, max_u32(left, skb->len))))
		n = 0;
	if (!n) {
		if (!may_add_segment(sk))
			return -EAGAIN;
		skb = new_segment(sk, min_u32(size_goal, max_u32(left, mss_now)));
		if (!skb)
			return -ENOBUFS;
		n = size_goal;
		if (pieces)
			n = zerocopy_room(tcp_sk(sk), skb, msg, n);
	}
	*tail = skb;
	*room = tcp_wmem_schedule(sk, min_u32(n, left));
	if (*room)
		return 0;
	tcp_remove_empty_skb(sk);
	return -EAGAIN;
}

/* Takes what there is room for. 0: all; -EAGAIN: no room; -ENOBUFS. */
static int take(struct sock *sk, struct msghdr *msg, u32 *mss_now, u32 *size_goal)
{
	struct ubuf_info *ubuf = msg->uarg && msg->uarg->zerocopy ? &msg->uarg->ubuf : NULL;
	bool first = true;

	while (msg->done < msg->len) {
		struct sk_buff *skb;
		u32 n;
		int err = next_tail(sk, msg, *mss_now, *size_goal, &skb, &n);

		if (err)
			return err;
		append(sk, skb, msg->data + msg->done, n, *mss_now);
		skb_zcopy_set(skb, ubuf);
		if (ubuf && msg->piece)
			TCP_SKB_CB(skb)->zc_frags++;
		if (first)
			TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_PSH;
		first = false;
		msg->done += n;
		if (msg->done == msg->len) {
			if (msg->flags & MSG_EOR)
				TCP_SKB_CB(skb)->eor = 1;
			break;
		}
		if (skb->len < *size_goal || msg->flags & MSG_OOB)
			continue;
		push_full(sk, skb, *mss_now);
		*mss_now = tcp_send_mss(sk, size_goal, msg->flags);
	}
	return 0;
}

/* SO_TIMESTAMPING for the last byte of a call (tcp_tx_timestamp). */
static void tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc, bool sent)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!sent || !sockc->tsflags)
		return;
	if (!skb)
		skb = tcp_rtx_queue_tail(sk);
	if (!skb)
		return;
	skb_shinfo(skb)->tx_flags |= sock_tx_timestamp(sockc->tsflags);
	if (sockc->tsflags & SOF_TIMESTAMPING_TX_ACK)
		TCP_SKB_CB(skb)->txstamp_ack = 1;
	skb_shinfo(skb)->tskey = TCP_SKB_CB(skb)->seq + skb->len - 1;
}

int tcp_timestamping_key(struct sock *sk, u32 flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	sock_rare_own(sk)->tskey =
		flags & SOF_TIMESTAMPING_OPT_ID_TCP ? tp->write_seq : tp->snd_una;
	return 0;
}

int tcp_zerocopy_begin(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);
	const struct dst_entry *dst = sk->dst_cache;

	if (!(msg->flags & MSG_ZEROCOPY) || !msg->len || !(sk->sk_flags & SOCK_ZEROCOPY) ||
	    msg->uarg)
		return 0;
	msg->uarg = msg_zerocopy_realloc(sk, skb ? skb_shinfo(skb)->ubuf : NULL);
	if (!msg->uarg)
		return -ENOBUFS;
	if (dst && dst->dev && !(dst->dev->features & NETIF_F_SG))
		msg->uarg->zerocopy = false;
	return 0;
}

/* It is not the send buffer that is full: memory may be there after a while, of which nobody tells.
 * ms; 0: it is the buffer. */
static u32 sk_stream_wait_memory(const struct sock *sk)
{
	if (!tcp_stream_memory_free(sk))
		return 0;
	return get_random_u32_below(net_world(sk->net), RANDOM_TCP, HZ / 5) + 2;
}

s64 tcp_sendmsg(struct sock *sk, struct msghdr *msg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss_now, size_goal, before_step = msg->done;
	struct sockcm_cookie sockc;
	int err = may_send(sk);

	if (err)
		return msg->done && err != -EAGAIN ? (s64)msg->done : err;
	sockc = sockcm_init(sk);
	if (msg->control_len) {
		err = sock_cmsg_send(sk, &sockc, msg);
		if (err)
			return err;
	}
	tcp_rate_check_app_limited(sk);
	mss_now = tcp_send_mss(sk, &size_goal, msg->flags);
	err = take(sk, msg, &mss_now, &size_goal);
	if (err == -EAGAIN) {
		sk->sk_nospace = true;
		msg->retry_ms = sk_stream_wait_memory(sk);
		/* A call that can not wait is through. */
		tx_timestamp(sk, &sockc, msg->done != before_step && msg->flags & MSG_DONTWAIT);
		if (msg->done != before_step)
			tcp_push(sk, msg->flags & ~(u32)MSG_MORE, mss_now, TCP_NAGLE_PUSH,
				 size_goal);
		/* The push may have made room already. */
		if (!msg->retry_ms && is_writeable(sk))
			tcp_write_space(sk);
		return -EAGAIN;
	}
	tx_timestamp(sk, &sockc, msg->done != before_step);
	if (msg->done != before_step)
		tcp_push(sk, msg->flags, mss_now, tp->nonagle, size_goal);
	return err && !msg->done ? err : (s64)msg->done;
}

void tcp_splice_eof(struct sock *sk)
{
	u32 size_goal, mss_now;

	if (!tcp_write_queue_tail(sk))
		return;
	mss_now = tcp_send_mss(sk, &size_goal, 0);
	tcp_push(sk, 0, mss_now, tcp_sk(sk)->nonagle, size_goal);
}

/* ---- poll, ioctl ---- */

s32 tcp_inq(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	s32 n;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return 0;
	if (sk->sk_flags & SOCK_URGINLINE || !tp->urg_data || before(tp->urg_seq, tp->copied_seq) ||
	    !before(tp->urg_seq, tp->rcv_nxt)) {
		n = (s32)(tp->rcv_nxt - tp->copied_seq);
		/* The FIN has a number too. */
		if (n && sk->sk_flags & SOCK_DONE)
			n--;
	} else {
		n = (s32)(tp->urg_seq - tp->copied_seq);
	}
	return n;
}

bool tcp_stream_is_readable(struct sock *sk, s32 target)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	s32 avail = (s32)(tp->rcv_nxt - tp->copied_seq);
	u32 threshold = (u32)sk->sk_rcvbuf - ((u32)sk->sk_rcvbuf >> 3);

	if (avail <= 0)
		return false;
	return avail >= target || sk->sk_rmem_alloc > threshold ||
	       tcp_receive_window(tp) <= inet_csk(sk)->icsk_ack.rcv_mss;
}

void tcp_data_ready(struct sock *sk)
{
	if (tcp_stream_is_readable(sk, sk->sk_rare->rcvlowat) || sk->sk_flags & SOCK_DONE)
		sk_data_ready(sk);
}

static u32 poll_connected(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	s32 target = sk->sk_rare->rcvlowat;
	u32 mask = 0;

	if (tp->urg_data && tp->urg_seq == tp->copied_seq && !(sk->sk_flags & SOCK_URGINLINE) &&
	    target < INT32_MAX)
		target++;
	if (tcp_stream_is_readable(sk, target))
		mask |= POLLIN | POLLRDNORM;
	if (sk->sk_shutdown & SEND_SHUTDOWN || is_writeable(sk))
		mask |= POLLOUT | POLLWRNORM;
	else
		sk->sk_nospace = true;
	if (tp->urg_data & TCP_URG_VALID)
		mask |= POLLPRI;
	return mask;
}

u32 tcp_poll(struct sock *sk, u32 f_flags)
{
	bool opening = sk->sk_state == TCP_SYN_SENT ||
		       (sk->sk_state == TCP_SYN_RECV && !tcp_sk(sk)->rare->fastopen_rsk);
	u32 mask = 0;

	(void)f_flags;
	if (sk->sk_state == TCP_LISTEN)
		return reqsk_queue_empty(inet_csk(sk)->icsk_accept_queue) ? 0 : POLLIN | POLLRDNORM;
	if (sk->sk_shutdown == SHUTDOWN_MASK || sk->sk_state == TCP_CLOSE)
		mask |= POLLHUP;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		mask |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (!opening)
		mask |= poll_connected(sk);
	else if (sk->sk_state == TCP_SYN_SENT && tcp_sk(sk)->defer_connect)
		mask |= POLLOUT | POLLWRNORM; /* the first data makes the SYN */
	if (sk->sk_err || !skb_queue_empty(&sk->sk_rare->error_queue))
		mask |= POLLERR;
	return mask;
}

int tcp_ioctl(struct sock *sk, u32 cmd, s64 *value)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool opening = sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV;

	if (cmd == SIOCATMARK) {
		*value = tp->urg_data && tp->urg_seq == tp->copied_seq;
		return 0;
	}
	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOTTY;
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if (cmd == SIOCINQ)
		*value = tcp_inq(sk);
	else if (opening)
		*value = 0;
	else
		*value = (s64)(tp->write_seq - (cmd == SIOCOUTQ ? tp->snd_una : tp->snd_nxt));
	return 0;
}
