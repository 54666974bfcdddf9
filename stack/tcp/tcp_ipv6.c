/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6: opening, the ways of the family (ipv6_specific) and those of a socket of AF_INET6
 * that talks to a mapped IPv4 address (ipv6_mapped), the table of calls (net/ipv6/tcp_ipv6.c). What
 * arrives is in tcp_ipv6_rcv.c, answers without a socket in tcp_ipv6_reply.c.
 *
 * Invariant: icsk_af_ops is ipv6_mapped exactly while pinet6->v4mapped is set and it is connected.
 */
#include "tcp/tcp_ipv6.h"
#include "tcp/tcp_auth.h"

#include "ipv4/ip_sockglue.h"
#include "ipv6/ipv6_sockglue.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

static const struct inet_connection_sock_af_ops ipv6_specific, ipv6_mapped;

/* ---- routes ---- */

static struct rt6_info *route_of(struct sock *sk, int *err)
{
	struct ipv6_pinfo *np = sk->pinet6;
	struct flowi6 fl6 = { .oif = sk->sk_bound_dev_if,
			      .saddr = np->saddr,
			      .daddr = np->daddr,
			      .flowlabel = np->flow_label };
	struct rt6_info *rt = ip6_route_output(sk->net, &fl6, err);

	if (rt && inet_addr_any(&np->saddr))
		np->saddr = fl6.saddr;
	return rt;
}

static void dst_store(struct sock *sk, struct rt6_info *rt)
{
	sk_dst_set(sk, &rt->dst);
	sk->pinet6->dst_cookie = rt6_cookie(sk->net);
}

/* inet6_sk_rebuild_header */
static int tcp_v6_rebuild_header(struct sock *sk)
{
	struct dst_entry *dst = sk_dst_check(sk, sk->pinet6->dst_cookie);
	struct rt6_info *rt;
	int err;

	if (dst) {
		dst_release(dst);
		return 0;
	}
	rt = route_of(sk, &err);
	if (!rt) {
		sk->sk_err_soft = (u8)-err;
		return err;
	}
	dst_store(sk, rt);
	return 0;
}

void tcp_v6_mtu_reduced(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst;

	if (sk->sk_state == TCP_LISTEN || sk->sk_state == TCP_CLOSE || tcp_v6_rebuild_header(sk))
		return;
	/* What would make segments no shorter is not kept either. */
	if (tcp_mtu_to_mss(sk, mtu) >= tcp_sk(sk)->mss_cache)
		return;
	dst = sk->dst_cache;
	dst->ops->update_pmtu(dst, sk, NULL, mtu);
	if (tcp_v6_rebuild_header(sk))
		return;
	mtu = dst_mtu(sk->dst_cache);
	if (inet_csk(sk)->icsk_pmtu_cookie > mtu) {
		tcp_sync_mss(sk, mtu);
		tcp_simple_retransmit(sk);
	}
}

/* ---- active open (RFC 9293 3.10.1) ---- */

/* To an IPv4 address in IPv6's clothes (RFC 3493 3.7). */
static int connect_mapped(struct sock *sk, const struct sock_addr *addr)
{
	struct sock_addr in = { .family = AF_INET, .port = addr->port };
	struct ipv6_pinfo *np = sk->pinet6;
	bool was_mapped = np->v4mapped;
	int err;

	if (np->ipv6only)
		return -ENETUNREACH;
	memcpy(in.addr, addr->addr + 12, 4);
	np->v4mapped = 1;
	inet_csk(sk)->icsk_af_ops = &ipv6_mapped;
	err = tcp_v4_connect(sk, &in);
	if (err) {
		np->v4mapped = was_mapped;
		inet_csk(sk)->icsk_af_ops = &ipv6_specific;
	}
	return err;
}

static void connect_undo(struct sock *sk)
{
	tcp_set_state(sk, TCP_CLOSE);
	sk->pinet6->daddr = (struct inet_addr){ 0 };
	inet_bhash2_reset_saddr(sk);
	sk_dst_reset(sk);
	sk->inet_dport = 0;
}

/* The rest of an opening whose addresses are known: port, ISN, SYN. Takes over rt. */
static int connect_hashed(struct sock *sk, struct rt6_info *rt)
{
	const struct ipv6_pinfo *np = sk->pinet6;
	int err;

	tcp_set_state(sk, TCP_SYN_SENT);
	err = inet_hash_connect(sk);
	if (err) {
		dst_release(&rt->dst);
		return err;
	}
	dst_store(sk, rt);
	return tcp_open(sk, &np->saddr, &np->daddr);
}

static int tcp_v6_connect(struct sock *sk, const struct sock_addr *addr)
{
	struct ipv6_pinfo *np = sk->pinet6;
	struct tcp_sock *tp = tcp_sk(sk);
	struct inet_addr daddr = ipv6_sock_addr(addr);
	struct rt6_info *rt;
	int err;

	if (addr->family != AF_INET6)
		return ipv6_wrong_family(addr);
	/* BSD's and Linux's reading of "any": this host. */
	if (inet_addr_any(&daddr))
		daddr.w[3] = htonl(1);
	if (ipv6_addr_v4mapped(&daddr))
		return connect_mapped(sk, addr);
	if (ntohl(daddr.w[0]) >> 24 == 0xff || np->v4mapped)
		return -ENETUNREACH;
	inet_csk(sk)->icsk_af_ops = &ipv6_specific;
	if (tp->rx_opt.ts_recent_stamp && !inet_addr_equal(&np->daddr, &daddr)) {
		tp->rx_opt.ts_recent = 0;
		tp->rx_opt.ts_recent_stamp = 0;
		tp->write_seq = 0;
	}
	np->daddr = daddr;
	rt = route_of(sk, &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			MIB_INC(sk->net, Ip6OutNoRoutes);
		np->daddr = (struct inet_addr){ 0 };
		return err;
	}
	np->rcv_saddr = np->saddr;
	sk->inet_dport = addr->port;
	err = inet_bhash2_update_saddr(sk);
	if (err) {
		dst_release(&rt->dst);
		connect_undo(sk);
		return err;
	}
	tp->rx_opt.mss_clamp = IPV6_MIN_MTU - TCP_HLEN - IP6_HLEN;
	err = connect_hashed(sk, rt);
	if (err)
		connect_undo(sk);
	return err;
}

/* ---- passive open ---- */

/* A request with its addresses. */
struct tcp6_request_sock {
	struct tcp_request_sock tcp; /* first */
	struct inet6_key key;
};

static void tcp_v6_init_req(struct request_sock *req, const struct sock *sk, struct sk_buff *skb)
{
	struct tcp6_request_sock *req6 = container_of(tcp_rsk(req), struct tcp6_request_sock, tcp);

	(void)sk;
	req6->key = (struct inet6_key){ .rcv_saddr = ipv6_daddr(skb), .daddr = ipv6_saddr(skb) };
	req->skc.skc_v6 = &req6->key;
}

static struct dst_entry *tcp_v6_route_req(const struct sock *sk, const struct request_sock *req)
{
	struct flowi6 fl6 = { .oif = sk->sk_bound_dev_if,
			      .saddr = req->skc.skc_v6->rcv_saddr,
			      .daddr = req->skc.skc_v6->daddr };
	struct rt6_info *rt;
	int err;

	rt = ip6_route_output(sk->net, &fl6, &err);
	if (!rt) {
		MIB_INC(sk->net, Ip6OutNoRoutes);
		return NULL;
	}
	return &rt->dst;
}

/* A segment of a request, its route set. Takes skb. */
static int request_xmit(struct sock *sk, struct sk_buff *skb, const struct request_sock *req)
{
	const struct inet6_key *key = req->skc.skc_v6;
	const struct ipv6_pinfo *np = sk->pinet6;
	u8 tclass = np->tclass;

	if (sk->net->sysctl.tcp_reflect_tos)
		tclass = (u8)((req->syn_tos & ~INET_ECN_MASK) | (tclass & INET_ECN_MASK));
	const struct ip6_xmit_args args = { .saddr = &key->rcv_saddr,
					    .daddr = &key->daddr,
					    .flowlabel = np->flow_label,
					    .hop_limit = np->hop_limit,
					    .tclass = tclass,
					    .protocol = IPPROTO_TCP };

	__tcp_v6_send_check(skb, &key->rcv_saddr, &key->daddr);
	return ip6_xmit(sk->net, sk, skb, &args);
}

static int tcp_v6_send_synack(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
			      const struct tcp_fastopen_cookie *foc)
{
	struct dst_entry *route = NULL;
	struct sk_buff *skb;
	int err;

	if (!dst) {
		route = tcp_v6_route_req(sk, req);
		if (!route)
			return -EHOSTUNREACH;
		dst = route;
	}
	skb = tcp_make_synack(sk, dst, req, foc);
	dst_release(route);
	if (!skb)
		return -ENOBUFS;
	TCP_SKB_CB(skb)->payload_csum = 0;
	err = request_xmit(sk, skb, req);
	return err == NET_XMIT_CN ? 0 : err;
}

static void tcp_v6_reqsk_destructor(struct request_sock *req)
{
	tcp_reqsk_saved_syn_free(req);
}

static int tcp_v6_rtx_synack(struct sock *sk, struct request_sock *req)
{
	return tcp_rtx_synack(sk, req);
}

static void tcp_syn_ack_timeout(struct request_sock *req)
{
	MIB_INC(req->skc.skc_net, TcpExtTCPTimeouts);
}

const struct tcp_request_sock_ops tcp_request_sock_ipv6_ops = {
	.ops = { .family = AF_INET6,
		 .obj_size = sizeof(struct tcp6_request_sock),
		 .rtx_syn_ack = tcp_v6_rtx_synack,
		 .send_ack = tcp_v6_reqsk_send_ack,
		 .send_reset = tcp_v6_send_reset,
		 .destructor = tcp_v6_reqsk_destructor,
		 .syn_ack_timeout = tcp_syn_ack_timeout },
	.mss_clamp = IPV6_MIN_MTU - TCP_HLEN - IP6_HLEN,
	.init_req = tcp_v6_init_req,
	.route_req = tcp_v6_route_req,
	.send_synack = tcp_v6_send_synack,
};

static int tcp_v6_conn_request(struct sock *sk, struct sk_buff *skb)
{
	struct inet_addr daddr;

	if (tcp_skb_is_ipv4(skb))
		return ipv4_specific.conn_request(sk, skb);
	daddr = ipv6_daddr(skb);
	/* RFC 9293 3.9.2.3: a SYN sent to many is never answered. */
	if (!ipv6_chk_addr(sk->net, &daddr)) {
		tcp_listendrop(sk);
		return 0;
	}
	return tcp_conn_request(&tcp_request_sock_ipv6_ops, sk, skb);
}

/* What the child has from its SYN and its route. Takes over dst. */
static void child_init(struct sock *sk, struct sock *newsk, const struct request_sock *req,
		       struct dst_entry *dst)
{
	struct tcp_sock *newtp = tcp_sk(newsk);

	inet_csk(newsk)->icsk_af_ops = &ipv6_specific;
	inet_csk(newsk)->icsk_ext_hdr_len = 0;
	if (sk->net->sysctl.tcp_reflect_tos)
		newsk->pinet6->tclass = req->syn_tos & ~INET_ECN_MASK & 0xff;
	sk_dst_set(newsk, dst);
	newsk->pinet6->dst_cookie = rt6_cookie(newsk->net);
	tcp_sync_mss(newsk, dst_mtu(dst));
	newtp->advmss = tcp_mss_clamp(tcp_sk(sk), (u16)tcp_dst_advmss(dst));
	tcp_initialize_rcv_mss(newsk);
}

static struct sock *syn_recv_mapped(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
				    struct dst_entry *dst, struct request_sock *req_unhash,
				    bool *own_req)
{
	struct sock *newsk = ipv4_specific.syn_recv_sock(sk, skb, req, dst, req_unhash, own_req);

	if (!newsk)
		return NULL;
	inet_csk(newsk)->icsk_af_ops = &ipv6_mapped;
	/* The sizes were made for IPv6's longer header. */
	tcp_sync_mss(newsk, inet_csk(newsk)->icsk_pmtu_cookie);
	tcp_initialize_rcv_mss(newsk);
	return newsk;
}

static struct sock *tcp_v6_syn_recv_sock(struct sock *sk, struct sk_buff *skb,
					 struct request_sock *req, struct dst_entry *dst,
					 struct request_sock *req_unhash, bool *own_req)
{
	struct sock *newsk;

	if (req->skc.skc_family == AF_INET)
		return syn_recv_mapped(sk, skb, req, dst, req_unhash, own_req);
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
		dst = tcp_v6_route_req(sk, req);
	if (dst) {
		child_init(sk, newsk, req, dst);
		if (!__inet_inherit_port(sk, newsk))
			*own_req = inet_ehash_nolisten(newsk, req_unhash ? &req_unhash->skc : NULL);
	}
	if (*own_req) {
		tcp_move_syn(newsk, req);
		return newsk;
	}
	inet_csk_prepare_forced_close(newsk);
	tcp_done(newsk);
	tcp_listendrop(sk);
	return NULL;
}

/* ---- the ways of the family ---- */

/* inet6_csk_xmit */
static int tcp_v6_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	const struct ipv6_pinfo *np = sk->pinet6;
	const struct ip6_xmit_args args = { .saddr = &np->saddr,
					    .daddr = &np->daddr,
					    .flowlabel = np->flow_label,
					    .hop_limit = np->hop_limit,
					    .tclass = np->tclass,
					    .protocol = IPPROTO_TCP };

	if (!skb->dst) {
		if (tcp_v6_rebuild_header(sk)) {
			MIB_INC(sk->net, Ip6OutNoRoutes);
			kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
			return -EHOSTUNREACH;
		}
		dst_hold(sk->dst_cache);
		skb_dst_set(skb, sk->dst_cache);
	}
	return ip6_xmit(sk->net, sk, skb, &args);
}

static void tcp_v6_send_check(struct sock *sk, struct sk_buff *skb)
{
	__tcp_v6_send_check(skb, &sk->pinet6->saddr, &sk->pinet6->daddr);
}

static int tcp_v6_af_send_synack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	return request_xmit(sk, skb, req);
}

static void tcp_v6_sk_rx_dst_set(struct sock *sk, const struct sk_buff *skb)
{
	(void)sk; /* the lookup of what arrives allocates nothing */
	(void)skb;
}

static int tcp_v6_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len)
{
	if (level == SOL_IPV6)
		return ipv6_setsockopt(sk, name, val, len);
	return ipv4_specific.setsockopt(sk, level, name, val, len);
}

static int tcp_v6_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len)
{
	if (level == SOL_IPV6)
		return ipv6_getsockopt(sk, name, val, len);
	if (level != SOL_IP)
		return -ENOPROTOOPT;
	return ipv4_specific.getsockopt(sk, level, name, val, len);
}

static const struct inet_connection_sock_af_ops ipv6_specific = {
	.queue_xmit = tcp_v6_queue_xmit,
	.send_check = tcp_v6_send_check,
	.rebuild_header = tcp_v6_rebuild_header,
	.conn_request = tcp_v6_conn_request,
	.syn_recv_sock = tcp_v6_syn_recv_sock,
	.sk_rx_dst_set = tcp_v6_sk_rx_dst_set,
	.send_synack = tcp_v6_af_send_synack,
	.setsockopt = tcp_v6_setsockopt,
	.getsockopt = tcp_v6_getsockopt,
	.recv_error = ip_recv_error,
	.net_header_len = IP6_HLEN,
};

static int mapped_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	return ipv4_specific.queue_xmit(sk, skb);
}

static void mapped_send_check(struct sock *sk, struct sk_buff *skb)
{
	ipv4_specific.send_check(sk, skb);
}

static int mapped_rebuild_header(struct sock *sk)
{
	return ipv4_specific.rebuild_header(sk);
}

static int mapped_send_synack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	return ipv4_specific.send_synack(sk, skb, req);
}

static const struct inet_connection_sock_af_ops ipv6_mapped = {
	.queue_xmit = mapped_queue_xmit,
	.send_check = mapped_send_check,
	.rebuild_header = mapped_rebuild_header,
	.conn_request = tcp_v6_conn_request,
	.syn_recv_sock = tcp_v6_syn_recv_sock,
	.sk_rx_dst_set = tcp_v6_sk_rx_dst_set,
	.send_synack = mapped_send_synack,
	.setsockopt = tcp_v6_setsockopt,
	.getsockopt = tcp_v6_getsockopt,
	.recv_error = ip_recv_error,
	.net_header_len = IP4_HLEN,
};

/* ---- calls ---- */

static int tcp_v6_init_sock(struct sock *sk)
{
	int err = tcp_prot.init(sk);

	inet_csk(sk)->icsk_af_ops = &ipv6_specific;
	return err;
}

/* What of tcp_prot asks for its family is replaced; the rest is the same call. */
const struct proto tcpv6_prot = {
	.name = "TCPv6",
	.calls = &tcp_calls,
	.obj_size = sizeof(struct tcp_sock),
	.mem_kind = MEM_TCP_SOCK,
	.memory = PROTO_MEM_TCP,
	.no_autobind = true,
	.init = tcp_v6_init_sock,
	.destruct = tcp_sock_destruct,
	.close = tcp_close,
	.connect = tcp_v6_connect,
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
