/* SPDX-License-Identifier: MIT */
/*
 * TCP fast open, the client's side (RFC 7413 4.1.3, 4.2.1; tcp_fastopen.c, tcp_send_syn_data of
 * tcp_output.c, tcp_rcv_fastopen_synack of tcp_input.c).
 *
 * The SYN and its data are two segments of the retransmission queue, sent once as one: a SYN that
 * is sent again has neither data nor the option, as a middlebox may have eaten them.
 */
#include "core/errqueue.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_user.h"

/* ---- black holes ---- */

static void active_disable(struct sock *sk)
{
	struct net *net = sk->net;

	if (!net->sysctl.tcp_fastopen_blackhole_timeout)
		return;
	net->tfo_active_disable_stamp = jiffies(net->host);
	net->tfo_active_disable_times++;
	MIB_INC(net, TcpExtTCPFastOpenBlackhole);
}

/* Fast open was given up a while ago: the pause doubles up to 64 times. */
static bool active_should_disable(struct sock *sk)
{
	const struct net *net = sk->net;
	u32 times = net->tfo_active_disable_times;
	u64 pause = (u64)(u32)net->sysctl.tcp_fastopen_blackhole_timeout * HZ;

	if (!pause || !times)
		return false;
	if (jiffies(net->host) < net->tfo_active_disable_stamp + (pause << min_u32(times - 1, 6)))
		return true;
	/* This one tells whether it works again. */
	tcp_sk(sk)->syn_fastopen_ch = 1;
	return false;
}

void tcp_fastopen_active_detect_blackhole(struct sock *sk, bool expired)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 timeouts = inet_csk(sk)->icsk_retransmits;

	if ((tp->syn_fastopen || tp->syn_data || tp->syn_data_acked) &&
	    (timeouts == 2 || (timeouts < 2 && expired)))
		active_disable(sk);
}

void tcp_fastopen_active_disable_ofo_check(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct dst_entry *dst = sk->dst_cache;
	const struct sk_buff *skb;

	if (!tp->syn_fastopen)
		return;
	if (!tp->data_segs_in) {
		/* A FIN came, and nothing of what lies before it. */
		skb = tcp_ofo_first(sk);
		if (skb && skb == tp->loss->ooo_last_skb && TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN)
			active_disable(sk);
	} else if (tp->syn_fastopen_ch && sk->net->tfo_active_disable_times) {
		if (!dst || dst->dev != sk->net->loopback_dev)
			sk->net->tfo_active_disable_times = 0;
	}
}

/* ---- the SYN ---- */

/* May data go with the SYN? cookie: the option to send. */
static bool cookie_check(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie)
{
	tcp_fastopen_cache_get(sk, mss, cookie);
	if (active_should_disable(sk)) {
		cookie->len = -1;
		return false;
	}
	if (tcp_fastopen_no_cookie(sk, TFO_CLIENT_NO_COOKIE)) {
		cookie->len = -1;
		return true;
	}
	if (cookie->len > 0)
		return true;
	tcp_sk(sk)->fastopen_client_fail = TFO_COOKIE_UNAVAILABLE;
	return false;
}

bool tcp_fastopen_defer_connect(struct sock *sk, struct tcp_fastopen_request *fo)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fastopen_cookie cookie = { .len = 0 };
	struct tcp_rare *rare;
	u16 mss;

	if (!tp->fastopen_connect || tp->rare->fastopen_req)
		return false;
	if (cookie_check(sk, &mss, &cookie)) {
		tp->defer_connect = 1;
		/* Nothing is under way, and nothing waits. */
		tp->snd_una = tp->write_seq;
		tp->snd_nxt = tp->write_seq;
		return true;
	}
	/* The SYN asks for one. */
	rare = tcp_rare_get(sk);
	if (!rare)
		return false;
	*fo = (struct tcp_fastopen_request){ .cookie = cookie };
	rare->fastopen_req = fo;
	return false;
}

static void connect_queue(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->end_seq += skb->len;
	sk_wmem_queued_add(sk, (s32)skb->truesize);
	tcp_sk(sk)->write_seq = cb->end_seq;
	tcp_sk(sk)->packets_out += tcp_skb_pcount(skb);
}

/* The SYN once more, with the data that fits. NULL: no memory. */
static struct sk_buff *syn_with_data(struct sock *sk, const struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fastopen_request *fo = tp->rare->fastopen_req;
	const struct msghdr *msg = fo->msg;
	u32 space = tcp_mtu_to_mss_plain(sk, inet_csk(sk)->icsk_pmtu_cookie), left;
	struct sk_buff *skb;

	/* Middleboxes may add options. */
	space = space > MAX_TCP_OPTION_SPACE ? space - MAX_TCP_OPTION_SPACE : 0;
	left = msg ? msg->len - msg->done : 0;
	space = min_u32(space, left);
	skb = tcp_stream_alloc_skb(sk, space);
	if (!skb)
		return NULL;
	memcpy(skb->cb, syn->cb, sizeof(skb->cb));
	list_init(&TCP_SKB_CB(skb)->tx.tsorted);
	TCP_SKB_CB(skb)->payload_csum = 0;
	if (space) {
		memcpy(skb_put(skb, space), msg->data + msg->done, space);
		skb->truesize += space;
	}
	if (msg && msg->uarg && space)
		skb_zcopy_set(skb, &msg->uarg->ubuf);
	fo->copied = space;
	return skb;
}

/* Its data alone, behind the SYN. */
static void data_behind_syn(struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->seq++;
	TCP_SKB_CB(skb)->tcp_flags = TCPHDR_ACK | TCPHDR_PSH;
}

int tcp_send_syn_data(struct sock *sk, struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fastopen_request *fo = tp->rare->fastopen_req;
	struct sk_buff *syn_data = NULL;
	int err;

	tp->rx_opt.mss_clamp = tp->advmss;
	if (cookie_check(sk, &tp->rx_opt.mss_clamp, &fo->cookie) && fo->msg) {
		tp->rx_opt.mss_clamp = tcp_mss_clamp(tp, tp->rx_opt.mss_clamp);
		tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
		syn_data = syn_with_data(sk, syn);
	}
	if (syn_data) {
		connect_queue(sk, syn_data);
		if (syn_data->len)
			tcp_chrono_start(sk, TCP_CHRONO_BUSY);
		err = tcp_transmit_skb(sk, syn_data, true);
		syn->tstamp = syn_data->tstamp;
		data_behind_syn(syn_data);
		if (!err) {
			tp->syn_data = fo->copied > 0;
			tcp_rtx_queue_insert(sk, syn_data);
			MIB_INC(sk->net, TcpExtTCPOrigDataSent);
			fo->cookie.len = -1;
			return 0;
		}
		/* It waits for the SYN-ACK in the write queue. */
		list_del_init(&TCP_SKB_CB(syn_data)->tx.tsorted);
		skb_queue_tail(&sk->write_queue, syn_data);
		tp->packets_out -= tcp_skb_pcount(syn_data);
	}
	if (fo->cookie.len > 0)
		fo->cookie.len = 0;
	err = tcp_transmit_skb(sk, syn, true);
	if (err)
		tp->syn_fastopen = 0;
	fo->cookie.len = -1;
	return err;
}

/* ---- the SYN-ACK ---- */

/* The MSS that the peer announced, also where TCP_MAXSEG is smaller. */
static u16 announced_mss(const struct sock *sk, const struct sk_buff *synack)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rx_opt.mss_clamp != tp->rx_opt.user_mss)
		return tp->rx_opt.mss_clamp;
	return tcp_parse_mss_option(tcp_hdr(synack), 0);
}

/* The data of the SYN was not taken: it goes now. */
static void retransmit_data(struct sock *sk, struct sk_buff *data)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->fastopen_client_fail =
		tp->loss->total_retrans ? TFO_SYN_RETRANSMITTED : TFO_DATA_NOT_ACKED;
	/* Without memory a timeout sends it again. */
	if (!tcp_loss_get(sk))
		return;
	for (; data; data = tcp_rtx_queue_next(data))
		tcp_mark_skb_lost(sk, data);
	tcp_non_congestion_loss_retransmit(sk);
	MIB_INC(sk->net, TcpExtTCPFastOpenActiveFail);
}

bool tcp_rcv_fastopen_synack(struct sock *sk, struct sk_buff *synack,
			     struct tcp_fastopen_cookie *cookie)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *data = tp->syn_data ? tcp_rtx_queue_head(sk) : NULL;
	u16 try_exp = 0;
	bool syn_drop = false;

	if (!tp->syn_fastopen) {
		/* Nobody asked for a cookie. */
		cookie->len = -1;
	} else if (tp->loss->total_retrans) {
		/* Only a SYN without all this got through. */
		syn_drop = cookie->len < 0 && data;
	} else if (cookie->len < 0 && !tp->syn_data) {
		/* No answer to the option: the other form next time, then this one for good. */
		try_exp = tp->syn_fastopen_exp ? 2 : 1;
	}
	tcp_fastopen_cache_set(sk, announced_mss(sk, synack), cookie, syn_drop, try_exp);
	if (data) {
		retransmit_data(sk, data);
		return true;
	}
	tp->syn_data_acked = tp->syn_data;
	if (tp->syn_data_acked) {
		MIB_INC(sk->net, TcpExtTCPFastOpenActive);
		/* SYN and data were one packet. */
		if (tp->delivered > 1)
			tp->delivered--;
	}
	tcp_fastopen_add_skb(sk, synack);
	return false;
}
