/* SPDX-License-Identifier: MIT */
/*
 * IPv4 output (net/ipv4/ip_output.c): header and checksum, LOCAL_OUT, the route's output,
 * POST_ROUTING, fragmentation, the neighbour. Datagrams are put together in ip_append.c.
 *
 * Invariants: each packet of ours counts once in IpOutRequests, each that goes to a device in
 * IpOutTransmits; no packet longer than its route's MTU reaches a neighbour.
 */
#include "ipv4/ip.h"
#include "core/skb_path.h"
#include "skb/ip_way.h"

#include "core/offload.h"
#include "ipv4/arp.h"
#include "ipv4/icmp.h"
#include "ipv4/ip_options.h"
#include "ipv4/ip_send.h"
#include "ipv4/netns_ipv4.h"
#include "ipv4/protocol.h"
#include "netfilter/nf_hooks.h"

#define IP_IDENTS 2048u

struct ip_ident {
	u32 id, stamp; /* stamp: low half of the jiffy of the last use, plus 1; 0: never used */
};

/* ---- identification ---- */

/* ip_idents_reserve: counters by hash of the pair of addresses; the time that passed adds noise.
 * A test may pin them: tapline.ip.id is where each begins, and then there is no noise. */
static u32 ip_idents_reserve(const struct net *net, u32 hash, u32 segs)
{
	struct host *h = net->host;
	struct inet_protos *protos = h->inet_protos;
	u32 now = (u32)jiffies(h), bucket = hash % IP_IDENTS, delta = 0;
	struct ip_ident *e;

	if (!protos->ip_idents) {
		protos->ip_idents =
			mem_alloc_n(h->world, MEM_HASH_TABLE, IP_IDENTS, sizeof(struct ip_ident));
		if (!protos->ip_idents)
			return hash;
		memset(protos->ip_idents, 0, IP_IDENTS * sizeof(struct ip_ident));
	}
	e = (struct ip_ident *)protos->ip_idents + bucket;
	if (!e->stamp)
		e->id = net->sysctl.tapline_ip_id_pinned ? (u32)net->sysctl.tapline_ip_id :
							   (u32)siphash_1u64(bucket, &h->ip_id_key);
	else if (now + 1 != e->stamp && !net->sysctl.tapline_ip_id_pinned)
		delta = get_random_u32_below(h->world, RANDOM_IPID, now + 1 - e->stamp);
	e->stamp = now + 1 ? now + 1 : 1;
	e->id += segs + delta;
	return e->id - segs;
}

void ip_idents_free(struct host *h)
{
	if (h->inet_protos->ip_idents)
		mem_free_n(h->world, MEM_HASH_TABLE, h->inet_protos->ip_idents, IP_IDENTS,
			   sizeof(struct ip_ident));
	h->inet_protos->ip_idents = NULL;
}

void ip_select_ident_key(struct net *net, u8 *iph, u32 segs)
{
	struct host *h = net->host;
	u64 hash = siphash_3u64(ntohl(ip4_daddr(iph)), ntohl(ip4_saddr(iph)), ip4_protocol(iph),
				&h->ip_id_key);

	ip4_set_id(iph, (u16)ip_idents_reserve(net, (u32)hash, segs));
}

u16 ip_ident_first(struct net *net)
{
	if (net->sysctl.tapline_ip_id_pinned)
		return (u16)net->sysctl.tapline_ip_id;
#ifdef TAPLINE_HOSTILE
	return 0xfff8 | (get_random_u32(net_world(net), RANDOM_IPID) & 7); /* wraps soon */
#endif
	return (u16)get_random_u32(net_world(net), RANDOM_IPID);
}

void ip_select_ident_segs(struct net *net, struct sk_buff *skb, const struct sock *sk, u32 segs)
{
	u8 *iph = ip_hdr(skb);

	if (sk && sk->inet_daddr) {
		/* A connected socket counts by itself. */
		struct sock *counter = (struct sock *)(uintptr_t)(const void *)sk;

		ip4_set_id(iph, counter->inet_id);
		counter->inet_id = (u16)(counter->inet_id + segs);
	} else if (ip4_frag(iph) & IP4_DF && !skb->ignore_df) {
		ip4_set_id(iph, 0); /* RFC 6864 4.1: atomic, any value */
	} else {
		ip_select_ident_key(net, iph, segs);
	}
}

/* ---- out ---- */

static int ip_out_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}

int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u8 *iph = ip_hdr(skb);

	MIB_INC(net, IpOutRequests);
	skb->ip_way = IP_WAY_OUT;
	ip4_set_tot_len(iph, skb->len);
	ip4_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
	skb_path(skb, SKB_PATH_IP_LOCAL_OUT);
	return NF_HOOK(AF_INET, NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb->dst->dev,
		       ip_out_finish);
}

int ip_send_skb(struct net *net, struct sk_buff *skb)
{
	int err = ip_local_out(net, skb->sk, skb);

	if (err > 0)
		err = err == NET_XMIT_CN ? 0 : -ENOBUFS;
	if (err)
		MIB_INC(net, IpOutDiscards);
	return err;
}

/* Advice on the next hop that a higher layer left with the packet (RFC 1122 3.3.1.4). */
static void sock_confirm_neigh(struct sk_buff *skb, struct neighbour *n)
{
	if (!skb->dst_pending_confirm)
		return;
	skb->dst_pending_confirm = 0;
	if (skb->sk)
		skb->sk->sk_dst_pending_confirm = 0;
	neigh_confirm(n);
}

static int ip_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;
	struct neighbour *n;

	(void)sk;
	if (rt->rt_type == RTN_MULTICAST) {
		MIB_INC(net, IpExtOutMcastPkts);
		MIB_ADD(net, IpExtOutMcastOctets, skb->len);
	} else if (rt->rt_type == RTN_BROADCAST) {
		MIB_INC(net, IpExtOutBcastPkts);
		MIB_ADD(net, IpExtOutBcastOctets, skb->len);
	}
	MIB_INC(net, IpOutTransmits);
	skb->ip_way = IP_WAY_NEIGH;
	MIB_ADD(net, IpExtOutOctets, skb->len);
	if (dev->header_ops && skb_headroom(skb) < dev->hard_header_len &&
	    skb_cow_head(skb, ll_reserved_space(dev))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return -ENOMEM;
	}
	n = ip_neigh_gw4(dev, rt_nexthop(rt, ip4_daddr(ip_hdr(skb))));
	if (!n) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL);
		return -ENOBUFS;
	}
	sock_confirm_neigh(skb, n);
	return neigh_output(n, skb);
}

/* ---- fragmentation (RFC 791 3.2) ---- */

/* One fragment: bytes [offset, offset + len) of the payload. */
static struct sk_buff *frag_build(struct sk_buff *skb, u32 hlen, u32 offset, u32 len, bool more)
{
	u32 ll = ll_reserved_space(skb->dst->dev);
	struct sk_buff *f = alloc_skb(skb->world, hlen + len + ll);
	u16 frag = ip4_frag(ip_hdr(skb));
	u8 *iph;

	if (!f)
		return NULL;
	skb_reserve(f, ll);
	iph = skb_put(f, hlen + len);
	skb_reset_network_header(f);
	f->transport_header = (u16)(f->network_header + hlen);
	memcpy(iph, ip_hdr(skb), hlen);
	if (!skb_copy_bits(skb, hlen + offset, iph + hlen, len)) {
		kfree_skb_reason(f, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	memcpy(IPCB(f), IPCB(skb), sizeof(struct inet_skb_parm));
	f->dev = skb->dev;
	f->net = skb->net;
	f->protocol = skb->protocol;
	f->pkt_type = skb->pkt_type;
	f->priority = skb->priority;
	f->mark = skb->mark;
	f->skb_iif = skb->skb_iif;
	f->tstamp = skb->tstamp;
	nf_copy(f, skb);
	dst_hold(skb->dst);
	skb_dst_set(f, skb->dst);
	/* The send buffer holds what has not left; the first fragment of what came from a socket in
	 * pieces is stamped for all of it. */
	if (skb->sk)
		skb_set_owner_w(f, skb->sk);
	if (!offset && skb_shinfo(skb)->frag_list) {
		skb_shinfo(f)->tx_flags = skb_shinfo(skb)->tx_flags;
		skb_shinfo(f)->tskey = skb_shinfo(skb)->tskey;
	}
	/* A forwarded fragment keeps its own offset and MF. */
	ip4_set_frag(iph, (u16)((frag & (IP4_DF | IP4_CE)) | ((frag & IP4_OFFSET) + offset / 8) |
				(more || frag & IP4_MF ? IP4_MF : 0)));
	ip4_set_tot_len(iph, hlen + len);
	return f;
}

static int ip_do_fragment(struct net *net, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	u32 hlen = ip_hdrlen(skb), left = skb->len - hlen, offset = 0, room;
	int err = 0;

	if (skb->ip_summed == CHECKSUM_PARTIAL && (err = skb_checksum_help(skb)) != 0)
		goto fail;
	if (IPCB(skb)->frag_max_size && IPCB(skb)->frag_max_size < mtu)
		mtu = IPCB(skb)->frag_max_size;
	err = -EMSGSIZE;
	if (mtu < hlen + 8)
		goto fail;
	room = (mtu - hlen) & ~7u;
	while (left) {
		u32 len = left > mtu - hlen ? room : left;
		struct sk_buff *f = frag_build(skb, hlen, offset, len, len < left);

		err = -ENOMEM;
		if (!f)
			goto fail;
		ip_way_piece(f);
		if (offset == 0)
			ip_options_fragment(ip_hdr(skb) + IP4_HLEN, &IPCB(skb)->opt);
		if (skb->sk)
			skb_set_owner_w(f, skb->sk);
		ip4_send_check(ip_hdr(f));
		left -= len;
		offset += len;
		err = ip_finish_output2(net, sk, f);
		if (err)
			goto fail;
		MIB_INC(net, IpFragCreates);
	}
	ip_way_cut(skb);
	MIB_INC(net, IpFragOKs);
	return 0;
fail:
	kfree_skb_reason(skb,
			 err == -EMSGSIZE ? SKB_DROP_REASON_PKT_TOO_BIG : SKB_DROP_REASON_NOMEM);
	MIB_INC(net, IpFragFails);
	return err;
}

static int ip_fragment(struct net *net, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	bool df = ip4_frag(ip_hdr(skb)) & IP4_DF;

	if (df &&
	    (!skb->ignore_df || (IPCB(skb)->frag_max_size && IPCB(skb)->frag_max_size > mtu))) {
		/* RFC 1191 4: tell the next-hop MTU. */
		MIB_INC(net, IpFragFails);
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_BIG);
		return -EMSGSIZE;
	}
	if (skb_ensure_writable(skb, ip_hdrlen(skb))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		MIB_INC(net, IpFragFails);
		return -ENOMEM;
	}
	return ip_do_fragment(net, sk, skb, mtu);
}

/* ip_skb_dst_mtu: what may go out in one piece. */
static u32 ip_skb_mtu(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk || sk->inet_pmtudisc < IP_PMTUDISC_PROBE)
		return ip_dst_mtu_maybe_forward(skb->dst, IPCB(skb)->flags & IPSKB_FORWARDED);
	return min_u32(skb->dst->dev->mtu, IP_MAX_MTU);
}

/* ip_finish_output_gso: the path has become narrower than the segments. */
static int finish_output_gso(struct net *net, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	struct sk_buff *segs, *next;
	int ret = 0;

	if (skb_gso_validate_network_len(skb, mtu))
		return ip_finish_output2(net, sk, skb);
	segs = skb_gso_segment(skb, 0);
	if (!segs) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return -ENOMEM;
	}
	ip_way_cut(skb);
	for (; segs; segs = next) {
		int err;

		next = segs->next;
		segs->next = NULL;
		ip_way_piece(segs);
		err = ip_fragment(net, sk, segs, mtu);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

static int ip_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u32 mtu = ip_skb_mtu(skb);

	if (skb_is_gso(skb))
		return finish_output_gso(net, sk, skb, mtu);
	if (skb->len > mtu || IPCB(skb)->frag_max_size)
		return ip_fragment(net, sk, skb, mtu);
	return ip_finish_output2(net, sk, skb);
}

int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct net_device *in = skb->dev, *dev = skb->dst->dev;

	skb->dev = dev;
	skb->protocol = htons(ETH_P_IP);
	skb_path(skb, SKB_PATH_IP_OUTPUT);
	return NF_HOOK(AF_INET, NF_INET_POST_ROUTING, net, sk, skb, in, dev, ip_finish_output);
}

/* A group member or broadcaster hears itself: dev_loopback_xmit. */
static int ip_mc_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)net;
	(void)sk;
	ip_account_of(skb)->looped++;
	skb->ip_way = IP_WAY_NONE;
	skb_orphan(skb);
	skb_reset_mac_header(skb);
	skb->pkt_type = PACKET_LOOPBACK;
	if (skb->ip_summed == CHECKSUM_NONE)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	netif_rx(skb);
	return 0;
}

static void mc_loop_copy(struct net *net, struct sock *sk, struct sk_buff *skb,
			 struct net_device *dev)
{
	struct sk_buff *copy = skb_clone(skb);

	if (!copy)
		return;
	ip_account_of(copy)->copies++;
	copy->ip_way = IP_WAY_OUT;
	NF_HOOK(AF_INET, NF_INET_POST_ROUTING, net, sk, copy, NULL, dev, ip_mc_finish_output);
}

int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;

	skb->dev = dev;
	skb->protocol = htons(ETH_P_IP);
	if (rt->rt_flags & RTCF_MULTICAST) {
		if (!sk || sk->inet_mc_loop)
			mc_loop_copy(net, sk, skb, dev);
		/* TTL 0 stays on the host (RFC 1112 6.1). */
		if (ip4_ttl(ip_hdr(skb)) == 0) {
			ip_way_consume(skb);
			return 0;
		}
	}
	if (rt->rt_flags & RTCF_BROADCAST)
		mc_loop_copy(net, sk, skb, dev);
	return NF_HOOK(AF_INET, NF_INET_POST_ROUTING, net, sk, skb, NULL, dev, ip_finish_output);
}

/* ---- segments ---- */

static u8 select_ttl(const struct sock *sk, const struct dst_entry *dst, const struct net *net)
{
	u32 ttl =
		sk && sk->inet_uc_ttl >= 0 ? (u32)sk->inet_uc_ttl : dst_metric(dst, RTAX_HOPLIMIT);

	return (u8)(ttl ? ttl : (u32)net->sysctl.ip_default_ttl);
}

bool ip_dont_fragment(const struct sock *sk, const struct rtable *rt)
{
	u8 pmtudisc = sk ? sk->inet_pmtudisc : IP_PMTUDISC_DONT;

	return pmtudisc == IP_PMTUDISC_DO || (pmtudisc == IP_PMTUDISC_WANT && !rt->rt_mtu_locked);
}

/* The header in front of data, all but length and checksum. */
static void segment_header(struct net *net, struct sk_buff *skb, const struct sock *sk, be32 saddr,
			   be32 daddr, be32 final, const struct inet_opts *opt, u8 tos, u8 ttl)
{
	u32 optlen = opt ? opt->opt.optlen : 0;
	u8 *iph = skb_push(skb, IP4_HLEN + optlen);
	const struct ip4_hdr h = {
		.ihl = (u8)(IP4_HLEN + optlen),
		.tos = tos,
		.frag = ip_dont_fragment(sk, skb_rtable(skb)) && !skb->ignore_df ? IP4_DF : 0,
		.ttl = ttl,
		.protocol = sk->sk_protocol,
		.saddr = saddr,
		.daddr = daddr
	};

	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	ip4_build(iph, &h);
	if (optlen)
		ip_options_build(net, iph, &IPCB(skb)->opt, opt, final, saddr);
	skb->priority = sk->sk_priority;
	if (!skb->mark) /* a SYN-ACK has that of its request */
		skb->mark = sk->sk_mark;
}

int ip_build_and_send_pkt(struct net *net, struct sk_buff *skb, const struct sock *sk, be32 saddr,
			  be32 daddr, const struct inet_opts *opt, u8 tos, s32 ttl)
{
	segment_header(net, skb, sk, saddr, opt && opt->opt.srr ? opt->opt.faddr : daddr, daddr,
		       opt, tos, ttl > 0 ? (u8)ttl : select_ttl(sk, skb->dst, net));
	if (ip4_frag(ip_hdr(skb)) & IP4_DF && skb->len <= IPV4_MIN_MTU)
		ip4_set_id(ip_hdr(skb), 0);
	else
		ip_select_ident_key(net, ip_hdr(skb), 1);
	return ip_local_out(net, skb->sk, skb);
}

static struct rtable *queue_xmit_route(struct sock *sk, struct flowi4 *fl4)
{
	const struct inet_opts *opt = sk->sk_rare->inet_opt;
	struct rtable *rt;
	int err;

	rt = (struct rtable *)(void *)sk_dst_check(sk, 0);
	fl4->daddr = opt && opt->opt.srr ? opt->opt.faddr : sk->inet_daddr;
	fl4->saddr = sk->inet_saddr;
	if (rt)
		return rt;
	fl4->dport = sk->inet_dport;
	fl4->sport = sk->inet_num;
	fl4->proto = sk->sk_protocol;
	fl4->tos = sk->inet_tos & 0x1c;
	fl4->oif = sk->sk_bound_dev_if;
	fl4->mark = sk->sk_mark;
	fl4->flags = sk->inet_transparent ? FLOWI_FLAG_ANYSRC : 0;
	rt = ip_route_output_flow(sk->net, fl4, sk, &err);
	if (rt) {
		dst_hold(&rt->dst);
		sk_dst_set(sk, &rt->dst);
	}
	return rt;
}

int ip_queue_xmit(struct sock *sk, struct sk_buff *skb, struct flowi4 *fl4)
{
	struct net *net = sk->net;

	if (!skb->dst) {
		struct rtable *rt = queue_xmit_route(sk, fl4);

		if (!rt) {
			MIB_INC(net, IpOutNoRoutes);
			kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
			return -EHOSTUNREACH;
		}
		skb_dst_set(skb, &rt->dst);
		if (sk->sk_rare->inet_opt && sk->sk_rare->inet_opt->opt.is_strictroute &&
		    rt->rt_uses_gateway) {
			MIB_INC(net, IpOutNoRoutes);
			kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
			return -EHOSTUNREACH;
		}
	}
	segment_header(net, skb, sk, fl4->saddr ? fl4->saddr : sk->inet_saddr,
		       fl4->daddr ? fl4->daddr : sk->inet_daddr, sk->inet_daddr,
		       sk->sk_rare->inet_opt, sk->inet_tos, select_ttl(sk, skb->dst, net));
	ip_select_ident_segs(net, skb, sk, max_u32(skb_shinfo(skb)->gso_segs, 1));
	return ip_local_out(net, sk, skb);
}

u8 ip_select_ttl(const struct sock *sk, const struct dst_entry *dst, const struct net *net)
{
	return select_ttl(sk, dst, net);
}
