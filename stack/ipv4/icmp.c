/* SPDX-License-Identifier: MIT */
/*
 * ICMP (net/ipv4/icmp.c; RFC 792, RFC 1122 3.2.2): errors and answers that this host sends, with
 * the rules when not to and the rate limits. What is heard is icmp_rcv.c's.
 */
#include "ipv4/icmp.h"

#include "ipv4/devinet.h"
#include "ipv4/icmp_reply.h"
#include "ipv4/ip_options.h"
#include "ipv4/netns_ipv4.h"
#include "lib/checksum.h"

#define ICMP_QUOTE_MAX 576u /* RFC 1812 4.3.2.3: as much as fits in 576 bytes */
#define INADDR_DUMMY   htonl(0xc0000008u) /* 192.0.0.8, RFC 7600 */

static const struct icmp_err err_convert[NR_ICMP_UNREACH + 1] = {
	[ICMP_NET_UNREACH] = { ENETUNREACH, false },
	[ICMP_HOST_UNREACH] = { EHOSTUNREACH, false },
	[ICMP_PROT_UNREACH] = { ENOPROTOOPT, true },
	[ICMP_PORT_UNREACH] = { ECONNREFUSED, true },
	[ICMP_FRAG_NEEDED] = { EMSGSIZE, false },
	[ICMP_SR_FAILED] = { EOPNOTSUPP, false },
	[ICMP_NET_UNKNOWN] = { ENETUNREACH, true },
	[ICMP_HOST_UNKNOWN] = { EHOSTDOWN, true },
	[ICMP_HOST_ISOLATED] = { ENONET, true },
	[ICMP_NET_ANO] = { ENETUNREACH, true },
	[ICMP_HOST_ANO] = { EHOSTUNREACH, true },
	[ICMP_NET_UNR_TOS] = { ENETUNREACH, false },
	[ICMP_HOST_UNR_TOS] = { EHOSTUNREACH, false },
	[ICMP_PKT_FILTERED] = { EHOSTUNREACH, true },
	[ICMP_PREC_VIOLATION] = { EHOSTUNREACH, true },
	[ICMP_PREC_CUTOFF] = { EHOSTUNREACH, true },
};

const struct icmp_err *icmp_err_convert(u32 code)
{
	return &err_convert[code <= NR_ICMP_UNREACH ? code : NR_ICMP_UNREACH];
}

void icmp_out_count(struct net *net, u8 type)
{
	net->icmp_out_type[type]++;
	MIB_INC(net, IcmpOutMsgs);
	switch (type) {
	case ICMP_ECHOREPLY:
		MIB_INC(net, IcmpOutEchoReps);
		break;
	case ICMP_DEST_UNREACH:
		MIB_INC(net, IcmpOutDestUnreachs);
		break;
	case ICMP_SOURCE_QUENCH:
		MIB_INC(net, IcmpOutSrcQuenchs);
		break;
	case ICMP_REDIRECT:
		MIB_INC(net, IcmpOutRedirects);
		break;
	case ICMP_ECHO:
		MIB_INC(net, IcmpOutEchos);
		break;
	case ICMP_TIME_EXCEEDED:
		MIB_INC(net, IcmpOutTimeExcds);
		break;
	case ICMP_PARAMETERPROB:
		MIB_INC(net, IcmpOutParmProbs);
		break;
	case ICMP_TIMESTAMP:
		MIB_INC(net, IcmpOutTimestamps);
		break;
	case ICMP_TIMESTAMPREPLY:
		MIB_INC(net, IcmpOutTimestampReps);
		break;
	case ICMP_ADDRESS:
		MIB_INC(net, IcmpOutAddrMasks);
		break;
	case ICMP_ADDRESSREPLY:
		MIB_INC(net, IcmpOutAddrMaskReps);
		break;
	default:
		break;
	}
}

/* ---- rate limits ---- */

/* icmp_global_allow: a bucket for the whole host, filled at most every 20 ms. */
bool icmp_global_allow(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);
	u64 now = jiffies(net->host), delta;
	u32 incr;

	if (v4->icmp_global_credit > 0)
		return true;
	delta = min_u64(now - v4->icmp_global_stamp, HZ);
	if (delta < HZ / 50)
		return false;
	incr = (u32)((u64)net->sysctl.icmp_msgs_per_sec * delta / HZ);
	if (!incr)
		return false;
	v4->icmp_global_stamp = now;
	v4->icmp_global_credit =
		(u32)min_u64((u64)v4->icmp_global_credit + incr, (u64)net->sysctl.icmp_msgs_burst);
	return v4->icmp_global_credit > 0;
}

/* 0 to 2 credits a message, so that nobody outside can count with it (CVE-2020-25705). */
static void icmp_global_consume(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);
	u32 credits = get_random_u32_below(net_world(net), RANDOM_IPID, 3);

	v4->icmp_global_credit -= min_u32(credits, v4->icmp_global_credit);
}

/* Types that are not limited. */
static bool icmpv4_mask_allow(const struct net *net, u8 type, u8 code)
{
	return type > NR_ICMP_TYPES || (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) ||
	       !(1u << type & (u32)net->sysctl.icmp_ratemask);
}

/* False: not now. *limited: the message counts against the limits. */
static bool icmpv4_global_allow(struct net *net, u8 type, u8 code, bool *limited)
{
	if (icmpv4_mask_allow(net, type, code))
		return true;
	if (icmp_global_allow(net)) {
		*limited = true;
		return true;
	}
	MIB_INC(net, IcmpOutRateLimitGlobal);
	return false;
}

static bool icmpv4_xrlim_allow(struct net *net, const struct rtable *rt, be32 daddr, bool limited)
{
	struct inet_peer_base *peers = &net_ipv4(net)->peers;

	if (!limited)
		return true;
	if (!(rt->dst.dev->flags & IFF_LOOPBACK) && net->sysctl.icmp_ratelimit &&
	    !inet_peer_xrlim_allow(peers, inet_getpeer(peers, 0, ntohl(daddr)),
				   (u32)net->sysctl.icmp_ratelimit)) {
		MIB_INC(net, IcmpOutRateLimitHost);
		return false;
	}
	icmp_global_consume(net);
	return true;
}

/* ---- sending ---- */

/* Header (with more behind it in head) and len bytes of `from` at offset, by that route. */
static void icmp_push(struct net *net, struct flowi4 *fl4, struct ipcm_cookie *ipc,
		      struct rtable **rtp, const struct icmp_message *m)
{
	struct sk_buff_head queue;
	struct inet_cork cork;
	struct sk_buff *skb;
	u32 total = m->head_len + m->data_len, sum;
	u8 *bytes, *icmph;

	bytes = mem_alloc_n(net_world(net), MEM_CONTROL, total, 1);
	if (!bytes) {
		MIB_INC(net, IcmpOutErrors);
		return;
	}
	memcpy(bytes, m->head, m->head_len);
	if (!skb_copy_bits(m->skb, m->offset, bytes + m->head_len, m->data_len))
		BUG("ICMP quotes bytes that are not there");
	skb_queue_head_init(&queue);
	if (ip_append_data(net, NULL, fl4, &queue, &cork, bytes + ICMP4_HLEN, total, ICMP4_HLEN,
			   ipc, rtp, 0) == 0) {
		skb = skb_peek(&queue);
		icmph = skb_transport_header(skb);
		memcpy(icmph, bytes, ICMP4_HLEN);
		store_be16(icmph + 2, 0);
		sum = csum_partial(icmph, ICMP4_HLEN, 0);
		for (; skb; skb = skb->next) {
			sum = csum_add(sum, skb->csum);
			skb->ip_summed = CHECKSUM_NONE;
		}
		store_be16(icmph + 2, csum_fold(sum));
		skb = ip_finish_skb(NULL, fl4, &queue, &cork);
		if (skb)
			ip_send_skb(net, skb);
	} else {
		MIB_INC(net, IcmpOutErrors);
	}
	mem_free_n(net_world(net), MEM_CONTROL, bytes, total, 1);
}

void icmp_reply(struct sk_buff *skb, const struct icmp_message *m)
{
	struct net *net = dev_net(skb->dev);
	struct inet_opts opts;
	struct ipcm_cookie ipc;
	struct flowi4 fl4 = { .proto = IPPROTO_ICMP, .mark = ip4_reply_mark(net, skb) };
	const u8 *iph = ip_hdr(skb);
	bool limited = false;
	struct rtable *rt;
	int err;

	if (ip_options_echo(net, &opts, skb) ||
	    !icmpv4_global_allow(net, m->head[0], m->head[1], &limited))
		return;
	ipcm_init_sk(&ipc, NULL);
	ipc.sockc.mark = fl4.mark;
	ipc.protocol = IPPROTO_ICMP;
	ipc.tos = ip4_tos(iph);
	ipc.addr = ip4_saddr(iph);
	fl4.daddr = ip4_saddr(iph);
	/* RFC 1122 3.2.2.6: from the address that was asked; of a broadcast, the interface's. */
	fl4.saddr = fib_compute_spec_dst(skb);
	if (opts.opt.optlen) {
		ipc.opt = &opts;
		if (opts.opt.srr)
			fl4.daddr = opts.opt.faddr;
	}
	fl4.tos = ip4_tos(iph);
	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	if (icmpv4_xrlim_allow(net, rt, fl4.daddr, limited))
		icmp_push(net, &fl4, &ipc, &rt, m);
	if (rt)
		dst_release(&rt->dst);
}

/* RFC 1122 3.2.2: no error about what was not addressed to us alone, about a later fragment, about
 * an ICMP error. */
static bool icmp_send_allowed(struct sk_buff *skb, const struct rtable *rt, u8 type)
{
	const u8 *iph = ip_hdr(skb), *inner;
	u8 buffer[1];
	s32 at;

	if (skb->network_header == 0xffff || iph + IP4_HLEN > skb_tail_pointer(skb))
		return false;
	if (skb->pkt_type != PACKET_HOST || rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST) ||
	    ip4_frag(iph) & IP4_OFFSET)
		return false;
	/* Nor to a source that is not one host (RFC 1122 3.2.2). */
	if (ipv4_is_multicast(ip4_saddr(iph)) || ipv4_is_lbcast(ip4_saddr(iph)) ||
	    ipv4_is_zeronet(ip4_saddr(iph)))
		return false;
	if (!icmp4_is_error(type) || ip4_protocol(iph) != IPPROTO_ICMP)
		return true;
	at = skb_network_offset(skb) + (s32)ip4_ihl(iph);
	inner = at < 0 ? iph + ip4_ihl(iph) : skb_header_pointer(skb, (u32)at, 1, buffer);
	return inner && *inner <= NR_ICMP_TYPES && !icmp4_is_error(*inner);
}

/* Where the error comes from: the address that was reached, else the route's choice. */
static be32 icmp_error_saddr(struct net *net, struct sk_buff *skb, const struct rtable *rt)
{
	struct net_device *dev;

	if (rt->rt_flags & RTCF_LOCAL)
		return ip4_daddr(ip_hdr(skb));
	if (!rt->rt_is_input || !net->sysctl.icmp_errors_use_inbound_ifaddr)
		return 0;
	dev = dev_get_by_index(net, skb->skb_iif);
	return dev ? inet_select_addr(dev, ip4_saddr(ip_hdr(skb)), RT_SCOPE_LINK) : 0;
}

void __icmp_send(struct sk_buff *skb, u8 type, u8 code, u32 info, const struct ip_options *opt)
{
	const struct rtable *in_rt = skb_rtable(skb);
	const u8 *iph;
	struct net *net;
	struct inet_opts opts;
	struct ipcm_cookie ipc;
	struct flowi4 fl4 = { .proto = IPPROTO_ICMP };
	struct icmp_message m = { .skb = skb, .head_len = ICMP4_HLEN };
	struct icmp4_hdr h = { .type = type, .code = code, .rest = info };
	bool limited = false;
	struct rtable *rt;
	u32 room, used;
	int err;

	if (!in_rt || !icmp_send_allowed(skb, in_rt, type))
		return;
	net = in_rt->net;
	iph = ip_hdr(skb);
	if (!(skb->dev && skb->dev->flags & IFF_LOOPBACK) &&
	    !icmpv4_global_allow(net, type, code, &limited))
		return;
	if (ip_options_echo_from(net, &opts, skb, opt))
		return;
	ipcm_init_sk(&ipc, NULL);
	fl4.mark = ip4_reply_mark(net, skb);
	ipc.sockc.mark = fl4.mark;
	ipc.protocol = IPPROTO_ICMP;
	/* RFC 1812 4.3.2.5: errors go with precedence INTERNETCONTROL, the TOS of the packet. */
	ipc.tos = icmp4_is_error(type) ? (s16)((ip4_tos(iph) & 0x1e) | 0xc0) : ip4_tos(iph);
	ipc.addr = ip4_saddr(iph);
	ipc.opt = opts.opt.optlen ? &opts : NULL;
	fl4.saddr = icmp_error_saddr(net, skb, in_rt);
	fl4.daddr = opts.opt.srr ? opts.opt.faddr : ip4_saddr(iph);
	fl4.tos = (u8)ipc.tos;
	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	room = min_u32(dst_mtu(&rt->dst), ICMP_QUOTE_MAX);
	used = IP4_HLEN + opts.opt.optlen + ICMP4_HLEN;
	if (!icmpv4_xrlim_allow(net, rt, fl4.daddr, limited) || room <= used + IP4_HLEN)
		goto out;
	icmp4_build(m.head, &h);
	/* The quote begins at the packet's header, wherever data stands now. */
	used = (u32)(skb->data - iph);
	if (skb_network_offset(skb) < 0) {
		skb_push(skb, used);
		m.data_len = min_u32(skb->len, room - IP4_HLEN - opts.opt.optlen - ICMP4_HLEN);
	} else {
		m.offset = (u32)skb_network_offset(skb);
		m.data_len = min_u32(skb->len - m.offset,
				     room - IP4_HLEN - opts.opt.optlen - ICMP4_HLEN);
		used = 0;
	}
	if (!fl4.saddr)
		fl4.saddr = INADDR_DUMMY;
	icmp_push(net, &fl4, &ipc, &rt, &m);
	if (used)
		skb_pull(skb, used);
out:
	if (rt)
		dst_release(&rt->dst);
}

void icmp_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info)
{
	__icmp_send(skb_in, type, code, info, &IPCB(skb_in)->opt);
}
