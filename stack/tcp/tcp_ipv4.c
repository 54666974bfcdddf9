/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4: opening, the ways of the family (ipv4_specific), the table of calls and the boot
 * (net/ipv4/tcp_ipv4.c). What arrives is in tcp_ipv4_rcv.c, answers without a socket in
 * tcp_ipv4_reply.c.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_ipv6.h"

#include "core/offload.h"
#include "ipv4/ip_options.h"
#include "ipv4/ip_sockglue.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_secure_seq.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- active open (RFC 9293 3.10.1) ---- */

static struct rtable *connect_route(struct sock *sk, be32 nexthop, u16 dport, struct flowi4 *fl4,
				    int *err)
{
	*fl4 = (struct flowi4){ .oif = sk->sk_bound_dev_if,
				.mark = sk->sk_mark,
				.saddr = sk->inet_saddr,
				.daddr = nexthop,
				.sport = sk->inet_num,
				.dport = dport,
				.tos = sk->inet_tos & 0x1c,
				.scope = sk->sk_flags & SOCK_LOCALROUTE ? RT_SCOPE_LINK :
									  RT_SCOPE_UNIVERSE,
				.proto = IPPROTO_TCP,
				.flags = sk->inet_transparent ? FLOWI_FLAG_ANYSRC : 0 };
	if (!fl4->sport)
		fl4->flags |= FLOWI_FLAG_ANY_SPORT;
	return ip_route_connect(sk->net, fl4, sk, err);
}

/* The rest of an opening whose addresses are known: port, ISN, SYN. Takes over rt. */
static int connect_hashed(struct sock *sk, struct flowi4 *fl4, struct rtable *rt)
{
	const struct inet_addr laddr = inet_addr4(sk->inet_saddr),
			       faddr = inet_addr4(sk->inet_daddr);
	int err;

	tcp_set_state(sk, TCP_SYN_SENT);
	err = inet_hash_connect(sk);
	if (err) {
		dst_release(&rt->dst);
		return err;
	}
	rt = ip_route_newports(fl4, rt, sk, &err);
	if (!rt)
		return err;
	sk_dst_set(sk, &rt->dst);
	sk->inet_id = ip_ident_first(sk->net);
	return tcp_open(sk, &laddr, &faddr);
}

/* Back to where bind() had left it. */
static void connect_undo(struct sock *sk)
{
	tcp_set_state(sk, TCP_CLOSE);
	inet_bhash2_reset_saddr(sk);
	sk_dst_reset(sk);
	sk->inet_dport = 0;
	sk->inet_daddr = 0;
}

int tcp_v4_connect(struct sock *sk, const struct sock_addr *addr)
{
	const struct inet_opts *opt = sk->sk_rare->inet_opt;
	be32 daddr = load_be32(addr->addr), nexthop = daddr;
	struct tcp_sock *tp = tcp_sk(sk);
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	if (addr->family != AF_INET)
		return -EAFNOSUPPORT;
	if (opt && opt->opt.srr) {
		if (!daddr)
			return -EINVAL;
		nexthop = opt->opt.faddr;
	}
	rt = connect_route(sk, nexthop, addr->port, &fl4, &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			MIB_INC(sk->net, IpOutNoRoutes);
		return err;
	}
	/* RFC 9293 3.9.2.3: neither broadcast nor multicast. */
	if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		dst_release(&rt->dst);
		return -ENETUNREACH;
	}
	if (!opt || !opt->opt.srr)
		daddr = fl4.daddr;
	if (tp->rx_opt.ts_recent_stamp && sk->inet_daddr != daddr) {
		tp->rx_opt.ts_recent = 0;
		tp->rx_opt.ts_recent_stamp = 0;
		tp->write_seq = 0;
	}
	if (!sk->inet_saddr)
		sk->inet_saddr = fl4.saddr;
	sk->inet_rcv_saddr = sk->inet_saddr;
	sk->inet_dport = addr->port;
	sk->inet_daddr = daddr;
	err = inet_bhash2_update_saddr(sk);
	if (err) {
		dst_release(&rt->dst);
		connect_undo(sk);
		return err;
	}
	inet_csk(sk)->icsk_ext_hdr_len = opt ? opt->opt.optlen : 0;
	tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT;
	err = connect_hashed(sk, &fl4, rt);
	if (err)
		connect_undo(sk);
	return err;
}

/* ---- routes ---- */

/* inet_csk_route_req, inet_csk_route_child_sock: back to who sent the SYN. */
static struct dst_entry *route_to_peer(const struct sock *sk, const struct request_sock *req)
{
	const struct inet_opts *opt = ireq_opt(req);
	struct flowi4 fl4 = { .oif = req->ir_iif,
			      .mark = req->ir_mark,
			      .saddr = req->skc.skc_v4.rcv_saddr,
			      .daddr = opt && opt->opt.srr ? opt->opt.faddr : req->skc.skc_v4.daddr,
			      .sport = req->skc.skc_num,
			      .dport = req->skc.skc_dport,
			      .tos = sk->inet_tos & 0x1c,
			      .proto = IPPROTO_TCP,
			      .flags = FLOWI_FLAG_ANYSRC };
	struct rtable *rt;
	int err;

	rt = ip_route_output_flow(sk->net, &fl4, sk, &err);
	if (rt && opt && opt->opt.is_strictroute && rt->rt_uses_gateway) {
		dst_release(&rt->dst);
		rt = NULL;
	}
	if (!rt) {
		MIB_INC(sk->net, IpOutNoRoutes);
		return NULL;
	}
	return &rt->dst;
}

struct dst_entry *inet_csk_route_req(const struct sock *sk, const struct request_sock *req)
{
	return route_to_peer(sk, req);
}

struct dst_entry *inet_csk_route_child_sock(const struct sock *sk, const struct sock *newsk,
					    const struct request_sock *req)
{
	(void)sk;
	return route_to_peer(newsk, req);
}

/* inet_sk_rebuild_header */
static int tcp_v4_rebuild_header(struct sock *sk)
{
	const struct inet_opts *opt = sk->sk_rare->inet_opt;
	struct dst_entry *dst = sk_dst_check(sk, 0);
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	if (dst) {
		dst_release(dst);
		return 0;
	}
	rt = connect_route(sk, opt && opt->opt.srr ? opt->opt.faddr : sk->inet_daddr,
			   sk->inet_dport, &fl4, &err);
	if (!rt) {
		sk->sk_err_soft = (u8)-err;
		return err;
	}
	sk_dst_set(sk, &rt->dst);
	return 0;
}

/* inet_csk_update_pmtu: the route with the path MTU that an ICMP error told of. No reference. */
static struct dst_entry *update_pmtu(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst;

	if (tcp_v4_rebuild_header(sk))
		return NULL;
	dst = sk->dst_cache;
	dst->ops->update_pmtu(dst, sk, NULL, mtu);
	return tcp_v4_rebuild_header(sk) ? NULL : sk->dst_cache;
}

void tcp_v4_mtu_reduced(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst;

	if (sk->sk_state == TCP_LISTEN || sk->sk_state == TCP_CLOSE)
		return;
	dst = update_pmtu(sk, mtu);
	if (!dst)
		return;
	/* Not believed, though nothing longer will get through: remembered for the time-out. */
	if (mtu < dst_mtu(dst) && sk->inet_pmtudisc >= IP_PMTUDISC_WANT &&
	    sk->inet_pmtudisc <= IP_PMTUDISC_DO)
		sk->sk_err_soft = EMSGSIZE;
	mtu = dst_mtu(dst);
	if (sk->inet_pmtudisc == IP_PMTUDISC_DONT || sk->inet_pmtudisc == IP_PMTUDISC_INTERFACE ||
	    sk->inet_pmtudisc == IP_PMTUDISC_OMIT)
		return;
	if (inet_csk(sk)->icsk_pmtu_cookie > mtu) {
		tcp_sync_mss(sk, mtu);
		tcp_simple_retransmit(sk);
	}
}

/* ---- passive open ---- */

static void tcp_v4_init_req(struct request_sock *req, const struct sock *sk, struct sk_buff *skb)
{
	const struct inet_skb_parm *parm = tcp_v4_skb_parm(skb);
	struct reqsk_rare *rare;
	struct inet_opts *opt;

	req->skc.skc_v4.rcv_saddr = ip4_daddr(ip_hdr(skb));
	req->skc.skc_v4.daddr = ip4_saddr(ip_hdr(skb));
	if (!parm->opt.optlen)
		return;
	opt = mem_zalloc(net_world(sk->net), MEM_MISC, sizeof(*opt));
	if (!opt)
		return;
	rare = ip_options_echo_from(sk->net, opt, skb, &parm->opt) || !opt->opt.optlen ?
		       NULL :
		       reqsk_rare_get(req);
	if (rare)
		rare->opt = opt;
	else
		mem_free(net_world(sk->net), MEM_MISC, opt, sizeof(*opt));
}

static void tcp_v4_reqsk_destructor(struct request_sock *req)
{
	tcp_reqsk_saved_syn_free(req);
	mem_free(net_world(req->skc.skc_net), MEM_MISC, ireq_opt(req), sizeof(struct inet_opts));
}

static int tcp_v4_send_synack(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
			      const struct tcp_fastopen_cookie *foc)
{
	be32 laddr = req->skc.skc_v4.rcv_saddr, faddr = req->skc.skc_v4.daddr;
	struct dst_entry *route = NULL;
	struct sk_buff *skb;
	u8 tos = sk->inet_tos;
	int err;

	if (!dst) {
		route = inet_csk_route_req(sk, req);
		if (!route)
			return -EHOSTUNREACH;
		dst = route;
	}
	skb = tcp_make_synack(sk, dst, req, foc);
	dst_release(route);
	if (!skb)
		return -ENOBUFS;
	TCP_SKB_CB(skb)->payload_csum = 0;
	__tcp_v4_send_check(skb, laddr, faddr);
	if (sk->net->sysctl.tcp_reflect_tos)
		tos = (u8)((req->syn_tos & ~INET_ECN_MASK) | (tos & INET_ECN_MASK));
	err = ip_build_and_send_pkt(sk->net, skb, sk, laddr, faddr, ireq_opt(req), tos,
				    sk->inet_uc_ttl);
	return err == NET_XMIT_CN ? 0 : err;
}

static int tcp_v4_rtx_synack(struct sock *sk, struct request_sock *req)
{
	return tcp_rtx_synack(sk, req);
}

static void tcp_syn_ack_timeout(struct request_sock *req)
{
	MIB_INC(req->skc.skc_net, TcpExtTCPTimeouts);
}

const struct tcp_request_sock_ops tcp_request_sock_ipv4_ops = {
	.ops = { .family = AF_INET,
		 .obj_size = sizeof(struct tcp_request_sock),
		 .rtx_syn_ack = tcp_v4_rtx_synack,
		 .send_ack = tcp_v4_reqsk_send_ack,
		 .send_reset = tcp_v4_send_reset,
		 .destructor = tcp_v4_reqsk_destructor,
		 .syn_ack_timeout = tcp_syn_ack_timeout },
	.mss_clamp = TCP_MSS_DEFAULT,
	.init_req = tcp_v4_init_req,
	.route_req = inet_csk_route_req,
	.send_synack = tcp_v4_send_synack,
};

static int tcp_v4_conn_request(struct sock *sk, struct sk_buff *skb)
{
	/* RFC 9293 3.9.2.3: a SYN sent to many is never answered. */
	if (skb->dst && skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		tcp_listendrop(sk);
		return 0;
	}
	return tcp_conn_request(&tcp_request_sock_ipv4_ops, sk, skb);
}

/* What the child has from its SYN and its route. Takes over dst. */
static void child_init(struct sock *sk, struct sock *newsk, const struct request_sock *req,
		       struct sk_buff *skb, struct dst_entry *dst)
{
	struct tcp_sock *newtp = tcp_sk(newsk);

	newsk->inet_mc_ttl = ip4_ttl(ip_hdr(skb));
	newsk->inet_id = ip_ident_first(sk->net);
	inet_csk(newsk)->icsk_ext_hdr_len = ireq_opt(req) ? ireq_opt(req)->opt.optlen : 0;
	/* Its SYN was for us on an AnyIP device: the address stays good without being ours. */
	if (inet_addr_type(sk->net, newsk->inet_rcv_saddr) != RTN_LOCAL)
		newsk->inet_transparent = 1;
	if (sk->net->sysctl.tcp_reflect_tos)
		newsk->inet_tos = req->syn_tos & ~INET_ECN_MASK & 0xff;
	tcp_ca_dst_init(newsk, dst);
	sk_dst_set(newsk, dst);
	tcp_sync_mss(newsk, dst_mtu(dst));
	newtp->advmss = tcp_mss_clamp(tcp_sk(sk), (u16)tcp_dst_advmss(dst));
	tcp_initialize_rcv_mss(newsk);
}

struct sock *tcp_v4_syn_recv_sock(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
				  struct dst_entry *dst, struct request_sock *req_unhash,
				  bool *own_req)
{
	struct sock *newsk;

	*own_req = false;
	if (sk_acceptq_is_full(sk)) {
		MIB_INC(sk->net, TcpExtListenOverflows);
		dst_release(dst);
		tcp_listendrop(sk);
		return NULL;
	}
	newsk = tcp_create_openreq_child(sk, req, skb);
	if (!newsk) {
		dst_release(dst);
		tcp_listendrop(sk);
		return NULL;
	}
	if (!dst)
		dst = inet_csk_route_child_sock(sk, newsk, req);
	if (dst) {
		child_init(sk, newsk, req, skb, dst);
		if (!__inet_inherit_port(sk, newsk))
			*own_req = inet_ehash_nolisten(newsk, req_unhash ? &req_unhash->skc : NULL);
	}
	if (!*own_req) {
		inet_csk_prepare_forced_close(newsk);
		tcp_done(newsk);
		tcp_listendrop(sk);
		return NULL;
	}
	if (ip_sock_set_opt(newsk, ireq_opt(req)) && req->rsk_rare)
		req->rsk_rare->opt = NULL;
	tcp_move_syn(newsk, req);
	return newsk;
}

/* ---- the ways of the family ---- */

static int tcp_v4_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct flowi4 fl4 = { 0 };

	return ip_queue_xmit(sk, skb, &fl4);
}

static void tcp_v4_send_check(struct sock *sk, struct sk_buff *skb)
{
	__tcp_v4_send_check(skb, sk->inet_saddr, sk->inet_daddr);
}

static int tcp_v4_af_send_synack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	be32 laddr = req->skc.skc_v4.rcv_saddr, faddr = req->skc.skc_v4.daddr;

	__tcp_v4_send_check(skb, laddr, faddr);
	return ip_build_and_send_pkt(sk->net, skb, sk, laddr, faddr, ireq_opt(req), sk->inet_tos,
				     sk->inet_uc_ttl);
}

static void tcp_v4_sk_rx_dst_set(struct sock *sk, const struct sk_buff *skb)
{
	(void)sk; /* routes of segments that arrive are cached by ip_route_input */
	(void)skb;
}

static int tcp_v4_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len)
{
	return level == SOL_IP ? ip_setsockopt(sk, name, val, len) : -ENOPROTOOPT;
}

static int tcp_v4_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len)
{
	return level == SOL_IP ? ip_getsockopt(sk, name, val, len) : -EOPNOTSUPP;
}

const struct inet_connection_sock_af_ops ipv4_specific = {
	.queue_xmit = tcp_v4_queue_xmit,
	.send_check = tcp_v4_send_check,
	.rebuild_header = tcp_v4_rebuild_header,
	.conn_request = tcp_v4_conn_request,
	.syn_recv_sock = tcp_v4_syn_recv_sock,
	.sk_rx_dst_set = tcp_v4_sk_rx_dst_set,
	.send_synack = tcp_v4_af_send_synack,
	.setsockopt = tcp_v4_setsockopt,
	.getsockopt = tcp_v4_getsockopt,
	.recv_error = ip_recv_error,
	.net_header_len = IP4_HLEN,
};

/* ---- calls ---- */

/* Requests of a listener that is closed may still count on its queues: they go with it. */
void tcp_sock_destruct(struct sock *sk)
{
	struct world *w = net_world(sk->net);

	if (inet_csk(sk)->icsk_accept_queue != &reqsk_queue_none)
		mem_free(w, MEM_REQSK_QUEUE, inet_csk_queue(sk), sizeof(struct request_sock_queue));
	tcp_loss_free(sk);
	if (tcp_sk(sk)->rare->saved_syn)
		tcp_saved_syn_free(sk->net, &tcp_rare_own(tcp_sk(sk))->saved_syn);
	tcp_rare_free(sk->net, tcp_sk(sk)->rare);
	inet_sock_destruct(sk);
}

static int tcp_v4_init_sock(struct sock *sk)
{
	tcp_init_sock(sk);
	inet_csk(sk)->icsk_af_ops = &ipv4_specific;
	return 0;
}

void tcp_v4_destroy_sock(struct sock *sk)
{
	tcp_clear_xmit_timers(sk);
	tcp_cleanup_congestion_control(sk);
	tcp_write_queue_purge(sk);
	tcp_fastopen_active_disable_ofo_check(sk);
	tcp_ofo_queue_purge(sk);
	if (inet_csk(sk)->icsk_bind.tb2)
		inet_put_port(sk);
	ASSERT(!tcp_sk(sk)->rare->fastopen_rsk);
	tcp_fastopen_destroy_cipher(sk);
	tcp_accecn_free(sk);
}

/* The device it is bound to changed; that is no part of the hash. */
void tcp_v4_rehash(struct sock *sk)
{
	struct sock_common *skc = inet_skc(sk);

	skc->skc_rebound |= skc->skc_bound_dev_if != sk->sk_bound_dev_if;
	skc->skc_bound_dev_if = sk->sk_bound_dev_if;
}

const struct proto tcp_prot = {
	.name = "TCP",
	.calls = &tcp_calls,
	.obj_size = sizeof(struct tcp_sock),
	.mem_kind = MEM_TCP_SOCK,
	.memory = PROTO_MEM_TCP,
	.no_autobind = true,
	.init = tcp_v4_init_sock,
	.destruct = tcp_sock_destruct,
	.close = tcp_close,
	.connect = tcp_v4_connect,
	.disconnect = tcp_disconnect,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
	.splice_eof = tcp_splice_eof,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.ioctl = tcp_ioctl,
	.poll = tcp_poll,
	.get_port = inet_csk_get_port,
	.unhash = inet_unhash,
	.rehash = tcp_v4_rehash,
	.shutdown = tcp_shutdown,
	.lingers = tcp_lingers,
	.listen = inet_csk_listen,
	.accept = inet_csk_accept,
	.keepalive = tcp_set_keepalive,
	.rcvlowat_set = tcp_set_rcvlowat,
	.timestamping_key = tcp_timestamping_key,
	.opt_stats = tcp_get_timestamping_opt_stats,
	.destroy = tcp_v4_destroy_sock,
};

/* ---- boot and end ---- */

static const struct net_protocol tcp_protocol = {
	.handler = tcp_v4_rcv,
	.err_handler = tcp_v4_err,
	.icmp_strict_tag_validation = true,
};

int tcp_init(struct host *h)
{
	struct tcp_host *th = mem_zalloc(h->world, MEM_MISC, sizeof(*th));
	int err;

	if (!th)
		return -ENOMEM;
	err = inet_hashinfo_init(h, &th->hashinfo);
	if (!err)
		err = inet_add_protocol(h, IPPROTO_TCP, &tcp_protocol);
	if (!err)
		err = inet_add_offload(h, IPPROTO_TCP, &tcpv4_offload);
	if (!err)
		err = tcpv6_init(h);
	if (err) {
		if (th->hashinfo.ehash.heads)
			inet_hashinfo_exit(&th->hashinfo);
		mem_free(h->world, MEM_MISC, th, sizeof(*th));
		return err;
	}
	th->hashinfo.rsk_ops = &tcp_request_sock_ipv4_ops.ops;
	th->hashinfo.rsk_ops_v6 = &tcp_request_sock_ipv6_ops.ops;
	th->hashinfo.twsk_unique = tcp_twsk_unique;
	th->hashinfo.twsk_destructor = tcp_twsk_destructor;
	get_random_siphash_key(h->world, RANDOM_ISN, &th->isn_key);
	get_random_siphash_key(h->world, RANDOM_ISN, &th->ts_key);
	get_random_siphash_key(h->world, RANDOM_ISN, &th->cookie_key[0]);
	get_random_siphash_key(h->world, RANDOM_ISN, &th->cookie_key[1]);
	h->tcp_hashinfo = &th->hashinfo;
	return 0;
}

void tcp_exit(struct host *h)
{
	struct tcp_host *th;

	if (!h->tcp_hashinfo)
		return;
	tcp_metrics_exit(h);
	th = container_of(h->tcp_hashinfo, struct tcp_host, hashinfo);
	inet_del_protocol(h, IPPROTO_TCP, &tcp_protocol);
	tcpv6_exit(h);
	inet_hashinfo_exit(&th->hashinfo);
	h->tcp_hashinfo = NULL;
	mem_free(h->world, MEM_MISC, th, sizeof(*th));
}

int tcp_net_init(struct net *net)
{
	(void)net;
	return 0;
}

/* An orphan of the namespace, or NULL. */
static struct sock *find_orphan(const struct inet_hashinfo *hi, const struct net *net)
{
	for (u32 i = 0; i <= hi->ehash.mask; i++) {
		hlist_for_each(n, &hi->ehash.heads[i])
		{
			struct sock_common *skc = container_of(n, struct sock_common, skc_node);

			if (skc->skc_kind == SKC_SOCK && skc->skc_net == net)
				return inet_sk_of(skc);
		}
	}
	return NULL;
}

/* All descriptors are closed: what is left are connections that end by themselves. */
void tcp_net_exit(struct net *net)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(net);
	struct sock *sk;

	inet_reqsk_purge(hi, net);
	inet_twsk_purge(hi, net);
	while ((sk = find_orphan(hi, net)) != NULL) {
		ASSERT(sk->sk_flags & SOCK_DEAD);
		tcp_done(sk);
	}
	tcp_metrics_flush(net, AF_UNSPEC, NULL);
	tcp_fastopen_net_exit(net);
}
