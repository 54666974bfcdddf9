/* SPDX-License-Identifier: MIT */
/*
 * REJECT (net/ipv4/netfilter/nf_reject_ipv4.c, nf_reject_ipv6.c): the sender is told, by an ICMP
 * error from this host (RFC 1812 5.3.9, RFC 4890 4) or a RST that seems to come from the other end
 * (RFC 9293 3.10.7.1). The packet itself is dropped by the table.
 */
#include "nf/xt.h"

#include "ipv4/icmp.h"
#include "ipv4/ip.h"
#include "ipv4/ip_send.h"
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "lib/checksum.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

static const u8 icmp_codes[] = {
	[XT_ICMP_NET_UNREACHABLE] = ICMP_NET_UNREACH,
	[XT_ICMP_HOST_UNREACHABLE] = ICMP_HOST_UNREACH,
	[XT_ICMP_PROT_UNREACHABLE] = ICMP_PROT_UNREACH,
	[XT_ICMP_PORT_UNREACHABLE] = ICMP_PORT_UNREACH,
	[XT_ICMP_NET_PROHIBITED] = ICMP_NET_ANO,
	[XT_ICMP_HOST_PROHIBITED] = ICMP_HOST_ANO,
	[XT_ICMP_ADMIN_PROHIBITED] = ICMP_PKT_FILTERED,
	[XT_ICMP6_NO_ROUTE] = 0,
	[XT_ICMP6_ADM_PROHIBITED] = 1,
	[XT_ICMP6_ADDR_UNREACHABLE] = 3,
	[XT_ICMP6_PORT_UNREACHABLE] = 4,
	[XT_ICMP6_POLICY_FAIL] = 5,
	[XT_ICMP6_REJECT_ROUTE] = 6,
};

/* Only what has come whole and with a right checksum is answered: nobody else may be accused. */
static bool transport_good(const struct xt_packet *p)
{
	struct sk_buff *skb = p->skb;
	const u8 *nh = skb_network_header(skb);
	u32 len = skb->len - p->thoff, psum = 0;
	u8 buffer[2];
	const u8 *check;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL ||
	    skb->csum_valid || p->state->hook == NF_INET_LOCAL_OUT)
		return true;
	switch (p->protonum) {
	case IPPROTO_UDP:
		check = skb_header_pointer(skb, p->thoff + 6, 2, buffer);
		if (!check)
			return false;
		if (!get_be16(check) && p->state->pf == AF_INET)
			return true;
		break;
	case IPPROTO_TCP:
	case IPPROTO_ICMPV6:
		break;
	case IPPROTO_ICMP:
		return csum_fold(skb_checksum(skb, p->thoff, len, 0)) == 0;
	default:
		return true;
	}
	psum = p->state->pf == AF_INET6 ?
		       csum_ipv6_nofold(nh + 8, nh + 24, len, p->protonum, 0) :
		       csum_tcpudp_nofold(ip4_saddr(nh), ip4_daddr(nh), len, p->protonum, 0);
	return csum_fold(skb_checksum(skb, p->thoff, len, psum)) == 0;
}

/* The RST's header for the segment of p (nf_reject_ip_tcphdr_put). False: none is sent. */
static bool reset_header(const struct xt_packet *p, struct tcp_hdr *rst)
{
	u8 buffer[TCP_HLEN];
	u32 len = p->skb->len - p->thoff;
	const u8 *th = skb_header_pointer(p->skb, p->thoff, TCP_HLEN, buffer);

	if (p->fragoff || !th || tcp_flags(th) & TCPHDR_RST || !transport_good(p))
		return false;
	*rst = (struct tcp_hdr){ .source = tcp_dest(th),
				 .dest = tcp_source(th),
				 .doff = TCP_HLEN,
				 .flags = TCPHDR_RST };
	if (tcp_flags(th) & TCPHDR_ACK) {
		rst->seq = tcp_ack_seq(th);
		return true;
	}
	rst->flags |= TCPHDR_ACK;
	rst->ack_seq = tcp_seq(th) + !!(tcp_flags(th) & TCPHDR_SYN) +
		       !!(tcp_flags(th) & TCPHDR_FIN) + len - tcp_doff(th);
	return true;
}

/* A segment of a header only, its checksum still 0; room in front. */
static struct sk_buff *reset_skb(const struct xt_packet *p, const struct tcp_hdr *h)
{
	struct sk_buff *skb = alloc_skb(p->skb->world, LL_MAX_HEADER + IP6_HLEN + TCP_HLEN);

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER + IP6_HLEN);
	tcp_build(skb_put(skb, TCP_HLEN), h);
	skb_reset_transport_header(skb);
	skb->net = p->state->net;
	nf_conntrack_attach(skb, p->skb);
	return skb;
}

/* nf_send_reset */
static void send_reset(const struct xt_packet *p)
{
	struct net *net = p->state->net;
	const u8 *iph = ip_hdr(p->skb);
	struct flowi4 fl4 = { .saddr = ip4_daddr(iph),
			      .daddr = ip4_saddr(iph),
			      .proto = IPPROTO_TCP,
			      .flags = FLOWI_FLAG_ANYSRC };
	struct ip4_hdr h = { .ihl = IP4_HLEN,
			     .frag = IP4_DF,
			     .protocol = IPPROTO_TCP,
			     .saddr = ip4_daddr(iph),
			     .daddr = ip4_saddr(iph) };
	struct tcp_hdr rst;
	struct rtable *rt;
	struct sk_buff *skb;
	int err;

	if (p->skb->pkt_type != PACKET_HOST || !reset_header(p, &rst))
		return;
	rt = ip_route_output_flow(net, &fl4, NULL, &err);
	if (!rt)
		return;
	skb = reset_skb(p, &rst);
	if (!skb) {
		dst_release(&rt->dst);
		return;
	}
	store_be16(skb->data + 16, csum_tcpudp_magic(h.saddr, h.daddr, TCP_HLEN, IPPROTO_TCP,
						     csum_partial(skb->data, TCP_HLEN, 0)));
	h.ttl = ip_select_ttl(NULL, &rt->dst, net);
	skb_dst_set(skb, &rt->dst);
	skb_push(skb, IP4_HLEN);
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	ip4_build(skb->data, &h);
	ip_local_out(net, NULL, skb);
}

/* nf_send_reset6 */
static void send_reset6(const struct xt_packet *p)
{
	struct net *net = p->state->net;
	const u8 *nh = skb_network_header(p->skb);
	const struct inet_addr from = ipv6_daddr(p->skb), to = ipv6_saddr(p->skb);
	struct flowi6 fl6 = { .saddr = from, .daddr = to };
	const struct ip6_xmit_args args = {
		.saddr = &from, .daddr = &to, .hop_limit = -1, .protocol = IPPROTO_TCP
	};
	struct rt6_info *rt;
	struct sk_buff *skb;
	struct tcp_hdr rst;
	int err;

	if (nh[8] == 0xff || nh[24] == 0xff || !reset_header(p, &rst))
		return;
	rt = ip6_route_output(net, &fl6, &err);
	if (!rt)
		return;
	skb = reset_skb(p, &rst);
	if (!skb) {
		dst_release(&rt->dst);
		return;
	}
	store_be16(skb->data + 16,
		   csum_fold(csum_ipv6_nofold(nh + 24, nh + 8, TCP_HLEN, IPPROTO_TCP,
					      csum_partial(skb->data, TCP_HLEN, 0))));
	skb_dst_set(skb, &rt->dst);
	ip6_xmit(net, NULL, skb, &args);
}

void xt_reject(const struct xt_packet *p, u32 with)
{
	bool v6 = p->state->pf == AF_INET6;

	if (with == XT_TCP_RESET) {
		if (v6)
			send_reset6(p);
		else
			send_reset(p);
		return;
	}
	if (p->fragoff || !transport_good(p))
		return;
	if (v6)
		icmpv6_send(p->state->net, p->skb, 1, icmp_codes[with], 0);
	else
		icmp_send(p->skb, ICMP_DEST_UNREACH, icmp_codes[with], 0);
}
