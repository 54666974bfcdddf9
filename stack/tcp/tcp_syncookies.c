/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies (RFC 4987 3.6; net/ipv4/syncookies.c): when the SYN queue is full, the SYN-ACK's
 * sequence number says all that a request would have remembered, and the third ACK brings it back.
 *
 * cookie = F(connection) + peer's ISN + minute << 24 + (F'(connection, minute) + MSS index) mod
 * 2^24
 *
 * Window scale, SACK and the like fit into the low bits of the time stamp, when there is one.
 * Invariant: a cookie is accepted for two minutes, and only where cookies were sent lately.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_secure_seq.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"

#define COOKIEBITS	    24u
#define COOKIEMASK	    ((1u << COOKIEBITS) - 1)
#define MAX_SYNCOOKIE_AGE   2u /* minutes */
#define TCP_SYNCOOKIE_VALID (MAX_SYNCOOKIE_AGE * 60 * HZ)

/* Low bits of the time stamp in a SYN-ACK with a cookie. */
#define TSBITS		   6u
#define TS_OPT_WSCALE_MASK 15u /* no window scaling */
#define TS_OPT_SACK	   (1u << 4)
#define TS_OPT_ECN	   (1u << 5)

/* Seen most in the net (the kernel's table for IPv4, from measurements of 2011). */
static const u16 msstab[] = { 536, 1300, 1440, 1460 };

static u32 cookie_hash(const struct sock_common *skc, u32 count, u32 c)
{
	const struct siphash_key *key = &tcp_host_of(skc->skc_net)->cookie_key[c];
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);
	u64 l = (u64)ntohl(laddr.w[0]) << 32 | ntohl(laddr.w[1]);
	u64 l2 = (u64)ntohl(laddr.w[2]) << 32 | ntohl(laddr.w[3]);
	u64 f = (u64)ntohl(faddr.w[0]) << 32 | ntohl(faddr.w[1]);
	u64 f2 = (u64)ntohl(faddr.w[2]) << 32 | ntohl(faddr.w[3]);

	return (u32)siphash_3u64(siphash_4u64(l, l2, f, f2, key),
				 (u32)skc->skc_num << 16 | skc->skc_dport, count, key);
}

/* What of a cookie is of the connection alone, and of the minute too. Pinned, for a test that says
 * what a SYN-ACK has: the number of any other, and nothing. */
static u32 cookie_base(const struct sock_common *skc, u32 sseq)
{
	const struct netns_sysctl *sysctl = &skc->skc_net->sysctl;

	return sysctl->tapline_isn_pinned ? (u32)sysctl->tapline_isn :
					    cookie_hash(skc, 0, 0) + sseq;
}

static u32 cookie_pad(const struct sock_common *skc, u32 count)
{
	return skc->skc_net->sysctl.tapline_isn_pinned ? 0 : cookie_hash(skc, count, 1);
}

/* Minutes since the host was made. */
static u32 cookie_time(const struct net *net)
{
	return (u32)((jiffies(net->host) - INITIAL_JIFFIES) / (60 * HZ));
}

u32 tcp_cookie_init_sequence(struct sock *sk, struct request_sock *req)
{
	const struct sock_common *skc = &req->skc;
	u32 count = cookie_time(sk->net), index = ARRAY_SIZE(msstab) - 1;

	inet_csk_queue(sk)->syncookie_stamp = max_u32(tcp_jiffies32(sk) + 1, 1);
	MIB_INC(sk->net, TcpExtSyncookiesSent);
	while (index && req->mss < msstab[index])
		index--;
	req->mss = msstab[index];
	return cookie_base(skc, tcp_rsk(req)->rcv_isn) + (count << COOKIEBITS) +
	       ((cookie_pad(skc, count) + index) & COOKIEMASK);
}

/* The MSS that the cookie tells of, 0: it is none of ours, or too old. */
static u16 cookie_check(const struct sock_common *skc, u32 cookie, u32 sseq)
{
	u32 count = cookie_time(skc->skc_net), diff, index;

	cookie -= cookie_base(skc, sseq);
	diff = (count - (cookie >> COOKIEBITS)) & (UINT32_MAX >> COOKIEBITS);
	if (diff >= MAX_SYNCOOKIE_AGE)
		return 0;
	index = (cookie - cookie_pad(skc, count - diff)) & COOKIEMASK;
	return index < ARRAY_SIZE(msstab) ? msstab[index] : 0;
}

u32 tcp_cookie_tsval(const struct request_sock *req)
{
	u32 now = tcp_clock_ms(req->skc.skc_net->host);
	u32 options = req->wscale_ok ? req->snd_wscale : TS_OPT_WSCALE_MASK, ts;

	if (req->sack_ok)
		options |= TS_OPT_SACK;
	if (req->ecn_ok)
		options |= TS_OPT_ECN;
	ts = (now >> TSBITS << TSBITS) | options;
	/* Never ahead of the clock. */
	return after(ts, now) ? ts - (1u << TSBITS) : ts;
}

/* What the time stamp brings back. False: not of our making. */
static bool cookie_timestamp_decode(const struct net *net, struct tcp_options_received *opt)
{
	u32 options = opt->rcv_tsecr;

	if (!opt->saw_tstamp) {
		tcp_clear_options(opt);
		return true;
	}
	if (!net->sysctl.tcp_timestamps)
		return false;
	opt->tstamp_ok = 1;
	opt->sack_ok = options & TS_OPT_SACK ? TCP_SACK_SEEN : 0;
	if (opt->sack_ok && !net->sysctl.tcp_sack)
		return false;
	if ((options & TS_OPT_WSCALE_MASK) == TS_OPT_WSCALE_MASK)
		return true;
	opt->wscale_ok = 1;
	opt->snd_wscale = options & TS_OPT_WSCALE_MASK;
	return net->sysctl.tcp_window_scaling != 0;
}

static bool no_recent_overflow(const struct sock *sk)
{
	u32 stamp = inet_csk(sk)->icsk_accept_queue->syncookie_stamp;

	return !stamp || tcp_jiffies32(sk) + 1 - stamp > TCP_SYNCOOKIE_VALID;
}

/* The request as it was when the SYN came. */
static void cookie_req_init(struct request_sock *req, const struct tcp_options_received *opt,
			    const struct sk_buff *skb)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	treq->rcv_isn = cb->seq - 1;
	treq->rcv_nxt = cb->seq;
	treq->snt_isn = cb->ack_seq - 1;
	req->syn_tos = cb->ip_dsfield;
	req->txhash = get_random_u32(net_world(req->skc.skc_net), RANDOM_TCP) | 1;
	req->ts_recent = opt->saw_tstamp ? opt->rcv_tsval : 0;
	req->tstamp_ok = opt->tstamp_ok;
	req->sack_ok = opt->sack_ok != 0;
	req->snd_wscale = opt->snd_wscale;
	req->wscale_ok = opt->wscale_ok;
	req->syncookie = 1;
}

/* tcp_get_cookie_sock: the child, straight into the accept queue. Takes over dst. */
static struct sock *cookie_child(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
				 struct dst_entry *dst)
{
	bool own_req;
	struct sock *child =
		inet_csk(sk)->icsk_af_ops->syn_recv_sock(sk, skb, req, dst, NULL, &own_req);

	if (!child)
		return NULL;
	if (inet_csk_reqsk_queue_add(sk, req, child))
		return child;
	inet_child_forget(child);
	return NULL;
}

struct sock *tcp_cookie_check(const struct tcp_request_sock_ops *ops, struct sock *sk,
			      struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_options_received opt = { 0 };
	struct sock *child = NULL;
	struct request_sock *req;
	struct dst_entry *dst;

	if (!sk->net->sysctl.tcp_syncookies || !(cb->tcp_flags & TCPHDR_ACK) ||
	    cb->tcp_flags & (TCPHDR_RST | TCPHDR_SYN) || no_recent_overflow(sk))
		return sk;
	req = inet_reqsk_alloc(ops->ops.family, sk);
	if (!req)
		return NULL;
	tcp_req_key(req, sk, skb);
	ops->init_req(req, sk, skb);
	if (tcp_sk(sk)->rare->auth)
		tcp_ao_request(sk, req, skb, true);
	req->mss = cookie_check(&req->skc, cb->ack_seq - 1, cb->seq - 1);
	if (!req->mss) {
		MIB_INC(sk->net, TcpExtSyncookiesFailed);
		reqsk_put(req);
		return sk;
	}
	MIB_INC(sk->net, TcpExtSyncookiesRecv);
	tcp_parse_options(sk->net, skb, &opt, false, NULL);
	if (opt.saw_tstamp) {
		const struct inet_addr laddr = skc_rcv_saddr(&req->skc);
		const struct inet_addr faddr = skc_daddr(&req->skc);

		req->ts_off = secure_tcp_ts_off(sk->net, &laddr, &faddr);
		opt.rcv_tsecr -= req->ts_off;
	}
	if (!cookie_timestamp_decode(sk->net, &opt)) {
		reqsk_put(req);
		return sk;
	}
	cookie_req_init(req, &opt, skb);
	dst = ops->route_req(sk, req);
	if (dst) {
		req->ecn_ok =
			opt.saw_tstamp && opt.rcv_tsecr & TS_OPT_ECN && tcp_ecn_allowed(sk, dst);
		/* RFC 9768 5.1: what a client without it would not say. */
		tcp_rsk(req)->accecn_ok = req->ecn_ok && sk->net->sysctl.tcp_ecn >= 3 &&
					  tcp_accecn_ace(tcp_hdr(skb)) > 1;
		tcp_cookie_init_rwin(req, sk, dst);
		child = cookie_child(sk, skb, req, dst);
	}
	reqsk_put(req);
	return child;
}
