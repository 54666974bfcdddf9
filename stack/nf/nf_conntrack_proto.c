/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking of what has no connections of its own: UDP, ICMP, ICMPv6 and protocols that
 * nobody knows (net/netfilter/nf_conntrack_proto_udp.c, _icmp.c, _icmpv6.c, _generic.c); ICMP
 * errors, which belong to the connection that they quote; reassembly in front of it all
 * (nf_defrag_ipv4.c, _ipv6.c); the checksums of what arrives.
 */
#include "nf/nf_conntrack.h"

#include "ipv4/ip.h"
#include "ipv6/ipv6.h"
#include "kernel/trace.h"
#include "lib/checksum.h"
#include "nf/nf_defrag.h"
#include "wire/icmp4.h"
#include "wire/udp.h"

#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_NI_QUERY	    139
#define ICMP_HEAD	    8u
#define NEXTHDR_FRAGMENT    44

void nf_ct_l4proto_log_invalid(const struct nf_ct_packet *p, enum nf_ct_invalid why)
{
	struct net *net = p->state->net;
	s32 wanted = net->sysctl.nf_conntrack_log_invalid;

	if (wanted != 255 && wanted != p->protonum)
		return;
	trace(net_world(net), net->host, TRACE_NF_CT_INVALID, p->skb->id, why, p->protonum,
	      p->state->hook);
}

bool nf_ct_checksum_ok(const struct nf_ct_packet *p)
{
	struct sk_buff *skb = p->skb;
	const u8 *nh = skb_network_header(skb);
	u32 psum = 0;

	if (p->state->hook != NF_INET_PRE_ROUTING || !p->state->net->sysctl.nf_conntrack_checksum)
		return true;
	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL ||
	    skb->csum_valid)
		return true;
	if (p->state->pf == AF_INET6)
		psum = csum_ipv6_nofold(nh + 8, nh + 24, p->len, p->protonum, 0);
	else if (p->protonum != IPPROTO_ICMP)
		psum = csum_tcpudp_nofold(ip4_saddr(nh), ip4_daddr(nh), p->len, p->protonum, 0);
	return csum_fold(skb_checksum(skb, p->dataoff, p->len, psum)) == 0;
}

/* ---- reassembly ---- */

static u32 ipv4_defrag(struct net *net, struct sk_buff *skb)
{
	if (!ip4_is_fragment(ip_hdr(skb)))
		return NF_ACCEPT;
	if (ip_defrag(net, skb, IP_DEFRAG_CONNTRACK_IN))
		return NF_STOLEN;
	/* It may be cut again as it came, DF or not. */
	skb->ignore_df = 1;
	return NF_ACCEPT;
}

/*
 * nf_ct_frag6_gather: a fragment header right behind the fixed one; behind other headers it waits
 * for ip6_deliver(). The whole packet has no fragment header (RFC 8200 4.5).
 */
static u32 ipv6_defrag(struct sk_buff *skb)
{
	u8 *h;

	if (ipv6_hdr(skb)[6] != NEXTHDR_FRAGMENT)
		return NF_ACCEPT;
	skb_pull_rcsum(skb, IP6_HLEN);
	if (!ipv6_frag_rcv(skb))
		return NF_STOLEN;
	if (skb_cow_head(skb, 0)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NF_STOLEN;
	}
	h = skb->data - IP6_HLEN;
	memmove(h, skb_network_header(skb), IP6_HLEN);
	h[6] = IP6CB(skb)->nexthdr;
	put_be16(h + 4, (u16)skb->len);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	skb_push(skb, IP6_HLEN);
	skb_reset_network_header(skb);
	return NF_ACCEPT;
}

u32 nf_ct_defrag(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	(void)priv;
	if (skb->nfct || skb->nfctinfo == IP_CT_UNTRACKED)
		return NF_ACCEPT;
	return state->pf == AF_INET6 ? ipv6_defrag(skb) : ipv4_defrag(state->net, skb);
}

/* ---- UDP (RFC 4787 4.3 is about the same mapping in a NAT) ---- */

static bool udp_error(const struct nf_ct_packet *p)
{
	u8 buffer[UDP_HLEN];
	const u8 *uh = skb_header_pointer(p->skb, p->dataoff, UDP_HLEN, buffer);

	if (!uh || udp_len(uh) > p->len || udp_len(uh) < UDP_HLEN) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_SHORT);
		return true;
	}
	if (!udp_check(uh))
		return false;
	if (!nf_ct_checksum_ok(p)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_CHECKSUM);
		return true;
	}
	return false;
}

int nf_conntrack_udp_packet(struct nf_conn *ct, const struct nf_ct_packet *p, u32 ctinfo)
{
	const struct netns_sysctl *s = &ct->net->sysctl;
	u64 extra = nf_ct_seconds(s->nf_conntrack_udp_timeout), now = jiffies(ct->net->host);

	if (udp_error(p))
		return -NF_ACCEPT;
	if (!nf_ct_is_confirmed(ct))
		ct->proto.udp_stream_ts = now + 2 * HZ;
	/* Both ways, and still after two seconds: a stream. */
	if (ct->status & IPS_SEEN_REPLY && now > ct->proto.udp_stream_ts) {
		extra = nf_ct_seconds(s->nf_conntrack_udp_timeout_stream);
		ct->status |= IPS_ASSURED;
	}
	nf_ct_refresh_acct(ct, p->skb, ctinfo, extra);
	return NF_ACCEPT;
}

/* ---- ICMP ---- */

static int icmp_packet(struct nf_conn *ct, const struct nf_ct_packet *p, bool valid_new,
		       s32 timeout)
{
	if (!nf_ct_is_confirmed(ct) && !valid_new) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_ICMP_NEW);
		return -NF_ACCEPT;
	}
	nf_ct_refresh_acct(ct, p->skb, p->skb->nfctinfo, nf_ct_seconds(timeout));
	return NF_ACCEPT;
}

int nf_conntrack_icmp_packet(struct nf_conn *ct, const struct nf_ct_packet *p)
{
	u32 type = ct->tuplehash[0].tuple.dport >> 8;

	return icmp_packet(ct, p,
			   type == ICMP_ECHO || type == ICMP_TIMESTAMP ||
				   type == ICMP_INFO_REQUEST || type == ICMP_ADDRESS,
			   ct->net->sysctl.nf_conntrack_icmp_timeout);
}

int nf_conntrack_icmpv6_packet(struct nf_conn *ct, const struct nf_ct_packet *p)
{
	u32 type = ct->tuplehash[0].tuple.dport >> 8;

	return icmp_packet(ct, p, type == ICMPV6_ECHO_REQUEST || type == ICMPV6_NI_QUERY,
			   ct->net->sysctl.nf_conntrack_icmpv6_timeout);
}

int nf_conntrack_generic_packet(struct nf_conn *ct, const struct nf_ct_packet *p)
{
	nf_ct_refresh_acct(ct, p->skb, p->skb->nfctinfo,
			   nf_ct_seconds(ct->net->sysctl.nf_conntrack_generic_timeout));
	return NF_ACCEPT;
}

/*
 * nf_conntrack_inet_error: the error belongs to the connection of the packet that it quotes, whose
 * bytes begin at `inner`.
 */
static int inet_error(const struct nf_ct_packet *p, u32 inner)
{
	const struct net *net = p->state->net;
	const u8 *nh = skb_network_header(p->skb);
	struct nf_conntrack_tuple addrs, orig, inverse;
	struct nf_conntrack_tuple_hash *h;
	struct inet_addr daddr;
	u32 dataoff;
	u8 protonum;

	if (!nf_ct_get_l4proto(p->skb, inner, p->state->pf, &protonum, &dataoff, &addrs) ||
	    !nf_ct_get_tuple(p->skb, dataoff, p->state->pf, protonum, &addrs, &orig)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_SHORT);
		return -NF_ACCEPT;
	}
	/* The quoted packet went the other way. */
	if (!nf_ct_invert_tuple(&inverse, &orig) || !(h = nf_conntrack_find(net->ct, &inverse))) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_ICMP_ERROR_UNKNOWN);
		return -NF_ACCEPT;
	}
	/* It must go to the one who sent what it quotes. */
	if (p->state->pf == AF_INET6)
		memcpy(&daddr, nh + 24, 16);
	else
		daddr = inet_addr4(ip4_daddr(nh));
	if (!inet_addr_equal(&daddr, &h->tuple.dst)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_ICMP_ERROR_DADDR);
		return -NF_ACCEPT;
	}
	nf_ct_hold(h->ct);
	nf_ct_set(p->skb, h->ct,
		  h->tuple.dir == IP_CT_DIR_REPLY ? IP_CT_RELATED_REPLY : IP_CT_RELATED);
	return NF_ACCEPT;
}

/* Neighbour discovery and groups (RFC 4861, RFC 2710, RFC 3810): not tracked. */
static bool icmpv6_untracked(u8 type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

int nf_conntrack_handle_icmp(const struct nf_ct_packet *p)
{
	bool v6 = p->protonum == IPPROTO_ICMPV6;
	u8 buffer[ICMP_HEAD];
	const u8 *icmph = skb_header_pointer(p->skb, p->dataoff, ICMP_HEAD, buffer);

	if (!icmph) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_SHORT);
		return -NF_ACCEPT;
	}
	if (!nf_ct_checksum_ok(p)) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_CHECKSUM);
		return -NF_ACCEPT;
	}
	if (v6 && icmpv6_untracked(icmph[0])) {
		nf_ct_set_untracked(p->skb);
		return NF_ACCEPT;
	}
	if (!v6 && icmph[0] > NR_ICMP_TYPES) {
		nf_ct_l4proto_log_invalid(p, NF_CT_INVALID_ICMP_TYPE);
		return -NF_ACCEPT;
	}
	if (v6 ? icmph[0] >= 128 :
		 icmph[0] != ICMP_DEST_UNREACH && icmph[0] != ICMP_SOURCE_QUENCH &&
			    icmph[0] != ICMP_TIME_EXCEEDED && icmph[0] != ICMP_PARAMETERPROB &&
			    icmph[0] != ICMP_REDIRECT)
		return NF_ACCEPT;
	return inet_error(p, p->dataoff + ICMP_HEAD);
}
