/* SPDX-License-Identifier: MIT */
/*
 * A SYN for a listener (RFC 9293 3.10.7.2): the request that it makes, the SYN-ACK, and the limits
 * that keep a flood of them within bounds (RFC 4987 3). tcp_conn_request and its kin of
 * net/ipv4/tcp_input.c and tcp_output.c, for both families.
 *
 * Invariant: a request that is in the SYN queue has had a SYN-ACK sent, or will have by its timer.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_syn.h"

#include "tcp/tcp_ao.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_secure_seq.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

void tcp_listendrop(struct sock *sk)
{
	sk->sk_drops++;
	MIB_INC(sk->net, TcpExtListenDrops);
}

u32 tcp_reqsk_timeout(const struct request_sock *req)
{
	u64 timeout = (u64)req->timeout << min_u32(req->num_timeout, 30);

	return (u32)min_u64(timeout, tcp_rto_max(req->rsk_listener));
}

int tcp_rtx_synack(struct sock *sk, struct request_sock *req)
{
	int err = tcp_rsk_ops(req)->send_synack(sk, NULL, req, NULL);

	if (err)
		return err;
	MIB_INC(sk->net, TcpRetransSegs);
	MIB_INC(sk->net, TcpExtTCPSynRetrans);
	if (tcp_passive_fastopen(sk) && tcp_loss_get(sk))
		tcp_loss_own(tcp_sk(sk))->total_retrans++;
	trace(net_world(sk->net), sk->net->host, TRACE_TCP_RETRANSMIT_SKB, req->skc.skc_num,
	      req->skc.skc_dport, tcp_rsk(req)->snt_isn, 0);
	if (req->num_retrans < 255)
		req->num_retrans++;
	return 0;
}

void tcp_req_err(struct request_sock *req, u32 seq, bool abort)
{
	struct sock *listener = req->rsk_listener;

	/* RFC 5927 4.1: the SYN-ACK is all that was ever sent. */
	if (seq != tcp_rsk(req)->snt_isn) {
		MIB_INC(req->skc.skc_net, TcpExtOutOfWindowIcmps);
	} else if (abort) {
		sock_hold(listener);
		inet_csk_reqsk_queue_drop(listener, req);
		tcp_listendrop(listener);
		sock_put(listener);
	}
}

/* ---- the request ---- */

void tcp_req_key(struct request_sock *req, const struct sock *sk, const struct sk_buff *skb)
{
	req->skc.skc_num = tcp_dest(tcp_hdr(skb));
	req->skc.skc_dport = tcp_source(tcp_hdr(skb));
	req->skc.skc_bound_dev_if = sk->sk_bound_dev_if;
	req->ir_iif = sk->sk_bound_dev_if;
	req->ir_mark = sk->sk_mark;
	if (!req->ir_mark && sk->net->sysctl.tcp_fwmark_accept) /* inet_request_mark */
		req->ir_mark = skb->mark;
	req->no_srccheck = sk->inet_transparent;
	req->timeout = TCP_TIMEOUT_INIT;
}

static void tcp_openreq_init(struct request_sock *req, const struct tcp_options_received *rx_opt,
			     const struct sk_buff *skb, const struct sock *sk)
{
	struct tcp_request_sock *treq = tcp_rsk(req);

	tcp_req_key(req, sk, skb);
	req->mss = rx_opt->mss_clamp;
	req->ts_recent = rx_opt->saw_tstamp ? rx_opt->rcv_tsval : 0;
	req->tstamp_ok = rx_opt->tstamp_ok;
	req->sack_ok = rx_opt->sack_ok != 0;
	req->snd_wscale = rx_opt->snd_wscale;
	req->wscale_ok = rx_opt->wscale_ok;
	treq->rcv_isn = TCP_SKB_CB(skb)->seq;
	treq->rcv_nxt = treq->rcv_isn + 1;
	req->syn_tos = TCP_SKB_CB(skb)->ip_dsfield;
}

static void parse_syn(const struct tcp_request_sock_ops *ops, const struct sock *sk,
		      const struct sk_buff *skb, struct tcp_options_received *opt,
		      struct tcp_fastopen_cookie *foc)
{
	memset(opt, 0, sizeof(*opt));
	opt->mss_clamp = ops->mss_clamp;
	opt->user_mss = tcp_sk(sk)->rx_opt.user_mss;
	tcp_parse_options(sk->net, skb, opt, false, foc);
	opt->tstamp_ok = opt->saw_tstamp;
}

/* tcp_syn_flood_action: the SYN queue is full, or cookies are always wanted. */
enum syn_flood { SYN_QUEUE, SYN_COOKIE, SYN_DROP };

static enum syn_flood syn_flood_action(struct sock *sk)
{
	s32 syncookies = sk->net->sysctl.tcp_syncookies;

	if (syncookies != 2 && !inet_csk_reqsk_queue_is_full(sk))
		return SYN_QUEUE;
	if (syncookies) {
		MIB_INC(sk->net, TcpExtTCPReqQFullDoCookies);
		return SYN_COOKIE;
	}
	MIB_INC(sk->net, TcpExtTCPReqQFullDrop);
	return SYN_DROP;
}

/* Without cookies the last quarter of tcp_max_syn_backlog is for peers that are known to be alive.
 */
static bool syn_backlog_refuses(const struct sock *sk, const struct request_sock *req)
{
	s64 max = sk->net->sysctl.tcp_max_syn_backlog;

	return !sk->net->sysctl.tcp_syncookies &&
	       max - (s64)inet_csk_reqsk_queue_len(sk) < max >> 2 && !tcp_peer_is_proven(req);
}

/* ISN of the SYN-ACK. False: it is refused. */
static bool tcp_req_isn(struct sock *sk, struct request_sock *req, u32 tw_isn)
{
	const struct sock_common *skc = &req->skc;
	struct inet_addr laddr, faddr;

	if (req->syncookie) {
		tcp_rsk(req)->snt_isn = tcp_cookie_init_sequence(sk, req);
		return true;
	}
	if (tw_isn) {
		tcp_rsk(req)->snt_isn = tw_isn;
		return true;
	}
	if (syn_backlog_refuses(sk, req))
		return false;
	laddr = skc_rcv_saddr(skc);
	faddr = skc_daddr(skc);
	tcp_rsk(req)->snt_isn =
		secure_tcp_seq(sk->net, &laddr, skc->skc_num, &faddr, skc->skc_dport);
	return true;
}

/* Numbers and route of a new request. The route with a reference; NULL: it is refused. */
static struct dst_entry *tcp_req_init(const struct tcp_request_sock_ops *ops, struct sock *sk,
				      struct sk_buff *skb, struct request_sock *req, u32 tw_isn,
				      struct tcp_fastopen_cookie *foc)
{
	struct tcp_options_received opt;
	struct inet_addr laddr, faddr;
	struct dst_entry *dst;

	parse_syn(ops, sk, skb, &opt, req->syncookie ? NULL : foc);
	/* Without time stamps a cookie tells the MSS, and nothing else. */
	if (req->syncookie && !opt.saw_tstamp)
		tcp_clear_options(&opt);
	tcp_openreq_init(req, &opt, skb, sk);
	ops->init_req(req, sk, skb);
	if (tcp_sk(sk)->rare->auth)
		tcp_ao_request(sk, req, skb, false);
	dst = ops->route_req(sk, req);
	if (!dst)
		return NULL;
	laddr = skc_rcv_saddr(&req->skc);
	faddr = skc_daddr(&req->skc);
	if (opt.tstamp_ok)
		req->ts_off = secure_tcp_ts_off(sk->net, &laddr, &faddr);
	tcp_ecn_create_request(req, skb, sk, dst);
	if (!tcp_req_isn(sk, req, tw_isn)) {
		dst_release(dst);
		return NULL;
	}
	/* Without time stamps a cookie can not remember it. */
	if (req->syncookie && !opt.tstamp_ok)
		req->ecn_ok = 0;
	req->txhash = get_random_u32(net_world(sk->net), RANDOM_TCP) | 1;
	tcp_openreq_init_rwin(req, sk, dst);
	return dst;
}

/* The request's child is there already: to the accept queue with it. */
static void queue_fastopen(const struct tcp_request_sock_ops *ops, struct sock *sk,
			   struct sock *child, struct dst_entry *dst, struct request_sock *req,
			   const struct tcp_fastopen_cookie *foc)
{
	ops->send_synack(child, dst, req, foc);
	if (!inet_csk_reqsk_queue_add(sk, req, child))
		BUG("a listener that made a child listens no more");
	sk_data_ready(sk);
}

void tcp_saved_syn_free(const struct net *net, struct saved_syn **saved)
{
	if (*saved)
		mem_free(net_world(net), MEM_MISC, *saved, sizeof(**saved) + (*saved)->len);
	*saved = NULL;
}

void tcp_reqsk_saved_syn_free(struct request_sock *req)
{
	if (req->rsk_rare)
		tcp_saved_syn_free(req->skc.skc_net, &req->rsk_rare->saved_syn);
}

void tcp_move_syn(struct sock *newsk, struct request_sock *req)
{
	struct tcp_rare *rare;

	if (!req->rsk_rare || !req->rsk_rare->saved_syn)
		return;
	rare = tcp_rare_get(newsk);
	if (!rare) {
		tcp_reqsk_saved_syn_free(req);
		return;
	}
	rare->saved_syn = req->rsk_rare->saved_syn;
	req->rsk_rare->saved_syn = NULL;
}

/* TCP_SAVE_SYN: IP and TCP header, with 2 the link's in front (tcp_reqsk_record_syn). */
static void tcp_reqsk_record_syn(const struct sock *sk, struct request_sock *req,
				 const struct sk_buff *skb)
{
	u32 mode = tcp_sk(sk)->save_syn, len;
	const u8 *from = skb_network_header(skb);
	struct saved_syn *saved;

	if (!mode || !reqsk_rare_get(req))
		return;
	if (mode == 2 && skb->mac_header != 0xffff && skb->mac_header <= skb->network_header)
		from = skb_mac_header(skb);
	len = (u32)(tcp_hdr(skb) - from) + tcp_doff(tcp_hdr(skb));
	saved = mem_alloc(net_world(sk->net), MEM_MISC, sizeof(*saved) + len);
	if (!saved)
		return;
	saved->len = len;
	memcpy(saved->data, from, len);
	req->rsk_rare->saved_syn = saved;
}

int tcp_conn_request(const struct tcp_request_sock_ops *ops, struct sock *sk, struct sk_buff *skb)
{
	u32 tw_isn = TCP_SKB_CB(skb)->tcp_tw_isn;
	/* A peer that comes out of TIME-WAIT is real, and always has a place. */
	enum syn_flood action = tw_isn ? SYN_QUEUE : syn_flood_action(sk);
	struct tcp_fastopen_cookie foc = { .len = -1 };
	struct sock *child = NULL;
	struct request_sock *req;
	struct dst_entry *dst;

	if (action == SYN_DROP) {
		tcp_listendrop(sk);
		return 0;
	}
	if (sk_acceptq_is_full(sk)) {
		MIB_INC(sk->net, TcpExtListenOverflows);
		tcp_listendrop(sk);
		return 0;
	}
	req = inet_reqsk_alloc(ops->ops.family, sk);
	if (req)
		req->syncookie = action == SYN_COOKIE;
	dst = req ? tcp_req_init(ops, sk, skb, req, tw_isn, &foc) : NULL;
	if (!dst) {
		if (req)
			reqsk_put(req);
		tcp_listendrop(sk);
		return 0;
	}
	if (!req->syncookie) {
		tcp_reqsk_record_syn(sk, req, skb);
		child = tcp_try_fastopen(sk, skb, req, &foc);
	}
	if (child)
		queue_fastopen(ops, sk, child, dst, req, &foc);
	else if (req->syncookie || inet_csk_reqsk_queue_hash_add(sk, req, req->timeout))
		ops->send_synack(sk, dst, req, &foc);
	dst_release(dst);
	reqsk_put(req);
	return 0;
}
