/* SPDX-License-Identifier: MIT */
/*
 * UDP over IPv4, the way in: lookup of the socket, udp_rcv, broadcast and multicast delivery, ICMP
 * errors (net/ipv4/udp.c). RFC 768, RFC 1122 4.1.
 *
 * Invariant: a datagram is queued with its UDP header pulled; while ip_summed is CHECKSUM_NONE and
 * csum_valid is not set, skb->csum is the sum of pseudo-header and UDP header.
 */
#include "core/offload.h"
#include "core/skb_path.h"
#include "core/filter.h"
#include "core/reuseport.h"
#include "ipv4/icmp.h"
#include "ipv4/ip_sockglue.h"
#include "ipv4/protocol.h"
#include "lib/checksum.h"
#include "udp/udp_sock.h"
#include "udp/udp_ipv4.h"
#include "wire/udp.h"

/* Datagrams up to this many bytes are checked at once, longer ones while they are copied to the
 * reader (CHECKSUM_BREAK). */
#define CHECKSUM_BREAK 76u

/* Chains up to this length are walked by port alone (as the kernel's udp does for 10). */
#define SHORT_CHAIN 10u

/* What a datagram is looked up by. */
struct udp_key {
	struct net *net;
	be32 saddr, daddr;
	u16 sport, dport;
	u32 dif;
	struct sk_buff *skb; /* at its UDP header, for a group's program; NULL: none */
};

/* ---- lookup ---- */

/* compute_score: < 0: not for it. `addr`: the local address that this pass is about. */
static s32 compute_score(const struct sock *sk, const struct udp_key *k, be32 addr)
{
	s32 score = 2;

	if (sk->net != k->net || sk->inet_num != k->dport || sk->inet_rcv_saddr != addr ||
	    sk->family != AF_INET)
		return -1;
	if (sk->inet_daddr) {
		if (sk->inet_daddr != k->saddr)
			return -1;
		score += 4;
	}
	if (sk->inet_dport) {
		if (sk->inet_dport != k->sport)
			return -1;
		score += 4;
	}
	if (sk->sk_bound_dev_if) {
		if (sk->sk_bound_dev_if != k->dif)
			return -1;
		score += 4;
	}
	if (sk->sk_rare->incoming_cpu >= 0 &&
	    (u32)sk->sk_rare->incoming_cpu == this_cpu(k->net->host)->id)
		score++;
	return score;
}

/* The best so far, and what one more candidate makes of it. True: it is final. */
static bool consider(struct sock *sk, const struct udp_key *k, be32 addr, struct sock **result,
		     s32 *badness)
{
	s32 score = compute_score(sk, k, addr);
	struct sock *member;

	if (score <= *badness)
		return false;
	*badness = score;
	*result = sk;
	if (sk->sk_state == TCP_ESTABLISHED || !sk->sk_reuseport_cb)
		return false;
	member = reuseport_select_sock(
		sk, udp_hash_flow(udp_table_of(sk), k->net, k->daddr, k->dport, k->saddr, k->sport),
		k->skb, UDP_HLEN);
	if (!member)
		return false;
	*result = member;
	if (!reuseport_has_conns(sk))
		return true;
	/* Members that are connected may score higher. */
	score = compute_score(member, k, addr);
	if (score > *badness)
		*badness = score;
	return false;
}

/* A socket that nothing makes better or worse than another with its address: nearly all. */
static inline bool plain_match(const struct sock *sk, const struct udp_key *k)
{
	return sk->net == k->net && sk->family == AF_INET && !sk->inet_daddr && !sk->inet_dport &&
	       !sk->sk_bound_dev_if && sk->sk_rare->incoming_cpu < 0 && !sk->sk_reuseport_cb;
}

/* Those with the address before those with none, in one pass. */
static struct sock *lookup_short(const struct udp_hslot *slot, const struct udp_key *k)
{
	struct sock *result[2] = { NULL, NULL };
	s32 badness[2] = { -1, -1 };
	bool final[2] = { false, false };

	hlist_for_each(pos, &slot->head)
	{
		struct sock *sk = &udp_by_port(pos)->sk;
		be32 addr = sk->inet_rcv_saddr;
		u32 pass = addr != k->daddr;

		if (sk->inet_num != k->dport || (pass && addr) || final[pass])
			continue;
		if (badness[pass] < 2 && plain_match(sk, k)) {
			result[pass] = sk;
			badness[pass] = 2;
			continue;
		}
		final[pass] = consider(sk, k, addr, &result[pass], &badness[pass]);
	}
	return result[0] ? result[0] : result[1];
}

static struct sock *lookup_addr(const struct udp_table *t, const struct udp_key *k, be32 addr)
{
	const struct udp_hslot *slot =
		udp_htable_slot(&t->addr, udp_hash_addr(t, k->net, addr, k->dport));
	struct sock *result = NULL;
	s32 badness = -1;

	hlist_for_each(pos, &slot->head) if (consider(&udp_by_addr(pos)->sk, k, addr, &result,
						      &badness)) break;
	return result;
}

static struct sock *lookup_flow(const struct udp_table *t, const struct udp_key *k)
{
	u32 hash = udp_hash_flow(t, k->net, k->daddr, k->dport, k->saddr, k->sport);
	struct sock *result = NULL;
	s32 badness = -1;

	hlist_for_each(pos, &udp_htable_slot(&t->flow, hash)->head)
	{
		struct udp_sock *up = udp_by_flow(pos);

		if (up->by_flow.hash == hash)
			consider(&up->sk, k, k->daddr, &result, &badness);
	}
	return result;
}

static __attribute__((noinline)) struct sock *
lookup_many(const struct udp_table *t, const struct udp_hslot *slot, const struct udp_key *k)
{
	struct sock *sk;

	if (slot->count <= SHORT_CHAIN)
		return lookup_short(slot, k);
	sk = t->flow.entries ? lookup_flow(t, k) : NULL;
	if (!sk)
		sk = lookup_addr(t, k, k->daddr);
	return sk ? sk : lookup_addr(t, k, 0);
}

/* In line for a port that has its slot to itself and one plain socket. */
static inline struct sock *lookup(const struct udp_key *k)
{
	const struct udp_table *t = k->net->host->udp_table;
	const struct udp_hslot *slot = udp_htable_slot(&t->port, udp_hash_port(k->net, k->dport));

	if (!slot->count)
		return NULL;
	if (likely(slot->count == 1)) {
		struct sock *sk = &udp_by_port(slot->head.first)->sk;

		if (sk->inet_num != k->dport)
			return NULL;
		if (plain_match(sk, k) && (!sk->inet_rcv_saddr || sk->inet_rcv_saddr == k->daddr))
			return sk;
	}
	return lookup_many(t, slot, k);
}

struct sock *__udp4_lib_lookup(struct net *net, be32 saddr, u16 sport, be32 daddr, u16 dport,
			       u32 dif)
{
	const struct udp_key k = { net, saddr, daddr, sport, dport, dif, NULL };

	return lookup(&k);
}

/* ---- checksum ---- */

/* udp4_csum_init: false: it is wrong. RFC 1122 4.1.3.4: a zero field means that there is none. */
static bool udp4_csum_init(struct sk_buff *skb, const u8 *uh, be32 saddr, be32 daddr)
{
	u32 psum;

	if (!udp_check(uh)) {
		MIB_INC(skb->net, SeenUdpNoCsums);
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		return true;
	}
	if (udp_csum_unnecessary(skb)) {
		skb->csum_valid = 1;
		return true;
	}
	psum = csum_tcpudp_nofold(saddr, daddr, skb->len, IPPROTO_UDP, 0);
	if (skb->ip_summed == CHECKSUM_COMPLETE && !csum_fold(csum_add(psum, skb->csum))) {
		skb->csum_valid = 1;
		return true;
	}
	skb->ip_summed = CHECKSUM_NONE;
	skb->csum = psum;
	return skb->len > CHECKSUM_BREAK || __udp_checksum_ok(skb);
}

/* Pulls the UDP header, whose bytes go into the sum. */
static void udp_csum_pull_header(struct sk_buff *skb)
{
	if (!skb->csum_valid && skb->ip_summed == CHECKSUM_NONE)
		skb->csum = csum_partial(skb->data, UDP_HLEN, skb->csum);
	skb_pull(skb, UDP_HLEN);
}

/* ---- delivery ---- */

static int udp_drop(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (reason == SKB_DROP_REASON_UDP_CSUM)
		MIB_INC(net, UdpInCsumErrors);
	MIB_INC(net, UdpInErrors);
	kfree_skb_reason(skb, reason);
	return 0;
}

/* With a filter the checksum is looked at first: what is cut off is part of it. */
static bool udp_filter(struct sock *sk, struct sk_buff *skb)
{
	bool csum_ok = udp_checksum_ok(skb);

	if (csum_ok && sk_filter_trim_cap(sk, skb, UDP_HLEN))
		return true;
	sk->sk_drops++;
	udp_drop(sk->net, skb, csum_ok ? SKB_DROP_REASON_SOCKET_FILTER : SKB_DROP_REASON_UDP_CSUM);
	return false;
}

static inline int udp_queue_rcv_one_skb(struct sock *sk, struct sk_buff *skb)
{
	if (sk->sk_flags & SOCK_FILTERED && !udp_filter(sk, skb))
		return -1;
	if (sk->sk_flags & SOCK_TIMESTAMP && !skb->tstamp)
		skb->tstamp = skb->world->now;
	udp_csum_pull_header(skb);
	ipv4_pktinfo_prepare(sk, skb);
	return __udp_queue_rcv_skb(sk, skb);
}

/* udp_rcv_segment(): a super-packet (GRO for others, a sender on this host) for a socket that takes
 * plain datagrams. */
static __attribute__((noinline)) int udp_queue_rcv_segments(struct sock *sk, struct sk_buff *skb)
{
	u32 pushed = (u32)(skb->data - skb_mac_header(skb));
	struct sk_buff *segs, *next;

	if (skb->pkt_type == PACKET_LOOPBACK)
		skb->ip_summed = CHECKSUM_PARTIAL;
	skb_push(skb, pushed);
	segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (!segs) {
		sk->sk_drops += skb_segs(skb);
		MIB_ADD(sk->net, UdpInErrors, skb_segs(skb));
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return -1;
	}
	consume_skb(skb);
	for (; segs; segs = next) {
		next = segs->next;
		segs->next = NULL;
		skb_pull(segs, pushed);
		udp_queue_rcv_one_skb(sk, segs);
	}
	return 0;
}

static inline int udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(skb_is_gso(skb)) &&
	    (!udp_sk_gro_enabled(sk) || skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST))
		return udp_queue_rcv_segments(sk, skb);
	return udp_queue_rcv_one_skb(sk, skb);
}

static bool is_mcast_sock(const struct sock *sk, const struct udp_key *k)
{
	return sk->net == k->net && sk->inet_num == k->dport && sk->family == AF_INET &&
	       (!sk->inet_daddr || sk->inet_daddr == k->saddr) &&
	       (!sk->inet_dport || sk->inet_dport == k->sport) &&
	       (!sk->inet_rcv_saddr || sk->inet_rcv_saddr == k->daddr) &&
	       (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == k->dif) &&
	       ip_mc_sf_allow(sk, k->daddr, k->dif);
}

/* A copy for one more socket; the first one gets the packet itself, at the end. */
static void mcast_copy(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *n = skb_clone(skb);

	if (!n) {
		sk->sk_drops++;
		MIB_INC(sk->net, UdpRcvbufErrors);
		MIB_INC(sk->net, UdpInErrors);
		return;
	}
	udp_queue_rcv_skb(sk, n);
}

/* __udp4_lib_mcast_deliver: to every socket that matches. */
static int udp4_mcast_deliver(struct sk_buff *skb, const struct udp_key *k)
{
	const struct udp_table *t = k->net->host->udp_table;
	const struct udp_hslot *slot = udp_htable_slot(&t->port, udp_hash_port(k->net, k->dport));
	struct sock *first = NULL;

	hlist_for_each(pos, &slot->head)
	{
		struct sock *sk = &udp_by_port(pos)->sk;

		if (!is_mcast_sock(sk, k))
			continue;
		if (!first)
			first = sk;
		else
			mcast_copy(sk, skb);
	}
	if (first) {
		udp_queue_rcv_skb(first, skb);
		return 0;
	}
	MIB_INC(k->net, UdpIgnoredMulti);
	kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET);
	return 0;
}

/* Nobody: port unreachable (RFC 1122 4.1.3.1), but only for what is really a datagram. */
static int udp_no_port(struct net *net, struct sk_buff *skb)
{
	if (!udp_checksum_ok(skb))
		return udp_drop(net, skb, SKB_DROP_REASON_UDP_CSUM);
	MIB_INC(net, UdpNoPorts);
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET);
	return 0;
}

int udp_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	const struct rtable *rt = skb_rtable(skb);
	struct udp_key k = { .net = net, .skb = skb };
	struct sock *sk;
	const u8 *uh;
	u32 ulen;

	skb_path(skb, SKB_PATH_UDP_RCV);
	if (!pskb_may_pull(skb, UDP_HLEN))
		return udp_drop(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	uh = skb_transport_header(skb);
	ulen = udp_len(uh);
	if (ulen > skb->len || ulen < UDP_HLEN || pskb_trim_rcsum(skb, ulen))
		return udp_drop(net, skb, SKB_DROP_REASON_UDP_LENGTH);
	uh = skb_transport_header(skb);
	k.saddr = ip4_saddr(ip_hdr(skb));
	k.daddr = ip4_daddr(ip_hdr(skb));
	k.sport = udp_source(uh);
	k.dport = udp_dest(uh);
	k.dif = skb->dev->ifindex;
	if (!udp4_csum_init(skb, uh, k.saddr, k.daddr))
		return udp_drop(net, skb, SKB_DROP_REASON_UDP_CSUM);
	if (rt && rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST))
		return udp4_mcast_deliver(skb, &k);
	sk = lookup(&k);
	if (!sk)
		return udp_no_port(net, skb);
	udp_queue_rcv_skb(sk, skb);
	return 0;
}

/* ---- ICMP errors ---- */

/* What an ICMP message is to a socket: errno (0: nothing), and whether it counts without
 * IP_RECVERR. */
static s32 udp_err_meaning(struct sk_buff *skb, struct sock *sk, u32 info, bool *hard)
{
	const u8 *icmp = skb_transport_header(skb);
	u32 code = icmp4_code(icmp);

	*hard = false;
	switch (icmp4_type(icmp)) {
	case ICMP_SOURCE_QUENCH: /* RFC 6633: ignored */
		return 0;
	case ICMP_PARAMETERPROB:
		*hard = true;
		return EPROTO;
	case ICMP_REDIRECT:
		ipv4_sk_redirect(skb, sk);
		return 0;
	case ICMP_DEST_UNREACH:
		if (code == ICMP_FRAG_NEEDED) {
			ipv4_sk_update_pmtu(skb, sk, info);
			*hard = true;
			return sk->inet_pmtudisc != IP_PMTUDISC_DONT ? EMSGSIZE : 0;
		}
		if (code > NR_ICMP_UNREACH)
			return EHOSTUNREACH;
		*hard = icmp_err_convert(code)->fatal;
		return icmp_err_convert(code)->error;
	default:
		return EHOSTUNREACH;
	}
}

int udp_err(struct sk_buff *skb, u32 info)
{
	struct net *net = dev_net(skb->dev);
	const u8 *iph = skb->data;
	u32 ihl = ip4_ihl(iph);
	const u8 *uh = iph + ihl;
	struct sock *sk;
	bool hard;
	s32 err;

	/* The quoted packet is ours: its source is the local side. */
	sk = __udp4_lib_lookup(net, ip4_daddr(iph), udp_dest(uh), ip4_saddr(iph), udp_source(uh),
			       skb->dev->ifindex);
	if (!sk) {
		MIB_INC(net, IcmpInErrors);
		return -ENOENT;
	}
	err = udp_err_meaning(skb, sk, info, &hard);
	if (!err)
		return 0;
	/* RFC 1122 4.1.3.3: errors go to the application. */
	if (sk->inet_recverr)
		ip_icmp_error(sk, skb, err, udp_dest(skb->data + ihl), info, ihl + UDP_HLEN);
	else if (!hard || sk->sk_state != TCP_ESTABLISHED)
		return 0;
	sk->sk_err = (s16)err;
	sk_error_report(sk);
	return 0;
}

const struct net_protocol udp_protocol = { .handler = udp_rcv, .err_handler = udp_err };
