/* SPDX-License-Identifier: MIT */
/*
 * Segment size and path MTU (RFC 9293 3.7.1, RFC 1191, RFC 6691), and the search for a larger one
 * by probes (RFC 4821; net/ipv4/tcp_output.c: tcp_mtu_probe): a segment larger than the present
 * size is sent in front of others; when it arrives that is the size from then on, when it alone is
 * lost it was too large. net.ipv4.tcp_mtu_probing: 0 never, 1 once a black hole is suspected, 2
 * always.
 *
 * Invariants: search_low is a size that works and search_high one that may; at most one probe is
 * under way (probe_size), and its loss says nothing about congestion (RFC 4821 4).
 */
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"

/* ---- size ---- */

u16 tcp_mss_clamp(const struct tcp_sock *tp, u16 mss)
{
	u16 user = tp->rx_opt.user_mss;

	return user && user < mss ? user : mss;
}

u32 tcp_dst_advmss(const struct dst_entry *dst)
{
	u32 advmss = dst_metric(dst, RTAX_ADVMSS);

	return advmss ? advmss : dst->ops->default_advmss(dst);
}

u16 tcp_advertise_mss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->dst_cache && tcp_dst_advmss(sk->dst_cache) < tp->advmss)
		tp->advmss = (u16)tcp_dst_advmss(sk->dst_cache);
	return tp->advmss;
}

void tcp_initialize_advmss(struct sock *sk, const struct dst_entry *dst)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->advmss = tcp_mss_clamp(tp, (u16)tcp_dst_advmss(dst));
}

u32 tcp_mtu_to_mss_plain(const struct sock *sk, u32 pmtu)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	u32 fixed = icsk->icsk_af_ops->net_header_len + TCP_HLEN;
	u32 mss = pmtu > fixed ? pmtu - fixed : 0;

	mss = min_u32(mss, tcp_sk(sk)->rx_opt.mss_clamp);
	mss = mss > icsk->icsk_ext_hdr_len ? mss - icsk->icsk_ext_hdr_len : 0;
	return max_u32(mss, (u32)sk->net->sysctl.tcp_min_snd_mss);
}

u32 tcp_mtu_to_mss(struct sock *sk, u32 pmtu)
{
	return tcp_mtu_to_mss_plain(sk, pmtu) - (tcp_sk(sk)->tcp_header_len - TCP_HLEN);
}

u32 tcp_mss_to_mtu(struct sock *sk, u32 mss)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return mss + tcp_sk(sk)->tcp_header_len + icsk->icsk_ext_hdr_len +
	       icsk->icsk_af_ops->net_header_len;
}

static u32 largest(const struct sock *sk)
{
	return tcp_sk(sk)->rx_opt.mss_clamp + TCP_HLEN + inet_csk(sk)->icsk_af_ops->net_header_len;
}

static const struct tcp_mtup *mtup(const struct sock *sk)
{
	return &tcp_sk(sk)->rare->mtup;
}

/* While icsk_mtup_enabled. */
static struct tcp_mtup *mtup_own(const struct sock *sk)
{
	return &tcp_rare_own(tcp_sk(sk))->mtup;
}

/* The search begins. False: no memory. */
static bool mtup_start(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return false;
	rare->mtup.search_low = tcp_mss_to_mtu(sk, (u32)sk->net->sysctl.tcp_base_mss);
	rare->mtup.probe_size = 0;
	rare->mtup.probe_timestamp = tcp_jiffies32(sk);
	return true;
}

void tcp_mtup_init(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	inet_csk(sk)->icsk_mtup_search_high = largest(sk);
	icsk->icsk_mtup_enabled = sk->net->sysctl.tcp_mtu_probing > 1 && mtup_start(sk);
}

u32 tcp_bound_to_half_wnd(const struct tcp_sock *tp, u32 mss)
{
	u32 cutoff = tp->max_window;

	if (cutoff > TCP_MSS_DEFAULT)
		cutoff >>= 1;
	return cutoff && mss > cutoff ? max_u32(cutoff, 68u - tp->tcp_header_len) : mss;
}

u32 tcp_sync_mss(struct sock *sk, u32 pmtu)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss;

	if (tp->inet_conn.icsk_mtup_search_high > pmtu)
		tp->inet_conn.icsk_mtup_search_high = pmtu;
	icsk->icsk_pmtu_cookie = pmtu;
	mss = tcp_bound_to_half_wnd(tp, tcp_mtu_to_mss(sk, pmtu));
	if (icsk->icsk_mtup_enabled)
		mss = min_u32(mss, tcp_mtu_to_mss(sk, mtup(sk)->search_low));
	tp->mss_cache = mss;
	return mss;
}

/* Of a segment now: the path MTU, less the options that it will carry. */
u32 tcp_current_mss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct dst_entry *dst = sk->dst_cache;
	struct tcp_out_options opts;
	u32 mss = tp->mss_cache, header;

	if (dst && dst_mtu(dst) != inet_csk(sk)->icsk_pmtu_cookie)
		mss = tcp_sync_mss(sk, dst_mtu(dst));
	header = tcp_established_options(sk, NULL, &opts) + TCP_HLEN;
	if (header != tp->tcp_header_len)
		mss -= header - tp->tcp_header_len;
	return mss;
}

/* ---- probes (RFC 4821 7) ---- */

/* The search is over: after tcp_probe_interval another one begins (RFC 4821 7.3). */
static void check_reprobe(struct sock *sk)
{
	u64 interval = (u64)sk->net->sysctl.tcp_probe_interval * HZ;

	if (tcp_jiffies32(sk) - mtup(sk)->probe_timestamp < interval)
		return;
	mtup_own(sk)->probe_size = 0;
	inet_csk(sk)->icsk_mtup_search_high = largest(sk);
	mtup_own(sk)->search_low = tcp_mss_to_mtu(sk, tcp_current_mss(sk));
	mtup_own(sk)->probe_timestamp = tcp_jiffies32(sk);
}

/* Bytes of a probe that would help the search; 0: none would. */
static u32 probe_len(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 low = mtup(sk)->search_low, high = tp->inet_conn.icsk_mtup_search_high, len;

	if (high >= low && high - low >= (u32)sk->net->sysctl.tcp_probe_threshold) {
		len = tcp_mtu_to_mss(sk, (high + low) >> 1);
		if (len <= tcp_mtu_to_mss(sk, high))
			return len;
	}
	check_reprobe(sk);
	return 0;
}

/* May the first `len` bytes of the write queue be one segment? */
static bool can_coalesce(const struct sock *sk, u32 len)
{
	for (const struct sk_buff *skb = tcp_send_head(sk); skb; skb = skb->next) {
		if (len <= skb->len)
			return true;
		if (TCP_SKB_CB(skb)->eor || skb_shinfo(skb)->tx_flags || skb_shinfo(skb)->ubuf)
			return false;
		len -= skb->len;
	}
	return true;
}

/* Moves the first `len` bytes of the write queue into `probe`, which goes in front. */
static void build_probe(struct sock *sk, struct sk_buff *probe, u32 len, u32 mss_now)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(probe);

	cb->seq = TCP_SKB_CB(tcp_send_head(sk))->seq;
	cb->end_seq = cb->seq + len;
	cb->tcp_flags = TCPHDR_ACK;
	while (probe->len < len) {
		struct sk_buff *skb = tcp_send_head(sk);
		struct tcp_skb_cb *from = TCP_SKB_CB(skb);
		u32 n = min_u32(skb->len, len - probe->len);

		memcpy(skb_put(probe, n), skb->data, n);
		probe->truesize += n;
		sk_wmem_queued_add(sk, (s32)n);
		if (n == skb->len) {
			cb->tcp_flags |= from->tcp_flags;
			cb->eor = from->eor;
			skb_unlink(&sk->write_queue, skb);
			tcp_wmem_free_skb(sk, skb);
			continue;
		}
		cb->tcp_flags |= from->tcp_flags & (u16) ~(TCPHDR_FIN | TCPHDR_PSH);
		skb_pull(skb, n);
		skb->truesize -= n;
		sk_wmem_queued_add(sk, -(s32)n);
		from->payload_csum = 0;
		from->seq += n;
		tcp_set_skb_tso_segs(skb, mss_now);
	}
	sk_wmem_queued_add(sk, (s32)TCP_SKB_OVERHEAD);
	skb_queue_head(&sk->write_queue, probe);
	tcp_set_skb_tso_segs(probe, len);
}

static int send_probe(struct sock *sk, u32 len, u32 mss_now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *probe;

	if (!sk_wmem_schedule(sk, TCP_SKB_OVERHEAD + len))
		return -1;
	probe = tcp_stream_alloc_skb(sk, len);
	if (!probe)
		return -1;
	build_probe(sk, probe, len, mss_now);
	/* When it can not be sent tcp_write_xmit() cuts it again. */
	if (tcp_transmit_skb(sk, probe, true))
		return -1;
	/* As much as two segments. */
	tcp_snd_cwnd_set(tp, max_u32(tp->snd_cwnd - 1, 1));
	mtup_own(sk)->probe_size = tcp_mss_to_mtu(sk, len);
	mtup_own(sk)->probe_seq_start = TCP_SKB_CB(probe)->seq;
	mtup_own(sk)->probe_seq_end = TCP_SKB_CB(probe)->end_seq;
	tcp_event_new_data_sent(sk, probe);
	return 1;
}

int tcp_mtu_probe(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss_now, len, needed, in_flight;

	/* Options of other lengths would throw the sizes off. */
	if (!icsk->icsk_mtup_enabled || mtup(sk)->probe_size ||
	    icsk->icsk_ca_state != TCP_CA_Open || tp->snd_cwnd < 11 || tp->rx_opt.num_sacks ||
	    tp->rx_opt.dsack)
		return -1;
	mss_now = tcp_current_mss(sk);
	len = probe_len(sk);
	/* What follows it is to show by its ACKs that the probe alone was lost. */
	needed = len + (tp->reordering + 1) * tp->mss_cache;
	if (!len || tp->write_seq - tp->snd_nxt < needed || tp->snd_wnd < needed)
		return -1;
	if (after(tp->snd_nxt + needed, tcp_wnd_end(tp)))
		return 0;
	in_flight = tcp_packets_in_flight(tp);
	if (in_flight + 2 > tp->snd_cwnd)
		return in_flight ? 0 : -1;
	if (!can_coalesce(sk, len) || tcp_pacing_check(sk))
		return -1;
	return send_probe(sk, len, mss_now);
}

void tcp_mtup_probe_success(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u64 bytes = (u64)tp->snd_cwnd * tcp_mss_to_mtu(sk, tp->mss_cache);

	/* RFC 4821 4: the window in bytes stays. */
	if (tcp_loss_seen(tp))
		tcp_loss_own(tp)->prior_ssthresh = tcp_current_ssthresh(sk);
	tcp_snd_cwnd_set(tp, max_u32((u32)(bytes / mtup(sk)->probe_size), 1));
	tp->snd_cwnd_cnt = 0;
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	tp->snd_ssthresh = tcp_current_ssthresh(sk);
	mtup_own(sk)->search_low = mtup(sk)->probe_size;
	mtup_own(sk)->probe_size = 0;
	tcp_sync_mss(sk, icsk->icsk_pmtu_cookie);
	MIB_INC(sk->net, TcpExtTCPMTUPSuccess);
}

bool tcp_mtup_probe_lost(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (icsk->icsk_ca_state >= TCP_CA_CWR || !mtup(sk)->probe_size ||
	    tp->snd_una != mtup(sk)->probe_seq_start)
		return false;
	tp->inet_conn.icsk_mtup_search_high = mtup(sk)->probe_size - 1;
	mtup_own(sk)->probe_size = 0;
	MIB_INC(sk->net, TcpExtTCPMTUPFail);
	/* What the probe took. */
	tcp_snd_cwnd_set(tp, tp->snd_cwnd + 1);
	tcp_simple_retransmit(sk);
	return true;
}

void tcp_mtu_black_hole(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	u32 mss;

	if (!sysctl->tcp_mtu_probing)
		return;
	if (!icsk->icsk_mtup_enabled) {
		icsk->icsk_mtup_enabled = mtup_start(sk);
	} else {
		mss = tcp_mtu_to_mss(sk, mtup(sk)->search_low) >> 1;
		mss = min_u32(mss, (u32)sysctl->tcp_base_mss);
		mss = max_u32(mss, (u32)sysctl->tcp_mtu_probe_floor);
		mss = max_u32(mss, (u32)sysctl->tcp_min_snd_mss);
		mtup_own(sk)->search_low = tcp_mss_to_mtu(sk, mss);
	}
	tcp_sync_mss(sk, icsk->icsk_pmtu_cookie);
}
