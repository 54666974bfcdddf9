/* SPDX-License-Identifier: MIT */
/*
 * ARP (net/ipv4/arp.c; RFC 826, RFC 1122 2.3.2, RFC 5227): requests that the neighbour machine asks
 * for, answers to those of others, what is learnt from either.
 *
 * Invariant: an entry is made by a request for one of our addresses, or when the kernel needs one;
 * what merely passes by updates entries that are there (unless arp_accept says otherwise).
 */
#include "ipv4/arp.h"
#include "core/skb_path.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"
#include "ipv4/ip.h"
#include "wire/eth.h"

#define ARPHRD_IEEE802 6
#define ARP_FIXED      8u /* up to the addresses */

/* ---- sending ---- */

static struct sk_buff *arp_create(u16 op, be32 dest_ip, struct net_device *dev, be32 src_ip,
				  const u8 *dest_hw, const u8 *src_hw, const u8 *target_hw)
{
	struct arp_hdr h = {
		.hrd = dev->type, .pro = ETH_P_IP, .hln = ETH_ALEN, .pln = 4, .op = op
	};
	u32 ll = ll_reserved_space(dev);
	struct sk_buff *skb = alloc_skb(dev_world(dev), ARP_HLEN + ll);

	if (!skb)
		return NULL;
	skb_reserve(skb, ll);
	skb_reset_network_header(skb);
	skb->dev = dev;
	skb->net = dev_net(dev);
	skb->protocol = htons(ETH_P_ARP);
	memcpy(h.sha, src_hw, ETH_ALEN);
	h.spa = src_ip;
	if (target_hw)
		memcpy(h.tha, target_hw, ETH_ALEN);
	h.tpa = dest_ip;
	arp_build(skb_put(skb, ARP_HLEN), &h);
	if (dev_hard_header(skb, dev, ETH_P_ARP, dest_hw, src_hw) < 0) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	return skb;
}

void arp_send(u16 op, be32 dest_ip, struct net_device *dev, be32 src_ip, const u8 *dest_hw,
	      const u8 *src_hw, const u8 *target_hw)
{
	struct sk_buff *skb;

	if (dev->flags & IFF_NOARP || dev->addr_len != ETH_ALEN)
		return;
	skb = arp_create(op, dest_ip, dev, src_ip, dest_hw ? dest_hw : dev->broadcast,
			 src_hw ? src_hw : dev->dev_addr, target_hw);
	if (skb)
		dev_queue_xmit(skb);
}

void arp_send_gratuitous(struct in_device *in_dev)
{
	for (const struct in_ifaddr *ifa = in_dev->ifa_list; ifa; ifa = ifa->next)
		arp_send(ARPOP_REQUEST, ifa->local, in_dev->dev, ifa->local, NULL, NULL, NULL);
}

/* ---- what the neighbour machine calls ---- */

/* The address that a request comes from (arp_announce). */
static be32 solicit_source(struct net_device *dev, const struct sk_buff *skb, be32 target)
{
	const struct in_device *in_dev = dev->ip_ptr;
	be32 saddr = skb ? ip4_saddr(ip_hdr(skb)) : 0;
	s32 announce = in_dev_maxconf(in_dev, IPV4_DEVCONF_ARP_ANNOUNCE);

	if (announce == 2 || !saddr || inet_addr_type(dev_net(dev), saddr) != RTN_LOCAL ||
	    (announce == 1 && !inet_addr_onlink(in_dev, target, saddr)))
		return inet_select_addr(dev, target, RT_SCOPE_LINK);
	return saddr;
}

static void arp_solicit(struct neighbour *n, struct sk_buff *skb)
{
	be32 target = load_be32(n->primary_key);
	const struct neigh_parms *p = n->parms;
	const u8 *dst_hw = NULL;
	be32 saddr;

	if (!n->dev->ip_ptr)
		return;
	saddr = solicit_source(n->dev, skb, target);
	/* RFC 1122 2.3.2.1 (2): the first probes of a known address go to it alone. */
	if (n->probes < p->ucast_solicit)
		dst_hw = n->ha;
	else if (n->probes < p->ucast_solicit + p->app_solicit)
		return; /* a daemon's turn, and there is none */
	arp_send(ARPOP_REQUEST, target, n->dev, saddr, dst_hw, NULL, NULL);
}

static void arp_error_report(struct neighbour *n, struct sk_buff *skb)
{
	(void)n;
	if (skb->dst && skb->dst->ops->link_failure)
		skb->dst->ops->link_failure(skb);
	kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_FAILED);
}

static const struct neigh_ops arp_generic_ops = {
	.family = AF_INET,
	.solicit = arp_solicit,
	.error_report = arp_error_report,
	.output = neigh_resolve_output,
	.connected_output = neigh_connected_output,
};

static const struct neigh_ops arp_direct_ops = {
	.family = AF_INET,
	.output = neigh_direct_output,
	.connected_output = neigh_direct_output,
};

void ip_eth_mc_map(be32 addr, u8 *ha)
{
	u32 a = ntohl(addr);

	ha[0] = 0x01;
	ha[1] = 0x00;
	ha[2] = 0x5e;
	ha[3] = (u8)(a >> 16 & 0x7f);
	ha[4] = (u8)(a >> 8);
	ha[5] = (u8)a;
}

static int arp_constructor(struct neighbour *n)
{
	struct net_device *dev = n->dev;
	be32 addr;

	if (!dev->ip_ptr)
		return -EINVAL;
	if (dev->flags & (IFF_LOOPBACK | IFF_POINTOPOINT))
		memset(n->primary_key, 0, 4);
	addr = load_be32(n->primary_key);
	n->type = (u8)inet_addr_type(dev_net(dev), addr);
	if (!dev->header_ops) {
		n->nud_state = NUD_NOARP;
		n->ops = &arp_direct_ops;
		n->output = neigh_direct_output;
		return 0;
	}
	if (n->type == RTN_MULTICAST) {
		n->nud_state = NUD_NOARP;
		ip_eth_mc_map(addr, n->ha);
	} else if (dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->dev_addr, dev->addr_len);
	} else if (n->type == RTN_BROADCAST || dev->flags & IFF_POINTOPOINT) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->broadcast, dev->addr_len);
	}
	n->ops = &arp_generic_ops;
	n->output = n->nud_state & NUD_VALID ? n->ops->connected_output : n->ops->output;
	return 0;
}

/* ---- receiving ---- */

/* True: the switches say not to answer (arp_ignore). */
static bool arp_ignore(struct in_device *in_dev, be32 sip, be32 tip)
{
	struct net *net = dev_net(in_dev->dev);

	switch (in_dev_maxconf(in_dev, IPV4_DEVCONF_ARP_IGNORE)) {
	case 0:
		return false;
	case 1: /* only addresses of the interface */
		return !inet_confirm_addr(net, in_dev, 0, tip, RT_SCOPE_HOST);
	case 2: /* and the sender in its network */
		return !inet_confirm_addr(net, in_dev, sip, tip, RT_SCOPE_HOST);
	case 3: /* not those of scope host */
		return !inet_confirm_addr(net, NULL, 0, tip, RT_SCOPE_LINK);
	case 8:
		return true;
	default:
		return false;
	}
}

/* True: the way back to the sender is another interface (arp_filter). */
static bool arp_filter(be32 sip, be32 tip, struct net_device *dev)
{
	struct flowi4 fl4 = { .daddr = sip, .saddr = tip };
	struct rtable *rt;
	bool other;
	int err;

	rt = ip_route_output_key(dev_net(dev), &fl4, &err);
	if (!rt)
		return true;
	other = rt->dst.dev != dev;
	if (other)
		MIB_INC(dev_net(dev), TcpExtArpFilter);
	dst_release(&rt->dst);
	return other;
}

/* A request tells us where its sender is (neigh_event_ns). False: there is no room to know it. */
static bool arp_event_ns(struct net_device *dev, const struct arp_hdr *arp)
{
	struct neighbour *n = neigh_create(dev_host(dev)->arp_tbl, &arp->spa, dev);

	if (!n)
		return false;
	neigh_update(n, arp->sha, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
	neigh_release(n);
	return true;
}

static void arp_reply(struct net_device *dev, const struct arp_hdr *arp)
{
	arp_send(ARPOP_REPLY, arp->spa, dev, arp->tpa, arp->sha, dev->dev_addr, arp->sha);
}

/* ARP_LATER: the packet waits and is not ours any more. */
enum arp_verdict { ARP_GO_ON, ARP_DONE, ARP_SILENT, ARP_LATER };

/* RFC 5227 1.1: a probe. Answered when the address is ours, nothing is learnt. */
static enum arp_verdict arp_probe(struct in_device *in_dev, const struct arp_hdr *arp)
{
	struct net *net = dev_net(in_dev->dev);

	if (arp->op != ARPOP_REQUEST || inet_addr_type(net, arp->tpa) != RTN_LOCAL)
		return ARP_DONE;
	if (arp_ignore(in_dev, 0, arp->tpa))
		return ARP_SILENT;
	arp_reply(in_dev->dev, arp);
	return ARP_DONE;
}

/* RFC 1027: for hosts behind us, when asked to; those who may be there themselves go first. */
static enum arp_verdict arp_proxy(struct sk_buff *skb, struct net_device *dev,
				  const struct arp_hdr *arp, bool waited)
{
	struct neigh_parms *p = dev->arp_parms;

	(void)arp_event_ns(dev, arp);
	if (waited || skb->pkt_type == PACKET_HOST || !p || !p->proxy_delay_ms) {
		arp_reply(dev, arp);
		return ARP_DONE;
	}
	pneigh_enqueue(dev_host(dev)->arp_tbl, p, skb);
	return ARP_LATER;
}

static enum arp_verdict arp_request(struct sk_buff *skb, struct in_device *in_dev,
				    const struct arp_hdr *arp, bool waited)
{
	struct net_device *dev = in_dev->dev;
	enum skb_drop_reason reason;
	const struct rtable *rt;

	if (ip_route_input(skb, arp->tpa, arp->spa, 0, dev, &reason))
		return ARP_GO_ON;
	rt = skb_rtable(skb);
	if (rt->rt_type == RTN_LOCAL) {
		if (arp_ignore(in_dev, arp->spa, arp->tpa) ||
		    (in_dev_orconf(in_dev, IPV4_DEVCONF_ARP_FILTER) &&
		     arp_filter(arp->spa, arp->tpa, dev)))
			return ARP_SILENT;
		if (arp_event_ns(dev, arp))
			arp_reply(dev, arp);
		return ARP_DONE;
	}
	if (in_dev_forward(in_dev) && rt->rt_type == RTN_UNICAST && rt->dst.dev != dev &&
	    (in_dev_orconf(in_dev, IPV4_DEVCONF_PROXY_ARP) ||
	     pneigh_lookup(dev_host(dev)->arp_tbl, &arp->tpa, dev)))
		return arp_proxy(skb, dev, arp, waited);
	return ARP_GO_ON;
}

/* Somebody tells where it is itself, unasked (RFC 5227 3). */
static bool arp_is_garp(struct net *net, const struct arp_hdr *arp)
{
	if (arp->spa != arp->tpa)
		return false;
	if (arp->op == ARPOP_REPLY && memcmp(arp->tha, arp->sha, ETH_ALEN) != 0)
		return false;
	return inet_addr_type(net, arp->spa) == RTN_UNICAST;
}

static bool arp_accept(const struct in_device *in_dev, be32 sip)
{
	switch (in_dev_maxconf(in_dev, IPV4_DEVCONF_ARP_ACCEPT)) {
	case 1:
		return true;
	case 2: /* of a network of the interface */
		return inet_addr_onlink(in_dev, sip, 0);
	default:
		return false;
	}
}

static void arp_learn(struct sk_buff *skb, struct in_device *in_dev, const struct arp_hdr *arp)
{
	struct net_device *dev = in_dev->dev;
	struct neigh_table *tbl = dev_host(dev)->arp_tbl;
	struct neighbour *n = neigh_lookup(tbl, &arp->spa, dev);
	bool garp = arp_is_garp(dev_net(dev), arp), override;

	if (!n && arp_accept(in_dev, arp->spa) &&
	    (garp ||
	     (arp->op == ARPOP_REPLY && inet_addr_type(dev_net(dev), arp->spa) == RTN_UNICAST)))
		n = neigh_create(tbl, &arp->spa, dev);
	if (!n)
		return;
	/* Of several answers the first is kept for a while (locktime). */
	override = garp || (s64)(jiffies(tbl->host) - n->updated) > (s64)n->parms->locktime_ms;
	neigh_update(n, arp->sha,
		     arp->op == ARPOP_REPLY && skb->pkt_type == PACKET_HOST ? NUD_REACHABLE :
									      NUD_STALE,
		     override ? NEIGH_UPDATE_F_OVERRIDE : 0);
	neigh_release(n);
}

static bool arp_valid(const struct net_device *dev, const struct in_device *in_dev,
		      const struct arp_hdr *arp)
{
	/* IEEE 802 devices take both hardware types (RFC 1042). */
	if (dev->type == ARPHRD_ETHER ? arp->hrd != ARPHRD_ETHER && arp->hrd != ARPHRD_IEEE802 :
					arp->hrd != dev->type)
		return false;
	if (arp->pro != ETH_P_IP || (arp->op != ARPOP_REQUEST && arp->op != ARPOP_REPLY))
		return false;
	if (ipv4_is_multicast(arp->tpa) ||
	    (ipv4_is_loopback(arp->tpa) && !in_dev_orconf(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET)))
		return false;
	return arp->spa != arp->tpa || !in_dev_orconf(in_dev, IPV4_DEVCONF_DROP_GRATUITOUS_ARP);
}

static bool all_zero(const u8 *bytes, u32 len)
{
	for (u32 i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/*
 * Counts what the packet says, whether this host has a use for it or not: with the lengths that it
 * has, of which only 6 and 4 are listened to.
 */
static void arp_count(struct net *net, struct sk_buff *skb, const struct arp_hdr *arp)
{
	const u8 *spa, *tha, *tpa;

	if (arp->op == ARPOP_REQUEST)
		MIB_INC(net, ArpInRequests);
	else if (arp->op == ARPOP_REPLY)
		MIB_INC(net, ArpInReplies);
	else
		return;
	if (!arp->pln || !pskb_may_pull(skb, ARP_FIXED + 2u * (arp->hln + arp->pln)))
		return;
	spa = skb->data + ARP_FIXED + arp->hln;
	tha = spa + arp->pln;
	tpa = tha + arp->hln;
	if (!memcmp(spa, tpa, arp->pln))
		MIB_INC(net, ArpInGratuitous);
	if (arp->op == ARPOP_REQUEST && all_zero(spa, arp->pln) && all_zero(tha, arp->hln))
		MIB_INC(net, ArpInProbes);
}

static int arp_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return NET_RX_DROP;
}

/* A whole packet of ours; `waited`: its answer is due now. Takes skb. */
static int arp_process(struct sk_buff *skb, const struct arp_hdr *arp, bool waited)
{
	struct in_device *in_dev = skb->dev->ip_ptr;
	enum arp_verdict verdict = ARP_GO_ON;

	if (!in_dev || skb->dev->addr_len != ETH_ALEN || !arp_valid(skb->dev, in_dev, arp))
		return arp_drop(skb, SKB_DROP_REASON_ARP_INVALID);
	if (!arp->spa)
		verdict = arp_probe(in_dev, arp);
	else if (arp->op == ARPOP_REQUEST)
		verdict = arp_request(skb, in_dev, arp, waited);
	if (verdict == ARP_LATER)
		return NET_RX_SUCCESS;
	if (verdict == ARP_SILENT)
		return arp_drop(skb, SKB_DROP_REASON_ARP_IGNORE);
	if (verdict == ARP_GO_ON)
		arp_learn(skb, in_dev, arp);
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

/* parp_redo */
static void arp_redo(struct sk_buff *skb)
{
	struct arp_hdr arp;

	if (arp_parse(skb->data, skb_headlen(skb), &arp))
		(void)arp_process(skb, &arp, true);
	else
		(void)arp_drop(skb, SKB_DROP_REASON_ARP_INVALID);
}

int arp_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
	    struct net_device *orig_dev)
{
	struct net *net = dev_net(dev);
	struct arp_hdr arp;
	bool whole;

	(void)pt;
	(void)orig_dev;
	skb_path(skb, SKB_PATH_ARP_RCV);
	MIB_INC(net, ArpInReceives);
	if (dev->flags & IFF_NOARP || skb->pkt_type == PACKET_LOOPBACK)
		return arp_drop(skb, SKB_DROP_REASON_ARP_INVALID);
	skb = skb_share_check(skb);
	if (!skb)
		return NET_RX_DROP;
	if (!pskb_may_pull(skb, ARP_FIXED))
		return arp_drop(skb, SKB_DROP_REASON_ARP_INVALID);
	pskb_may_pull(skb, ARP_HLEN); /* when it is that long */
	whole = arp_parse(skb->data, skb_headlen(skb), &arp);
	arp_count(net, skb, &arp);
	if (!whole)
		return arp_drop(skb, SKB_DROP_REASON_ARP_INVALID);
	if (skb->pkt_type == PACKET_OTHERHOST)
		return arp_drop(skb, SKB_DROP_REASON_OTHERHOST);
	return arp_process(skb, &arp, false);
}

/* ---- life ---- */

void arp_netdev_event(struct net_device *dev, enum netdev_event event)
{
	struct neigh_table *tbl = dev_host(dev)->arp_tbl;

	if (event == NETDEV_CHANGEADDR) {
		neigh_changeaddr(tbl, dev);
		rt_cache_flush(dev_net(dev));
	}
	if (event == NETDEV_CHANGE && !dev->carrier &&
	    in_dev_andconf(dev->ip_ptr, IPV4_DEVCONF_ARP_EVICT_NOCARRIER))
		neigh_carrier_down(tbl, dev);
}

static const struct packet_type arp_packet_type = { .type = ETH_P_ARP, .func = arp_rcv };

int arp_init(struct host *h)
{
	struct neigh_table *tbl = mem_zalloc(h->world, MEM_NEIGH_TABLE, sizeof(*tbl));

	if (!tbl)
		return -ENOMEM;
	tbl->family = AF_INET;
	tbl->key_len = 4;
	tbl->protocol = ETH_P_IP;
	tbl->constructor = arp_constructor;
	tbl->proxy_redo = arp_redo;
	tbl->gc_thresh1 = 128;
	tbl->gc_thresh2 = 512;
	tbl->gc_thresh3 = 1024;
	tbl->gc_interval_ms = 30000;
	tbl->parms.mcast_solicit = 3;
	tbl->parms.ucast_solicit = 3;
	tbl->parms.retrans_time_ms = 1000;
	tbl->parms.base_reachable_time_ms = 30000;
	tbl->parms.delay_first_probe_time_ms = 5000;
	tbl->parms.gc_staletime_ms = 60000;
	tbl->parms.queue_len_bytes = 212992;
	tbl->parms.proxy_qlen = 64;
	tbl->parms.anycast_delay_ms = 1000;
	tbl->parms.proxy_delay_ms = 800;
	tbl->parms.locktime_ms = 1000;
	if (neigh_table_init(h, tbl)) {
		mem_free(h->world, MEM_NEIGH_TABLE, tbl, sizeof(*tbl));
		return -ENOMEM;
	}
	h->arp_tbl = tbl;
	return dev_add_pack(h, &arp_packet_type);
}

void arp_exit(struct host *h)
{
	if (!h->arp_tbl)
		return;
	dev_remove_pack(h, &arp_packet_type);
	neigh_table_clear(h->arp_tbl);
	mem_free(h->world, MEM_NEIGH_TABLE, h->arp_tbl, sizeof(*h->arp_tbl));
	h->arp_tbl = NULL;
}
